"""``/tools`` and ``/info``: what the caller may call, and what answers here."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from mcp_server import __version__
from mcp_server.admin.access import Anyone, Lister
from mcp_server.admin.bodies import StrictRoute
from mcp_server.admin.desk import AtDesk
from mcp_server.admin.shapes import Shape, Tool
from mcp_server.policy.scopes import unmet
from mcp_server.tools.plugin_facts import tool_facts
from mcp_server.transport.needs import tool_need

__all__ = ["router"]

router = APIRouter(tags=["tools"], route_class=StrictRoute)


class Tools(Shape):
    """The tools that the caller may call."""

    tools: list[Tool]


class Info(Shape):
    """Which server this is."""

    name: str
    version: str
    principal: str = Field(description="Whose token was sent.")
    scopes: list[str] | None = Field(description="What it is good for; null for everything.")
    plugins: int = Field(description="Those that serve.")
    tools: int


@router.get("/tools")
async def list_tools(desk: AtDesk, caller: Lister) -> Tools:
    """List the tools that the token may call."""
    shown = [tool for tool in desk.host.catalog.tools.values() if not unmet(caller.scopes, tool_need(tool))]
    return Tools.model_validate({"tools": [tool_facts(tool) for tool in shown]})


@router.get("/info")
async def info(desk: AtDesk, caller: Anyone) -> Info:
    """Say which server this is, and who the caller is to it."""
    return Info(
        name="agentmem-mcp",
        version=__version__,
        principal=caller.principal,
        scopes=None if caller.scopes is None else sorted(caller.scopes),
        plugins=sum(record.serving for record in desk.host.list_plugins()),
        tools=len(desk.host.catalog.tools),
    )
