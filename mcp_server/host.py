"""``PluginHost``: the whole plugin system without MCP, for embedding it in a program of one's own.

::

    async with PluginHost().load_plugins_from_dir("plugins") as host:
        print(await host.call("hello", "hello", {"message": "world"}))

It owns the fleet, the registry and the catalogue and keeps them in step. Protocols and transports are not here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from mcp_server import __version__
from mcp_server.errors import AgentMemError, PluginUnavailable
from mcp_server.memory.deferred import Deferred
from mcp_server.registry.approval import Approvals
from mcp_server.registry.decisions import decision_row
from mcp_server.registry.discovery import PluginFolders
from mcp_server.registry.figures import plugin_figures
from mcp_server.registry.governed import Launch
from mcp_server.registry.locked import require_approved
from mcp_server.registry.record import PluginRecord
from mcp_server.registry.store import Registry
from mcp_server.registry.version import PluginVersion
from mcp_server.registry.word import operator_word
from mcp_server.runtime.fleet import Fleet
from mcp_server.runtime.modules import ModuleStore
from mcp_server.runtime.runner import PluginRunner
from mcp_server.services import Services, open_audit
from mcp_server.settings import Secrets, Settings, user_folders
from mcp_server.telemetry.calls import CallRecorder
from mcp_server.tools.catalog import Catalog, build_catalog, served_tools
from mcp_server.tools.consent import Consents
from mcp_server.tools.hook_calls import HookCaller
from mcp_server.tools.invoke import Caller, Invoker
from mcp_server.tools.json_text import as_input
from mcp_server.tools.memory_tools import own_tools
from mcp_server.tools.results import ToolResult, plain_output
from mcp_server.tools.views import Views

if TYPE_CHECKING:
    from mcp_server.memory.hooked import HookedMemory, Listener

__all__ = ["PluginHost"]

MIB = 1024 * 1024


class PluginHost:
    """Loads plugins and calls them. An async context manager; nothing runs outside it.

    Args:
        settings: Limits, grants and sizes; the defaults when omitted.
        folders: Where plugins lie; more can be added with the builder methods before it is entered.
        cache: Where modules and compiled code are kept; the user's cache folder when omitted.
        data: Where memories, stored values and approvals are kept; the user's data folder when omitted.
        state: Where the audit log is kept; then there is an ``audit``.
        launch: How the process was started, for approvals.
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
        state: Path | None = None,
        launch: Launch | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.folders = folders or PluginFolders()
        self.recorder = CallRecorder()
        self.catalog = Catalog({})
        self.changed: list[Callable[[], None]] = []
        self._cache = cache or user_folders().cache
        self._data = data or user_folders().data
        self._launch = launch or Launch()
        self.audit = None if self._launch.looking else open_audit(state, self.settings.audit)
        self._consents = Consents(keep_consent, self.audit and self.audit.record)
        self.views = Views(lambda: self.catalog, lambda: self.settings.principals)
        self.hooks = HookCaller(self.recorder, lambda line: self.services.log(line), self.views.narrowing)
        self._deferred = Deferred(lambda job: self.fleet.start_soon(job))
        self._secrets = Secrets(keyring=self.settings.secrets.keyring)
        self.services = Services(
            self._data, self.settings.llm, self.settings.memory, self.hooks, self._deferred, self._secrets
        )
        self._own_tools = own_tools(self.settings, self.memories, self.audit and self.audit.record)
        self._stack = AsyncExitStack()

    def with_plugin(self, path: str | Path) -> PluginHost:
        """Add one plugin: a bundle folder, a ``plugin.toml`` or a ``.wasm``."""
        self.folders = self.folders.plus(single=Path(path))
        return self

    def load_plugins_from_dir(self, plugins: str | Path, manifests: str | Path | None = None) -> PluginHost:
        """Add every plugin below ``plugins``, and below ``manifests`` when they lie apart."""
        self.folders = self.folders.plus(plugins=Path(plugins), manifests=Path(manifests) if manifests else None)
        return self

    async def __aenter__(self) -> PluginHost:
        runtime = self.settings.runtime
        self.fleet = Fleet(
            ModuleStore(self._cache, runtime.compiled_cache_mb * MIB),
            self.services.functions(),
            max_workers=runtime.max_workers,
            idle_seconds=runtime.idle_seconds,
            record=self.audit and self.audit.record,
        )
        self.registry = Registry(
            self.folders,
            self.fleet,
            lambda plugin: operator_word(self.settings, plugin),
            __version__,
            Approvals.below(self._data, self.settings.approval, self._launch, served_tools),
            self._decided,
        )
        self.invoker = Invoker(
            self.views,
            self.recorder,
            self.services.log,
            per_principal=runtime.max_calls_per_principal,
            line=runtime.max_queued_per_principal,
            consents=self._consents,
        )
        if self.audit is not None:
            self._stack.callback(self.audit.close)
        self._stack.callback(self.services.close)
        self._stack.push_async_callback(self.services.hang_up)
        await self._stack.enter_async_context(self.fleet)
        self._stack.push_async_callback(self.settle)
        try:
            await self.fetch_secrets()
            if not self.reload():
                self._rebuild()  # the host's own tools are there without a plugin, too
            if self._launch.locked:
                require_approved(self.registry.records.values())
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
        if changed or self.views.stale():
            self._rebuild()
        return changed

    async def fetch_secrets(self) -> None:
        """Look secrets that the configuration names up in the OS keyring, where that is on."""
        await anyio.to_thread.run_sync(self._secrets.fetch, self.settings)

    async def settle(self) -> None:
        """Wait for the after-hooks that wait, for at most the drain time."""
        await self._deferred.drain(self.settings.runtime.drain_seconds)

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
        context = self.invoker.context(version, runner, caller or Caller())
        with runner.leased():
            result = await runner.call(function, as_input(value), context)
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
        context = self.invoker.context(version, runner, caller or Caller())
        with runner.leased():
            results = await runner.call_many(function, [as_input(value) for value in values], context)
        depth = runner.runnable.limits.json_depth
        return [
            item if isinstance(item, AgentMemError) else plain_output(plugin, function, item.output, depth)
            for item in results
        ]

    @property
    def memory_changed(self) -> list[Listener]:
        """Told of each memory that is written."""
        return self.services.memory_changed

    def memories(self) -> HookedMemory:
        """The memory engine with the hooks around it; opens the store."""
        return self.services.memories

    def list_plugins(self) -> list[PluginRecord]:
        """Every discovered plugin, also those in Error."""
        return list(self.registry.records.values())

    def metrics(self) -> dict[str, dict[str, Any]]:
        """Figures per tool since the start; see :meth:`CallRecorder.snapshot`."""
        return self.recorder.snapshot()

    def stats(self) -> dict[str, Any]:
        """Figures per plugin (state, workers, crashes, memory), per tool (:meth:`metrics`), and of after-hooks."""
        plugins = {record.id: plugin_figures(record) for record in self.registry.records.values()}
        deferred = self._deferred
        hooks = {"waiting": deferred.waiting, "dropped": deferred.dropped, "held_back": self.hooks.held_back()}
        return {"plugins": plugins, "tools": self.metrics(), "hooks": hooks}

    def _rebuild(self) -> None:
        self.catalog, refused = build_catalog(self.registry.records.values(), self._own_tools)
        if self.registry.hold_back(refused) > refused.keys():  # what needs them is gone, too
            self.catalog, _ = build_catalog(self.registry.records.values(), self._own_tools)
        self.hooks.bind(self.registry.records.values())
        for listener in self.changed:
            listener()

    def _serving(self, plugin: str) -> tuple[PluginVersion, PluginRunner]:
        record = self.registry.get(plugin)
        if record.version is None or record.runner is None or not record.serving:
            why = f": {record.error.message}" if record.error else ""
            raise PluginUnavailable(f"plugin '{plugin}' is {record.state}{why}", data={"plugin": plugin})
        return record.version, record.runner

    def _decided(self, plugin: str, decision: PluginVersion | AgentMemError) -> None:
        if self.audit is not None:
            self.audit.record(decision_row(plugin, decision))
