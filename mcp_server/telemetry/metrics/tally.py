"""Counts calls and host calls as they end. What is counted under a plugin that is gone moves to ``other``.

On every call's way: plain integers in dictionaries, no locks, for there is one thread.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mcp_server.telemetry.calls import CallRecord
from mcp_server.telemetry.metrics.families import BUCKETS, OTHER, PHASES

__all__ = ["CallTally", "Distribution", "HostCallTally", "ToolTally"]

_BOUNDS = [round(bound * 1e9) for bound in BUCKETS]


class Distribution:
    """Durations in the buckets of :data:`BUCKETS`, and one above them."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS) + 1)
        self.total = 0

    def add(self, nanoseconds: int) -> None:
        """Count one."""
        self.counts[bisect_left(_BOUNDS, nanoseconds)] += 1
        self.total += nanoseconds

    def take(self, other: Distribution) -> None:
        """Count all of another's, too."""
        self.counts = [mine + more for mine, more in zip(self.counts, other.counts, strict=True)]
        self.total += other.total

    def cumulative(self) -> Iterator[int]:
        """How many were at most each bound; the last is all of them."""
        so_far = 0
        for count in self.counts:
            so_far += count
            yield so_far


@dataclass(slots=True)
class ToolTally:
    """The calls of one tool."""

    plugin: str
    tool: str
    outcomes: Counter[str] = field(default_factory=Counter[str])
    total: Distribution = field(default_factory=Distribution)
    phases: tuple[Distribution, ...] = field(default_factory=lambda: tuple(Distribution() for _ in PHASES))
    output_bytes: int = 0

    def add(self, record: CallRecord) -> None:
        """Count one call."""
        self.outcomes[record.outcome] += 1
        self.total.add(record.total_ns)
        queue, load, instantiate, execute, host = self.phases
        queue.add(record.queue_ns)
        load.add(record.load_ns)
        host.add(record.host_ns)
        if record.execute_ns:
            instantiate.add(record.instantiate_ns)
            execute.add(max(record.execute_ns - record.host_ns, 0))
            self.output_bytes += record.output_bytes

    def take(self, other: ToolTally) -> None:
        """Count all of another's, too."""
        self.outcomes.update(other.outcomes)
        self.total.take(other.total)
        for mine, more in zip(self.phases, other.phases, strict=True):
            mine.take(more)
        self.output_bytes += other.output_bytes


class CallTally:
    """Every tool that was called; a listener of :class:`~mcp_server.telemetry.calls.CallRecorder`."""

    def __init__(self) -> None:
        self._tools: dict[str, ToolTally] = {}

    def add(self, record: CallRecord) -> None:
        """Count one call."""
        tally = self._tools.get(record.tool)
        if tally is None:
            tally = self._tools[record.tool] = ToolTally(record.plugin, record.tool)
        tally.add(record)

    def tools(self, exists: Callable[[str, str], bool]) -> list[ToolTally]:
        """All of them, those that do not exist any more as one."""
        for name in [name for name, one in self._tools.items() if name != OTHER and not exists(one.plugin, name)]:
            self._tools.setdefault(OTHER, ToolTally(OTHER, OTHER)).take(self._tools.pop(name))
        return list(self._tools.values())


class HostCallTally:
    """Host calls by plugin, function and outcome, and how long each function takes."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.seconds: dict[str, Distribution] = {}

    def add(self, plugin: str, function: str, outcome: str, nanoseconds: int) -> None:
        """Count one."""
        self.counts[plugin, function, outcome] += 1
        times = self.seconds.get(function)
        if times is None:
            times = self.seconds[function] = Distribution()
        times.add(nanoseconds)

    def fold(self, exists: Callable[[str], bool]) -> None:
        """Let those of plugins that do not exist any more be one."""
        for key in [key for key in self.counts if key[0] != OTHER and not exists(key[0])]:
            self.counts[OTHER, key[1], key[2]] += self.counts.pop(key)
