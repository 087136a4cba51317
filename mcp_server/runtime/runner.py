"""Runs the calls of one plugin version on its workers: slots, clock, choice of a worker, idle end.

A call is: a slot (or the waiting line, or Busy) → a loaded worker → the frame → an answer, a stop at the deadline,
or the worker's death; each end gives the slot back exactly once, when the guest has really stopped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio

from mcp_server.capabilities.base import CallContext
from mcp_server.errors import AgentMemError, Busy, FunctionMissing, PluginUnavailable
from mcp_server.policy.limits import exceeded
from mcp_server.runtime.bridge import Bridge
from mcp_server.runtime.channel import Answer, Pending, WorkerGone
from mcp_server.runtime.crashes import CrashRecord
from mcp_server.runtime.deadlines import Deadlines
from mcp_server.runtime.hold import Hold
from mcp_server.runtime.launcher import Launcher
from mcp_server.runtime.leases import Leases
from mcp_server.runtime.modules import ModuleStore
from mcp_server.runtime.outcome import CallResult, stop_error
from mcp_server.runtime.runnable import Runnable
from mcp_server.runtime.sessions import Sessions
from mcp_server.runtime.turnstile import TurnedAway, Turnstile
from mcp_server.runtime.worker import Worker
from mcp_server.telemetry.snapshot import peak_memory
from mcp_server.worker.frames import LENGTH, Mode, Status

__all__ = ["PluginRunner"]

SPREAD_AT = 4
"""Calls in one worker from which another worker is started, while the plugin may have more."""


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
        self.starts = 0  # workers begun, those that came to nothing included
        self._launcher = launcher
        self._modules = modules
        self._bridge = bridge
        self._start_soon = start_soon
        self._max_workers = max_workers
        self._slots = Turnstile(runnable.limits.concurrency, runnable.limits.queue)
        self._sessions = Sessions(self._forget_session)
        self._deadlines = Deadlines(runnable.limits.execution_time / 1_000)
        self._closed = False
        self._leases = Leases()
        self._memory_peak = 0

    @property
    def in_flight(self) -> int:
        """Calls that hold a slot now."""
        return self._slots.inside

    def leased(self) -> Leases:
        """Hold this version: :meth:`close` waits for whoever holds it, so a reload fails no call that chose it."""
        return self._leases

    async def call(self, function: str, data: bytes, context: CallContext) -> CallResult:
        """Run one exported function.

        Raises:
            CallError: Whatever ended it; see the tree in ``errors``.
        """
        answer, _ = await self._perform(function, data, context, len(data), many=False)
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
        longest = max(map(len, inputs), default=0)
        answer, pending = await self._perform(function, payload, context, longest, many=True)
        self._require_ok(answer, function)
        made, ran, parts = answer[2], answer[3], pending.parts or []
        count = max(len(parts), 1)
        results = [self._item(function, item, made // count, ran // count) for item in parts]
        if pending.stopped == "execution_time" and results:
            over = exceeded("execution_time", self.runnable.limits, plugin=self.runnable.plugin)
            done = results[:-1] if parts[-1][0] == Status.STOPPED else results
            results = [*done, *[over] * (len(inputs) - len(done))]
        return results

    async def warm(self) -> dict[str, Any]:
        """Load now; the facts of the worker.

        Raises:
            CallError: The module cannot be loaded.
        """
        return (self._free_worker() or await self._next_worker()).facts

    def memory_peak(self) -> int:
        """The largest resident size any of its workers had, in bytes."""
        self._memory_peak = max(self._memory_peak, *(peak_memory(worker.pid) for worker in self.workers), 0)
        return self._memory_peak

    async def close(self, *, drain: float = 0.0) -> None:
        """Let whoever holds this version finish, for at most ``drain`` seconds, then end the workers for good."""
        with anyio.move_on_after(drain):
            await self._leases.wait_unheld()
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
        self, function: str, payload: bytes, context: CallContext, longest: int, *, many: bool
    ) -> tuple[Answer, Pending]:
        """Slot, worker, frame, answer; the slot is given back by :class:`Hold` when the guest has really stopped."""
        export = self._check(function, longest)
        held = Hold(self._slots)
        payload = await self._take_place(held, payload, context)
        worker = held.worker = await self._worker_for(held, context)
        if context.trace is not None:
            context.trace.executing(context.usage.queue_ns, context.usage.load_ns)
        pending = worker.begin(export, payload, context, held, many=many)
        self._deadlines.add(pending)
        try:
            answer = await pending.answer
        except WorkerGone:
            raise await worker.gone_error(pending, function) from None
        except asyncio.CancelledError:
            worker.stop_call(pending, "cancelled")
            raise
        if pending.stopped == "execution_time" and answer[0] != Status.OK:
            raise exceeded("execution_time", self.runnable.limits, plugin=self.runnable.plugin)
        return answer, pending

    async def _take_place(self, held: Hold, payload: bytes, context: CallContext) -> bytes:
        """Wait for a slot, and for the turn in a session; the payload as the worker wants it."""
        asked = time.perf_counter_ns()
        try:
            if not self._slots.enter_nowait():
                await self._enter()
            if self.runnable.isolation is Mode.SESSION:
                payload = await held.take_turn(self._sessions.get(context.principal, context.session), payload)
            return payload
        finally:
            context.usage.queue_ns += time.perf_counter_ns() - asked

    async def _worker_for(self, held: Hold, context: CallContext) -> Worker:
        asked = time.perf_counter_ns()
        try:
            return self._free_worker() or await self._next_worker()
        except BaseException:
            held.give_back()
            raise
        finally:
            context.usage.load_ns += time.perf_counter_ns() - asked

    def _check(self, function: str, longest: int) -> int:
        """The index of the export, once function and size of the longest input are known to be right."""
        runnable = self.runnable
        export = runnable.index.get(function)
        if export is None:
            raise FunctionMissing(
                f"plugin '{runnable.plugin}' has no callable function '{function}'",
                fix="compare [[tools]] function with the module's exports",
                data={"plugin": runnable.plugin, "function": function},
            )
        if longest > runnable.limits.input_bytes:
            raise exceeded("input_bytes", runnable.limits, plugin=runnable.plugin, used=longest)
        return export

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
                fix=limits.raising("concurrency", plugin),
                data={"plugin": plugin, "retry_after_ms": 1_000},
            ) from None

    def _require_ok(self, answer: Answer, function: str) -> None:
        if answer[0] != Status.OK:
            raise self._stop_error(answer[0], answer[1], function)

    def _stop_error(self, status: int, text: bytes, function: str) -> AgentMemError:
        shown = text.decode("utf-8", "replace")
        return stop_error(status, shown, self.runnable.plugin, function, self.runnable.limits)

    def _item(self, function: str, item: tuple[int, bytes], made: int, ran: int) -> CallResult | AgentMemError:
        status, output = item
        return CallResult(output, made, ran) if status == Status.OK else self._stop_error(status, output, function)

    def _free_worker(self) -> Worker | None:
        """The least busy loaded worker; starts another one when it is busy too. None when none is loaded."""
        best: Worker | None = None
        for worker in self.workers:
            if worker.serving and (best is None or worker.in_flight < best.in_flight):
                best = worker
        if best is not None and best.in_flight >= SPREAD_AT and len(self.workers) < self._max_workers_now():
            self._launch()
        return best

    async def _next_worker(self) -> Worker:
        """The worker that is being loaded, or a new one.

        Raises:
            CallError: It cannot be loaded, or may not be tried yet.
        """
        if self._closed:
            raise PluginUnavailable(f"plugin '{self.runnable.plugin}' was stopped")
        worker = next((worker for worker in self.workers if worker.usable), None)
        if worker is None:
            self.crashes.check(time.monotonic())
            worker = self._launch()
        await worker.ready.wait()
        if worker.error is not None:
            raise worker.error
        return worker

    def _max_workers_now(self) -> int:
        # a session's instance lives in one process, so all sessions of a plugin share one
        return 1 if self.runnable.isolation is Mode.SESSION else self._max_workers

    def _launch(self) -> Worker:
        worker = Worker(self.runnable, self._launcher, self._modules, self._host_call, self._ended)
        self.workers.append(worker)
        self.starts += 1
        self._start_soon(worker.load)
        return worker

    def _ended(self, worker: Worker, crashed: bool) -> None:
        if worker in self.workers:
            self.workers.remove(worker)
        if crashed and not self._closed:
            self.crashes.add(time.monotonic())

    def _forget_session(self, key: int) -> None:
        for worker in self.workers:
            if worker.channel is not None:
                worker.channel.forget_session(key)

    def _host_call(self, worker: Worker, pending: Pending, index: int, serial: int, request: bytes) -> None:
        channel = worker.channel
        if channel is None or index >= len(self.runnable.host):
            worker.kill()  # a worker that names a function it was not given is not ours any more
            return
        name = self.runnable.host[index][1]
        self._bridge.answer(pending.context, name, request, lambda answer: channel.reply(pending, serial, answer))
