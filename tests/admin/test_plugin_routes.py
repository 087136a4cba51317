"""Each route of the management API, used as an operator's program would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest

from tests.admin.conftest import API, make_token
from tests.flows import bodies
from tests.guests import ECHO, module, write_plugin
from tests.http_server import HttpServer, http_server
from tests.requirements import requirement

SPIN = '(func (export "spin") (result i32) (loop $again (br $again)) (i32.const 0))'


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))
    write_plugin(folder, "other", module(ECHO), '[capabilities]\nrequired = ["StorageAccess"]')
    write_plugin(folder, "slow", module(SPIN), "[limits]\nmax_execution_time_ms = 20000")


async def ok(response: httpx2.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


@requirement("api:plugins")
async def test_plugins_are_listed_and_shown_with_why_they_are_held_back(web: HttpServer) -> None:
    async with web.client() as client:
        listed = (await client.get(f"{API}/plugins")).json()["plugins"]
        by_id = {plugin["id"]: plugin for plugin in listed}
        assert by_id["well"]["tools"] == ["well__echo"]
        assert (by_id["other"]["state"], by_id["other"]["reason"].split("]")[0]) == ("Error", "[capability_denied")
        shown = await ok(await client.get(f"{API}/plugins/well"))
        assert shown["module"]["exports"] == ["echo"]
        assert shown["installed"] is False


@requirement("api:plugins")
async def test_a_plugin_is_stopped_started_restarted_and_reloaded(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server, server.client() as client:
        assert (await ok(await client.post(f"{API}/plugins/well/stop")))["state"] == "Stopped"
        called = await client.post(f"{API}/plugins/well/call/echo", json={})
        assert (called.status_code, called.json()["code"]) == (404, "function_missing")
        again = await client.post(f"{API}/plugins/well/stop")
        assert (again.status_code, again.json()["code"]) == (409, "lifecycle_invalid")
        assert (await ok(await client.post(f"{API}/plugins/well/start")))["state"] == "Loaded"
        started = await client.post(f"{API}/plugins/well/start")
        assert (started.status_code, started.json()["code"]) == (409, "lifecycle_invalid")
        assert (await ok(await client.post(f"{API}/plugins/well/restart")))["tools"] == ["well__echo"]
        (stage / "well" / "plugin.toml").write_text(
            'manifest_version = 1\n[plugin]\nid = "well"\nname = "well"\nversion = "0.2.0"\n'
        )
        assert (await ok(await client.post(f"{API}/plugins/well/reload")))["version"] == "0.2.0"


@requirement("api:plugins")
async def test_limits_and_isolation_are_changed_key_by_key(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server, server.client() as client:
        changed = await ok(await client.patch(f"{API}/plugins/well", json={"isolation": "call"}))
        assert changed["isolation"] == "call"
        limits = {"max_execution_time_ms": 1_234}
        changed = await ok(await client.patch(f"{API}/plugins/well", json={"limits": limits}))
        assert (changed["isolation"], changed["limits"]["execution_time"]) == ("call", 1_234)
        wrong = await client.patch(f"{API}/plugins/well", json={"limits": {"max_nothing": 1}})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "settings_invalid")
        back = await ok(await client.patch(f"{API}/plugins/well", json={"isolation": None, "limits": None}))
        assert back["limits"]["execution_time"] != 1_234
        assert "well" not in (tmp_path / "config" / "config.toml").read_text()


@requirement("api:rights")
async def test_grants_are_replaced_and_take_effect_at_once(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server, server.client() as client:
        granted = await ok(await client.put(f"{API}/plugins/other/grants", json={"capabilities": ["StorageAccess"]}))
        assert granted["changes"] == ["+ [grants.other]"]
        assert (await client.post(f"{API}/plugins/other/call/echo", json={"a": 1})).json()["structured"] == {"a": 1}
        shown = await ok(await client.get(f"{API}/plugins/other/grants"))
        assert shown["grant"]["capabilities"] == ["StorageAccess"]
        assert (await ok(await client.put(f"{API}/plugins/other/grants", json={})))["changes"] == ["- [grants.other]"]
        assert (await ok(await client.get(f"{API}/plugins/other")))["state"] == "Error"
        wrong_ones: list[Any] = [
            {"capabilities": ["Everything"]},
            {"capabilites": []},
            {"network": {"allow": ["no url"]}},
        ]
        for body in wrong_ones:
            wrong = await client.put(f"{API}/plugins/other/grants", json=body)
            assert wrong.status_code == 422, body


@requirement("api:rights")
async def test_a_configuration_is_replaced_and_hides_what_looks_like_a_secret(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server, server.client() as client:
        config = {"units": "metric", "api_key": "hush", "deep": {"a": [1, 2]}}
        await ok(await client.put(f"{API}/plugins/well/config", json=config))
        shown = await ok(await client.get(f"{API}/plugins/well/config"))
        assert shown["config"] == {**config, "api_key": "[hidden]"}
        nothing = await client.put(f"{API}/plugins/well/config", json={"a": None})
        assert (nothing.status_code, nothing.json()["code"]) == (422, "settings_invalid")
        assert (await ok(await client.put(f"{API}/plugins/well/config", json={})))["config"] == {}


@requirement("api:calls")
async def test_a_call_gives_what_a_call_over_mcp_gives(web: HttpServer) -> None:
    async with web.client() as client:
        called = await ok(await client.post(f"{API}/plugins/well/call/echo", json={"a": [1, "ü"]}))
        assert called == {
            "tool": "well__echo",
            "content": [{"type": "text", "text": '{"a":[1,"ü"]}'}],
            "structured": {"a": [1, "ü"]},
            "is_error": False,
        }
        stats = await ok(await client.get(f"{API}/plugins/well/stats"))
        assert stats["tools"]["well__echo"]["outcomes"]["ok"] >= 1
        for path, code in (("nope/call/echo", "plugin_not_found"), ("well/call/nope", "function_missing")):
            missing = await client.post(f"{API}/plugins/{path}", json={})
            assert (missing.status_code, missing.json()["code"]) == (404, code)


@requirement("api:calls")
async def test_a_plugin_that_asks_first_runs_for_who_manages_plugins_and_for_nobody_else(
    stage: Path, tmp_path: Path
) -> None:
    config = tmp_path / "ask.toml"
    config.write_text("[grants.well]\nask = true\n", encoding="utf-8")
    caller = make_token(tmp_path, "caller", "tools:call", "memory:read")
    manager = make_token(tmp_path, "manager", "plugin:well:call", "admin:plugins")
    async with http_server(stage, home=tmp_path, arguments=["--config", str(config)]) as server:
        for token, status in ((None, 200), (caller, 403), (manager, 200), (caller, 403)):
            async with server.client(token) as client:
                called = await client.post(f"{API}/plugins/well/call/echo", json={"a": 1})
                assert called.status_code == status, called.text
                assert called.json().get("code") == (None if status == 200 else "consent_denied")
        refused = await server.call("well__echo", token=manager)
        assert refused["isError"] is True  # over MCP it is a client that calls, and whose user is asked
        async with server.client() as client:
            with anyio.fail_after(40):
                while True:  # rows are written by a thread of their own
                    rows = (await client.get(f"{API}/audit", params={"plugin": "well", "limit": 50})).json()["rows"]
                    given = [(row["principal"], row["answer"]) for row in rows if row["event"] == "consent"]
                    if len(given) == 5:
                        break
        nobody = [("caller", "nobody"), ("manager", "once"), ("caller", "nobody"), ("manager", "nobody")]
        assert given == [("local", "once"), *nobody]


@requirement("api:calls")
async def test_a_client_that_leaves_ends_its_call(web: HttpServer) -> None:
    async with web.client() as client:

        async def running() -> int:
            stats = (await client.get(f"{API}/plugins/slow/stats")).json()
            return stats["plugin"].get("in_flight", 0)

        async with anyio.create_task_group() as tasks:

            async def call() -> None:
                async with web.client() as other:
                    await other.post(f"{API}/plugins/slow/call/spin", json={})

            tasks.start_soon(call)
            with anyio.fail_after(20):
                while await running() == 0:
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        with anyio.fail_after(15):  # less than the call's own limit
            while await running():
                await anyio.lowlevel.checkpoint()
        stats = (await client.get(f"{API}/plugins/slow/stats")).json()
        assert stats["tools"]["slow__spin"]["outcomes"] == {"cancelled": 1}


@requirement("api:tools")
async def test_tools_and_the_server_are_told(web: HttpServer) -> None:
    async with web.client() as client:
        tools = (await client.get(f"{API}/tools")).json()["tools"]
        assert {"well__echo", "memory__add"} <= {tool["name"] for tool in tools}
        info = await ok(await client.get(f"{API}/info"))
        assert (info["name"], info["principal"], info["scopes"]) == ("agentmem-mcp", "local", None)


@requirement("api:memories")
async def test_memories_are_added_read_found_changed_and_deleted(web: HttpServer) -> None:
    async with web.client() as client:
        added = (await ok(await client.post(f"{API}/memories", json={"content": "tea at five"}), 201))["memory"]
        place = f"{API}/memories/{added['id']}"
        assert (await ok(await client.get(place)))["memory"] == added
        listed = await ok(await client.get(f"{API}/memories", params={"limit": 1, "memory_type": "semantic"}))
        assert listed["memories"] == [added]
        found = (await ok(await client.post(f"{API}/memories/search", json={"query": "tea", "explain": True})))[
            "results"
        ]
        assert found[0]["memory"] == added
        changed = await ok(await client.patch(place, json={"importance": 0.5, "if_version": 1}))
        assert (changed["memory"]["importance"], changed["memory"]["version"]) == (0.5, 2)
        stale = await client.patch(place, json={"importance": 0.1, "if_version": 1})
        assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
        assert (await client.delete(place, params={"if_version": 2})).status_code == 204
        for gone in (await client.delete(place), await client.get(place)):
            assert (gone.status_code, gone.json()["code"]) == (404, "memory_not_found")
        for wrong in ({"content": ""}, {"content": 5}, {"contents": "a"}, {"content": "a", "user_id": "somebody"}):
            assert (await client.post(f"{API}/memories", json=wrong)).status_code == 422, wrong


@requirement("api:audit")
async def test_the_audit_log_says_who_managed_what(web: HttpServer) -> None:
    async with web.client() as client:
        await ok(await client.post(f"{API}/plugins/well/restart"))
        with anyio.fail_after(40):
            while True:  # rows are written by a thread of their own
                rows = (await client.get(f"{API}/audit", params={"plugin": "well", "limit": 20})).json()["rows"]
                managed = [row for row in rows if row["event"] == "managed"]
                if managed:
                    break
        assert (managed[-1]["principal"], managed[-1]["function"]) == ("local", "restart")
        late = (await client.get(f"{API}/audit", params={"since": "2999-01-01T00:00:00Z"})).json()
        assert late == {"rows": []}
        assert (await client.get(f"{API}/audit", params={"since": "soon"})).status_code == 422


@requirement("api:events")
@pytest.mark.parametrize("kind", ["lifecycle", "call", "denied"])
async def test_what_happens_is_told_while_it_happens(stage: Path, tmp_path: Path, kind: str) -> None:
    async with http_server(stage, home=tmp_path) as server, server.client() as client:
        doing = {"lifecycle": "well/stop", "call": "well/call/echo", "denied": "other/reload"}
        if kind == "denied":
            await client.put(f"{API}/plugins/other/grants", json={"capabilities": ["StorageAccess"]})
        async with client.stream("GET", f"{API}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.aiter_lines()
            assert await anext(lines) == ": listening"
            await client.post(f"{API}/plugins/{doing[kind]}", json={})
            if kind == "denied":
                await client.put(f"{API}/plugins/other/grants", json={})
            with anyio.fail_after(40):
                async for line in lines:
                    if line == f"event: {kind}":
                        break
                data = json.loads((await anext(lines)).removeprefix("data: "))
        expected = {
            "lifecycle": ("plugin", "well"),
            "call": ("tool", "well__echo"),
            "denied": ("code", "capability_denied"),
        }[kind]
        assert data[expected[0]] == expected[1]


@requirement("api:events")
async def test_lines_that_plugins_log_are_told_without_what_looks_like_a_secret(tmp_path: Path) -> None:
    rights = '[capabilities]\nrequired = ["LoggingAccess"]'
    write_plugin(tmp_path / "own", "says", bodies.asks("log"), rights)
    async with http_server(tmp_path / "own", home=tmp_path) as server, server.client() as client:
        async with client.stream("GET", f"{API}/events") as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == ": listening"
            line = {"message": "password=hunter2hunter2", "level": "warning", "fields": {"api_key": "abc", "n": 1}}
            await ok(await client.post(f"{API}/plugins/says/call/run", json=line))
            with anyio.fail_after(40):
                async for told in lines:
                    if told == "event: log":
                        break
                data = json.loads((await anext(lines)).removeprefix("data: "))
        assert (data["plugin"], data["level"], data["message"]) == ("says", "warning", "password=[redacted]")
        assert json.loads(data["fields"]) == {"api_key": "[redacted]", "n": 1}


@requirement("api:events")
async def test_a_client_that_comes_back_is_told_what_it_missed(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server, server.client() as client:
        for _ in range(3):
            await ok(await client.post(f"{API}/plugins/well/call/echo", json={}))
        async with client.stream("GET", f"{API}/events", headers={"last-event-id": "1"}) as stream:
            with anyio.fail_after(40):
                numbers: list[str] = []
                async for line in stream.aiter_lines():
                    numbers += [line] if line.startswith("id: ") else []
                    if len(numbers) == 2:
                        break
        assert numbers == ["id: 2", "id: 3"]
