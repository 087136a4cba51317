"""The answers about plugins and tools, as models: the document of the API is made from them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from mcp_server.manifest.model import PLUGIN_ID
from mcp_server.registry.record import PluginRecord
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.plugin_facts import plugin_summary

__all__ = ["ApprovalState", "Known", "Plugin", "PluginDetails", "PluginId", "Shape", "Tool", "shown_plugin"]

PluginId = Annotated[str, Path(pattern=PLUGIN_ID, description="The plugin's id.")]
Known = Annotated[str, Path(max_length=128, description="The plugin's id, as `GET /plugins` has it.")]


class Shape(BaseModel):
    """An answer that has exactly these keys: one that is forgotten here fails a test."""

    model_config = ConfigDict(extra="forbid")


class Plugin(Shape):
    """A plugin and where it stands."""

    id: str
    version: str = Field(description="`-` while its manifest cannot be read.")
    type: str
    state: str = Field(description="Registered, Loading, Loaded, Running, Stopped or Error.")
    approval: str = Field(description="trusted, approved, first-use, pending, unapproved or unknown.")
    tools: list[str]
    reason: str = Field(description="Why it, or its newest version, is held back.")
    fix: str = Field(description="What to do about that.")
    notes: list[str]
    path: str
    installed: bool = Field(description="Whether it was installed through this API, and can be removed through it.")


class ApprovalState(Shape):
    """What is known of an approval."""

    standing: str
    digest: str = Field(description="Of all that an approval would bind; send it as `seen` to approve just that.")
    changed: list[str] = Field(description="Which of wasm, manifest, tools and grants differ from what was approved.")
    changes: list[str] = Field(description="The differences, a line each.")
    approved_at: str
    approved_by: str
    how: str


class PluginDetails(Plugin):
    """All that is known about a plugin; the last keys are of the version that serves."""

    rights: dict[str, Any] | None = Field(description="Requested, granted and effective; null: no readable manifest.")
    details: ApprovalState = Field(description="Of the newest version.")
    digest: str | None = None
    isolation: str | None = None
    asks_user: str | None = Field(default=None, description="no, ask, or may_keep: the user may answer for good.")
    hooks: dict[str, Any] | None = None
    limits: dict[str, int] | None = None
    module: dict[str, Any] | None = None


class Tool(Shape):
    """A tool."""

    name: str
    title: str | None
    description: str
    plugin: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None
    annotations: dict[str, Any]


def shown_plugin(record: PluginRecord, catalog: Catalog, *, installed: bool) -> dict[str, Any]:
    """As :class:`Plugin` has it."""
    return {**plugin_summary(record, catalog), "installed": installed}
