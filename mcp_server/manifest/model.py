"""The shape of ``plugin.toml``, version 1, as frozen values. Reading files is in :mod:`.load`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from mcp_server.manifest.reach import FilesystemSection, NetworkSection
from mcp_server.policy.plugin_config import reference_problems
from mcp_server.policy.rights import Capability
from mcp_server.policy.versions import VersionRange

__all__ = [
    "Annotations",
    "CapabilitySection",
    "HookEntry",
    "Manifest",
    "PluginSection",
    "RuntimeSection",
    "TOOL_WORD",
    "ToolEntry",
    "hidden_character",
]

PLUGIN_ID = r"^[a-z0-9-]{1,48}$"
TOOL_WORD = r"^[A-Za-z0-9_-]{1,64}$"
_SEARCH_BUDGET_MS = 50
_WRITE_BUDGET_MS = 200
# https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string
SEMVER = (
    r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$"
)

PluginType = Literal["MemoryProcessor", "CodeAnalyzer", "SearchAlgorithm", "DataSource", "Multimodal", "Custom"]
Isolation = Literal["call", "session", "shared"]

# Text a client shows next to a tool: control, bidirectional-override and tag characters can make it read as
# something else (Unicode UTS 39; CVE-2021-42574), so no manifest text may hold them.
_DECEPTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def hidden_character(text: str) -> str:
    """What is wrong with ``text`` when it holds a character that a person cannot see; empty when it holds none."""
    found = _DECEPTIVE.search(text)
    return f"holds the invisible or control character U+{ord(found.group()):04X}; remove it" if found else ""


def _plain(text: str) -> str:
    problem = hidden_character(text)
    if problem:
        raise ValueError(problem)
    return text


def _table_or_path(source: object) -> object:
    if not isinstance(source, dict | str):
        raise ValueError(f"must be a table, or the path of a JSON file, not {type(source).__name__}")
    return source  # pyright: ignore[reportUnknownVariableType]  # TOML


def _pairs(source: object) -> object:
    """A table of TOML, or the pairs that a kept manifest has as JSON."""
    if isinstance(source, dict):
        return tuple(sorted(cast("dict[str, object]", source).items()))
    if isinstance(source, list):
        pairs = cast("list[object]", source)
        return tuple(tuple(cast("list[object]", pair)) if isinstance(pair, list) else pair for pair in pairs)
    return source


Id = Annotated[str, StringConstraints(pattern=PLUGIN_ID)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_plain)]
Text = Annotated[str, StringConstraints(max_length=2_048), AfterValidator(_plain)]
Word = Annotated[str, StringConstraints(pattern=TOOL_WORD)]
RelativePath = Annotated[str, StringConstraints(min_length=1, max_length=1_024), AfterValidator(_plain)]
SchemaSource = Annotated[dict[str, Any] | str, BeforeValidator(_table_or_path)]
RequiredPlugins = Annotated[tuple[tuple[Id, str], ...], BeforeValidator(_pairs)]
"""Id -> range of versions; pairs, so that a section stays a value."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PluginSection(_Section):
    """``[plugin]``: who the plugin is and where its module lies."""

    id: Id
    name: Label
    version: Annotated[str, StringConstraints(pattern=SEMVER, max_length=128)]
    description: Text = ""
    author: Annotated[str, StringConstraints(max_length=256), AfterValidator(_plain)] = ""
    type: PluginType = "Custom"
    wasm: RelativePath | None = None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    requires_host: str | None = None
    requires_plugins: RequiredPlugins = ()

    @field_validator("requires_plugins")
    @classmethod
    def _ranges(cls, wanted: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        for _, text in wanted:
            VersionRange.parse(text)
        return wanted


class RuntimeSection(_Section):
    """``[runtime]``: how the module wants to be run."""

    isolation: Isolation = "call"
    wasi: bool = False


class CapabilitySection(_Section):
    """``[capabilities]``: the ceiling. Required ones hold the plugin back when not granted."""

    required: tuple[Capability, ...] = ()
    optional: tuple[Capability, ...] = ()

    @model_validator(mode="after")
    def _one_or_the_other(self) -> CapabilitySection:
        both = set(self.required) & set(self.optional)
        if both:
            raise ValueError(f"{', '.join(sorted(both))} cannot be both required and optional")
        return self


class Annotations(_Section):
    """A tool's own claims. They can only make the annotations that the host derives more cautious."""

    read_only: bool = True
    destructive: bool = False
    idempotent: bool = True
    open_world: bool = False


class ToolEntry(_Section):
    """``[[tools]]``: one exported function (or one operation of ``process``) shown as a tool."""

    function: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    name: Word | None = None
    title: Label | None = None
    description: Text = ""
    operation: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    input: Literal["json", "text"] = "json"
    result: Literal["auto", "json", "text", "content"] = "auto"
    input_schema: SchemaSource | None = None
    output_schema: SchemaSource | None = None
    annotations: Annotations = Annotations()

    @property
    def word(self) -> str:
        """The tool's half of the MCP name."""
        return self.name or self.operation or self.function


class HookEntry(_Section):
    """One of ``[hooks]``: a function, when it runs among others, how long it may take, what its failure means."""

    function: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    order: Annotated[int, Field(ge=0, le=1_000)] = 100
    budget_ms: Annotated[int, Field(ge=1, le=5_000)] | None = None
    on_failure: Literal["open", "closed"] = "open"

    def budget_for(self, point: str) -> int:
        """Milliseconds at ``point``: what is stated, else less for a search, where somebody waits, than for a write."""
        return self.budget_ms or (_SEARCH_BUDGET_MS if point.endswith("_search") else _WRITE_BUDGET_MS)


def _function_or_table(source: object) -> object:
    return {"function": source} if isinstance(source, str) else source


HookSource = Annotated[HookEntry, BeforeValidator(_function_or_table)]


class HookSection(_Section):
    """``[hooks]``: plugin functions that the memory engine calls around its operations."""

    before_add: HookSource | None = None
    after_add: HookSource | None = None
    before_search: HookSource | None = None
    after_search: HookSource | None = None
    before_update: HookSource | None = None
    after_update: HookSource | None = None
    before_delete: HookSource | None = None
    after_delete: HookSource | None = None

    @field_validator("after_add", "after_update", "after_delete")
    @classmethod
    def _too_late(cls, entry: HookEntry | None) -> HookEntry | None:
        if entry is not None and entry.on_failure == "closed":
            raise ValueError("cannot be closed: what it follows is done already")
        return entry

    def entries(self) -> list[tuple[str, HookEntry]]:
        """Those that are named, by point."""
        found = [(point, getattr(self, point)) for point in type(self).model_fields]
        return [(point, entry) for point, entry in found if entry is not None]


class Manifest(_Section):
    """A whole ``plugin.toml``.

    Raises:
        pydantic.ValidationError: With every problem; :mod:`.load` turns it into one ``ManifestError``.
    """

    manifest_version: Literal[1]
    plugin: PluginSection
    runtime: RuntimeSection = RuntimeSection()
    capabilities: CapabilitySection = CapabilitySection()
    network: NetworkSection = NetworkSection()
    filesystem: FilesystemSection = FilesystemSection()
    config: dict[str, Any] = Field(default_factory=dict)
    config_schema: SchemaSource | None = None
    limits: dict[str, int] = Field(default_factory=dict)
    tools: tuple[ToolEntry, ...] = ()
    hooks: HookSection = HookSection()

    @field_validator("config")
    @classmethod
    def _referable(cls, config: dict[str, Any]) -> dict[str, Any]:
        problems = reference_problems(config, "config")
        if problems:
            raise ValueError("; ".join(problems))
        return config

    @field_validator("tools")
    @classmethod
    def _distinct(cls, tools: tuple[ToolEntry, ...]) -> tuple[ToolEntry, ...]:
        seen: set[str] = set()
        for tool in tools:
            if tool.word.casefold() in seen:
                raise ValueError(f"the name '{tool.word}' is shown twice (names are compared without case)")
            seen.add(tool.word.casefold())
        return tools
