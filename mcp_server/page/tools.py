"""The tools that a person may call, and a form to try each: a call with all that a call over MCP goes through."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mcp_server.admin import tools as api
from mcp_server.admin.bodies import strict_json
from mcp_server.admin.calls import Called, call_function
from mcp_server.admin.failures import failure
from mcp_server.errors import AgentMemError, ToolNotFound
from mcp_server.page.fields import AS_JSON, Field, arguments_of, fields_of, tried
from mcp_server.page.room import asking, form_in, room_of
from mcp_server.policy.scopes import TOOLS_LIST
from mcp_server.tools.catalog import SEPARATOR

__all__ = ["ROUTES"]


async def _list(request: Request) -> Response:
    room, me = room_of(request), asking(request, TOOLS_LIST)
    shown = (await api.list_tools(room.desk, me)).tools
    return room.pages.show(request, "tools", here="tools", tools=shown)


async def _form(request: Request) -> Response:
    tool = await _tool(request)
    return _show(request, tool, fields_of(tool.input_schema), "{}", as_json=False)


async def _call(request: Request) -> Response:
    """Call it, and show the form again with what came of it."""
    tool = await _tool(request)
    form = await form_in(request)
    fields = fields_of(tool.input_schema)
    as_json = fields is None or form.get("how") == AS_JSON
    text, problem = form.get(AS_JSON, "{}"), ""
    if as_json:
        arguments, problem = _parsed(text)
    else:
        fields = tried(fields or [], form)
        wrong = [field for field in fields if field.problem]
        problem = f"{len(wrong)} of the fields cannot be read" if wrong else ""
        arguments = {} if wrong else arguments_of(fields)
        text = json.dumps(arguments, ensure_ascii=False, indent=2)
    if problem:
        return _show(request, tool, fields, text, as_json=as_json, status=422, problem=problem)
    try:
        called = await _called(request, tool, arguments)
    except AgentMemError as error:
        refused = failure(asking(request), error)
        told = json.loads(bytes(refused.body))
        return _show(request, tool, fields, text, as_json=as_json, status=refused.status_code, failed=told)
    return _show(request, tool, fields, text, as_json=as_json, called=called)


async def _called(request: Request, tool: api.Tool, arguments: dict[str, Any]) -> Called:
    word = tool.name.removeprefix(f"{tool.plugin}{SEPARATOR}")
    return await call_function(tool.plugin, word, arguments, request, room_of(request).desk, asking(request))


async def _tool(request: Request) -> api.Tool:
    """The tool that the address names, if the one who asks may call it.

    Raises:
        ToolNotFound: There is none, or they may not.
    """
    room, me = room_of(request), asking(request, TOOLS_LIST)
    name = request.path_params["tool"]
    shown = (await api.list_tools(room.desk, me)).tools
    found = next((tool for tool in shown if tool.name == name), None)
    if found is None:
        raise ToolNotFound(f"there is no tool '{name[:128]}' that you may call", fix="look at the list of tools")
    return found


def _show(
    request: Request, tool: api.Tool, fields: list[Field] | None, text: str, *, as_json: bool, **more: Any
) -> Response:
    values: Mapping[str, Any] = {"called": None, "failed": None, "problem": "", "status": 200, **more}
    called: Called | None = values["called"]
    return room_of(request).pages.show(
        request,
        "tool",
        **values,
        here="tools",
        tool=tool,
        fields=fields,
        text=text,
        as_json=as_json,
        schema=_pretty(tool.input_schema),
        answer=_answer(called) if called else "",
        own=tool.plugin == "memory",
    )


def _answer(called: Called) -> str:
    """What a call gave, as text: the JSON value where there is one, else its blocks."""
    if called.structured is not None:
        return _pretty(called.structured)
    return "\n".join(block["text"] if block.get("type") == "text" else _pretty(block) for block in called.content)


def _parsed(text: str) -> tuple[dict[str, Any], str]:
    """Arguments that were written as JSON, and why they are none."""
    try:
        value = strict_json(text.encode("utf-8", "replace"))
    except ValueError as error:
        return {}, f"the arguments are {error}"
    if not isinstance(value, dict):
        return {}, "the arguments are no JSON object"
    return cast("dict[str, Any]", value), ""


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


ROUTES = (
    Route("/tools", _list, methods=["GET"]),
    Route("/tools/{tool}", _form, methods=["GET"]),
    Route("/tools/{tool}", _call, methods=["POST"]),
)
