"""``/plugins``: what is there, starting and stopping it, approving it, removing it, and how it is run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import Field

from mcp_server.admin.access import Admin
from mcp_server.admin.bodies import StrictRoute
from mcp_server.admin.desk import AtDesk, Desk
from mcp_server.admin.shapes import Known, Plugin, PluginDetails, PluginId, Shape, shown_plugin
from mcp_server.errors import LifecycleError
from mcp_server.policy.shown import rights_as_json
from mcp_server.registry.figures import plugin_figures
from mcp_server.settings import PluginSettings
from mcp_server.settings.grants import replace_table
from mcp_server.tools.plugin_facts import approval_facts, plugin_details

__all__ = ["details_of", "router"]

router = APIRouter(tags=["plugins"], route_class=StrictRoute)


class Plugins(Shape):
    """Every plugin that was found."""

    plugins: list[Plugin]


class Changes(Shape):
    """How the operator wants a plugin run; a key that is left out stays, and null takes it back."""

    enabled: bool | None = Field(default=None, description="Whether it may run at all.")
    isolation: Literal["call", "session", "shared"] | None = Field(default=None, description="At least this strict.")
    limits: dict[str, int] | None = Field(default=None, description="As in docs/limits.md; the whole table.")


class Stats(Shape):
    """Figures since the server started."""

    plugin: dict[str, Any] = Field(description="State, workers, crashes, memory.")
    tools: dict[str, Any] = Field(description="By tool: calls, outcomes by code, times in milliseconds.")


class AllStats(Shape):
    """Figures of everything since the server started."""

    plugins: dict[str, Any] = Field(description="By id: state, workers, crashes, memory.")
    tools: dict[str, Any] = Field(description="By tool: calls, outcomes by code, times in milliseconds.")
    hooks: dict[str, Any] = Field(description="After-hooks that wait or were dropped, and hooks that are held back.")


@router.get("/plugins")
async def list_plugins(desk: AtDesk, admin: Admin) -> Plugins:
    """List every plugin with its state and, where it is held back, why."""
    del admin
    return Plugins.model_validate({"plugins": [_summary(desk, plugin) for plugin in desk.host.registry.records]})


@router.get("/plugins/{plugin}")
async def show_plugin(plugin: Known, desk: AtDesk, admin: Admin) -> PluginDetails:
    """Show all that is known about a plugin."""
    del admin
    return details_of(desk, plugin)


@router.patch("/plugins/{plugin}")
async def change_plugin(
    plugin: PluginId, changes: Annotated[Changes, Body()], desk: AtDesk, admin: Admin
) -> PluginDetails:
    """Change `[plugins.<id>]` of the operator's configuration: limits, isolation, and whether it runs."""
    desk.host.registry.get(plugin)
    old = desk.host.settings.plugins.get(plugin, PluginSettings())
    table = {**_table(old), **changes.model_dump(exclude_unset=True)}
    table = {key: value for key, value in table.items() if value not in (None, {})}
    desk.edit(lambda document: replace_table(document, "plugins", plugin, table))
    desk.record(admin.principal, plugin, "change")
    return details_of(desk, plugin)


@router.delete("/plugins/{plugin}", status_code=204)
async def remove_plugin(plugin: PluginId, desk: AtDesk, admin: Admin) -> None:
    """Remove a plugin that was installed through this API; what it stored stays."""
    desk.host.registry.get(plugin)
    desk.registration.installed.remove(plugin)
    desk.record(admin.principal, plugin, "remove")
    desk.take_up()


@router.post("/plugins/{plugin}/start")
async def start_plugin(plugin: Known, desk: AtDesk, admin: Admin) -> PluginDetails:
    """Load a plugin that is stopped or in Error."""
    record = desk.host.registry.get(plugin)
    if record.serving:
        raise LifecycleError(f"plugin '{plugin}' is {record.shown_state} already", data={"plugin": plugin})
    desk.siblings.start(plugin)
    return _done(desk, admin.principal, plugin, "start")


@router.post("/plugins/{plugin}/stop")
async def stop_plugin(plugin: Known, desk: AtDesk, admin: Admin) -> PluginDetails:
    """Take a plugin's tools away until it is started; calls under way end first."""
    desk.siblings.stop(plugin)
    return _done(desk, admin.principal, plugin, "stop")


@router.post("/plugins/{plugin}/restart")
async def restart_plugin(plugin: Known, desk: AtDesk, admin: Admin) -> PluginDetails:
    """Load a plugin anew, with its crashes forgotten."""
    desk.siblings.restart(plugin)
    return _done(desk, admin.principal, plugin, "restart")


@router.post("/plugins/{plugin}/reload")
async def reload_plugin(plugin: Known, desk: AtDesk, admin: Admin) -> PluginDetails:
    """Look at the configuration and the plugin folders again."""
    desk.host.registry.get(plugin)
    desk.siblings.reload()
    return _done(desk, admin.principal, plugin, "reload")


@router.post("/plugins/{plugin}/approve")
async def approve_plugin(
    plugin: Known,
    desk: AtDesk,
    admin: Admin,
    seen: Annotated[
        str | None, Query(max_length=64, description="`details.digest` of what you saw; 409 when it is another by now.")
    ] = None,
) -> PluginDetails:
    """Approve a plugin, or a change of one, as it lies on disk, and serve it."""
    desk.approve(plugin, admin.principal, seen)
    return details_of(desk, plugin)


@router.get("/plugins/{plugin}/stats")
async def plugin_stats(plugin: Known, desk: AtDesk, admin: Admin) -> Stats:
    """Show the figures of a plugin."""
    del admin
    record = desk.host.registry.get(plugin)
    tools = {name: figures for name, figures in desk.host.metrics().items() if figures["plugin"] == plugin}
    return Stats(plugin=plugin_figures(record), tools=tools)


@router.get("/stats")
async def all_stats(desk: AtDesk, admin: Admin) -> AllStats:
    """Show the figures of every plugin and tool."""
    del admin
    return AllStats.model_validate(desk.host.stats())


def details_of(desk: Desk, plugin: str) -> PluginDetails:
    """As ``GET /plugins/{id}`` answers.

    Raises:
        PluginNotFound: There is none of that id.
    """
    record = desk.host.registry.get(plugin)
    rights = desk.host.registry.rights(plugin)
    return PluginDetails.model_validate(
        {
            **_summary(desk, plugin),
            **plugin_details(record),
            "rights": rights_as_json(rights) if rights is not None else None,
            "details": approval_facts(record),
        }
    )


def _summary(desk: Desk, plugin: str) -> dict[str, Any]:
    installed = desk.registration.installed.has(plugin)
    return shown_plugin(desk.host.registry.get(plugin), desk.host.catalog, installed=installed)


def _done(desk: Desk, principal: str, plugin: str, what: str) -> PluginDetails:
    desk.record(principal, plugin, what)
    return details_of(desk, plugin)


def _table(settings: PluginSettings) -> dict[str, Any]:
    return settings.model_dump(mode="json", exclude_defaults=True)
