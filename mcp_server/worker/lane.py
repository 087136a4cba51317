"""A lane: one engine of its own, at most one running call, and the instances it keeps.

Lanes are what makes calls of one plugin concurrent inside one worker without sharing an engine. A lane belongs
to the thread that runs its call; only :meth:`Lane.stop` may be called from another.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from time import perf_counter_ns

from mcp_server.worker.frames import Mode, Status
from mcp_server.worker.guest import Engine, GuestStop, HostCall, Instance
from mcp_server.worker.order import LoadOrder

CALL = int(Mode.CALL)
OK = Status.OK

__all__ = ["Ask", "Lane", "Outcome"]

Outcome = tuple[int, bytes, int, int]
"""Status, output or error text, nanoseconds to make the instance, nanoseconds in the guest."""


Ask = Callable[["Lane", int, bytes], bytes | None]
"""(lane, host function index, request) -> answer; None stops the guest."""


class Lane:
    """One engine and the instance it uses or keeps.

    Args:
        order: What was loaded.
        manifest: The engine manifest of the worker.
        ask: Answers a host call of this lane: (lane, host function index, request) -> answer or None to stop.

    Raises:
        GuestStop: The engine refused the module.
    """

    def __init__(self, order: LoadOrder, manifest: bytes, ask: Ask) -> None:
        self.order = order
        self.call_id: int | None = None
        self.stopped = False
        self.serial = 0
        self.replies: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._current: Instance | None = None  # what a stop cancels: the running instance, or the kept one
        self._spare: Instance | None = None  # made while idle, used once
        self._kept: Instance | None = None  # SHARED and SESSION: lives on after a good call
        self._used: Instance | None = None  # to be freed when the answer is out: freeing costs 30 µs and more
        host_call: HostCall = lambda index, request: ask(self, index, request)  # noqa: E731  # binds the lane
        self._engine = Engine(order, manifest, host_call)

    def make_spare(self) -> None:
        """Make the next call's instance ahead of time; a failure is left for the call to meet and report."""
        self.sweep()
        if self._spare is None and self._kept is None:
            with contextlib.suppress(GuestStop):
                self._spare = self._engine.instance()

    def sweep(self) -> None:
        """Free the instance of the last call."""
        if self._used is not None:
            self._used.close()
            self._used = None

    def prove(self) -> None:
        """Make an instance now, so that a module that cannot start fails its load.

        Raises:
            GuestStop: With the reason.
        """
        self._spare = self._engine.instance()

    def claim(self, call_id: int) -> None:
        """Belong to call ``call_id`` until :meth:`release`; from here on :meth:`stop` reaches it."""
        if self.stopped:
            while not self.replies.empty():  # the stop of the last call left its mark
                self.replies.get_nowait()
            self.stopped = False
        self.call_id = call_id

    def release(self) -> None:
        """The call is over; a stop that comes now reaches nobody."""
        with self._guard:
            self.call_id = None

    def run(self, mode: int, function: bytes, data: bytes) -> Outcome:
        """Run one function to its end; never raises."""
        entered = started = perf_counter_ns()
        try:
            instance = self._kept
            if instance is None or self.stopped:
                instance = self._begin(mode)
                entered = perf_counter_ns()
            output = instance.call(function, data)
            if mode == CALL:
                self._farewell(instance)
                self._end(mode, keep=True)
            elif instance is not self._kept:
                self._end(mode, keep=True)
            return OK, output, entered - started, perf_counter_ns() - entered
        except GuestStop as stop:
            self._end(mode, keep=stop.keep)
            status = Status.STOPPED if self.stopped else stop.status  # a stop can surface as a refused host answer
            return status, stop.text.encode(), entered - started, perf_counter_ns() - entered

    def stop(self, call_id: int) -> bool:
        """Stop call ``call_id`` if it still runs here; from any thread, may be repeated until it returns False."""
        with self._guard:
            if self.call_id != call_id:
                return False
            if not self.stopped:
                self.stopped = True
                self.replies.put(None)
            if self._current is not None:
                self._current.cancel()
            return True

    def close(self) -> None:
        """Free everything; the lane must be idle."""
        if self._kept is not None:
            self._farewell(self._kept)
        for instance in (self._kept, self._spare, self._used):
            if instance is not None:
                instance.close()
        self._kept = self._spare = self._used = None
        self._engine.close()

    def _begin(self, mode: int) -> Instance:
        if self.stopped:
            raise GuestStop(Status.STOPPED, "stopped before it began")
        self.sweep()
        instance, self._spare = self._spare or self._engine.instance(), None
        self._current = instance  # no lock: a stop that sees it may cancel it, and only _end takes it away
        if self.order.lifecycle:
            self._greet(instance, mode)
        return instance

    def _end(self, mode: int, *, keep: bool) -> None:
        """Keep the instance, or let it go: first so that nobody can cancel it any more, then to be freed."""
        if keep and mode != CALL:
            self._kept = self._current
            return
        with self._guard:
            self._used, self._current = self._current, None
            self._kept = None

    def _greet(self, instance: Instance, mode: int) -> None:
        """``initialize(config)`` and ``start``, and ``warmup`` where the instance will be used again.

        Inside the call's clock, budgets and rights: a lifecycle function is guest code like any other.
        """
        for name in ("initialize", "start") if mode == CALL else ("initialize", "start", "warmup"):
            if name in self.order.lifecycle:
                instance.call(name.encode(), self.order.config.encode() if name == "initialize" else b"")

    def _farewell(self, instance: Instance) -> None:
        if "stop" in self.order.lifecycle:
            with contextlib.suppress(GuestStop):  # the output is there; a failing stop cannot take it back
                instance.call(b"stop", b"")
