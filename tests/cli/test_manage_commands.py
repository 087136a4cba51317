"""Switching, stopping and looking at plugins from the shell: asked of a server that runs, else done on the files."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread
from anyio.streams.buffered import BufferedByteReceiveStream

from mcp_server.telemetry.plugin_log import LogTail, PluginLogFiles, last_lines
from tests.canary import slot
from tests.commands import answer, run
from tests.flows import bodies
from tests.guests import ECHO, module, write_plugin
from tests.http_server import HttpServer, http_server
from tests.requirements import requirement
from tests.stdio_server import stdio_server


async def told(home: Path, *words: str | Path) -> dict[str, Any]:
    """What a command prints, while servers of this process go on."""
    return await to_thread.run_sync(partial(answer, home, *words))


async def said(home: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return await to_thread.run_sync(partial(run, home, *words))


async def serving(server: HttpServer) -> None:
    """Wait until it serves; it can be found by then."""
    async with server.client() as client:
        assert (await client.get("/health")).status_code == 200


@requirement("operate:server")
async def test_a_running_server_is_asked_and_the_answer_says_so(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    async with http_server(plugins, home=tmp_path) as server:
        await serving(server)
        stopped = await told(tmp_path, "plugin", "stop", "echo")
        assert (stopped["via"], stopped["server"], stopped["plugin"]["state"]) == ("server", server.url, "Stopped")
        again = await said(tmp_path, "plugin", "stop", "echo", "--json")
        assert (again.returncode, json.loads(again.stderr)["error"]["code"]) == (2, "lifecycle_invalid")
        assert (await told(tmp_path, "plugin", "start", "echo"))["plugin"]["state"] == "Loaded"
        assert (await told(tmp_path, "plugin", "restart", "echo"))["plugin"]["state"] == "Loaded"
        assert f"(server at {server.url})" in (await said(tmp_path, "plugin", "reload", "echo")).stdout
        disabled = await told(tmp_path, "plugin", "disable", "echo")
        assert disabled["plugin"]["reason"].startswith("[plugin_disabled]")
        refused = await said(tmp_path, "plugin", "restart", "echo")
        assert refused.stderr.startswith("error[plugin_disabled]")
        assert "enabled = false" in (tmp_path / "config" / "config.toml").read_text()
        assert (await told(tmp_path, "plugin", "enable", "echo"))["plugin"]["state"] == "Loaded"
        assert (await server.call("echo__echo", {"a": 1}))["structuredContent"] == {"a": 1}
        figures = await told(tmp_path, "plugin", "stats", "echo")
        assert (figures["via"], figures["tools"]["echo__echo"]["calls"]) == ("server", 1)
        unknown = await said(tmp_path, "plugin", "stop", "ecko")
        assert (unknown.returncode, unknown.stderr.split(":")[0]) == (2, "error[plugin_not_found]")
    gone = await said(tmp_path, "plugin", "stop", "echo", "--plugins", plugins)
    assert (gone.returncode, gone.stderr.split(":")[0]) == (4, "error[server_unreachable]")
    assert "plugin disable echo" in gone.stderr


@requirement("operate:server")
async def test_several_processes_are_one_server_to_a_command(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    async with http_server(plugins, home=tmp_path, arguments=("--processes", "2")) as server:
        await serving(server)
        assert (await told(tmp_path, "plugin", "reload", "echo"))["server"] == server.url


@requirement("operate:files")
def test_without_a_server_the_files_are_changed_and_said(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    (tmp_path / "config").mkdir()
    config = tmp_path / "config" / "config.toml"
    config.write_text("# mine\n[plugins.echo]\nisolation = 'call'\n")
    folders = ("--plugins", plugins)
    off = answer(tmp_path, "plugin", "disable", "echo", *folders)
    assert (off["via"], off["file"], off["plugin"]["state"]) == ("files", str(config), "Stopped")
    assert answer(tmp_path, "plugin", "list", *folders)["plugins"][0]["fix"] == "agentmem-mcp plugin enable echo"
    assert run(tmp_path, "tool", "call", "echo__echo", *folders).returncode == 2
    assert answer(tmp_path, "plugin", "disable", "echo", *folders)["changed"] == []
    assert answer(tmp_path, "plugin", "enable", "echo", *folders)["plugin"]["state"] == "Loaded"
    assert config.read_text() == "# mine\n[plugins.echo]\nisolation = 'call'\n"
    assert answer(tmp_path, "plugin", "restart", "echo", *folders)["plugin"]["state"] == "Loaded"
    assert run(tmp_path, "plugin", "disable", "ecko", *folders).returncode == 2


@requirement("operate:files")
def test_the_disabled_plugin_of_another_layer_is_pointed_at(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    (tmp_path / "agentmem.toml").write_text("[plugins.echo]\nenabled = false\n")
    result = run(tmp_path, "plugin", "enable", "echo", "--plugins", plugins)
    assert result.returncode == 2
    assert "is still disabled" in result.stderr
    assert "config show --origin" in result.stderr


@requirement("settings:stranger")
def test_a_strangers_file_cannot_switch_a_plugin_on(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    answer(tmp_path, "plugin", "disable", "echo", "--plugins", plugins)
    (tmp_path / "agentmem.toml").write_text("[plugins.echo]\nenabled = true\n")
    listed = run(tmp_path, "plugin", "list", "--plugins", plugins, "--json")
    assert json.loads(listed.stdout)["plugins"][0]["state"] == "Stopped"
    assert "plugins.echo.enabled" in listed.stderr


@requirement("approval:locked")
def test_a_disabled_plugin_does_not_keep_a_locked_server_from_starting(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    write_plugin(plugins, "other", module(ECHO))
    answer(tmp_path, "plugin", "approve", "echo", "--plugins", plugins)
    locked = ("serve", "--locked", "--plugins", plugins)
    assert run(tmp_path, *locked).returncode == 3
    answer(tmp_path, "plugin", "disable", "other", "--plugins", plugins)
    assert run(tmp_path, *locked).returncode == 0


@requirement("operate:server")
async def test_servers_on_pipes_are_asked_to_look_again(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    async with stdio_server(plugins, home=tmp_path) as server:
        assert await server.tools() == ["echo__echo"]
        off = await told(tmp_path, "plugin", "disable", "echo", "--plugins", plugins)
        assert (off["via"], len(off["told"])) == ("files", 1)
        with anyio.fail_after(20):
            while await server.tools():
                await anyio.lowlevel.checkpoint()
        refused = await said(tmp_path, "plugin", "start", "echo", "--plugins", plugins)
        assert (refused.returncode, "take no orders" in refused.stderr) == (4, True)


@requirement("operate:logs")
async def test_what_a_plugin_logged_in_a_server_is_shown_afterwards(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "talker", bodies.asks("log"), '[capabilities]\nrequired = ["LoggingAccess"]\n')
    async with stdio_server(plugins, home=tmp_path) as server:
        line = {"level": "warning", "message": "hello there", "fields": {"n": 1, "api_key": slot("config value")}}
        assert (await server.call("talker__run", line))["structuredContent"]["success"] is True
        assert await server.close() == 0
    (line,) = (await told(tmp_path, "plugin", "logs", "talker"))["lines"]
    assert (line["level"], line["message"], line["plugin.n"]) == ("warning", "talker: hello there", 1)
    assert line["plugin.api_key"] == "[redacted]"
    text = (await said(tmp_path, "plugin", "logs", "talker")).stdout
    assert text.endswith(" warning hello there n=1 api_key=[redacted]\n")
    assert "has logged nothing" in (await said(tmp_path, "plugin", "logs", "silent")).stderr


@asynccontextmanager
async def following(home: Path, *words: str) -> AsyncGenerator[Callable[[], Awaitable[dict[str, Any]]]]:
    """``plugin logs --follow``; gives what reads its next line."""
    command = [sys.executable, "-m", "mcp_server", "plugin", "logs", *words, "--follow", "--json"]
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home)}  # noqa: TID251  # a test's
    async with await anyio.open_process(command, cwd=home, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = BufferedByteReceiveStream(process.stdout)
        said = await BufferedByteReceiveStream(process.stderr).receive_until(b"\n", 10_000)
        assert said.startswith(b"following ")

        async def following_line() -> dict[str, Any]:
            with anyio.fail_after(20):
                return json.loads(await lines.receive_until(b"\n", 100_000))

        try:
            yield following_line
        finally:
            if process.returncode is None:  # the one whose server is gone may have ended by now
                process.terminate()


TALKER = '[capabilities]\nrequired = ["LoggingAccess"]\n'


@requirement("operate:logs")
async def test_a_running_server_is_asked_for_its_lines_and_followed(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "talker", bodies.asks("log"), TALKER)
    write_plugin(plugins, "other", bodies.asks("log"), TALKER)
    async with http_server(plugins, home=tmp_path) as server:
        await serving(server)
        await server.call("talker__run", {"level": "error", "message": "one", "fields": {"n": 1}})
        shown = await told(tmp_path, "plugin", "logs", "talker")
        assert (shown["via"], shown["server"], shown["lines"][0]["message"]) == ("server", server.url, "talker: one")
        async with following(tmp_path, "talker") as line:
            first = await line()
            await server.call("other__run", {"level": "warning", "message": "not this"})
            await server.call("talker__run", {"level": "warning", "message": "two", "fields": {"n": 2}})
            second = await line()
        assert {**second, "time": ""} == {
            **first,
            "time": "",
            "level": "warning",
            "message": "talker: two",
            "plugin.n": 2,
        }
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", second["time"])
        every = await told(tmp_path, "plugin", "stats")
        assert (every["via"], every["tools"]["talker__run"]["calls"]) == ("server", 2)
        assert set(every["plugins"]) == {"talker", "other"}


@requirement("operate:logs")
async def test_the_reader_hears_when_the_server_that_it_follows_is_gone(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "talker", bodies.asks("log"), TALKER)
    async with http_server(plugins, home=tmp_path) as server:
        await serving(server)
        await server.call("talker__run", {"level": "error", "message": "one"})
        async with following(tmp_path, "talker") as line:
            await line()
            server.process.terminate()
            with pytest.raises(anyio.IncompleteRead):
                await line()


@requirement("operate:logs")
async def test_without_a_server_that_takes_orders_the_files_are_followed_past_their_end(
    tmp_path: Path, plugins: Path
) -> None:
    write_plugin(plugins, "talker", bodies.asks("log"), TALKER)
    async with stdio_server(plugins, home=tmp_path) as server:
        await server.call("talker__run", {"level": "error", "message": "one"})
        assert (await told(tmp_path, "plugin", "logs", "talker"))["via"] == "files"
        async with following(tmp_path, "talker", "-n", "1") as line:
            assert (await line())["message"] == "talker: one"
            (tmp_path / "state" / "logs" / "talker.jsonl").rename(tmp_path / "state" / "logs" / "talker.jsonl.1")
            await server.call("talker__run", {"level": "warning", "message": "two"})
            assert (await line())["message"] == "talker: two"


@requirement("operate:logs")
def test_a_tail_reads_whole_lines_once_across_a_file_that_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "echo.jsonl"
    (tmp_path / "echo.jsonl.1").write_text('{"n": 0}\n')
    tail = LogTail(tmp_path, "echo")
    assert tail.more() == [{"n": 0}]
    with path.open("a") as file:
        file.write('{"n": 1}\n{"n":')
    assert tail.more() == [{"n": 1}]
    with path.open("a") as file:
        file.write(" 2}\nno line\n")
    path.replace(tmp_path / "echo.jsonl.1")
    path.write_text('{"n": 3}\n')
    assert tail.more() == [{"n": 2}, {"n": 3}]
    assert tail.more() == []
    tail.close()


@requirement("operate:logs")
def test_the_files_of_logs_are_bounded_and_a_disk_that_refuses_fails_nothing(tmp_path: Path) -> None:
    handler = PluginLogFiles(tmp_path / "logs", max_bytes=2_000)
    for number in range(100):
        handler.handle(logging.makeLogRecord({"msg": "%s: %s", "args": ("echo", f"line {number}"), "levelno": 30}))
    assert sum(path.stat().st_size for path in (tmp_path / "logs").iterdir()) < 2 * 2_000 + 200
    lines = last_lines(tmp_path / "logs", "echo", 5)
    assert [line["message"] for line in lines] == [f"echo: line {number}" for number in range(95, 100)]
    handler.handle(logging.makeLogRecord({"msg": "%s: %s", "args": ("../../escape", "line")}))
    assert not list(tmp_path.rglob("escape*")) or [p.parent.name for p in tmp_path.rglob("escape*")] == ["logs"]
    (tmp_path / "file").write_text("")
    refusing = PluginLogFiles(tmp_path / "file" / "logs")
    refusing.handle(logging.makeLogRecord({"msg": "%s: %s", "args": ("echo", "line")}))


@requirement("operate:config")
def test_settings_are_set_checked_and_taken_out(tmp_path: Path) -> None:
    made = answer(tmp_path, "config", "set", "runtime.max_workers=3", "log.level=debug", "grants.p.ask=true")
    path = tmp_path / "config" / "config.toml"
    assert made == {
        "file": str(path),
        "changed": ["+ runtime.max_workers = 3", '+ log.level = "debug"', "+ grants.p.ask = true"],
    }
    assert answer(tmp_path, "config", "set", "runtime.max_workers=3")["changed"] == []
    assert answer(tmp_path, "config", "check") == {"ok": True, "files": [str(path)], "warnings": []}
    assert "+ log.level" not in run(tmp_path, "config", "set", "log.level=info").stdout
    taken = answer(tmp_path, "config", "unset", "runtime.max_workers", "grants.p.ask", "llm.nothing")
    assert taken["changed"] == ["- runtime.max_workers", "- grants.p.ask"]
    assert path.read_text().strip() == '[log]\nlevel = "info"'
    hidden = run(tmp_path, "config", "set", "config.p.api_token=verysecretvalue").stdout
    assert "verysecretvalue" not in hidden


@requirement("operate:config")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "runtime.max_workers=many"], "runtime.max_workers"),
        (["set", "runtim.max_workers=1"], "did you mean"),
        (["set", "runtime"], "is not SECTION.KEY=VALUE"),
        (["unset", "runtime"], "a key is SECTION.KEY"),
        (["set", "log.level=info", "--project", "--config", "x.toml"], "name two files"),
    ],
)
def test_a_setting_that_would_not_be_in_order_is_not_written(tmp_path: Path, words: list[str], said: str) -> None:
    result = run(tmp_path, "config", *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert not list(tmp_path.rglob("*.toml"))


@requirement("operate:config")
def test_config_check_tells_all_problems_and_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "agentmem.toml").write_text('[log]\nlevel = "loud"\n[runtime]\nmax_workers = 0\n')
    result = run(tmp_path, "config", "check", "--json")
    assert result.returncode == 2
    message = json.loads(result.stderr)["error"]["message"]
    assert "log.level" in message
    assert "runtime.max_workers" in message


@requirement("operate:config")
def test_a_value_that_another_layer_beats_is_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "agentmem.toml").write_text('[log]\nlevel = "error"\n')
    result = run(tmp_path, "config", "set", "log.level=debug")
    assert result.returncode == 0
    assert f"it comes from {tmp_path}/agentmem.toml log.level" in result.stderr


@requirement("cache:bounded")
def test_the_cache_is_measured(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    assert run(tmp_path, "tool", "call", "echo__echo", "--plugins", plugins).returncode == 0
    figures = answer(tmp_path, "cache", "info")
    assert figures["folder"] == str(tmp_path / "cache")
    assert (figures["modules"], figures["compiled"]) == (1, 1)
    assert figures["compiled_bytes"] > 0
    assert answer(tmp_path, "cache", "clear")["freed_bytes"] == figures["compiled_bytes"]
