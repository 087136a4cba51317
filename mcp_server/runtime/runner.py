"""Runs the calls of one plugin version on its workers: slots, clock, stop, crash, idle end.

This is the only holder of workers. A call is: a slot (or the waiting line, or Busy) → a loaded worker → the
frame → an answer, a stop at the deadline, or the worker's death; each end frees the slot exactly once, when the
guest has really stopped.
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
from mcp_server.runtime.channel import Answer, LoadRefused, Pending, WorkerChannel, WorkerGone
from mcp_server.runtime.crashes import CrashRecord
from mcp_server.runtime.launcher import Launcher
from mcp_server.runtime.modules import ModuleStore
from mcp_server.runtime.outcome import CallResult, crash_error, load_error, stop_error
from mcp_server.runtime.runnable import Runnable
from mcp_server.runtime.turnstile import Turnstile, TurnedAway
from mcp_server.worker.frames import LENGTH, Mode, Status

__all__ = ["PluginRunner", "Worker"]

STOP_GRACE = 0.04
"""Seconds between asking a guest to stop and killing its worker, when no other call shares the worker."""
SHARED_STOP_GRACE = 0.4
"""The same when other calls would die with it: a busy machine may need that long to deliver the stop."""
SPREAD_AT = 4
"""Calls in one worker from which another worker is started, while the plugin may have more."""
EXIT_STATUS_PATIENCE = 0.5
GUEST_MEMORY_SHARES = 3
"""How many instances may use their whole memory limit at once in one worker; the data limit follows."""


class Worker:
    """One worker process of one plugin version and what is known about it."""

    def __init__(self) -> None:
        self.channel: WorkerChannel | None = None
        self.ready = anyio.Event()  # loaded, or failed to
        self.error: Exception | None = None
        self.facts: dict[str, Any] = {}
        self.ended = anyio.Event()
        self.exit_status: int | None = None
        self.pid: Callable[[], int] = lambda: 0
        self.kill: Callable[[], None] = lambda: None
        self.in_flight = 0
        self.last_used = time.monotonic()
        self.expected_end = False

    def exited(self, status: int) -> None:
        self.exit_status = status
        self.ended.set()

    @property
    def usable(self) -> bool:
        opened = self.channel is None or self.channel.open
        return opened and self.error is None and not self.expected_end


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
        self._loop = asyncio.get_running_loop()

    @property
    def in_flight(self) -> int:
        """Calls that hold a slot now."""
        return self._slots.inside

    async def call(self, function: str, data: bytes, context: CallContext) -> CallResult:
        """Run one exported function.

        Raises:
            CallError: Whatever ended it; see the tree in ``errors``.
        """
        answer, pending_parts = await self._perform(function, data, context, many=False)
        del pending_parts
        status, output, made, ran = answer
        if status != Status.OK:
            raise stop_error(
                status, output.decode("utf-8", "replace"), self.runnable.plugin, function, self.runnable.limits
            )
        return CallResult(output, made, ran, context.usage.host_calls)

    async def call_many(
        self, function: str, inputs: Sequence[bytes], context: CallContext
    ) -> list[CallResult | AgentMemError]:
        """Run one function over many inputs in one message, one after another, under one deadline.

        Raises:
            CallError: What ended the whole batch; an item's own failure stands in the list.
        """
        payload = b"".join(part for data in inputs for part in (LENGTH.pack(len(data)), data))
        answer, parts = await self._perform(function, payload, context, many=True)
        status, text, made, ran = answer
        if status != Status.OK:
            raise stop_error(status, text.decode("utf-8", "replace"), self.runnable.plugin, function, self.runnable.limits)
        count = max(len(parts), 1)
        return [self._item(function, item, made // count, ran // count) for item in parts]

    async def warm(self) -> dict[str, Any]:
        """Load now; the facts of the worker.

        Raises:
            CallError: The module cannot be loaded.
        """
        return (await self._worker()).facts

    async def close(self, *, drain: float = 0.0) -> None:
        """Take no more calls, let running ones end for at most ``drain`` seconds, then end the workers."""
        self._closed = True
        with anyio.move_on_after(drain):
            while self.in_flight:
                await anyio.sleep(0.01)
        for worker in list(self.workers):
            self._end(worker, "the plugin was stopped")

    def end_idle(self, before: float) -> None:
        """End workers that nobody used since ``before`` (monotonic seconds)."""
        for worker in list(self.workers):
            if worker.ready.is_set() and not worker.in_flight and worker.last_used < before:
                self._end(worker, "idle")

    # --- one call --------------------------------------------------------------------------------------------

    async def _perform(
        self, function: str, payload: bytes, context: CallContext, *, many: bool
    ) -> tuple[Answer, list[tuple[int, bytes]]]:
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
    ) -> tuple[Answer, list[tuple[int, bytes]]]:
        """Holds a slot (and a session's lock) on entry; both are given back when the guest has stopped."""

        def give_back() -> None:
            self._slots.leave()
            if lock is not None:
                lock.release()

        try:
            worker = await self._worker()
        except BaseException:
            give_back()
            raise
        channel = worker.channel
        assert channel is not None
        timer: asyncio.TimerHandle | None = None

        def ended(pending: Pending) -> None:
            worker.in_flight -= 1
            worker.last_used = time.monotonic()
            if timer is not None:
                timer.cancel()
            give_back()

        worker.in_flight += 1
        pending = channel.call(export, self.runnable.isolation, payload, context, ended, many=many)
        timer = self._loop.call_later(
            self.runnable.limits.execution_time / 1_000, self._stop, worker, pending, "execution_time"
        )
        try:
            answer = await pending.answer
        except WorkerGone:
            raise await self._gone_error(worker, pending, function) from None
        except asyncio.CancelledError:
            self._stop(worker, pending, "cancelled")
            raise
        if pending.stopped == "execution_time" and answer[0] != Status.OK:
            raise exceeded("execution_time", self.runnable.limits.execution_time, plugin=self.runnable.plugin)
        return answer, pending.parts or []

    def _stop(self, worker: Worker, pending: Pending, reason: str) -> None:
        """Ask the guest to stop; kill the worker when it does not."""
        channel = worker.channel
        if channel is None or pending.id not in channel.pending:
            return
        channel.stop(pending, reason)
        grace = STOP_GRACE if worker.in_flight == 1 else SHARED_STOP_GRACE
        self._loop.call_later(grace, self._kill_if_running, worker, pending)

    def _kill_if_running(self, worker: Worker, pending: Pending) -> None:
        if worker.channel is not None and pending.id in worker.channel.pending:
            worker.expected_end = pending.stopped == "cancelled"  # a caller who leaves is no crash of the plugin
            worker.kill()

    async def _gone_error(self, worker: Worker, pending: Pending, function: str) -> AgentMemError:
        if pending.stopped == "execution_time":
            return exceeded("execution_time", self.runnable.limits.execution_time, plugin=self.runnable.plugin)
        if self._closed:
            return PluginUnavailable(f"plugin '{self.runnable.plugin}' was stopped")
        with anyio.move_on_after(EXIT_STATUS_PATIENCE):
            await worker.ended.wait()
        return crash_error(self.runnable.plugin, function, worker.exit_status)

    def _item(self, function: str, item: tuple[int, bytes], made: int, ran: int) -> CallResult | AgentMemError:
        status, output = item
        if status == Status.OK:
            return CallResult(output, made, ran)
        return stop_error(status, output.decode("utf-8", "replace"), self.runnable.plugin, function, self.runnable.limits)

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
        return 1 if self.runnable.isolation is Mode.SESSION else self._max_workers

    def _launch(self) -> Worker:
        worker = Worker()
        self.workers.append(worker)
        self._start_soon(lambda: self._load(worker))
        # usable from here on: callers wait for ``ready``
        return worker

    async def _load(self, worker: Worker) -> None:
        limits = self.runnable.limits
        try:
            wasm = await self._modules.fetch(self.runnable.digest)
            process, channel = self._launcher.spawn(
                memory=limits.memory * GUEST_MEMORY_SHARES,
                load_seconds=-(-limits.load_time // 1_000),
                cache=self._modules.code_folder(self.runnable.digest),
                ended=worker.exited,
            )
            worker.pid = lambda: process.pid
            worker.kill = lambda: self._launcher.kill(process)
            worker.channel = WorkerChannel(
                channel,
                max_output=limits.output_bytes,
                on_host=lambda pending, index, serial, request: self._host_call(worker, pending, index, serial, request),
                on_gone=lambda reason: self._gone(worker),
            )
            worker.channel.load(self.runnable.load_order(), wasm)
            worker.facts = await self._await_load(worker, worker.channel)
        except AgentMemError as error:
            self._fail_load(worker, error)
        finally:
            worker.last_used = time.monotonic()
            worker.ready.set()

    async def _await_load(self, worker: Worker, channel: WorkerChannel) -> dict[str, Any]:
        limits, plugin = self.runnable.limits, self.runnable.plugin
        try:
            with anyio.fail_after(limits.load_time / 1_000):
                return await channel.loaded
        except TimeoutError:
            worker.kill()
            raise exceeded("load_time", limits.load_time, plugin=plugin) from None
        except LoadRefused as refused:
            worker.expected_end = True
            raise load_error(refused.status, refused.text, plugin, limits) from None
        except WorkerGone:
            if self._closed:
                raise PluginUnavailable(f"plugin '{plugin}' was stopped") from None
            with anyio.move_on_after(EXIT_STATUS_PATIENCE):
                await worker.ended.wait()
            raise crash_error(plugin, "loading", worker.exit_status) from None

    def _fail_load(self, worker: Worker, error: AgentMemError) -> None:
        worker.error = error
        if worker.channel is not None:
            worker.channel.close("not loaded")
        if worker in self.workers:
            self.workers.remove(worker)

    def _gone(self, worker: Worker) -> None:
        if worker in self.workers:
            self.workers.remove(worker)
        if not (worker.expected_end or self._closed):
            self.crashes.add(time.monotonic())

    def _end(self, worker: Worker, reason: str) -> None:
        """End a worker on purpose: the closed channel lets it go, the kill makes sure."""
        worker.expected_end = True
        if worker.channel is not None:
            worker.channel.close(reason)
        elif worker in self.workers:
            self.workers.remove(worker)
        worker.kill()

    def _host_call(self, worker: Worker, pending: Pending, index: int, serial: int, request: bytes) -> None:
        channel, context = worker.channel, pending.context
        if channel is None or index >= len(self.runnable.host):
            worker.kill()  # a worker that names a function it was not given is not ours any more
            return
        self._bridge.answer(
            context, self.runnable.host[index][1], request, lambda answer: channel.reply(pending, serial, answer)
        )
