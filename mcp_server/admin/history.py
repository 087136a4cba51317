"""The last half hour in steps: how many calls ended how, how long they took, what workers held. Constant memory.

Of this process alone, and gone with it; what lasts is for Prometheus to keep, see docs/metrics.md.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio

from mcp_server.host import PluginHost
from mcp_server.telemetry.calls import CallRecord, Times
from mcp_server.telemetry.snapshot import resident_memory

__all__ = ["STEPS", "STEP_SECONDS", "History", "Step"]

STEP_SECONDS = 10
STEPS = 180


@dataclass(slots=True)
class Step:
    """What happened in ten seconds.

    Attributes:
        number: Seconds since 1970, divided by the length of a step.
        calls: How many ended.
        failed: How many of these ended with an error.
        times: How long they took.
        memory: Bytes that all workers held, at the end.
        workers: How many there were.
    """

    number: int
    calls: int = 0
    failed: int = 0
    times: Times = field(default_factory=Times)
    memory: int = 0
    workers: int = 0

    @property
    def at(self) -> int:
        """When it began, in seconds since 1970."""
        return self.number * STEP_SECONDS


class History:
    """Listens to a host from now on.

    Args:
        host: Entered already.
        clock: Seconds since 1970.
    """

    def __init__(self, host: PluginHost, clock: Callable[[], float] = time.time) -> None:
        self._host, self._clock = host, clock
        self._steps: deque[Step] = deque([Step(self._now())], maxlen=STEPS)
        host.recorder.listeners.append(self._ended)

    async def keep(self) -> None:
        """Measure what workers hold, step by step, until cancelled."""
        while True:
            self.measure()
            await anyio.sleep(STEP_SECONDS)

    def measure(self) -> None:
        """Note what the workers hold now."""
        step = self._step()
        pids = [
            worker.pid
            for record in self._host.list_plugins()
            if record.runner is not None
            for worker in record.runner.workers
        ]
        step.workers, step.memory = len(pids), sum(map(resident_memory, pids))

    def steps(self) -> Sequence[Step]:
        """Every step that is kept, without gaps; the present one last."""
        self._step()
        return tuple(self._steps)

    def _ended(self, record: CallRecord) -> None:
        step = self._step()
        step.calls += 1
        step.failed += record.outcome != "ok"
        step.times.add(record.total_ns)

    def _step(self) -> Step:
        """The present one; those in which nothing happened are made up."""
        now, last = self._now(), self._steps[-1]
        for number in range(max(last.number + 1, now - STEPS + 1), now + 1):
            self._steps.append(Step(number, memory=last.memory, workers=last.workers))
        return self._steps[-1]

    def _now(self) -> int:
        return int(self._clock() // STEP_SECONDS)
