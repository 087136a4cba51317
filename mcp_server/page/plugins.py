"""The start page with every plugin, and the page of each: state, why it is held back, tools, figures, switches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mcp_server.admin import plugins as api
from mcp_server.admin.desk import Desk
from mcp_server.page.rendering import may
from mcp_server.page.rights import rows_of
from mcp_server.page.room import asking, form_in, go, room_of
from mcp_server.policy.scopes import ADMIN
from mcp_server.transport.identity import Identity

__all__ = ["ROUTES", "place_of"]

_SWITCHES: dict[str, Callable[[str, Desk, Identity], Awaitable[object]]] = {
    "start": api.start_plugin,
    "stop": api.stop_plugin,
    "restart": api.restart_plugin,
    "reload": api.reload_plugin,
}


def place_of(plugin: str) -> str:
    """The address of a plugin's page."""
    return f"/page/plugins/{quote(plugin, safe='')}"


async def _start_page(request: Request) -> Response:
    """Every plugin; for those who do not manage any, what they may do here."""
    room, me = room_of(request), asking(request)
    if not may(me, ADMIN):
        return room.pages.show(request, "home", here="home")
    shown = (await api.list_plugins(room.desk, me)).plugins
    figures = room.desk.host.metrics().values()
    return room.pages.show(
        request,
        "plugins",
        here="plugins",
        plugins=sorted(shown, key=lambda plugin: (not plugin.reason, plugin.id)),
        serving=sum(plugin.state in ("Loaded", "Running") for plugin in shown),
        held=sum(bool(plugin.reason) for plugin in shown),
        calls=sum(tool["calls"] for tool in figures),
    )


async def _plugin(request: Request) -> Response:
    room, me = room_of(request), asking(request, ADMIN)
    plugin = request.path_params["plugin"]
    details = await api.show_plugin(plugin, room.desk, me)
    record = room.desk.host.registry.get(plugin)
    manifest = record.version.source.manifest.plugin if record.version else None
    tools = [tool for tool in room.desk.host.catalog.tools.values() if tool.plugin == plugin and tool.version]
    return room.pages.show(
        request,
        "plugin",
        here="plugins",
        plugin=details,
        about=manifest,
        tools=tools,
        rights=rows_of(details.rights or {}, room.desk.host.registry.rights(plugin)),
        stats=await api.plugin_stats(plugin, room.desk, me),
        limits=_limits(details.limits or {}),
        switches=_switches(details.state),
    )


async def _switch(request: Request) -> Response:
    room, me = room_of(request), asking(request, ADMIN)
    await form_in(request)
    plugin, what = request.path_params["plugin"], request.path_params["what"]
    if what not in _SWITCHES:
        raise HTTPException(404)
    await _SWITCHES[what](plugin, room.desk, me)
    return go(place_of(plugin), what)


def _switches(state: str) -> list[tuple[str, str]]:
    """What can be done from a state, and what the button says."""
    if state in ("Loaded", "Running"):
        return [("stop", "Stop"), ("restart", "Restart"), ("reload", "Reload")]
    return [("start", "Start"), ("reload", "Reload")]


def _limits(limits: dict[str, int]) -> list[tuple[str, Any]]:
    return [(name.replace("_", " "), number) for name, number in sorted(limits.items())]


ROUTES = (
    Route("/", _start_page, methods=["GET"]),
    Route("/plugins/{plugin}", _plugin, methods=["GET"]),
    Route("/plugins/{plugin}/switch/{what}", _switch, methods=["POST"]),
)
