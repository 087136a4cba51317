"""Owns what all plugins share at run time: the launcher, the module store, the bridge, the idle sweep."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from types import TracebackType

import anyio
from anyio.abc import TaskGroup

from mcp_server.capabilities.base import HostFunction
from mcp_server.runtime.audited import Record
from mcp_server.runtime.bridge import Bridge
from mcp_server.runtime.launcher import Launcher
from mcp_server.runtime.modules import ModuleStore
from mcp_server.runtime.runnable import Runnable
from mcp_server.runtime.runner import PluginRunner

__all__ = ["Fleet"]


class Fleet:
    """Makes runners and ends them. Used as an async context manager; nothing runs outside it.

    Args:
        modules: Where module bytes and compiled code lie.
        functions: The host functions that capabilities offer.
        max_workers: Most worker processes for one plugin.
        idle_seconds: A worker that nobody used for so long is ended.
        record: The audit log, where one is kept.
    """

    def __init__(
        self,
        modules: ModuleStore,
        functions: Iterable[HostFunction],
        *,
        max_workers: int,
        idle_seconds: float,
        record: Record | None = None,
    ) -> None:
        self.modules = modules
        self._functions = tuple(functions)
        self._max_workers = max_workers
        self._idle_seconds = idle_seconds
        self._record = record
        self._runners: set[PluginRunner] = set()
        self._stack = AsyncExitStack()
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Fleet:
        self.launcher = Launcher(self.modules.empty)
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self.bridge = Bridge(self._functions, self.start_soon, self._record)
        self._tasks.start_soon(self._sweep)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        with anyio.CancelScope(shield=True):
            for runner in list(self._runners):
                await runner.close()
            self.launcher.close()
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()
        if isinstance(error, anyio.get_cancelled_exc_class()):  # perhaps the group's own, when one of its jobs failed
            return await self._stack.__aexit__(kind, error, trace)
        await self._stack.__aexit__(None, None, None)  # the group would wrap an error of the body, which is none of its
        return None

    def start_soon(self, job: Callable[[], Awaitable[None]]) -> None:
        """Run ``job`` in the fleet's task group."""
        if self._tasks is None:
            raise RuntimeError("the fleet is used outside its 'async with'")

        async def run() -> None:
            await job()

        self._tasks.start_soon(run)

    def runner(self, runnable: Runnable) -> PluginRunner:
        """A runner for one version; starts nothing before its first call."""
        runner = PluginRunner(
            runnable,
            launcher=self.launcher,
            modules=self.modules,
            bridge=self.bridge,
            start_soon=self.start_soon,
            max_workers=self._max_workers,
        )
        self._runners.add(runner)
        return runner

    def retire(self, runner: PluginRunner, drain: float) -> None:
        """Let a replaced version's calls end, then its workers; returns at once."""
        self._runners.discard(runner)
        self.start_soon(lambda: runner.close(drain=drain))

    async def _sweep(self) -> None:
        while True:
            await anyio.sleep(max(self._idle_seconds / 2, 0.05))
            before = time.monotonic() - self._idle_seconds
            for runner in list(self._runners):
                runner.end_idle(before)
