"""The worker's loop: reads frames, runs calls on lanes, answers. One process, one plugin, many threads.

One thread *leads*: it reads the channel and runs short calls itself, so that 16-byte calls cost no thread
hand-over (a hand-over is 5 to 30 times the call). It gives the lead away in two cases: its guest waits for a
host answer while another call arrives, or the *watch* sees its call run for more than a tick, and then another
thread leads on while the long call keeps its own.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque

from mcp_server.worker import walls
from mcp_server.worker.batch import run_batch
from mcp_server.worker.frames import RESULT_HEAD, TIMES, FrameError, Kind, Status, pack_frame
from mcp_server.worker.guest import GuestStop
from mcp_server.worker.lane import Lane, Outcome
from mcp_server.worker.lanes import Lanes
from mcp_server.worker.link import ChannelClosed, Frame, Link
from mcp_server.worker.order import LoadOrder

__all__ = ["Serving", "result_frame"]

TICK = 0.002
"""Seconds between looks of the watch: the longest a second call waits behind a long one."""
QUIET_TICKS = 100
"""Looks without a call after which the watch sleeps; it costs 0.5 % of a core while it is awake."""
CALLS_PER_BUDGET = 50
"""New calls after which the CPU limit moves on: calls are the proof that the parent is alive and keeps its clock."""


class Serving:
    """Everything one worker process does after it has loaded.

    Args:
        link: The channel to the parent.
        order: What is loaded.
        wasm: The module.
    """

    def __init__(self, link: Link, order: LoadOrder, wasm: bytes) -> None:
        self.lanes = Lanes(order, wasm, self._ask)
        self._link = link
        link.cancelled = self._cancel
        self._order = order
        self._functions = [name.encode() for name in order.exports]
        self._turn = threading.Lock()  # guards who leads
        self._leader = 0  # serial of the lead; a thread leads while its own serial is this
        self._leader_thread = 0  # its thread, 0 while the lead is being handed over
        self._demoted: set[int] = set()  # threads that run below the others now, for good
        self._in_call = 0  # serial of the leader's running call, 0 when none
        self._calls = 0
        self._resting = 0
        self._leads: deque[int] = deque()
        self._lead_ready = threading.Semaphore(0)
        self._awake = threading.Event()
        self._starting: dict[int, bool] = {}  # calls whose lane is being made -> cancelled meanwhile
        self._running: dict[int, Lane] = {}
        self._stopping: dict[int, Lane] = {}

    def serve(self) -> None:
        """Serve until the parent closes the channel, which ends the process; this thread only waits."""
        threading.Thread(target=self._watch, daemon=True).start()
        with self._turn:
            self._pass_lead()
        threading.Event().wait()

    # --- leading ---------------------------------------------------------------------------------------------

    def _lead(self, serial: int) -> None:
        self._leader_thread = threading.get_native_id()
        if serial > 1:  # the thread that led before is in a long call: see who gave up waiting behind it
            self._link.take_over()
        while self._leader == serial:
            frame = self._link.next()
            kind = frame[0]
            if kind == Kind.CALL or kind == Kind.MANY:
                self._run_leading(serial, frame)
            else:
                self._control(frame)

    def _run_leading(self, serial: int, frame: Frame) -> None:
        self._enter_guest()
        mode = frame[1]
        lane, result = self._run(mode, frame)
        with self._turn:
            leading = self._leader == serial
            if leading:
                self._in_call = 0
        if leading:
            self._link.queue(result)
        else:
            self._link.send(result)
            if lane is not None:
                lane.sweep()
        if lane is not None:
            self.lanes.give(lane, mode)

    def _pass_lead(self) -> None:
        """Let another thread lead; the caller holds ``_turn``."""
        self._leader += 1
        self._leader_thread = 0
        self._in_call = 0
        self._leads.append(self._leader)
        if self._resting:
            self._resting -= 1
            self._lead_ready.release()
        else:
            threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        try:
            self._lead(self._leads.popleft())
            self._rest()
        except (ChannelClosed, FrameError, OSError):
            self.lanes.depart()
            os._exit(0)  # other threads may be inside guests that never return

    def _demote(self, thread: int) -> None:
        """Let a call that lasts run below those that are over soon; the caller holds ``_turn``.

        A thread may not raise its priority again, so it ends with its call.
        """
        self._demoted.add(thread)
        walls.demote(thread)

    def _rest(self) -> None:
        """Wait for the lead and take it, again and again, until this thread runs a call that lasts."""
        thread = threading.get_native_id()
        while thread not in self._demoted:
            with self._turn:
                self._resting += 1
            self._lead_ready.acquire()
            self._lead(self._leads.popleft())
        self._demoted.discard(thread)

    def _watch(self) -> None:
        """Take the lead away from a call that lasts, and repeat stops that came before the guest was running."""
        seen, quiet, budgeted = 0, 0, -1
        while True:
            time.sleep(TICK)
            for call_id, lane in list(self._stopping.items()):
                if not lane.stop(call_id):
                    self._stopping.pop(call_id, None)
            with self._turn:
                if self._in_call and self._in_call == seen:
                    self._demote(self._leader_thread)
                    self._pass_lead()
            if self._calls - budgeted > CALLS_PER_BUDGET or quiet == 1:
                budgeted = self._calls
                walls.allow_cpu(self._order.call_seconds)
            quiet = quiet + 1 if seen == self._calls and not self._stopping else 0
            seen = self._calls
            if quiet > QUIET_TICKS:
                self._awake.clear()
                if self._calls == seen and not self._stopping:  # else a call began before it could see the clear
                    self._awake.wait()
                quiet, budgeted = 0, -1 - CALLS_PER_BUDGET

    # --- running ---------------------------------------------------------------------------------------------

    def _control(self, frame: Frame) -> None:
        kind, _, aux, call_id, payload = frame
        if kind == Kind.REPLY:
            lane = self._running.get(call_id)
            if lane is not None and lane.serial == aux:  # else the call was stopped meanwhile
                lane.replies.put(payload)
        elif kind == Kind.CANCEL:
            self._cancel(call_id)
        elif kind == Kind.FORGET:
            self.lanes.forget(call_id)
        else:
            raise ChannelClosed

    def _cancel(self, call_id: int) -> None:
        lane = self._running.get(call_id)
        if lane is not None and lane.stop(call_id):
            self._stopping[call_id] = lane  # the watch repeats it until the guest has really stopped
            self._awake.set()
        elif call_id in self._starting:
            self._starting[call_id] = True
        elif self._link.withdraw(call_id):
            self._link.send(result_frame(call_id, (Status.STOPPED, b"stopped before it began", 0, 0)))

    def _run(self, mode: int, frame: Frame) -> tuple[Lane | None, bytes]:
        kind, _, aux, call_id, payload = frame
        self._starting[call_id] = False
        try:
            lane, payload = self.lanes.take(mode, payload)
        except GuestStop as stop:
            del self._starting[call_id]
            return None, result_frame(call_id, (stop.status, stop.text.encode(), 0, 0))
        lane.claim(call_id)
        self._running[call_id] = lane
        if self._starting.pop(call_id):  # cancelled while its lane was being made
            lane.stop(call_id)
        function = self._functions[aux]
        if kind == Kind.MANY:
            result = self._run_batch(lane, call_id, mode, function, payload)
        else:
            result = result_frame(call_id, lane.run(mode, function, payload))
        del self._running[call_id]
        lane.release()
        return lane, result

    def _run_batch(self, lane: Lane, call_id: int, mode: int, function: bytes, payload: bytes) -> bytes:
        def send(items: bytes) -> None:
            self._link.send(pack_frame(Kind.PART, call_id, items))

        instantiate, execute = run_batch(lane, mode, function, payload, send)
        return result_frame(call_id, (Status.OK, b"", instantiate, execute))

    # --- host calls ------------------------------------------------------------------------------------------

    def _ask(self, lane: Lane, index: int, request: bytes) -> bytes | None:
        """Put a guest's host call to the parent and wait for the answer, on the guest's own thread."""
        call_id = lane.call_id
        if call_id is None or lane.stopped:
            return None
        lane.serial = (lane.serial + 1) & 0xFFFF
        question = pack_frame(Kind.HOST, call_id, request, status=index, aux=lane.serial)
        with self._turn:
            leading = self._leader_thread == threading.get_native_id()
            if leading:
                self._in_call = 0  # this thread reads the channel now: the watch must not take the lead away
        if leading:
            self._link.queue(question)
            self._read_until_answered(lane)
        else:
            self._link.send(question)
        reply = lane.replies.get()
        with self._turn:
            if self._leader_thread == threading.get_native_id():
                self._enter_guest()
        return reply

    def _enter_guest(self) -> None:
        """The leader goes into a guest from here on: the watch looks after it, awake or not until now."""
        self._calls += 1
        self._in_call = self._calls
        if not self._awake.is_set():
            self._awake.set()

    def _read_until_answered(self, lane: Lane) -> None:
        """Lead on while the own guest waits; a new call needs another thread, so it takes the lead with it."""
        while lane.replies.empty():
            frame = self._link.next()
            if frame[0] in (Kind.CALL, Kind.MANY):
                self._link.put_back(frame)
                with self._turn:
                    self._pass_lead()
                return
            self._control(frame)


def result_frame(call_id: int, outcome: Outcome) -> bytes:
    """The RESULT of one call, or of a load that was refused."""
    status, output, instantiate, execute = outcome
    size = TIMES.size + len(output)
    return RESULT_HEAD.pack(size, Kind.RESULT, status, 0, call_id, instantiate, execute) + output
