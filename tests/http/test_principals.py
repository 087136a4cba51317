"""``[principals]``: what the operator takes from one caller is out of its reach, and of nobody else's."""

from __future__ import annotations

import itertools
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.flows.bodies import log_often
from tests.flows.test_capabilities_from_wasm import relay
from tests.guests import ECHO, module, write_plugin
from tests.http.conftest import make_token
from tests.http_server import HttpServer, http_server
from tests.requirements import requirement
from tests.stdio_server import META

ISSUED = "https://login.example.com|ann"
RULES = f"""
[grants.store]
capabilities = ["StorageAccess"]
[principals.few]
plugins = ["well", "loud"]
[principals.reader]
plugins = ["memory"]
[principals.none]
plugins = []
[principals.poor]
deny = ["StorageAccess", "MemoryAccess"]
[principals.quiet.limits]
max_host_calls = 3
max_log_lines = 100
[principals."{ISSUED}"]
plugins = ["other"]
[principals."*"]
plugins = ["well", "store", "loud", "memory"]
"""


_numbers = itertools.count(1)


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))
    write_plugin(folder, "other", module(ECHO))
    write_plugin(folder, "loud", log_often(10), '[capabilities]\nrequired = ["LoggingAccess"]')
    asks = '[capabilities]\nrequired = ["MemoryAccess"]\noptional = ["StorageAccess"]'
    write_plugin(folder, "store", relay("store_data", "add_memory"), asks)


def rules(home: Path, text: str) -> None:
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "config.toml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
async def web(stage: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HttpServer]:
    home = tmp_path_factory.mktemp("home")
    rules(home, RULES)
    async with http_server(stage, home=home) as server:
        yield server


def token(web: HttpServer, principal: str, *scopes: str) -> str:
    """A token of ``principal`` for everything, or for ``scopes``."""
    every = ("tools:list", "tools:call", "memory:read", "memory:write")
    return make_token(web.home, f"t{next(_numbers)}", *(scopes or every), principal=principal)


async def plugins_shown(web: HttpServer, held: str | None) -> set[str]:
    listed = (await web.modern("tools/list", token=held)).json()["result"]
    assert listed["cacheScope"] == "private"
    return {tool["name"].partition("__")[0] for tool in listed["tools"]}


@requirement("principals:plugins")
@pytest.mark.parametrize(
    ("principal", "shown"),
    [
        ("few", {"well", "loud"}),
        ("reader", {"memory"}),
        ("none", set[str]()),
        ("poor", {"well", "other", "loud", "store"}),
        (ISSUED, {"other"}),
        ("anybody", {"well", "store", "loud", "memory"}),
        ("*", {"well", "store", "loud", "memory"}),
    ],
)
async def test_each_principal_lists_and_calls_what_is_left_to_it_in_both_eras(
    web: HttpServer, principal: str, shown: set[str]
) -> None:
    held = token(web, principal)
    assert await plugins_shown(web, held) == shown
    async with web.client(held) as client:
        headers = {"mcp-session-id": await web.initialize(client)}
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        listed = (await client.post("/mcp", json=message, headers=headers)).json()["result"]["tools"]
        assert {tool["name"].partition("__")[0] for tool in listed} == shown
        for name in ("well__echo", "other__echo", "memory__list"):
            params: dict[str, Any] = {"name": name, "arguments": {}}
            modern = (await web.modern("tools/call", params, token=held)).json()
            message = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}
            legacy = (await client.post("/mcp", json=message, headers=headers)).json()
            for answer in (modern, legacy):
                if name.partition("__")[0] in shown:
                    assert not answer["result"].get("isError")
                else:
                    assert answer["error"]["data"]["code"] == "tool_not_found"
                    hint = answer["error"]["message"].partition("did you mean ")[2].rstrip("?")
                    assert {word.partition("__")[0] for word in hint.split(", ") if word} <= shown


@requirement("principals:plugins")
async def test_the_local_user_is_narrowed_by_name_alone(web: HttpServer) -> None:
    assert await plugins_shown(web, None) == {"well", "other", "loud", "store", "memory"}


@requirement("principals:plugins")
async def test_a_tool_that_is_not_shown_is_not_betrayed_by_the_scopes_it_would_need(web: HttpServer) -> None:
    held = token(web, "few", "plugin:well:call")
    for name in ("other__echo", "no__such"):
        answer = await web.modern("tools/call", {"name": name, "arguments": {}}, token=held)
        assert (answer.status_code, answer.json()["error"]["data"]["code"]) == (400, "tool_not_found"), answer.text


@requirement("principals:memories")
@pytest.mark.parametrize("principal", ["few", "poor"])
async def test_who_is_shown_no_memories_reaches_them_by_no_way(web: HttpServer, principal: str) -> None:
    held = token(web, principal)
    asked: list[tuple[str, dict[str, Any]]] = [
        ("resources/list", {}),
        ("resources/templates/list", {}),
        ("resources/read", {"uri": "memory://x"}),
        ("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["memory://x"]}}),
    ]
    for method, params in asked:
        refused = (await web.modern(method, params, token=held)).json()
        assert "shows this caller no memories" in refused["error"]["message"], method
    async with web.client(held) as client:
        headers = {"mcp-session-id": await web.initialize(client)}
        message = {"jsonrpc": "2.0", "id": 1, "method": "resources/list"}
        answer = (await client.post("/mcp", json=message, headers=headers)).json()
    assert "shows this caller no memories" in answer["error"]["message"]
    reader = token(web, "reader")
    assert (await web.modern("resources/list", token=reader)).json()["result"]["resources"] == []


@requirement("principals:capabilities")
async def test_a_plugin_does_for_a_principal_only_what_is_left_to_it(web: HttpServer) -> None:
    poor, other = token(web, "poor"), token(web, "anybody")
    for tool, request in (("store__store_data", {"key": "a", "value": 1}), ("store__add_memory", {"content": "tea"})):
        allowed = (await web.call(tool, request, token=other))["structuredContent"]
        refused = (await web.call(tool, request, token=poor))["structuredContent"]
        again = (await web.call(tool, request, token=other))["structuredContent"]
        assert (allowed["success"], again["success"]) == (True, True)
        assert (refused["success"], refused["metadata"]["code"]) == (False, "capability_denied")


@requirement("principals:limits")
async def test_the_lower_of_two_limits_holds_and_only_for_that_principal(web: HttpServer) -> None:
    quiet = (await web.call("loud__run", token=token(web, "quiet")))["structuredContent"]
    assert quiet["metadata"] == {"code": "limit_host_calls", "limit": "host_calls", "allowed": 3, "used": 10}
    assert (await web.call("loud__run", token=token(web, "anybody")))["structuredContent"]["success"]


@requirement("principals:reload")
async def test_a_change_is_in_force_without_a_start_and_clients_are_told(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server:
        held = token(server, "ann")
        assert "other" in await plugins_shown(server, held)
        params = {"notifications": {"toolsListChanged": True}, "_meta": META}
        listen = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
        headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen"}
        async with (
            server.client(held) as client,
            client.stream("POST", "/mcp", json=listen, headers=headers) as stream,
        ):
            lines = stream.aiter_lines()
            with anyio.fail_after(30):
                while "acknowledged" not in await anext(lines):
                    pass
                rules(tmp_path, '[principals.ann]\nplugins = ["well"]\n')
                server.process.send_signal(signal.SIGHUP)
                while "list_changed" not in await anext(lines):
                    pass
        assert await plugins_shown(server, held) == {"well"}
        rules(tmp_path, '[principals.ann]\ndeny = ["Everything"]\n')
        server.process.send_signal(signal.SIGHUP)
        answer = (await server.modern("tools/call", {"name": "other__echo", "arguments": {}}, token=held)).json()
        assert answer["error"]["data"]["code"] == "tool_not_found"


@requirement("principals:plugins")
async def test_with_no_authentication_everybody_is_narrowed_as_anonymous(stage: Path, tmp_path: Path) -> None:
    rules(tmp_path, '[principals.anonymous]\nplugins = ["well"]\n')
    async with http_server(stage, home=tmp_path, arguments=["--no-auth"]) as server:
        assert await plugins_shown(server, "") == {"well"}
        refused = await server.modern("tools/call", {"name": "memory__list", "arguments": {}}, token="")
        assert refused.json()["error"]["data"]["code"] == "tool_not_found"
        assert (await server.call("well__echo", {"a": 1}, token=""))["structuredContent"] == {"a": 1}
