"""Asking the client's user before a plugin runs, in both protocol eras, through the real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_server.errors import ConsentDenied
from mcp_server.host import PluginHost
from mcp_server.settings import Settings
from mcp_server.telemetry.audit_check import audit_rows
from mcp_server.tools.consent import Question
from mcp_server.tools.invoke import Caller
from tests.conftest import Serve
from tests.guests import ECHO, module, write_plugin
from tests.requirements import requirement
from tests.stdio_server import META, Json, StdioServer, error_code

TOOL = "careful__echo"
ARGUMENTS = {"amount": 5}
FORMS: Json = {**META, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}


@pytest.fixture(autouse=True)
def careful(plugins: Path) -> None:
    write_plugin(plugins, "careful", module(ECHO))


@pytest.fixture
def config(tmp_path: Path) -> list[str]:
    file = tmp_path / "ask.toml"
    file.write_text("[grants.careful]\nask = true\n", encoding="utf-8")
    return ["--config", str(file)]


async def modern(server: StdioServer, **more: Any) -> Json:
    return await server.ask("tools/call", {"name": TOOL, "arguments": ARGUMENTS, "_meta": FORMS, **more})


def answered(state: str, choice: str, action: str = "accept") -> dict[str, Any]:
    content = {"content": {"answer": choice}} if action == "accept" else {}
    return {"requestState": state, "inputResponses": {"consent": {"action": action, **content}}}


async def legacy(server: StdioServer, capabilities: Json) -> None:
    await server.ask(
        "initialize",
        {
            "protocolVersion": "2025-11-25",
            "capabilities": capabilities,
            "clientInfo": {"name": "test", "version": "1"},
        },
    )
    await server.send({"jsonrpc": "2.0", "method": "notifications/initialized"})


async def question(server: StdioServer, number: int) -> Json:
    """Call in a handshake era, and the elicitation that comes for it."""
    params = {"name": TOOL, "arguments": ARGUMENTS}
    await server.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
    while True:
        message = await server.receive()
        if message.get("method") == "elicitation/create":
            return message


async def reply(server: StdioServer, asked: Json, action: str, choice: str = "") -> None:
    result = {"action": action, **({"content": {"answer": choice}} if choice else {})}
    await server.send({"jsonrpc": "2.0", "id": asked["id"], "result": result})


@requirement("consent:asked")
async def test_a_modern_client_is_sent_to_its_user_and_comes_again_with_the_answer(
    serve: Serve, config: list[str]
) -> None:
    async with serve(arguments=config) as server:
        first = (await modern(server))["result"]
        assert first["resultType"] == "input_required"
        asked = first["inputRequests"]["consent"]
        assert asked["method"] == "elicitation/create"
        assert "careful" in asked["params"]["message"]
        assert '{"amount":5}' in asked["params"]["message"]
        offered = asked["params"]["requestedSchema"]["properties"]["answer"]["oneOf"]
        assert [choice["const"] for choice in offered] == ["once", "session", "no"]
        second = (await modern(server, **answered(first["requestState"], "once")))["result"]
        assert second["structuredContent"] == ARGUMENTS
        assert (await modern(server))["result"]["resultType"] == "input_required"  # once is once


@requirement("consent:asked")
async def test_a_legacy_client_gets_an_elicitation_on_its_session(serve: Serve, config: list[str]) -> None:
    async with serve(arguments=config) as server:
        await legacy(server, {"elicitation": {}})
        asked = await question(server, 70)
        assert '{"amount":5}' in asked["params"]["message"]
        await reply(server, asked, "accept", "session")
        assert (await server.answer(70))["result"]["structuredContent"] == ARGUMENTS
        again = await server.ask("tools/call", {"name": TOOL, "arguments": {"amount": 6}})  # no second question
        assert again["result"]["structuredContent"] == {"amount": 6}


@requirement("consent:denied")
@pytest.mark.parametrize(
    ("action", "choice"), [("accept", "no"), ("accept", "perhaps"), ("decline", ""), ("cancel", "")]
)
async def test_anything_but_an_offered_yes_is_a_no(serve: Serve, config: list[str], action: str, choice: str) -> None:
    async with serve(arguments=config) as server:
        await legacy(server, {"elicitation": {}})
        await reply(server, await question(server, 70), action, choice)
        assert error_code((await server.answer(70))["result"]) == "consent_denied"


@requirement("consent:denied")
async def test_a_modern_no_is_a_no(serve: Serve, config: list[str]) -> None:
    async with serve(arguments=config) as server:
        for choice, action in (("no", "accept"), ("", "decline")):
            state = (await modern(server))["result"]["requestState"]
            refused = await modern(server, **answered(state, choice, action))
            assert error_code(refused["result"]) == "consent_denied"


@requirement("consent:denied")
async def test_a_client_that_cannot_ask_is_refused_and_no_question_is_sent(serve: Serve, config: list[str]) -> None:
    async with serve(arguments=config) as server:
        result = await server.call(TOOL, ARGUMENTS)
        assert error_code(result) == "consent_denied"
        assert "[grants" not in result["content"][0]["text"]  # the operator's part stays here
    async with serve(arguments=config) as server:
        await server.initialize()
        answer = await server.ask("tools/call", {"name": TOOL, "arguments": ARGUMENTS})
        assert error_code(answer["result"]) == "consent_denied"
        assert server.seen == []


@requirement("consent:not-forged")
async def test_a_request_state_is_good_once_and_for_its_own_call_alone(serve: Serve, config: list[str]) -> None:
    async with serve(arguments=config) as server:
        state = (await modern(server))["result"]["requestState"]
        yes = answered(state, "once")
        other = await modern(server, **yes, arguments={"amount": 5_000})
        assert other["error"]["code"] == -32602
        state = (await modern(server))["result"]["requestState"]
        yes = answered(state, "once")
        assert (await modern(server, **yes))["result"]["structuredContent"] == ARGUMENTS
        assert (await modern(server, **yes))["error"]["code"] == -32602  # used
        assert (await modern(server, **answered("invented", "once")))["error"]["code"] == -32602


@requirement("consent:denied")
async def test_an_answer_without_a_request_state_is_not_taken(serve: Serve, config: list[str]) -> None:
    async with serve(arguments=config) as server:
        responses = {"consent": {"action": "accept", "content": {"answer": "session"}}}
        assert (await modern(server, inputResponses=responses))["result"]["resultType"] == "input_required"


@requirement("consent:remembered")
async def test_always_is_offered_only_where_it_may_be_kept_and_holds_for_every_session(
    plugins: Path, cache: Path
) -> None:
    kept: list[str] = []
    seen: list[list[str]] = []

    async def always(question: Question) -> str:
        seen.append(list(question.choices))
        return "always"

    allowed = Settings.model_validate({"grants": {"careful": {"ask": True, "ask_always": True}}})
    async with PluginHost(allowed, cache=cache / "cache", keep_consent=kept.append).with_plugin(
        plugins / "careful"
    ) as host:
        await host.call_tool(TOOL, ARGUMENTS, Caller(session="one", ask=always))
        await host.call_tool(TOOL, ARGUMENTS, Caller(session="two", ask=always))
    assert kept == ["careful"]
    assert seen == [["once", "session", "always", "no"]]
    forbidden = Settings.model_validate({"grants": {"careful": {"ask": True}}})
    async with PluginHost(forbidden, cache=cache / "cache", keep_consent=kept.append).with_plugin(
        plugins / "careful"
    ) as host:
        with pytest.raises(ConsentDenied):
            await host.call_tool(TOOL, ARGUMENTS, Caller(session="one", ask=always))
    assert kept == ["careful"]


@requirement("consent:remembered")
async def test_always_is_written_to_the_operators_file_and_keeps_its_comments(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "ask.toml"
    file.write_text("# mine\n[grants.careful]\nask = true  # for now\nask_always = true\n", encoding="utf-8")
    config = ["--config", str(file)]
    async with serve(arguments=config) as server:
        state = (await modern(server))["result"]["requestState"]
        assert "structuredContent" in (await modern(server, **answered(state, "always")))["result"]
    assert file.read_text(encoding="utf-8") == ("# mine\n[grants.careful]\nask = false  # for now\nask_always = true\n")
    async with serve(arguments=config) as server:
        assert (await server.call(TOOL, ARGUMENTS))["structuredContent"] == ARGUMENTS


@requirement("consent:remembered")
async def test_a_changed_plugin_is_asked_about_again(plugins: Path, cache: Path) -> None:
    asked = 0

    async def for_this_session(question: Question) -> str:
        nonlocal asked
        asked += 1
        return "session"

    settings = Settings.model_validate({"grants": {"careful": {"ask": True}}})
    caller = Caller(session="one", ask=for_this_session)
    async with PluginHost(settings, cache=cache / "cache").load_plugins_from_dir(plugins) as host:
        for _ in range(2):
            await host.call_tool(TOOL, ARGUMENTS, caller)
        assert asked == 1
        await host.call_tool(TOOL, ARGUMENTS, Caller("somebody-else", session="one", ask=for_this_session))
        assert asked == 2
        write_plugin(plugins, "careful", module(ECHO + '(func (export "more") (result i32) (i32.const 0))'))
        host.reload()
        await host.call_tool(TOOL, ARGUMENTS, caller)
        assert asked == 3


@requirement("consent:denied")
async def test_a_user_who_never_answers_holds_no_slot(serve: Serve, config: list[str]) -> None:
    async with serve(arguments=config) as server:
        await legacy(server, {"elicitation": {}})
        with anyio.fail_after(30):
            asked = [await question(server, 100 + number) for number in range(40)]  # more than calls in flight
            await reply(server, asked[-1], "accept", "once")
            assert (await server.answer(139))["result"]["structuredContent"] == ARGUMENTS


@requirement("consent:recorded")
async def test_every_answer_and_every_question_that_nobody_could_be_asked_is_on_record(
    serve: Serve, config: list[str], tmp_path: Path
) -> None:
    async with serve(arguments=config, environment={"AGENTMEM_HOME": str(tmp_path / "home")}) as server:
        for choice in ("once", "no"):
            state = (await modern(server))["result"]["requestState"]
            await modern(server, **answered(state, choice))
        await server.call(TOOL, ARGUMENTS)  # this client cannot show a question
        assert await server.close() == 0
    rows = [row for row in audit_rows(tmp_path / "home" / "state" / "audit") if row["event"] == "consent"]
    kept = [(row["principal"], row["plugin"], row["tool"], row["answer"], row["code"]) for row in rows]
    assert kept == [
        ("local", "careful", TOOL, "once", "ok"),
        ("local", "careful", TOOL, "no", "consent_denied"),
        ("local", "careful", TOOL, "nobody", "consent_denied"),
    ]
