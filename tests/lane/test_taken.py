"""What the lane answers itself, and what it leaves: without this, a lane that does nothing would pass as the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from mcp_server.settings import Settings
from mcp_server.transport.http.address import Address
from mcp_server.transport.http.site import Site
from mcp_server.transport.http.verifier import LocalToken
from mcp_server.transport.lane.answer import Answer
from mcp_server.transport.lane.head import Heads
from mcp_server.transport.lane.http import HttpLane
from mcp_server.transport.lane.stdio import StdioLane
from mcp_server.transport.lane.terms import Terms
from mcp_server.transport.mcp_face import McpFace
from tests.guests import ECHO, module
from tests.guests import write_plugin as write
from tests.lane.test_same_answers import FORMS, HEADS, TOOLS, call, fill, listed
from tests.lane.wire import Sending
from tests.requirements import requirement
from tests.stdio_server import MODERN

__all__ = ["fill"]

TOKEN = "agentmem_local_test"  # noqa: S105  # of a server that no socket leads to
TAKEN_FORMS = {
    *("arguments", "no-arguments", "spaced", "escaped", "indented", "sorted", "does-not-fit-schema", "fits-schema"),
    *("deep", "id-text", "id-empty", "id-zero", "id-negative", "own-tool", "own-tool-bad", "client-info"),
    *("agent", "agent-against-label"),
    *("meta-of-others", "trace-context", "list", "discover", "infinite", "minus-zero", "blanks"),
}
TAKEN_HEADS = {
    *("accept-order", "type-charset", "type-upper", "name-blanks", "upper", "agent", "session-unknown"),
    *("cut-in-body", "cut-in-head", "cut-often"),
}


@pytest.fixture(scope="module")
async def lane(stage: Path, cache: Path) -> AsyncIterator[HttpLane]:
    settings = Settings.model_validate({"http": {"requests_per_second": 1e6, "burst": 1_000_000}})
    async with PluginHost(settings, PluginFolders(plugins=(stage,)), cache=cache / "cache") as host:
        face = McpFace(host)
        site = Site(face, host.settings.http, Address("127.0.0.1", 8000), LocalToken(TOKEN))
        yield HttpLane(face, host.invoker, site.guards)


async def answer(lane: HttpLane, sending: Sending) -> Answer | None:
    data = sending.written("127.0.0.1:8000", TOKEN)
    head = Heads().read(data)
    return None if head is None or head.size + head.body != len(data) else await lane.answer(head, data[head.size :])


@requirement("lane:taken")
@pytest.mark.parametrize("case", TOOLS)
async def test_calls_are_answered_by_the_lane(lane: HttpLane, case: str) -> None:
    assert await answer(lane, TOOLS[case]) is not None


@requirement("lane:taken")
@pytest.mark.parametrize("case", FORMS)
async def test_messages_that_need_more_than_an_answer_are_left(lane: HttpLane, case: str) -> None:
    assert (await answer(lane, FORMS[case]) is not None) == (case in TAKEN_FORMS)


@requirement("lane:taken")
@pytest.mark.parametrize("case", HEADS)
async def test_heads_that_need_judgement_are_left(lane: HttpLane, case: str) -> None:
    assert (await answer(lane, HEADS[case]) is not None) == (case in TAKEN_HEADS)


@requirement("lane:taken")
async def test_a_request_beyond_a_share_is_left_and_costs_none_of_it(stage: Path, cache: Path) -> None:
    settings = Settings.model_validate({"http": {"requests_per_second": 0.001, "burst": 2}})
    async with PluginHost(settings, PluginFolders(plugins=(stage,)), cache=cache / "cache") as host:
        face = McpFace(host)
        site = Site(face, host.settings.http, Address("127.0.0.1", 8000), LocalToken(TOKEN))
        lane = HttpLane(face, host.invoker, site.guards)
        answers = [await answer(lane, FORMS["arguments"]) for _ in range(4)]
        assert [found is not None for found in answers] == [True, True, False, False]
        assert not site.admission.requests


@requirement("lane:taken")
async def test_a_list_is_made_anew_when_the_tools_change(tmp_path: Path, cache: Path) -> None:
    write(tmp_path, "one", module(ECHO))
    async with PluginHost(Settings(), PluginFolders(plugins=(tmp_path,)), cache=cache / "cache") as host:
        face = McpFace(host)
        site = Site(face, host.settings.http, Address("127.0.0.1", 8000), LocalToken(TOKEN))
        lane = HttpLane(face, host.invoker, site.guards)

        async def names() -> set[str]:
            found = await answer(lane, FORMS["list"])
            assert found is not None
            tools = json.loads(found.body)["result"]["tools"]
            return {tool["name"].partition("__")[0] for tool in tools} - {"memory"}

        assert await names() == {"one"}
        write(tmp_path, "two", module(ECHO))
        host.reload()
        assert await names() == {"one", "two"}


@requirement("lane:taken")
async def test_on_the_pipes_nothing_is_taken_before_the_era_is_settled(stage: Path, cache: Path) -> None:
    async with PluginHost(Settings(), PluginFolders(plugins=(stage,)), cache=cache / "cache") as host:
        face = McpFace(host)
        answers: list[object] = []
        lane = StdioLane(face, host.invoker, lambda request, _: answers.append(request), Terms(face.server))
        calls = [call("well__echo", {"a": 1}, number="a"), listed(), call("chatty__run", {})]
        assert [lane.take(message) for message in calls] == [False, False, False]
        face.era = MODERN
        assert [lane.take(message) for message in calls] == [True, True, True]
        await lane.end()
        assert answers[0] == "l"
        assert set(answers) == {"l", "a", 1}
        face.era = "2025-11-25"  # its client gets what a tool logs
        assert not lane.take(call("chatty__run", {}, meta={}))
        assert lane.take(call("well__echo", {"a": 1}, meta={}))
        await lane.end()
