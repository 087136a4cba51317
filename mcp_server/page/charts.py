"""Charts of the last half hour, and figures since the start. Made here as numbers; the template holds the SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mcp_server.admin.history import STEP_SECONDS, STEPS, Step
from mcp_server.page.room import asking, room_of
from mcp_server.policy.scopes import ADMIN

__all__ = ["ROUTES"]

WIDTH, HEIGHT = 720, 120
_SLOT = WIDTH / STEPS
_MILLION = 1_000_000
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one row of bars.

    Attributes:
        name: What it shows.
        style: A class of the style sheet.
        points: For ``<polyline>`` or, closed to the ground, ``<polygon>``; empty for bars.
        bars: ``x, y, height`` of each bar.
        last: The newest value, with its unit.
    """

    name: str
    style: str
    points: str
    bars: tuple[tuple[float, float, float], ...]
    last: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of several series on one scale.

    Attributes:
        title: What it is about.
        top: The value at its upper edge, with its unit.
        series: Those in it.
        says: The same for who does not see it.
    """

    title: str
    top: str
    series: tuple[Series, ...]
    says: str


async def _show(request: Request) -> Response:
    room, me = room_of(request), asking(request, ADMIN)
    del me
    room.history.measure()
    steps = room.history.steps()
    stats = room.desk.host.stats()
    return room.pages.show(
        request,
        "charts",
        here="charts",
        charts=[_calls(steps), _latency(steps), _memory(steps)],
        tools=stats["tools"],
        plugins=stats["plugins"],
        rows=[_row(step) for step in reversed(steps) if step.calls],
        width=WIDTH,
        height=HEIGHT,
        minutes=STEPS * STEP_SECONDS // 60,
        slot=round(_SLOT - 1, 2),
        several=room.several,
    )


def _calls(steps: Sequence[Step]) -> Chart:
    top = max(1, *(step.calls for step in steps))
    series = (
        _bars("all", "all", steps, top, lambda step: step.calls),
        _bars("failed", "failed", steps, top, lambda step: step.failed),
    )
    total, failed = sum(step.calls for step in steps), sum(step.failed for step in steps)
    says = f"{total} calls, {failed} of them failed; at most {top} in {STEP_SECONDS} seconds"
    return Chart(f"Calls in {STEP_SECONDS} seconds", str(top), series, says)


def _latency(steps: Sequence[Step]) -> Chart:
    def at(share: float) -> Callable[[Step], float]:
        return lambda step: step.times.percentile(share) / _MILLION

    busy = [step for step in steps if step.calls]
    top = max((at(0.95)(step) for step in busy), default=0.0)
    top = top or 1.0
    series = (
        _line("half of the calls", "p50", steps, top, at(0.50), "ms"),
        _line("95 of 100", "p95", steps, top, at(0.95), "ms"),
    )
    says = f"95 of 100 calls took at most {top:.1f} milliseconds in the slowest step" if busy else "no calls"
    return Chart("Time of a call, in milliseconds", f"{top:.1f} ms", series, says)


def _memory(steps: Sequence[Step]) -> Chart:
    most = max(step.memory for step in steps) / _MIB
    top = most or 1.0
    series = (_line("all workers", "memory", steps, top, lambda step: step.memory / _MIB, "MiB"),)
    workers = steps[-1].workers
    who = "1 worker holds" if workers == 1 else f"{workers} workers hold"
    says = f"{who} {steps[-1].memory / _MIB:.1f} MiB now; {most:.1f} MiB was the most"
    return Chart("Memory of the workers, in MiB", f"{top:.1f} MiB", series, says)


def _line(name: str, style: str, steps: Sequence[Step], top: float, of: Callable[[Step], float], unit: str) -> Series:
    values = [of(step) for step in steps]
    left = STEPS - len(steps)
    places = [(_x(left + number) + _SLOT / 2, HEIGHT - value / top * HEIGHT) for number, value in enumerate(values)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return Series(name, style, points, (), f"{values[-1]:.1f} {unit}")


def _bars(name: str, style: str, steps: Sequence[Step], top: float, of: Callable[[Step], float]) -> Series:
    left = STEPS - len(steps)
    bars = tuple(
        (round(_x(left + number), 1), round(HEIGHT - of(step) / top * HEIGHT, 1), round(of(step) / top * HEIGHT, 1))
        for number, step in enumerate(steps)
        if of(step)
    )
    return Series(name, style, "", bars, f"{of(steps[-1]):.0f}")


def _row(step: Step) -> dict[str, Any]:
    times = step.times
    p50, p95 = times.percentile(0.50) / _MILLION, times.percentile(0.95) / _MILLION
    memory = step.memory / _MIB
    return {"at": step.at, "calls": step.calls, "failed": step.failed, "p50": p50, "p95": p95, "memory": memory}


def _x(number: int) -> float:
    return number * _SLOT


ROUTES = (Route("/charts", _show, methods=["GET"]),)
