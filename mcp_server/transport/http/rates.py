"""Token buckets: how often somebody may do something, per principal or address."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from starlette.responses import Response

from mcp_server.transport.http.problem import problem

__all__ = ["Rates", "too_many"]

MOST = 10_000
"""Buckets that are kept; when there are more, those that are full again are forgotten."""


class Rates:
    """One bucket per key.

    Args:
        per_second: How fast a bucket fills.
        burst: How much it holds.
        clock: Seconds that only grow.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, float(burst), clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> float:
        """Take one from the bucket of ``key``: 0, or the seconds to wait until there is one."""
        now = self._clock()
        left, at = self._buckets.get(key, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        if left < 1:
            self._buckets[key] = (left, now)
            return (1 - left) / self._per_second
        self._buckets[key] = (left - 1, now)
        if len(self._buckets) > MOST:
            self._forget(now)
        return 0.0

    def _forget(self, now: float) -> None:
        full = self._burst - 1
        kept = {
            key: (left, at) for key, (left, at) in self._buckets.items() if left + (now - at) * self._per_second < full
        }
        self._buckets = dict(list(kept.items())[-MOST // 2 :])


def too_many(wait: float, what: str = "too many requests") -> Response:
    """429 with the seconds after which it is worth another try."""
    after = max(1, math.ceil(wait))
    return problem(429, "too_many_requests", f"{what}; try again in {after} s", {"retry-after": str(after)})
