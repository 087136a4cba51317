"""What stands behind the host functions: the store, the memory engine, language models, network, files.

The store is opened by the first call that needs it: most servers start, list and even call without one.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mcp_server.capabilities import config
from mcp_server.capabilities import logging as log
from mcp_server.capabilities.base import CallContext, HostFunction, LogLine, Usage
from mcp_server.capabilities.filesystem import file_functions
from mcp_server.memory.deferred import Deferred
from mcp_server.memory.hooks import PRINCIPAL_SPACE
from mcp_server.policy.embeddings import EmbeddingSettings
from mcp_server.policy.llm import LlmSettings
from mcp_server.policy.network import NetworkRules
from mcp_server.policy.paths import FileRules
from mcp_server.policy.rights import HOST_FUNCTIONS
from mcp_server.settings import AuditSettings, MemorySettings, Secrets
from mcp_server.telemetry.audit import AuditLog
from mcp_server.telemetry.levels import PYTHON_LEVELS

if TYPE_CHECKING:
    from mcp_server.backends.sqlite.store import SqliteStore
    from mcp_server.backends.values import StoreFigures
    from mcp_server.capabilities.llm import Providers
    from mcp_server.memory.embedding import Embedder
    from mcp_server.memory.engine import MemoryEngine
    from mcp_server.memory.hooked import HookCalls, HookedMemory, Listener

__all__ = ["Services", "log_plugin", "make_embedder", "open_audit"]

_plugin_log = logging.getLogger("plugin")
STORE_NAME = "agentmem.sqlite"
MIB = 1024 * 1024


class Services:
    """Everything a host's capabilities share; closed with the host.

    Args:
        data: The folder of the store.
        llm: Who answers ``call_llm``.
        memory: How memories are searched.
        hooks: The hooks that plugins have around memory operations.
        deferred: Runs the after-hooks.
        secrets: Where the values of secrets are.
    """

    def __init__(
        self,
        data: Path,
        llm: LlmSettings | None = None,
        memory: MemorySettings | None = None,
        hooks: HookCalls | None = None,
        deferred: Deferred | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self._data, self._hooks, self.deferred = data, hooks, deferred
        self._llm_settings = llm or LlmSettings()
        self._secrets = secrets or Secrets()
        self._embeddings = (memory or MemorySettings()).embeddings
        self.memory_changed: list[Listener] = []
        self.plugin_lines: list[Callable[[LogLine], None]] = []
        """Told of each line that a plugin logs."""
        self.own_addresses: set[tuple[str, int]] = set()
        """Host and port pairs that this server listens on; no plugin reaches them, whatever it was granted."""

    def functions(self) -> tuple[HostFunction, ...]:
        """Every host function this server offers."""
        files = file_functions(_file_rules, _usage)
        return (
            *log.FUNCTIONS,
            *config.functions(self._secrets.of_plugin),
            *files,
            *self._when_asked("MemoryAccess", lambda: self._memory),
            *self._when_asked("StorageAccess", lambda: self._storage),
            *self._when_asked("SearchAccess", lambda: self._search),
            *self._when_asked("LLMAccess", lambda: self._llm),
            *self._when_asked("NetworkAccess", lambda: self._network),
        )

    def log(self, line: LogLine) -> None:
        """Take a plugin's log line: into the server's own log, and to whoever listens."""
        log_plugin(line)
        for listener in self.plugin_lines:
            listener(line)

    async def figures(self, day: int) -> StoreFigures | None:
        """What lies in the store, and what was spent on ``day`` (days since 1970, UTC); looking makes no store.

        Raises:
            StoreError: It cannot be read.
        """
        if "_store" not in self.__dict__ and not (self._data / STORE_NAME).exists():
            return None
        store = self._store
        return await store.caller.away(lambda: store.figures(day))

    def close(self) -> None:
        """Close the store if it was opened."""
        store = self.__dict__.pop("_store", None)
        if store is not None:
            store.close()

    async def hang_up(self) -> None:
        """Close the connections to providers of language models, if there are any."""
        providers = self.__dict__.pop("_providers", None)
        if providers is not None:
            await providers.aclose()

    def _when_asked(self, capability: str, make: Callable[[], dict[str, HostFunction]]) -> tuple[HostFunction, ...]:
        """The functions of ``capability``, whose libraries and files are opened by the first call."""

        def deferred(name: str) -> HostFunction:
            async def answer(context: CallContext, request: dict[str, Any]) -> Any:
                function = make()[name]
                answered = function.answer(context, request)
                return await cast("Awaitable[Any]", answered) if function.waits else answered

            return HostFunction(name, answer, waits=True)

        return tuple(deferred(name) for name, owner in HOST_FUNCTIONS.items() if owner == capability)

    @cached_property
    def memories(self) -> HookedMemory:
        """The memory engine, with the hooks around it; opens the store."""
        from mcp_server.memory.hooked import HookedMemory  # noqa: PLC0415  # opened when first asked for

        return HookedMemory(self.engine, self._hooks, self.deferred, self.memory_changed)

    @cached_property
    def _store(self) -> SqliteStore:
        from mcp_server.backends.sqlite.store import SqliteStore  # noqa: PLC0415  # opened when first asked for

        return SqliteStore(self._data / STORE_NAME, vector_cache=self._embeddings.cache_mb * MIB)

    @cached_property
    def _embedder(self) -> Embedder | None:
        return make_embedder(self._embeddings, self._secrets)

    @cached_property
    def engine(self) -> MemoryEngine:
        """The memory engine; the first use opens the store."""
        from mcp_server.memory.engine import MemoryEngine  # noqa: PLC0415  # opened when first asked for

        return MemoryEngine(self._store, embedder=self._embedder)

    @cached_property
    def _memory(self) -> dict[str, HostFunction]:
        from mcp_server.capabilities import memory  # noqa: PLC0415  # as above

        return _by_name(memory.functions(self.memories, space=_space))

    @cached_property
    def _storage(self) -> dict[str, HostFunction]:
        from mcp_server.capabilities import storage  # noqa: PLC0415  # as above

        return _by_name(storage.functions(self._store))

    @cached_property
    def _search(self) -> dict[str, HostFunction]:
        from mcp_server.capabilities import search  # noqa: PLC0415  # as above

        return _by_name(search.functions(self._embedder))

    @cached_property
    def _providers(self) -> Providers:
        from mcp_server.capabilities.llm import Providers  # noqa: PLC0415  # as above

        return Providers(self._llm_settings, self._secrets.value)

    @cached_property
    def _llm(self) -> dict[str, HostFunction]:
        from mcp_server.capabilities.llm import llm_functions  # noqa: PLC0415  # as above
        from mcp_server.capabilities.network.secrets import Scrubber, usable  # noqa: PLC0415

        def scrub(text: str, secrets: Mapping[str, str]) -> str:
            return Scrubber(usable(secrets)).text(text)

        return _by_name(llm_functions(self._llm_settings, self._providers, lambda: self._store, scrub=scrub))

    @cached_property
    def _network(self) -> dict[str, HostFunction]:
        from mcp_server.capabilities.network import network_functions  # noqa: PLC0415  # as above

        return _by_name(
            network_functions(_network_rules, _usage, secrets=self._secrets.of_plugin, own=self.own_addresses)
        )


def open_audit(state: Path | None, settings: AuditSettings) -> AuditLog | None:
    """The audit log below the folder ``state``, if there is to be one."""
    if state is None or not settings.enabled:
        return None
    return AuditLog(state / "audit", max_bytes=settings.max_file_mb * MIB, keep_files=settings.keep_files)


def make_embedder(settings: EmbeddingSettings, secrets: Secrets) -> Embedder | None:
    """The model that ``[memory.embeddings]`` names; loaded, or asked, when it is first used."""
    if settings.provider is None:
        return None
    from mcp_server.memory import embedders  # noqa: PLC0415  # most servers have none

    match settings.provider:
        case "model2vec":
            return embedders.model2vec(str(settings.path))
        case "fastembed":
            return embedders.fastembed(str(settings.path), str(settings.model))
        case "endpoint":
            return embedders.endpoint(
                str(settings.url),
                str(settings.model),
                key=settings.key,
                secret=secrets.value,
                timeout_seconds=settings.timeout_seconds,
                batch=settings.batch,
                dimensions=settings.dimensions,
            )


def _space(context: CallContext) -> str:
    return PRINCIPAL_SPACE if context.rights.shares_memories else context.plugin


def _network_rules(context: CallContext) -> NetworkRules:
    return context.rights.network


def _file_rules(context: CallContext) -> FileRules:
    return context.rights.files


def _usage(context: CallContext) -> Usage:
    return context.usage


def _by_name(functions: tuple[HostFunction, ...]) -> dict[str, HostFunction]:
    return {function.name: function for function in functions}


def log_plugin(line: LogLine) -> None:
    """Put a plugin's log line into the server's own log."""
    _plugin_log.log(
        PYTHON_LEVELS[line.level],
        "%s: %s",
        line.plugin,
        line.message,
        extra={f"plugin.{key}": value for key, value in line.fields.items()},
    )
