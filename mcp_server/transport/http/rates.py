"""Token buckets: how often somebody may do something, per principal or address."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol

from starlette.responses import Response

from mcp_server.transport.http.problem import problem

__all__ = ["Buckets", "Rates", "spend", "too_many"]

MOST = 10_000
"""Buckets that one process keeps; when there are more, those that are full again are forgotten."""


class Buckets(Protocol):
    """Where buckets are kept."""

    def take(self, key: str, per_second: float, burst: float, now: float) -> float:
        """Take one from the bucket of ``key``: 0, or the seconds to wait until there is one."""
        ...


class Rates:
    """One bucket per key.

    Args:
        per_second: How fast a bucket fills.
        burst: How much it holds.
        clock: Seconds that only grow.
        buckets: Where they are kept; in this object when omitted.
    """

    def __init__(
        self,
        per_second: float,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
        buckets: Buckets | None = None,
    ) -> None:
        self._per_second, self._burst, self._clock = per_second, float(burst), clock
        self._buckets = buckets or _OwnBuckets()

    def take(self, key: str) -> float:
        """Take one from the bucket of ``key``: 0, or the seconds to wait until there is one."""
        return self._buckets.take(key, self._per_second, self._burst, self._clock())


class _OwnBuckets:
    """Buckets of one process."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, float]] = {}

    def take(self, key: str, per_second: float, burst: float, now: float) -> float:
        left, at = self._kept.get(key, (burst, now))
        left, wait = spend(left, at, per_second, burst, now)
        self._kept[key] = (left, now)
        if len(self._kept) > MOST:
            self._forget(per_second, burst, now)
        return wait

    def _forget(self, per_second: float, burst: float, now: float) -> None:
        full = burst - 1
        kept = {key: (left, at) for key, (left, at) in self._kept.items() if left + (now - at) * per_second < full}
        self._kept = dict(list(kept.items())[-MOST // 2 :])


def spend(left: float, at: float, per_second: float, burst: float, now: float) -> tuple[float, float]:
    """Take one from a bucket that held ``left`` at ``at``: what it holds now, and the seconds to wait."""
    left = min(burst, left + (now - at) * per_second)
    return (left, (1 - left) / per_second) if left < 1 else (left - 1, 0.0)


def too_many(wait: float, what: str = "too many requests") -> Response:
    """429 with the seconds after which it is worth another try."""
    after = max(1, math.ceil(wait))
    return problem(429, "too_many_requests", f"{what}; try again in {after} s", {"retry-after": str(after)})
