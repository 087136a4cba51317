"""``/plugins/{id}/grants`` and ``…/config``: the two tables of the operator's configuration that are about one plugin.

They may be written before the plugin is there. A value that another layer sets stays in force, and is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field

from mcp_server.admin.access import Admin
from mcp_server.admin.bodies import StrictRoute
from mcp_server.admin.desk import AtDesk, Desk
from mcp_server.admin.shapes import PluginId, Shape
from mcp_server.policy.shown import rights_as_json
from mcp_server.settings import Grant
from mcp_server.settings.document import Document
from mcp_server.settings.grants import replace_table
from mcp_server.settings.shown import hidden_values
from mcp_server.transport.identity import Identity

__all__ = ["change_grants", "router"]

router = APIRouter(tags=["rights"], route_class=StrictRoute)


class Grants(Shape):
    """What the operator allows a plugin."""

    grant: Grant = Field(description="In force.")
    rights: dict[str, Any] | None = Field(description="What comes of it: requested, granted, effective.")
    changes: list[str] = Field(default_factory=list, description="What was written, a line each.")


class Config(Shape):
    """What the operator configures a plugin with."""

    config: dict[str, Any] = Field(description="In force; what looks like a secret is hidden.")
    changes: list[str] = Field(default_factory=list, description="What was written, a line each.")


@router.get("/plugins/{plugin}/grants")
async def show_grants(plugin: PluginId, desk: AtDesk, admin: Admin) -> Grants:
    """Show what a plugin is granted."""
    del admin
    return _grants(desk, plugin)


@router.put("/plugins/{plugin}/grants")
async def replace_grants(plugin: PluginId, grant: Annotated[Grant, Body()], desk: AtDesk, admin: Admin) -> Grants:
    """Replace `[grants.<id>]` of the operator's configuration; an empty object takes every grant away."""
    table = grant.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    told = ", ".join(grant.capabilities)
    return change_grants(
        desk, admin, plugin, lambda document: replace_table(document, "grants", plugin, table), "grant", told
    )


@router.get("/plugins/{plugin}/config")
async def show_config(plugin: PluginId, desk: AtDesk, admin: Admin) -> Config:
    """Show what a plugin is configured with."""
    del admin
    return _config(desk, plugin)


@router.put("/plugins/{plugin}/config")
async def replace_config(
    plugin: PluginId, config: Annotated[dict[str, Any], Body()], desk: AtDesk, admin: Admin
) -> Config:
    """Replace `[config.<id>]` of the operator's configuration; secrets are named, as `{"secret": "NAME"}`."""
    changes = desk.edit(lambda document: replace_table(document, "config", plugin, config))
    desk.record(admin.principal, plugin, "configure")
    return _config(desk, plugin, changes)


def change_grants(
    desk: Desk, admin: Identity, plugin: str, change: Callable[[Document], list[str]], what: str, target: str
) -> Grants:
    """Change the grant of ``plugin`` in the operator's configuration, and note that ``admin`` did.

    Raises:
        SettingsError: As :meth:`Desk.edit`.
    """
    changes = desk.edit(change)
    desk.record(admin.principal, plugin, what, target)
    return _grants(desk, plugin, changes)


def _grants(desk: Desk, plugin: str, changes: list[str] | None = None) -> Grants:
    known = plugin in desk.host.registry.records
    rights = desk.host.registry.rights(plugin) if known else None
    grant = desk.host.settings.grants.get(plugin, Grant())
    return Grants(grant=grant, rights=rights_as_json(rights) if rights else None, changes=changes or [])


def _config(desk: Desk, plugin: str, changes: list[str] | None = None) -> Config:
    config = desk.host.settings.config.get(plugin, {})
    return Config(config=hidden_values(("config", plugin), config), changes=changes or [])
