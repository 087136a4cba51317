"""The lane on the pipes: the same answers as without it, for clients of both kinds of era."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings

from tests.flows import bodies
from tests.guests import write_plugin
from tests.lane.test_same_answers import FORMS, TOOLS, call, messages
from tests.lane.test_same_answers import fill as fill_with_all
from tests.lane.test_sessions import BARE
from tests.requirements import requirement
from tests.stdio_server import META, Json, StdioServer, stdio_server

Era = Literal["modern", "2025-06-18", "2025-11-25", "2024-11-05"]
_VOLATILE = re.compile(r"\bc\d+\b|request \w+")
_ENVELOPE = json.dumps(META, separators=(",", ":")).encode()
UNANSWERED = {"notification"}
"""As it should be."""
LINES = {
    name: sending.body
    for name, sending in {**TOOLS, **FORMS}.items()
    if name not in UNANSWERED and b"\n" not in sending.body and sending.body and len(sending.body) < 200_000
}


def fill(folder: Path) -> None:
    fill_with_all(folder)
    one = "max_concurrency = 1\nmax_queued_calls = 1\nmax_instructions = 100_000_000_000"
    loop = bodies.also_echo(bodies.SLOW_LOOP)
    write_plugin(folder, "endless", loop, f"[limits]\nmax_execution_time_ms = 5_000\n{one}")


@pytest.fixture(scope="module", params=["modern", "2024-11-05", "2025-06-18", "2025-11-25"])
async def pipes(
    request: pytest.FixtureRequest, stage: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, StdioServer, StdioServer]]:
    """A server with the lane and one without, and the era that both are in."""
    homes = tmp_path_factory.mktemp("with"), tmp_path_factory.mktemp("without")
    era: str = request.param
    quiet = {"AGENTMEM_LOG__LEVEL": "error"}
    off = {**quiet, "AGENTMEM_RUNTIME__FAST_LANE": "false"}
    async with (
        stdio_server(stage, home=homes[0], environment=quiet) as lane,
        stdio_server(stage, home=homes[1], environment=off) as sdk,
    ):
        for server in (lane, sdk):
            if era == "modern":
                await server.ask("tools/list", {"_meta": META})
            else:
                await server.initialize(era)
        yield era, lane, sdk


def line_for(era: str, body: bytes) -> bytes:
    """A body of 2026-07-28 as the clients of ``era`` would send it."""
    return body + b"\n" if era == "modern" else body.replace(b'"_meta":' + _ENVELOPE, b'"_meta":{}') + b"\n"


def written(message: Json) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode("utf-8", "surrogatepass")


async def told(server: StdioServer, line: bytes) -> list[Any]:
    """What is answered, with what comes before it."""
    await server.send_raw(line)
    heard: list[Any] = []
    while True:
        message = await server.receive()
        heard.append(json.loads(_VOLATILE.sub("…", json.dumps(message))))
        if "id" in message:
            return heard


@requirement("lane:same")
@pytest.mark.parametrize("case", LINES)
async def test_every_line_is_answered_the_same(pipes: tuple[str, StdioServer, StdioServer], case: str) -> None:
    era, lane, sdk = pipes
    line = line_for(era, LINES[case])
    assert await told(lane, line) == await told(sdk, line)


@requirement("lane:same")
@pytest.mark.parametrize("case", BARE)
async def test_requests_without_parameters_are_answered_the_same(
    pipes: tuple[str, StdioServer, StdioServer], case: str
) -> None:
    _, lane, sdk = pipes
    line = written({"jsonrpc": "2.0", "id": case, **BARE[case]}) + b"\n"
    assert await told(lane, line) == await told(sdk, line)


@requirement("lane:same")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=messages)
async def test_whatever_line_is_sent_the_answers_are_the_same(
    pipes: tuple[str, StdioServer, StdioServer], message: Json
) -> None:
    era, lane, sdk = pipes
    line = line_for(era, written(message))
    assert await told(lane, line) == await told(sdk, line)


@requirement("lane:same")
async def test_a_call_that_is_cancelled_gets_no_answer_and_its_guest_stops(
    pipes: tuple[str, StdioServer, StdioServer],
) -> None:
    era, *servers = pipes
    for server in servers:
        await server.send_raw(line_for(era, written(call("endless__run", {}, number="gone"))))
        params = {"requestId": "gone"}
        await server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})
        # The plugin runs one call at a time, and this one would be answered "busy" while the guest runs.
        line = line_for(era, written(call("endless__echo", {"a": 1}, number="next")))
        answers = [await told(server, line), await told(server, line)]
        assert [answer[-1]["id"] for answer in answers] == ["next", "next"]
        assert answers[-1][-1]["result"]["isError"] is False


async def test_the_end_of_input_lets_a_call_of_the_lane_finish(stage: Path, cache: Path) -> None:
    async with stdio_server(stage, home=cache) as server:
        await server.ask("tools/list", {"_meta": META})
        await server.send(call("well__echo", {"a": 1}, number="last"))
        await server.stdin.aclose()
        assert (await server.receive())["id"] == "last"
        assert await server.process.wait() == 0
