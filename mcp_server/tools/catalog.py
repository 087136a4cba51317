"""The tools that are shown now: made of the plugins that serve, immutable, swapped as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from mcp_server.capabilities.base import CallContext
from mcp_server.errors import AgentMemError, NameCollision, ToolNotFound
from mcp_server.manifest import JsonSchema, ToolEntry
from mcp_server.manifest.load import ANY_OBJECT
from mcp_server.manifest.model import TOOL_WORD
from mcp_server.policy.limits import Limits
from mcp_server.policy.rights import Rights
from mcp_server.registry.record import PluginRecord
from mcp_server.registry.version import PluginVersion
from mcp_server.runtime.outcome import CallResult
from mcp_server.runtime.runner import PluginRunner
from mcp_server.worker.frames import Mode

__all__ = ["Catalog", "Tool", "ToolAnnotations", "ToolRunner", "build_catalog", "served_tools"]

SEPARATOR = "__"
# Outside this pattern one name has broken a client's whole session (anthropics/claude-code#985).
_TOOL_NAME = re.compile(TOOL_WORD)
_HARMLESS = frozenset({"LoggingAccess", "ConfigAccess"})
_READING = _HARMLESS | {"SearchAccess"}
_OUTSIDE = frozenset({"NetworkAccess", "LLMAccess"})


@dataclass(frozen=True, slots=True)
class ToolAnnotations:
    """Hints for a client, derived from what the plugin may really do; its own claims only make them worse."""

    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool


class ToolRunner(Protocol):
    """What runs a tool: the workers of a plugin, or the host itself."""

    def leased(self) -> AbstractContextManager[None]:
        """Keep it while a call that has chosen it is on its way."""
        ...

    async def call(self, function: str, data: bytes, context: CallContext) -> CallResult:
        """Run ``function`` on the JSON ``data``.

        Raises:
            AgentMemError: What ended the call.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool as every face sees it.

    Attributes:
        name: ``<plugin id>__<word>``, unique on the server.
        plugin: The plugin's id; ``memory`` for the host's own tools.
        function: The export that runs; ``process`` for an operation.
        operation: The dispatcher's operation, where there is one.
        takes: ``json``: the arguments object; ``text``: the argument ``text`` as it is.
        result: How the output is to be read; ``auto`` where the manifest promises nothing.
        input: The compiled input schema.
        output: The compiled output schema, or None.
        rights: What it may do.
        limits: The limits of its calls.
        config: The plugin's configuration.
        runner: What runs it: the workers of the very version this entry was made from, or the host.
        version: That version; None where the host runs it.
    """

    name: str
    title: str | None
    description: str
    plugin: str
    function: str
    operation: str | None
    takes: Literal["json", "text"]
    result: Literal["auto", "json", "text", "content"]
    input: JsonSchema
    output: JsonSchema | None
    annotations: ToolAnnotations
    rights: Rights
    limits: Limits
    config: Mapping[str, Any]
    runner: ToolRunner
    version: PluginVersion | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tools by name, in the order in which they are listed."""

    tools: Mapping[str, Tool]

    def find(self, name: str) -> Tool:
        """The tool called ``name``.

        Raises:
            ToolNotFound: With the closest names.
        """
        tool = self.tools.get(name)
        if tool is None:
            from difflib import get_close_matches  # noqa: PLC0415  # only on the way to an error

            close = get_close_matches(name[:128], self.tools, n=3)
            hint = f"; did you mean {', '.join(close)}?" if close else ""
            raise ToolNotFound(f"there is no tool '{name[:128]}'{hint}", fix="agentmem-mcp tool list")
        return tool


def build_catalog(
    records: Iterable[PluginRecord], own: Iterable[Tool] = ()
) -> tuple[Catalog, dict[str, AgentMemError]]:
    """The catalogue of all serving plugins, and why plugins had to be left out (by plugin id).

    Who was there first keeps a name, the host's ``own`` tools before all; the later plugin is refused whole, so that
    no half of a plugin is shown.
    """
    tools: dict[str, Tool] = {tool.name: tool for tool in own}
    folded: dict[str, Tool] = {name.casefold(): tool for name, tool in tools.items()}
    refused: dict[str, AgentMemError] = {}
    for record in records:
        try:
            mine = _tools_of(record)
            _check_names(mine, folded)
        except NameCollision as error:
            refused[record.id] = error
            continue
        for tool in mine:
            tools[tool.name] = tool
            folded[tool.name.casefold()] = tool
    return Catalog(dict(sorted(tools.items()))), refused


def _check_names(tools: list[Tool], folded: Mapping[str, Tool]) -> None:
    for tool in tools:
        if not _TOOL_NAME.match(tool.name):
            raise NameCollision(
                f"the tool name '{tool.name}' is not usable: clients take A-Z a-z 0-9 _ - and at most 64 characters, "
                f"this has {len(tool.name)}",
                fix=f"set a shorter name on that [[tools]] entry of plugin '{tool.plugin}'",
            )
        other = folded.get(tool.name.casefold())
        if other is not None:
            raise NameCollision(
                f"plugin '{tool.plugin}' shows the tool '{tool.name}', but {_owner(other)} shows "
                f"'{other.name}' already (names are compared without case)",
                fix="rename one of the two tools, or remove one plugin",
            )


def _owner(tool: Tool) -> str:
    return "this server itself" if tool.version is None else f"plugin '{tool.plugin}'"


def _tools_of(record: PluginRecord) -> list[Tool]:
    version, runner = record.version, record.runner
    if version is None or runner is None:
        return []
    return [_tool(entry, given, out, version, runner) for entry, given, out in _offered(version)]


def served_tools(version: PluginVersion) -> list[dict[str, Any]]:
    """The texts of a version's tools, all that a client is shown of them; what an approval binds.

    Raises:
        NameCollision: See :func:`build_catalog`.
    """
    return [
        {
            "name": _name(entry, version),
            "title": entry.title,
            "description": _description(entry, version),
            "input_schema": given.source,
            "output_schema": out.source if out else None,
            "annotations": asdict(_annotations(entry, version.rights, version.runnable.isolation)),
        }
        for entry, given, out in _offered(version)
    ]


def _offered(version: PluginVersion) -> list[tuple[ToolEntry, JsonSchema, JsonSchema | None]]:
    manifest = version.source.manifest
    if manifest.tools:
        pairs = zip(manifest.tools, version.source.schemas, strict=True)
        return [(entry, given, out) for entry, (given, out) in pairs]
    any_object = JsonSchema(ANY_OBJECT)
    return [(entry, any_object, None) for entry in _entries(manifest.plugin.id, version)]


def _name(entry: ToolEntry, version: PluginVersion) -> str:
    return f"{version.source.manifest.plugin.id}{SEPARATOR}{entry.word}"


def _description(entry: ToolEntry, version: PluginVersion) -> str:
    return entry.description or f"{entry.word} of the plugin {version.source.manifest.plugin.name}"


def _entries(plugin: str, version: PluginVersion) -> list[ToolEntry]:
    """An entry per export, where no manifest has any.

    Raises:
        NameCollision: Two exports would be shown under one name, or one under none.
    """
    words: dict[str, str] = {}
    entries: list[ToolEntry] = []
    for export in version.module.tool_exports():
        word = re.sub(r"[^A-Za-z0-9_-]", "_", export)  # languages export names that clients refuse
        other = words.setdefault(word.casefold(), export)
        if not word or other != export:
            raise NameCollision(
                f"the exports {other!r:.80} and {export!r:.80} of plugin '{plugin}' would both be shown as '{word:.64}'"
                if word
                else f"plugin '{plugin}' exports a function without a name",
                fix="write a plugin.toml whose [[tools]] give each function a name of its own",
            )
        entries.append(ToolEntry.model_construct(function=export, name=word))  # checked as a tool name later
    return entries


def _tool(
    entry: ToolEntry, given: JsonSchema, out: JsonSchema | None, version: PluginVersion, runner: PluginRunner
) -> Tool:
    return Tool(
        name=_name(entry, version),
        title=entry.title,
        description=_description(entry, version),
        plugin=version.source.manifest.plugin.id,
        function="process" if entry.operation is not None else entry.function,
        operation=entry.operation,
        takes=entry.input,
        result=entry.result,
        input=given,
        output=out,
        annotations=_annotations(entry, version.rights, runner.runnable.isolation),
        rights=version.rights,
        limits=runner.runnable.limits,
        config=runner.runnable.config,
        runner=runner,
        version=version,
    )


def _annotations(entry: ToolEntry, rights: Rights, isolation: Mode) -> ToolAnnotations:
    claims, may = entry.annotations, rights.effective
    read_only = may <= _READING and claims.read_only
    return ToolAnnotations(
        read_only=read_only,
        destructive=not read_only and (claims.destructive or not may <= _READING),
        idempotent=may <= _READING and isolation is Mode.CALL and claims.idempotent,
        open_world=bool(may & _OUTSIDE) or claims.open_world,
    )
