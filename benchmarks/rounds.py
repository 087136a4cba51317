"""Takes turns between what is measured and what it is compared with, so that both see the same machine."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable

__all__ = ["interleave", "interleave_async", "percentile", "seconds_per_call"]


def seconds_per_call(call: Callable[[], object], count: int) -> float:
    """Mean wall time of ``call`` over ``count`` calls."""
    started = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - started) / count


def interleave(rounds: int, *measures: Callable[[], float]) -> list[list[float]]:
    """Run every measure once per round; one series of figures for each. The first round warms up and is not kept."""
    series: list[list[float]] = [[] for _ in measures]
    for number in range(rounds + 1):
        gc.collect()
        for figures, measure in zip(series, measures, strict=True):
            figure = measure()
            if number:
                figures.append(figure)
    return series


async def interleave_async(rounds: int, *measures: Callable[[], Awaitable[float]]) -> list[list[float]]:
    """:func:`interleave` for measures that await."""
    series: list[list[float]] = [[] for _ in measures]
    for number in range(rounds + 1):
        gc.collect()
        for figures, measure in zip(series, measures, strict=True):
            figure = await measure()
            if number:
                figures.append(figure)
    return series


def percentile(figures: list[float], share: float) -> float:
    """The figure that ``share`` of all stay under."""
    ordered = sorted(figures)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
