"""Runs the calls of one plugin version on its workers: slots, clock, choice of a worker, idle end.

A call is: a slot (or the waiting line, or Busy) → a loaded worker → the frame → an answer, a stop at the deadline,
or the worker's death; each end gives the slot back exactly once, when the guest has really stopped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import anyio

from mcp_server.capabilities.base import CallContext
from mcp_server.errors import AgentMemError, Busy, FunctionMissing, PluginUnavailable
from mcp_server.policy.limits import exceeded
from mcp_server.runtime.bridge import Bridge
from mcp_server.runtime.channel import Answer, Pending, WorkerGone
from mcp_server.runtime.crashes import CrashRecord
from mcp_server.runtime.launcher import Launcher
from mcp_server.runtime.modules import ModuleStore
from mcp_server.runtime.outcome import CallResult, stop_error
from mcp_server.runtime.runnable import Runnable
from mcp_server.runtime.turnstile import TurnedAway, Turnstile
from mcp_server.runtime.worker import Worker
from mcp_server.telemetry.snapshot import peak_memory
from mcp_server.worker.frames import LENGTH, Mode, Status

__all__ = ["PluginRunner"]

SPREAD_AT = 4
"""Calls in one worker from which another worker is started, while the plugin may have more."""

Parts = list[tuple[int, bytes]]


class PluginRunner:
    """The workers of one plugin version.

    Args:
        runnable: What to load.
        launcher: Starts processes.
        modules: Where the bytes are, by digest.
        bridge: Answers host calls.
        start_soon: Runs a coroutine in the host's task group.
        max_workers: Most processes for this plugin.
    """

    def __init__(
        self,
        runnable: Runnable,
        *,
        launcher: Launcher,
        modules: ModuleStore,
        bridge: Bridge,
        start_soon: Callable[[Callable[[], Awaitable[None]]], None],
        max_workers: int,
    ) -> None:
        self.runnable = runnable
        self.crashes = CrashRecord(runnable.plugin)
        self.workers: list[Worker] = []
        self._launcher = launcher
        self._modules = modules
        self._bridge = bridge
        self._start_soon = start_soon
        self._max_workers = max_workers
        self._slots = Turnstile(runnable.limits.concurrency, runnable.limits.queue)
        self._sessions: dict[str, tuple[int, anyio.Lock]] = {}
        self._closed = False
        self._leases = 0
        self._memory_peak = 0
        self._all_left = anyio.Event()
        self._loop = asyncio.get_running_loop()

    @property
    def in_flight(self) -> int:
        """Calls that hold a slot now."""
        return self._slots.inside

    @contextmanager
    def leased(self) -> Generator[None]:
        """Hold this version: :meth:`close` waits for whoever holds it, so a reload fails no call that chose it."""
        self._leases += 1
        try:
            yield
        finally:
            self._leases -= 1
            if not self._leases:
                self._all_left.set()

    async def call(self, function: str, data: bytes, context: CallContext) -> CallResult:
        """Run one exported function.

        Raises:
            CallError: Whatever ended it; see the tree in ``errors``.
        """
        answer, _ = await self._perform(function, data, context, many=False)
        self._require_ok(answer, function)
        return CallResult(answer[1], answer[2], answer[3], context.usage.host_calls)

    async def call_many(
        self, function: str, inputs: Sequence[bytes], context: CallContext
    ) -> list[CallResult | AgentMemError]:
        """Run one function over many inputs in one message, one after another, under one deadline.

        Raises:
            CallError: What ended the whole batch; an item's own failure stands in the list.
        """
        payload = b"".join(part for data in inputs for part in (LENGTH.pack(len(data)), data))
        answer, parts = await self._perform(function, payload, context, many=True)
        self._require_ok(answer, function)
        _, _, made, ran = answer
        count = max(len(parts), 1)
        return [self._item(function, item, made // count, ran // count) for item in parts]

    async def warm(self) -> dict[str, Any]:
        """Load now; the facts of the worker.

        Raises:
            CallError: The module cannot be loaded.
        """
        return (await self._worker()).facts

    def memory_peak(self) -> int:
        """The largest resident size any of its workers had, in bytes."""
        self._memory_peak = max(self._memory_peak, *(peak_memory(worker.pid) for worker in self.workers), 0)
        return self._memory_peak

    async def close(self, *, drain: float = 0.0) -> None:
        """Let whoever holds this version finish, for at most ``drain`` seconds, then end the workers for good."""
        with anyio.move_on_after(drain):
            while self._leases:
                self._all_left = anyio.Event()
                await self._all_left.wait()
        self._closed = True
        for worker in list(self.workers):
            worker.end()

    def end_idle(self, before: float) -> None:
        """End workers that nobody used since ``before`` (monotonic seconds)."""
        for worker in list(self.workers):
            if worker.ready.is_set() and not worker.in_flight and worker.last_used < before:
                self.memory_peak()
                worker.end()

    # --- one call --------------------------------------------------------------------------------------------

    async def _perform(
        self, function: str, payload: bytes, context: CallContext, *, many: bool
    ) -> tuple[Answer, Parts]:
        limits, plugin = self.runnable.limits, self.runnable.plugin
        export = self.runnable.index.get(function)
        if export is None:
            raise FunctionMissing(
                f"plugin '{plugin}' has no callable function '{function}'",
                fix="compare [[tools]] function with the module's exports",
                data={"plugin": plugin, "function": function},
            )
        if len(payload) > limits.input_bytes and not many:
            raise exceeded("input_bytes", limits.input_bytes, plugin=plugin, used=len(payload))
        await self._enter()
        if self.runnable.isolation is Mode.SESSION:
            key, lock = self._session(context)
            try:
                await lock.acquire()
            except BaseException:
                self._slots.leave()
                raise
            return await self._on_worker(function, export, key.to_bytes(8, "little") + payload, context, many, lock)
        return await self._on_worker(function, export, payload, context, many, None)

    async def _enter(self) -> None:
        plugin, limits = self.runnable.plugin, self.runnable.limits
        try:
            await self._slots.enter(limits.execution_time / 1_000)
        except TurnedAway as away:
            why = f"all {limits.concurrency} slots are taken and " + (
                f"{limits.queue} calls wait already" if away.full else "none came free in time"
            )
            raise Busy(
                f"plugin '{plugin}' is busy: {why}; retry later",
                fix=f"raise max_concurrency under [plugins.{plugin}.limits]",
                data={"plugin": plugin, "retry_after_ms": 1_000},
            ) from None

    async def _on_worker(
        self,
        function: str,
        export: int,
        payload: bytes,
        context: CallContext,
        many: bool,
        lock: anyio.Lock | None,
    ) -> tuple[Answer, Parts]:
        """Holds a slot (and a session's lock) on entry; both are given back when the guest has stopped."""
        try:
            worker = await self._worker()
        except BaseException:
            self._leave(lock)
            raise
        channel = worker.channel
        if channel is None:  # a ready worker has one
            raise RuntimeError("a worker without a channel was called ready")
        timer: asyncio.TimerHandle | None = None

        def ended(pending: Pending) -> None:
            worker.in_flight -= 1
            worker.last_used = time.monotonic()
            if timer is not None:
                timer.cancel()
            self._leave(lock)

        worker.in_flight += 1
        pending = channel.call(export, self.runnable.isolation, payload, context, ended, many=many)
        timer = self._loop.call_later(
            self.runnable.limits.execution_time / 1_000, worker.stop_call, pending, "execution_time"
        )
        try:
            answer = await pending.answer
        except WorkerGone:
            raise await worker.gone_error(pending, function) from None
        except asyncio.CancelledError:
            worker.stop_call(pending, "cancelled")
            raise
        if pending.stopped == "execution_time" and answer[0] != Status.OK:
            raise exceeded("execution_time", self.runnable.limits.execution_time, plugin=self.runnable.plugin)
        return answer, pending.parts or []

    def _leave(self, lock: anyio.Lock | None) -> None:
        self._slots.leave()
        if lock is not None:
            lock.release()

    def _require_ok(self, answer: Answer, function: str) -> None:
        if answer[0] != Status.OK:
            raise self._stop_error(answer[0], answer[1], function)

    def _stop_error(self, status: int, text: bytes, function: str) -> AgentMemError:
        shown = text.decode("utf-8", "replace")
        return stop_error(status, shown, self.runnable.plugin, function, self.runnable.limits)

    def _item(self, function: str, item: tuple[int, bytes], made: int, ran: int) -> CallResult | AgentMemError:
        status, output = item
        return CallResult(output, made, ran) if status == Status.OK else self._stop_error(status, output, function)

    def _session(self, context: CallContext) -> tuple[int, anyio.Lock]:
        name = f"{len(context.principal)}:{context.principal}:{context.session}"
        found = self._sessions.get(name)
        if found is None:
            found = (len(self._sessions) + 1, anyio.Lock())
            self._sessions[name] = found
        return found

    # --- workers ---------------------------------------------------------------------------------------------

    async def _worker(self) -> Worker:
        """The least busy loaded worker; starts the first one, and another one under load."""
        if self._closed:
            raise PluginUnavailable(f"plugin '{self.runnable.plugin}' was stopped")
        best = min((worker for worker in self.workers if worker.usable), key=lambda w: w.in_flight, default=None)
        if best is None:
            self.crashes.check(time.monotonic())
            best = self._launch()
        elif best.in_flight >= SPREAD_AT and best.ready.is_set() and len(self.workers) < self._max_workers_now():
            self._launch()
        if not best.ready.is_set():
            await best.ready.wait()
        if best.error is not None:
            raise best.error
        return best

    def _max_workers_now(self) -> int:
        # a session's instance lives in one process, so all sessions of a plugin share one
        return 1 if self.runnable.isolation is Mode.SESSION else self._max_workers

    def _launch(self) -> Worker:
        worker = Worker(self.runnable, self._launcher, self._modules, self._host_call, self._ended)
        self.workers.append(worker)
        self._start_soon(worker.load)
        return worker

    def _ended(self, worker: Worker, crashed: bool) -> None:
        if worker in self.workers:
            self.workers.remove(worker)
        if crashed and not self._closed:
            self.crashes.add(time.monotonic())

    def _host_call(self, worker: Worker, pending: Pending, index: int, serial: int, request: bytes) -> None:
        channel = worker.channel
        if channel is None or index >= len(self.runnable.host):
            worker.kill()  # a worker that names a function it was not given is not ours any more
            return
        name = self.runnable.host[index][1]
        self._bridge.answer(pending.context, name, request, lambda answer: channel.reply(pending, serial, answer))
