"""``POST /plugins/{id}/call/{function}``: one call, with all that a call over MCP goes through."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import Annotated, Any, TypeVar

import anyio
from fastapi import APIRouter, Body, Path, Request
from pydantic import Field

from mcp_server.admin.access import ToolCaller, caller_of, require
from mcp_server.admin.bodies import StrictRoute
from mcp_server.admin.desk import AtDesk, Desk
from mcp_server.admin.shapes import Known, Shape
from mcp_server.errors import AgentMemError, Cancelled, FunctionMissing
from mcp_server.policy.scopes import ADMIN, Need, any_call, unmet
from mcp_server.tools.catalog import SEPARATOR, Tool
from mcp_server.tools.consent import ONCE, Question
from mcp_server.tools.invoke import Caller
from mcp_server.transport.identity import Identity
from mcp_server.transport.needs import tool_need

__all__ = ["router"]

router = APIRouter(tags=["calls"], route_class=StrictRoute)
T = TypeVar("T")
_MANAGING: Need = ((ADMIN,),)


class Called(Shape):
    """What a call gave; an error that the plugin itself reports in its content is no failure of the call."""

    tool: str
    content: list[dict[str, Any]]
    structured: Any = Field(default=None, description="The JSON value, where the output is JSON.")
    is_error: bool


@router.post("/plugins/{plugin}/call/{function}")
async def call_function(
    plugin: Known,
    function: Annotated[str, Path(max_length=128, description="A tool of the plugin, by its own name.")],
    arguments: Annotated[dict[str, Any], Body(description="As the tool's input schema has them.")],
    request: Request,
    desk: AtDesk,
    caller: ToolCaller,
) -> Called:
    """Call a tool of a plugin. Needs `plugin:<id>:call` or `tools:call`; a client that leaves ends the call.

    Where the operator wants somebody asked first, `admin:plugins` is needed too: the call is the operator's consent.
    """
    tool = _tool(desk, caller, plugin, function)
    require(caller, any_call(caller.scopes or ()) if tool is None else tool_need(tool))
    if tool is None:
        desk.host.registry.get(plugin)
        raise FunctionMissing(
            f"plugin '{plugin}' shows no tool '{function}' now", data={"plugin": plugin, "function": function}
        )
    result = await _while_there(request, desk.host.invoker.run(tool, arguments, _consenting(caller)))
    return Called(tool=tool.name, content=result.content, structured=result.structured, is_error=result.is_error)


def _consenting(identity: Identity) -> Caller:
    """The caller, who consents by calling where it may manage plugins: it could as well set ``ask = false``."""
    caller = caller_of(identity)
    return caller if unmet(identity.scopes, _MANAGING) else replace(caller, ask=_once)


async def _once(question: Question) -> str:
    """The answer of who asked for this call, and for no other."""
    del question
    return ONCE


def _tool(desk: Desk, caller: Identity, plugin: str, function: str) -> Tool | None:
    """By the name that the tool has without its plugin's, else by the function that it calls."""
    mine = desk.host.views.of(caller.principal).tools.values()
    tools = [tool for tool in mine if tool.plugin == plugin and tool.version is not None]
    named = [tool for tool in tools if tool.name == f"{plugin}{SEPARATOR}{function}"]
    found = named or [tool for tool in tools if tool.function == function]
    return found[0] if len(found) == 1 else None


async def _while_there(request: Request, work: Awaitable[T]) -> T:
    """What ``work`` gives, unless the client leaves first.

    Raises:
        Cancelled: It left; nobody reads this.
    """
    done: list[T] = []
    failed: list[AgentMemError] = []

    async def run() -> None:
        try:
            done.append(await work)
        except AgentMemError as error:
            failed.append(error)
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        while (await request.receive())["type"] != "http.disconnect":
            pass
        tasks.cancel_scope.cancel()
    if failed:
        raise failed[0]
    if not done:
        raise Cancelled("the client has left")
    return done[0]
