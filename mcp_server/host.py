"""``PluginHost``: the whole plugin system without MCP, for embedding it in a program of one's own.

::

    async with PluginHost().load_plugins_from_dir("plugins") as host:
        print(await host.call("hello", "hello", {"message": "world"}))

It owns the fleet, the registry and the catalogue and keeps them in step. Protocols and transports are not here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from mcp_server import __version__
from mcp_server.capabilities.base import LogLine
from mcp_server.errors import AgentMemError, PluginUnavailable
from mcp_server.policy.paths import FileGrant
from mcp_server.policy.rights import Capability
from mcp_server.registry.discovery import PluginFolders
from mcp_server.registry.record import PluginRecord
from mcp_server.registry.store import Registry
from mcp_server.registry.version import Asking, OperatorWord, PluginVersion
from mcp_server.runtime.fleet import Fleet
from mcp_server.runtime.modules import ModuleStore
from mcp_server.runtime.runner import PluginRunner
from mcp_server.services import Services
from mcp_server.settings import FolderSection, Grant, PluginSettings, Settings, user_folders
from mcp_server.telemetry.calls import CallRecorder
from mcp_server.telemetry.levels import PYTHON_LEVELS
from mcp_server.tools.catalog import Catalog, build_catalog
from mcp_server.tools.consent import Consents
from mcp_server.tools.invoke import Caller, Invoker, plain_context
from mcp_server.tools.json_text import write
from mcp_server.tools.results import ToolResult, plain_output

__all__ = ["PluginHost"]

MIB = 1024 * 1024
_plugin_log = logging.getLogger("plugin")


class PluginHost:
    """Loads plugins and calls them. An async context manager; nothing runs outside it.

    Args:
        settings: Limits, grants and sizes; the defaults when omitted.
        folders: Where plugins lie; more can be added with the builder methods before it is entered.
        cache: Where modules and compiled code are kept; the user's cache folder when omitted.
        data: Where memories and stored values are kept; the user's data folder when omitted.
        keep_consent: Makes a user's "always allow" last, given the plugin's id; without it, it is not offered.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        folders: PluginFolders | None = None,
        *,
        cache: Path | None = None,
        data: Path | None = None,
        keep_consent: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.folders = folders or PluginFolders()
        self.recorder = CallRecorder()
        self.catalog = Catalog({})
        self.changed: list[Callable[[], None]] = []
        self._cache = cache or user_folders().cache
        self._consents = Consents(keep_consent)
        self._services = Services(data or user_folders().data, self.settings.llm)
        self._stack = AsyncExitStack()

    def with_plugin(self, path: str | Path) -> PluginHost:
        """Add one plugin: a bundle folder, a ``plugin.toml`` or a ``.wasm``."""
        self.folders = replace(self.folders, single=(*self.folders.single, Path(path)))
        return self

    def load_plugins_from_dir(self, plugins: str | Path, manifests: str | Path | None = None) -> PluginHost:
        """Add every plugin below ``plugins``, and below ``manifests`` when they lie apart."""
        more = (Path(manifests),) if manifests is not None else ()
        self.folders = replace(
            self.folders,
            plugins=(*self.folders.plugins, Path(plugins)),
            manifests=(*self.folders.manifests, *more),
        )
        return self

    async def __aenter__(self) -> PluginHost:
        runtime = self.settings.runtime
        self.fleet = Fleet(
            ModuleStore(self._cache, runtime.compiled_cache_mb * MIB),
            self._services.functions(),
            max_workers=runtime.max_workers,
            idle_seconds=runtime.idle_seconds,
        )
        self.registry = Registry(self.folders, self.fleet, self._word, __version__)
        self.invoker = Invoker(
            lambda: self.catalog,
            self.recorder,
            _log_plugin,
            per_principal=runtime.max_calls_per_principal,
            line=runtime.max_queued_per_principal,
            consents=self._consents,
        )
        self._stack.callback(self._services.close)
        self._stack.push_async_callback(self._services.hang_up)
        await self._stack.enter_async_context(self.fleet)
        try:
            self.reload()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, trace)

    def reload(self) -> set[str]:
        """Look at the folders again; the ids of plugins that changed. Running calls end on their old version."""
        changed = self.registry.scan(self.settings.runtime.drain_seconds)
        if changed:
            self._rebuild()
        return changed

    def stop(self, plugin: str) -> None:
        """Take a plugin's tools away until :meth:`restart`.

        Raises:
            PluginNotFound: There is none of that id.
            LifecycleError: It cannot be stopped from its state.
        """
        self.registry.stop(plugin, self.settings.runtime.drain_seconds)
        self._rebuild()

    def restart(self, plugin: str) -> None:
        """Load a stopped, broken or quarantined plugin anew.

        Raises:
            AgentMemError: Why it cannot be loaded.
        """
        if self.registry.get(plugin).serving:
            self.registry.stop(plugin, self.settings.runtime.drain_seconds)
        try:
            self.registry.restart(plugin)
        finally:
            self._rebuild()  # also when it failed: its tools are gone

    async def warm(self, plugin: str) -> dict[str, Any]:
        """Start a worker of ``plugin`` now and load its module, so that the first call finds both.

        Returns:
            The worker's facts: which walls are up, engine version, load time in nanoseconds.

        Raises:
            AgentMemError: It cannot be loaded.
        """
        _, runner = self._serving(plugin)
        with runner.leased():
            return await runner.warm()

    async def call_tool(self, name: str, arguments: object, caller: Caller | None = None) -> ToolResult:
        """Call a tool by its MCP name, with everything a client would get: schema checks, shaping, limits.

        Raises:
            AgentMemError: See ``errors``.
        """
        return await self.invoker.invoke(name, arguments, caller or Caller())

    async def call(self, plugin: str, function: str, value: Any = None, caller: Caller | None = None) -> Any:
        """Call any exported function of a plugin.

        Args:
            plugin: Its id.
            function: An export.
            value: A JSON value, or ``bytes`` that are handed on as they are.
            caller: Whose call it is.

        Returns:
            The JSON value of the output, or its text when it is no JSON.

        Raises:
            AgentMemError: See ``errors``.
        """
        version, runner = self._serving(plugin)
        context = plain_context(version, runner, caller or Caller(), _log_plugin)
        with runner.leased():
            result = await runner.call(function, _as_input(value), context)
        return plain_output(plugin, function, result.output, runner.runnable.limits.json_depth)

    async def call_many(
        self, plugin: str, function: str, values: Sequence[Any], caller: Caller | None = None
    ) -> list[Any]:
        """Call one function over many inputs in one message to its worker; an item that failed is its error.

        The whole batch runs under one deadline and one set of budgets, in order.

        Raises:
            AgentMemError: What ended the batch.
        """
        version, runner = self._serving(plugin)
        context = plain_context(version, runner, caller or Caller(), _log_plugin)
        with runner.leased():
            results = await runner.call_many(function, [_as_input(value) for value in values], context)
        depth = runner.runnable.limits.json_depth
        return [
            item if isinstance(item, AgentMemError) else plain_output(plugin, function, item.output, depth)
            for item in results
        ]

    def list_plugins(self) -> list[PluginRecord]:
        """Every discovered plugin, also those in Error."""
        return list(self.registry.records.values())

    def metrics(self) -> dict[str, dict[str, Any]]:
        """Figures per tool since the start; see :meth:`CallRecorder.snapshot`."""
        return self.recorder.snapshot()

    def stats(self) -> dict[str, Any]:
        """Figures of this host: per plugin its state, workers, crashes and memory; per tool see :meth:`metrics`."""
        plugins = {record.id: _plugin_stats(record) for record in self.registry.records.values()}
        return {"plugins": plugins, "tools": self.metrics()}

    def _rebuild(self) -> None:
        self.catalog, refused = build_catalog(self.registry.records.values())
        for plugin, error in refused.items():
            self.registry.hold_back(plugin, error)
        for listener in self.changed:
            listener()

    def _serving(self, plugin: str) -> tuple[PluginVersion, PluginRunner]:
        record = self.registry.get(plugin)
        if record.version is None or record.runner is None or not record.serving:
            why = f": {record.error.message}" if record.error else ""
            raise PluginUnavailable(f"plugin '{plugin}' is {record.state}{why}", data={"plugin": plugin})
        return record.version, record.runner

    def _word(self, plugin: str) -> OperatorWord:
        grant = self.settings.grants.get(plugin, Grant())
        settings = self.settings.plugins.get(plugin, PluginSettings())
        return OperatorWord(
            granted=frozenset(cast("tuple[Capability, ...]", grant.capabilities)),
            limits=settings.limits,
            config=self.settings.config.get(plugin, {}),
            isolation=settings.isolation,
            denied=frozenset(cast("tuple[Capability, ...]", grant.deny)),
            network=grant.network.rules(),
            files=tuple(_root(root) for root in grant.filesystem.roots),
            denied_paths=grant.filesystem.deny,
            asking=_asking(grant),
            llm=grant.llm.rules(),
            storage_quota=grant.storage.quota_mb * MIB,
        )


def _asking(grant: Grant) -> Asking:
    if not grant.ask:
        return Asking.NO
    return Asking.MAY_KEEP if grant.ask_always else Asking.ASK


def _root(section: FolderSection) -> FileGrant:
    return FileGrant(section.name, str(section.folder.expanduser()), section.mode, section.hard_links)


def _plugin_stats(record: PluginRecord) -> dict[str, Any]:
    runner = record.runner
    stats: dict[str, Any] = {"state": str(record.shown_state)}
    if runner is not None:
        stats |= {
            "in_flight": runner.in_flight,
            "crashes": runner.crashes.total,
            "quarantined": runner.crashes.quarantined,
            "memory_peak_bytes": runner.memory_peak(),
            "workers": [
                {"pid": worker.pid, "in_flight": worker.in_flight, **worker.facts} for worker in runner.workers
            ],
        }
    return stats


def _as_input(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b"" if value is None else write(value)


def _log_plugin(line: LogLine) -> None:
    _plugin_log.log(
        PYTHON_LEVELS[line.level],
        "%s: %s",
        line.plugin,
        line.message,
        extra={f"plugin.{key}": value for key, value in line.fields.items()},
    )
