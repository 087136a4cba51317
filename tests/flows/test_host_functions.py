"""Host functions asked by real modules: ``log`` and ``get_config``, their rights and their limits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_server.capabilities.base import LogLine
from mcp_server.host import PluginHost
from mcp_server.policy.rights import Rights
from mcp_server.tools.invoke import Caller, plain_context
from tests.conftest import Serve
from tests.flows import bodies
from tests.guests import write_plugin
from tests.requirements import requirement
from tests.stdio_server import Json, StdioServer, text_of

LOGS = '[capabilities]\nrequired = ["LoggingAccess"]\n'
CONFIG = """
[capabilities]
required = ["ConfigAccess"]
[config]
word = "Hello"
limits.length = 10
off = false
big = 12345678901234567890123456789
"""
OPERATOR = """
[config.reads]
word = "Servus"
more = [1, "two"]
"""


def fill(folder: Path) -> None:
    write_plugin(folder, "logs", bodies.asks("log"), LOGS)
    write_plugin(folder, "reads", bodies.asks("get_config", home="extism:host/user"), CONFIG)
    write_plugin(folder, "often", bodies.log_often(250), LOGS)
    fat = json.dumps({"message": "m" * 100, "fields": {"f": "v" * 400}})
    write_plugin(folder, "fat", bodies.log_often(20, fat), LOGS + "[limits]\nmax_log_bytes = 5_010\n")
    write_plugin(folder, "asks-much", bodies.log_often(12), LOGS + "[limits]\nmax_host_calls = 10\n")


async def ask(server: StdioServer, plugin: str, request: object) -> Json:
    """The envelope that the plugin got for ``request``."""
    return (await server.call(f"{plugin}__run", request))["structuredContent"]


async def logged(host: PluginHost, request: bytes, plugin: str = "logs") -> tuple[Json, list[LogLine]]:
    lines: list[LogLine] = []
    envelope: Json = await host.call(plugin, "run", request, Caller(log=lines.append))
    return envelope, lines


@requirement("capability:log")
async def test_a_line_reaches_the_caller_with_its_level_and_fields(house: PluginHost) -> None:
    request = {"level": "warning", "message": "low", "fields": {"left": 3, "what": ["a"]}}
    envelope, lines = await logged(house, json.dumps(request).encode())
    assert envelope == {"success": True, "data": None, "error": None, "metadata": {}}
    assert lines == [LogLine("logs", "warning", "low", {"left": 3, "what": "['a']"})]
    assert (await logged(house, b'{"message": "plain"}'))[1] == [LogLine("logs", "info", "plain", {})]


@requirement("capability:log")
async def test_a_line_cannot_forge_another_or_repaint_a_terminal(house: PluginHost) -> None:
    request = {"message": "a\n2026 error \x1b[2J\u202e\U000e0041", "fields": {"k\n": "v\r\x9b"}}
    [line] = (await logged(house, json.dumps(request).encode()))[1]
    assert line.message == "a\\u000a2026 error \\u001b[2J\\u202e\\ue0041"
    assert line.fields == {"k\\u000a": "v\\u000d\\u009b"}


@requirement("capability:log")
async def test_a_long_line_is_cut_and_only_what_is_shown_counts(house: PluginHost) -> None:
    fields = {str(number): "v" * 1_000 for number in range(40)}
    for message in ("x" * 100_000, "ü" * 100_000, "\x00" * 100_000):
        request = {"message": message, "fields": fields}
        envelope, [line] = await logged(house, json.dumps(request, ensure_ascii=False).encode())
        assert envelope["success"]
        assert 4_090 <= len(line.message.removesuffix("…").encode()) <= 4_096
        assert line.message.endswith("…")
        assert len(line.fields) == 32
        assert all(len(str(value)) <= 513 for value in line.fields.values())


@requirement("capability:log")
@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"message": 5}, "log: 'message' must be a string, got int"),
        ({}, "log: 'message' must be a string, got NoneType"),
        ({"message": "a", "level": "loud"}, "log: 'level' must be one of debug, info"),
        ({"message": "a", "level": []}, "log: 'level' must be one of"),
        ({"message": "a", "fields": [1]}, "log: 'fields' must be an object, got list"),
    ],
)
async def test_a_malformed_log_request_is_an_envelope_that_says_what_is_wrong(
    zoo: StdioServer, request_: object, says: str
) -> None:
    envelope = await ask(zoo, "logs", request_)
    assert (envelope["success"], envelope["data"]) == (False, None)
    assert envelope["metadata"]["code"] == "invalid_request"
    assert envelope["error"].startswith(says)


@requirement("capability:log")
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "log: the request is not JSON"),
        (b"\xff", "log: the request is not JSON"),
        (b"[]", "log: the request must be an object, got list"),
        (b'{"message": NaN}', "log: the request is not JSON"),
        (b"[" * 100_000, "log: the request is not JSON"),
    ],
)
async def test_a_request_that_is_no_json_object_is_an_envelope_too(house: PluginHost, data: bytes, says: str) -> None:
    envelope, lines = await logged(house, data)
    assert envelope["metadata"]["code"] == "invalid_request"
    assert envelope["error"].startswith(says)
    assert lines == []


@requirement("capability:log")
async def test_one_call_logs_two_hundred_lines_and_then_one_word_about_the_rest(house: PluginHost) -> None:
    envelope, lines = await logged(house, b"", "often")
    again, more = await logged(house, b"", "often")
    assert [line.message for line in lines] == ["again"] * 200 + [
        "log limit reached, further lines of this call are dropped"
    ]
    assert envelope["metadata"] == {"code": "limit_log_lines", "limit": "log_lines", "allowed": 200, "used": 201}
    assert (again, len(more)) == (envelope, 201)  # a budget of the call, not of the plugin


@requirement("capability:log")
async def test_the_bytes_of_one_calls_log_are_limited_too_with_the_fields_counted(house: PluginHost) -> None:
    envelope, lines = await logged(house, b"", "fat")
    assert len(lines) == 10 + 1  # 501 bytes each
    assert envelope["metadata"] == {"code": "limit_log_bytes", "limit": "log_bytes", "allowed": 5_010, "used": 5_511}


@requirement("capability:log")
async def test_host_calls_over_the_budget_are_refused_with_its_code(zoo: StdioServer) -> None:
    envelope = await ask(zoo, "asks-much", {})
    assert envelope["metadata"] == {"code": "limit_host_calls", "limit": "host_calls", "allowed": 10, "used": 12}


@requirement("capability:log")
async def test_a_servers_log_has_each_line_once_on_stderr(serve: Serve, stage: Path, tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("w+b") as stderr:
        async with serve(stage, stderr=stderr.fileno(), environment={"AGENTMEM_LOG__FORMAT": "json"}) as server:
            await server.call("logs__run", {"message": "the cat\nsat", "fields": {"api_key": "hunter2", "n": 1}})
            with anyio.fail_after(40):
                assert await server.close() == 0
        stderr.seek(0)
        lines: list[dict[str, Any]] = [json.loads(line) for line in stderr.read().splitlines()]
    [line] = [line for line in lines if line["logger"] == "plugin"]
    assert (line["level"], line["message"]) == ("info", "logs: the cat\\u000asat")
    assert (line["plugin.api_key"], line["plugin.n"]) == ("[redacted]", 1)


@requirement("capability:get-config")
@pytest.mark.parametrize(
    ("request_", "data"),
    [
        ({"key": "word"}, "Hello"),
        ({"key": "limits"}, {"length": 10}),
        ({"key": "off"}, False),
        ({"key": "big"}, 12345678901234567890123456789),
        ({"key": "gone"}, None),
        ({}, {"word": "Hello", "limits": {"length": 10}, "off": False, "big": 12345678901234567890123456789}),
    ],
)
async def test_a_plugin_reads_one_value_of_its_configuration_or_all(
    zoo: StdioServer, request_: object, data: object
) -> None:
    assert await ask(zoo, "reads", request_) == {"success": True, "data": data, "error": None, "metadata": {}}


@requirement("capability:get-config")
async def test_a_key_that_is_no_string_is_refused(zoo: StdioServer) -> None:
    envelope = await ask(zoo, "reads", {"key": 5})
    assert (envelope["success"], envelope["metadata"]["code"]) == (False, "invalid_request")
    assert envelope["error"] == "get_config: 'key' must be a string, got int"


@requirement("capability:get-config")
async def test_the_operators_values_lie_over_the_manifests(serve: Serve, stage: Path, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(OPERATOR)
    async with serve(stage, arguments=["--config", str(tmp_path / "config.toml")]) as server:
        data = (await ask(server, "reads", {}))["data"]
        assert (data["word"], data["more"], data["off"]) == ("Servus", [1, "two"], False)


@requirement("capability:missing-grant")
async def test_what_was_optional_and_is_not_granted_answers_that_it_is_denied(house: PluginHost) -> None:
    record = house.registry.get("logs")
    assert record.version is not None
    assert record.runner is not None
    context = plain_context(record.version, record.runner, Caller(), lambda line: None)
    denied = replace(context, rights=Rights(frozenset(), frozenset({"LoggingAccess"}), frozenset()))
    envelope = json.loads((await record.runner.call("run", b'{"message": "a"}', denied)).output)
    assert (envelope["success"], envelope["data"]) == (False, None)
    assert envelope["metadata"] == {"code": "capability_denied", "capability": "LoggingAccess"}
    assert envelope["error"] == "log belongs to LoggingAccess, which is not granted to 'logs'"


@requirement("call:plugin-error")
async def test_the_text_of_a_call_without_host_functions_still_reaches_the_client(zoo: StdioServer) -> None:
    assert text_of(await zoo.call("logs__echo", {"a": 1})) == '{"a":1}'
