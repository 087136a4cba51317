"""Figures of calls: how many, how they ended, how long they took. Constant memory, whatever is called how often."""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CallRecord", "CallRecorder", "Times"]

# Buckets grow by 2^(1/4) ≈ 19 %, so a percentile read off them is at most 9.5 % from the true one.
_PER_OCTAVE = 4
_BUCKETS = 160  # up to 2^40 ns, 18 minutes
_EDGES = [2 ** (number / _PER_OCTAVE) for number in range(1, _BUCKETS)]
"""Where the next bucket begins."""


@dataclass(slots=True)  # not frozen: that would make each three times as dear (2.1 µs), one per call
class CallRecord:
    """One finished call. Durations in nanoseconds, ``at`` in seconds since the epoch.

    Attributes:
        execute_ns: In the guest, with the host calls that it made.
        queue_ns: Waiting for a free place: of the principal, of the plugin, of the session.
        load_ns: Waiting for a worker with the module.
        host_ns: In host calls.
    """

    call_id: str
    plugin: str
    tool: str
    principal: str
    outcome: str
    total_ns: int
    instantiate_ns: int
    execute_ns: int
    host_calls: int
    output_bytes: int
    queue_ns: int = 0
    load_ns: int = 0
    host_ns: int = 0
    at: float = field(default_factory=time.time)


@dataclass(slots=True)
class Times:
    """A distribution of durations in nanoseconds."""

    count: int = 0
    total: int = 0
    least: int = 0
    most: int = 0
    _buckets: list[int] = field(default_factory=lambda: [0] * _BUCKETS)

    def add(self, nanoseconds: int) -> None:
        """Count one duration."""
        if nanoseconds > self.most:
            self.most = nanoseconds
        if nanoseconds < self.least or not self.count:
            self.least = nanoseconds
        self.count += 1
        self.total += nanoseconds
        self._buckets[bisect_right(_EDGES, nanoseconds)] += 1

    def percentile(self, share: float) -> int:
        """The duration that ``share`` of all stay under, within a bucket."""
        if not self.count:
            return 0
        left = math.ceil(self.count * share)
        for bucket, number in enumerate(self._buckets):
            left -= number
            if left <= 0:
                return min(max(round(2 ** ((bucket + 0.5) / _PER_OCTAVE)), self.least), self.most)
        return self.most

    def as_dict(self) -> dict[str, float]:
        """``{min, mean, p50, p95, p99, max}`` in milliseconds."""
        mean = self.total / self.count if self.count else 0
        values = {
            "min": self.least,
            "mean": mean,
            "p50": self.percentile(0.50),
            "p95": self.percentile(0.95),
            "p99": self.percentile(0.99),
            "max": self.most,
        }
        return {name: round(value / 1e6, 4) for name, value in values.items()}


@dataclass(slots=True)
class _ToolFigures:
    plugin: str
    outcomes: Counter[str] = field(default_factory=Counter[str])
    total: Times = field(default_factory=Times)
    instantiate: Times = field(default_factory=Times)
    execute: Times = field(default_factory=Times)
    host_calls: int = 0
    output_bytes: int = 0


class CallRecorder:
    """Adds finished calls up per tool, and hands each to listeners (the log line of the call is one)."""

    def __init__(self) -> None:
        self._tools: dict[str, _ToolFigures] = {}
        self.listeners: list[Callable[[CallRecord], None]] = []
        self.not_found = 0
        """Calls of tools that do not exist; what they were called is kept nowhere."""

    def add(self, record: CallRecord) -> None:
        """Count one call."""
        figures = self._tools.get(record.tool)
        if figures is None:
            figures = self._tools[record.tool] = _ToolFigures(record.plugin)
        figures.outcomes[record.outcome] += 1
        figures.total.add(record.total_ns)
        if record.execute_ns:
            figures.instantiate.add(record.instantiate_ns)
            figures.execute.add(record.execute_ns)
        figures.host_calls += record.host_calls
        figures.output_bytes += record.output_bytes
        for listener in self.listeners:
            listener(record)

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Per tool: calls, outcomes by error code, times in milliseconds, host calls, bytes."""
        return {
            tool: {
                "plugin": figures.plugin,
                "calls": figures.total.count,
                "outcomes": dict(figures.outcomes),
                "total_ms": figures.total.as_dict(),
                "instantiate_ms": figures.instantiate.as_dict(),
                "execute_ms": figures.execute.as_dict(),
                "host_calls": figures.host_calls,
                "output_bytes": figures.output_bytes,
            }
            for tool, figures in sorted(self._tools.items())
        }
