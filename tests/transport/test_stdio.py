"""The real server on pipes: what every client may send, in every era, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.conftest import Serve
from tests.flows import bodies
from tests.flows.processes import children, descendants, gone
from tests.guests import write_plugin
from tests.requirements import requirement
from tests.stdio_server import META, MODERN, Json, StdioServer, error_code, text_of
from tests.transport.test_wire import BAD_FRAMES

HERE = Path(__file__).resolve().parent
LOGS = '[capabilities]\nrequired = ["LoggingAccess"]\n'
DISCOVER: Json = {"jsonrpc": "2.0", "id": "probe", "method": "server/discover", "params": {"_meta": META}}


def fill(folder: Path) -> None:
    write_plugin(folder, "well", bodies.also_echo(""))
    write_plugin(folder, "brief", bodies.also_echo(bodies.SLOW_LOOP), "[limits]\nmax_execution_time_ms = 400")
    one = (
        "max_execution_time_ms = 60_000\nmax_concurrency = 1\nmax_queued_calls = 1\nmax_instructions = 100_000_000_000"
    )
    write_plugin(folder, "endless", bodies.logs_then_loops(), LOGS + f"[limits]\n{one}")
    write_plugin(folder, "long", bodies.long_output(200_000))
    write_plugin(folder, "chatty", bodies.log_often(200, json.dumps({"message": "m" * 300})), LOGS)


PATIENT = {"AGENTMEM_RUNTIME__DRAIN_SECONDS": "600"}


def call_frame(number: int | str, tool: str, arguments: Json | None = None) -> Json:
    params = {"name": tool, "arguments": arguments or {}, "_meta": META}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def cancelled(number: int | str) -> Json:
    return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}}


@asynccontextmanager
async def listening(serve: Serve, stage: Path) -> AsyncGenerator[tuple[StdioServer, BufferedByteReceiveStream]]:
    """A server and what it says on stderr; what drains longer than a test waits is found."""
    async with serve(stage, stderr=subprocess.PIPE, environment=PATIENT) as server:
        assert server.process.stderr is not None
        yield server, BufferedByteReceiveStream(server.process.stderr)


async def start_endless(server: StdioServer, stderr: BufferedByteReceiveStream, number: int | str = "endless") -> None:
    """Call ``endless__run`` and return when its guest runs."""
    await server.send(call_frame(number, "endless__run"))
    with anyio.fail_after(40):
        while b"endless: running" not in await stderr.receive_until(b"\n", 65_536):
            pass


async def serves(server: StdioServer) -> None:
    with anyio.fail_after(40):
        assert (await server.call("well__echo", {"a": 1}))["structuredContent"] == {"a": 1}


# --- eras ------------------------------------------------------------------------------------------------------------


@requirement("stdio:eras")
@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_a_client_that_initializes_is_served_in_its_own_revision(serve: Serve, stage: Path, version: str) -> None:
    async with serve(stage) as server:
        opened = (await server.initialize(version))["result"]
        assert (opened["protocolVersion"], opened["serverInfo"]["name"]) == (version, "agentmem-mcp")
        assert opened["capabilities"]["tools"] == {"listChanged": True}
        listed = (await server.ask("tools/list"))["result"]
        assert "well__echo" in [tool["name"] for tool in listed["tools"]]
        result = (await server.ask("tools/call", {"name": "well__echo", "arguments": {"a": 1}}))["result"]
        assert json.loads(text_of(result)) == {"a": 1}
        assert (await server.ask("ping"))["result"] == {}
        assert "resultType" not in result


@requirement("stdio:eras")
async def test_an_unknown_revision_is_answered_with_the_newest_that_has_a_handshake(serve: Serve, stage: Path) -> None:
    async with serve(stage) as server:
        assert (await server.initialize("1999-01-01"))["result"]["protocolVersion"] == "2025-11-25"


@requirement("stdio:eras")
async def test_a_modern_client_needs_no_handshake(zoo: StdioServer) -> None:
    discovered = (await zoo.modern("server/discover"))["result"]
    assert MODERN in discovered["supportedVersions"]
    assert discovered["capabilities"]["tools"] == {"listChanged": True}
    listed = (await zoo.modern("tools/list"))["result"]
    assert (listed["resultType"], listed["cacheScope"], listed["ttlMs"]) == ("complete", "private", 5_000)
    await serves(zoo)


@requirement("stdio:eras")
async def test_a_modern_request_of_an_unknown_revision_names_the_known_ones(zoo: StdioServer) -> None:
    future = {**META, "io.modelcontextprotocol/protocolVersion": "2031-01-01"}
    error = (await zoo.ask("tools/list", {"_meta": future}))["error"]
    assert error["code"] == -32022
    assert MODERN in error["data"]["supported"]
    await serves(zoo)


@requirement("stdio:probe-then-initialize")
@pytest.mark.parametrize("probes", [1, 3])
async def test_a_client_may_probe_and_then_initialize_on_the_same_pipe(serve: Serve, stage: Path, probes: int) -> None:
    async with serve(stage) as server:
        for _ in range(probes):
            assert MODERN in (await server.modern("server/discover"))["result"]["supportedVersions"]
        assert (await server.initialize())["result"]["protocolVersion"] == "2025-11-25"
        result = (await server.ask("tools/call", {"name": "well__echo", "arguments": {"a": 1}}))["result"]
        assert json.loads(text_of(result)) == {"a": 1}


@requirement("stdio:probe-then-initialize")
async def test_a_malformed_probe_is_an_error_and_the_handshake_still_works(serve: Serve, stage: Path) -> None:
    async with serve(stage) as server:
        assert "error" in await server.ask("server/discover")
        assert "error" in await server.ask("server/discover", {"_meta": {}})
        assert (await server.initialize())["result"]["protocolVersion"] == "2025-11-25"


@requirement("stdio:probe-then-initialize")
async def test_a_probe_and_then_modern_requests_stay_modern(serve: Serve, stage: Path) -> None:
    async with serve(stage) as server:
        await server.modern("server/discover")
        await serves(server)
        assert (await server.initialize())["error"]["code"] == -32022
        await serves(server)


# --- frames ----------------------------------------------------------------------------------------------------------


@requirement("stdio:bad-frame-answered")
async def test_every_bad_frame_is_answered_before_and_after_the_era_is_chosen(serve: Serve, stage: Path) -> None:
    async with serve(stage) as server:
        for _ in range(2):
            for frame, code, request_id in BAD_FRAMES.values():
                await server.send_raw(frame + b"\n")
                with anyio.fail_after(30):
                    answer = await server.receive()
                assert (answer["error"]["code"], answer["id"]) == (code, request_id)
            await serves(server)


@requirement("stdio:bad-frame-answered")
async def test_an_unknown_method_and_a_call_without_a_name_are_errors_of_the_protocol(zoo: StdioServer) -> None:
    assert (await zoo.modern("tools/remove"))["error"]["code"] == -32601
    assert (await zoo.modern("tools/call", {}))["error"]["code"] == -32602
    assert (await zoo.modern("tools/list", {"cursor": "?"}))["error"]["code"] == -32602
    await serves(zoo)


@requirement("stdio:bad-frame-answered")
@pytest.mark.parametrize(
    "frame",
    [
        {"method": "notifications/unheard-of", "params": {"a": 1}},
        {"method": "notifications/cancelled"},
        {"method": "notifications/cancelled", "params": None},
        {"method": "notifications/cancelled", "params": {"requestId": [1]}},
        {"method": "notifications/cancelled", "params": {"requestId": {"a": 1}}},
        {"method": "notifications/cancelled", "params": {"requestId": "nobody's"}},
        {"id": "unasked", "result": {}},
        {"id": [1], "result": {}},
        {"id": "unasked", "error": {"code": "x"}},
        {"id": None, "error": {"code": 1, "message": "m"}},
    ],
)
async def test_a_notification_or_response_nobody_waits_for_harms_nothing_that_comes_with_it(
    zoo: StdioServer, frame: Json
) -> None:
    await zoo.send_raw(
        json.dumps({"jsonrpc": "2.0", **frame}).encode()
        + b"\n"
        + json.dumps(call_frame("n", "well__echo")).encode()
        + b"\n"
    )
    with anyio.fail_after(40):
        assert (await zoo.answer("n"))["result"]["structuredContent"] == {}


@requirement("stdio:bad-frame-answered")
async def test_a_line_of_thirty_three_megabytes_is_told_once_and_the_next_request_is_answered(zoo: StdioServer) -> None:
    await zoo.send_raw(b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * 34_000_000 + b'"}\n')
    with anyio.fail_after(40):
        assert (await zoo.receive())["error"]["code"] == -32600
    await serves(zoo)


@requirement("stdio:bad-frame-answered")
async def test_a_request_may_come_byte_by_byte_and_many_in_one_write(zoo: StdioServer) -> None:
    for byte in json.dumps(call_frame("slow", "well__echo", {"ü": "ü"}), ensure_ascii=False).encode() + b"\r\n":
        await zoo.send_raw(bytes([byte]))
    with anyio.fail_after(40):
        assert (await zoo.answer("slow"))["result"]["structuredContent"] == {"ü": "ü"}
    frames = [json.dumps(call_frame(f"m{number}", "well__echo", {"n": number})) for number in range(100)]
    await zoo.send_raw("\n".join([*frames, ""]).encode())
    with anyio.fail_after(40):
        for number in range(100):
            assert (await zoo.answer(f"m{number}"))["result"]["structuredContent"] == {"n": number}


@requirement("stdio:eras")
async def test_requests_with_one_id_as_text_and_as_number_are_two_requests(zoo: StdioServer) -> None:
    await zoo.send(call_frame(77, "well__echo", {"id": "number"}))
    await zoo.send(call_frame("77", "well__echo", {"id": "text"}))
    assert (await zoo.answer(77))["result"]["structuredContent"] == {"id": "number"}
    assert (await zoo.answer("77"))["result"]["structuredContent"] == {"id": "text"}


# --- pipes -----------------------------------------------------------------------------------------------------------


@requirement("stdio:stdout-clean")
async def test_stdout_carries_json_rpc_alone_whatever_prints_while_serving_and_at_exit(
    stage: Path, cache: Path, tmp_path: Path
) -> None:
    frames = [json.dumps(call_frame(number, "well__echo", {"n": number})) for number in range(100)]
    command = [sys.executable, str(HERE / "noisy_server.py"), str(stage)]
    environment = {"AGENTMEM_HOME": str(cache), "PYTHONPATH": str(HERE.parent.parent)}
    with (tmp_path / "stderr").open("w+b") as stderr:
        done = await anyio.run_process(
            command, input="\n".join([*frames, ""]).encode(), stderr=stderr, env=environment, check=True
        )
        stderr.seek(0)
        noise = stderr.read()
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(answer["id"] for answer in answers) == list(range(100))
    assert all(answer["result"]["structuredContent"] == {"n": answer["id"]} for answer in answers)
    for words in (b"from Python", b"raw yyy", b"from C"):
        assert words in noise


@requirement("stdio:stderr-unread")
async def test_a_stderr_that_nobody_reads_blocks_no_call_and_not_the_end(serve: Serve, stage: Path) -> None:
    unread, stderr = os.pipe()
    try:
        async with serve(stage, stderr=stderr) as server:
            os.close(stderr)
            with anyio.fail_after(20):
                for _ in range(20):  # 4 000 lines, 1.3 MB
                    assert (await server.call("chatty__run"))["structuredContent"]["success"]
                assert await server.close() == 0
    finally:
        os.close(unread)


@requirement("stdio:stderr-unread")
async def test_a_stderr_that_is_closed_ends_nothing(serve: Serve, stage: Path) -> None:
    unread, stderr = os.pipe()
    async with serve(stage, stderr=stderr) as server:
        os.close(stderr)
        os.close(unread)
        assert (await server.call("chatty__run"))["structuredContent"]["success"]
        await serves(server)
        assert await server.close() == 0


@requirement("stdio:eof")
async def test_a_client_that_does_not_read_for_a_while_gets_every_answer_later(serve: Serve, stage: Path) -> None:
    async with serve(stage) as server:
        for number in range(50):  # 10 MB of answers, a pipe holds 64 kB
            await server.send(call_frame(f"m{number}", "long__run"))
        with anyio.fail_after(20):
            for number in range(50):
                assert len(text_of((await server.answer(f"m{number}"))["result"])) == 199_998
        await serves(server)


@requirement("stdio:eof")
async def test_stdin_may_be_a_regular_file(stage: Path, cache: Path, tmp_path: Path) -> None:
    frames = [json.dumps(call_frame(number, "well__echo", {"n": number})) for number in range(20)]
    (tmp_path / "requests").write_text("\n".join(frames))
    command = [sys.executable, "-m", "mcp_server", "serve", "--plugins", str(stage)]
    with (tmp_path / "requests").open("rb") as stdin, anyio.fail_after(20):
        done = await anyio.run_process(command, stdin=stdin, env={"AGENTMEM_HOME": str(cache)}, cwd=Path.cwd())
    assert sorted(json.loads(line)["id"] for line in done.stdout.splitlines()) == list(range(20))


# --- cancel and end --------------------------------------------------------------------------------------------------


@requirement("call:loop")
async def test_a_cancelled_call_stops_its_guest_and_frees_its_slot(serve: Serve, stage: Path) -> None:
    async with listening(serve, stage) as (server, stderr):
        await start_endless(server, stderr)  # the plugin has one slot, and the call could run for a minute
        await server.send(cancelled("endless"))
        with anyio.fail_after(40):
            assert not (await server.call("endless__echo", {"a": 1}))["isError"]


@requirement("concurrency:no-crosstalk")
async def test_a_cancel_reaches_no_call_that_comes_after_it(serve: Serve, stage: Path) -> None:
    async with listening(serve, stage) as (server, stderr):
        with anyio.fail_after(30):
            for number in range(40):
                await start_endless(server, stderr, number + 1_000)
                await server.send(cancelled(number + 1_000))
                result = await server.call("endless__echo", {"n": number})
                assert not result["isError"], text_of(result)


@requirement("call:next-answered")
async def test_a_call_that_finds_no_slot_and_no_place_in_the_line_is_busy_at_once(serve: Serve, stage: Path) -> None:
    async with listening(serve, stage) as (server, stderr):
        await start_endless(server, stderr)
        await server.send(call_frame("waits", "endless__echo"))
        with anyio.fail_after(40):
            result = await server.call("endless__echo")
            assert error_code(result) == "busy"
            assert result["_meta"]["agentmem/error"]["retry_after_ms"] == 1_000
            await serves(server)
            await server.send(cancelled("endless"))
            assert (await server.answer("waits"))["result"]["structuredContent"] == {}


@requirement("stdio:eof")
async def test_at_the_end_of_input_running_calls_are_answered_and_the_exit_status_is_0(
    serve: Serve, stage: Path
) -> None:
    async with serve(stage) as server:
        await serves(server)
        await server.send(call_frame("last", "brief__run"))
        await server.stdin.aclose()
        with anyio.fail_after(40):
            assert error_code((await server.answer("last"))["result"]) == "limit_execution_time"
            assert await server.process.wait() == 0


@requirement("stdio:eof")
async def test_an_open_subscription_does_not_hold_up_the_end(serve: Serve, stage: Path) -> None:
    async with serve(stage, environment=PATIENT) as server:
        listen = {"notifications": {"toolsListChanged": True}, "_meta": META}
        await server.send({"jsonrpc": "2.0", "id": "sub", "method": "subscriptions/listen", "params": listen})
        assert (await server.receive())["method"] == "notifications/subscriptions/acknowledged"
        with anyio.fail_after(40):
            assert await server.close() == 0


@requirement("stdio:eof")
async def test_a_client_that_says_nothing_at_all_ends_the_server_with_0(serve: Serve, stage: Path) -> None:
    async with serve(stage) as server:
        with anyio.fail_after(40):
            assert await server.close() == 0


@requirement("stdio:sigterm")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_at_a_signal_running_calls_are_answered_and_the_exit_status_is_0(
    serve: Serve, stage: Path, number: signal.Signals
) -> None:
    async with serve(stage) as server:
        await serves(server)
        await server.send(call_frame("last", "brief__run"))
        await serves(server)  # the call before it has been taken
        server.process.send_signal(number)
        with anyio.fail_after(40):
            assert error_code((await server.answer("last"))["result"]) == "limit_execution_time"
            assert await server.process.wait() == 0


@requirement("stdio:sigterm")
async def test_a_signal_after_the_end_of_input_ends_the_drain_with_0(serve: Serve, stage: Path) -> None:
    async with listening(serve, stage) as (server, stderr):
        await start_endless(server, stderr)
        await server.stdin.aclose()  # as the TypeScript client does, two seconds before it sends the signal
        server.process.send_signal(signal.SIGTERM)
        with anyio.fail_after(40):
            assert await server.process.wait() == 0


@requirement("stdio:sigterm")
async def test_a_second_signal_ends_the_server_at_once(serve: Serve, stage: Path) -> None:
    async with listening(serve, stage) as (server, stderr):
        await start_endless(server, stderr)
        processes = descendants(server.process.pid)
        server.process.send_signal(signal.SIGTERM)
        with anyio.fail_after(40):
            while b"SIGTERM: no more requests are read" not in await stderr.receive_until(b"\n", 65_536):
                pass
            server.process.send_signal(signal.SIGTERM)
            assert await server.process.wait() == 128 + signal.SIGTERM
            await gone(processes)


@requirement("call:worker-death")
async def test_a_server_that_is_killed_leaves_no_process_behind(serve: Serve, stage: Path) -> None:
    async with listening(serve, stage) as (server, stderr):
        await serves(server)
        await start_endless(server, stderr)
        processes = descendants(server.process.pid)
        assert len(processes) == 3  # the forkserver and a worker of each plugin
        server.process.kill()
        with anyio.fail_after(40):
            await gone(processes)


@requirement("call:worker-death")
async def test_a_worker_that_is_killed_in_a_call_is_one_typed_error(serve: Serve, stage: Path) -> None:
    async with listening(serve, stage) as (server, stderr):
        await start_endless(server, stderr)
        [forkserver] = children(server.process.pid)
        [worker] = children(forkserver)
        os.kill(worker, signal.SIGKILL)
        with anyio.fail_after(40):
            result = (await server.answer("endless"))["result"]
            assert error_code(result) == "plugin_crashed"
            assert "died during run (SIGKILL)" in text_of(result)
            assert (await server.call("endless__echo", {"a": 1}))["structuredContent"] == {"a": 1}


@requirement("call:worker-death")
async def test_the_death_of_the_forkserver_is_one_typed_error_and_another_one_takes_over(
    serve: Serve, stage: Path
) -> None:
    async with listening(serve, stage) as (server, stderr):
        await start_endless(server, stderr)
        [forkserver] = children(server.process.pid)
        workers = children(forkserver)
        os.kill(forkserver, signal.SIGKILL)
        with anyio.fail_after(40):
            assert error_code((await server.answer("endless"))["result"]) == "plugin_crashed"
            await gone(workers)
            assert (await server.call("endless__echo", {"a": 1}))["structuredContent"] == {"a": 1}
            await serves(server)
        assert forkserver not in children(server.process.pid)
