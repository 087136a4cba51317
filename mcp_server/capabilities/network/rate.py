"""A token bucket for each caller of a kind: so many requests per second, with a reserve for bursts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

__all__ = ["RateLimiter"]

MOST_KEPT = 8_192


class RateLimiter:
    """Buckets by key, made when they are first asked and forgotten when others were used more lately.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable, *, per_second: float, burst: int) -> float:
        """Take one token of ``key``: 0.0 when there was one, else the seconds until there will be."""
        now = self._clock()
        tokens, updated = self._buckets.pop(key, (float(burst), now))
        tokens = min(float(burst), tokens + (now - updated) * per_second)
        wait = 0.0 if tokens >= 1.0 else (1.0 - tokens) / per_second
        self._buckets[key] = (tokens if wait else tokens - 1.0, now)
        if len(self._buckets) > MOST_KEPT:
            self._buckets.popitem(last=False)
        return wait
