"""Figures of several processes made those of one server, and into JSON and back. Where they lie is not here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mcp_server.telemetry.metrics.families import FAMILIES
from mcp_server.telemetry.metrics.tally import Distribution

__all__ = ["Figures", "counted", "from_json", "joined", "to_json"]

Figures = Mapping[str, Sequence[tuple[tuple[str, ...], float | Distribution]]]
"""By the name of a family: values of its labels in order, and the figure."""
_COUNTED = frozenset(family.name for family in FAMILIES if family.kind != "gauge")
_SUMMED = _COUNTED | {family.name for family in FAMILIES if family.over == "sum"}
_HIGHEST = frozenset(family.name for family in FAMILIES if family.over == "max")


def joined(own: Figures, others: Iterable[Figures]) -> Figures:
    """``own``, with what ``others`` have added to it; what is the same in all of them is taken from ``own``."""
    found: dict[str, Sequence[tuple[tuple[str, ...], float | Distribution]]] = dict(own)
    every = [own, *others]
    for name in (_SUMMED | _HIGHEST).intersection(*[set[str]().union(*every)]):
        rows: dict[tuple[str, ...], float | Distribution] = {}
        for figures in every:
            for labels, figure in figures.get(name, ()):
                rows[labels] = _one(name, rows[labels], figure) if labels in rows else figure
        found[name] = list(rows.items())
    return found


def counted(figures: Figures) -> Figures:
    """What goes on when the process that counted it is gone: counters and histograms."""
    return {name: rows for name, rows in figures.items() if name in _COUNTED}


def to_json(figures: Figures) -> dict[str, Any]:
    """As values that JSON has."""
    return {
        name: [
            [labels, [figure.total, *figure.counts] if isinstance(figure, Distribution) else figure]
            for labels, figure in rows
        ]
        for name, rows in figures.items()
    }


def from_json(given: dict[str, Any]) -> Figures:
    """What :func:`to_json` was given."""
    return {name: [(tuple(labels), _figure(value)) for labels, value in rows] for name, rows in given.items()}


def _one(name: str, mine: float | Distribution, more: float | Distribution) -> float | Distribution:
    if isinstance(mine, Distribution) and isinstance(more, Distribution):
        both = Distribution()  # a new one: these may be somebody's who goes on counting
        both.take(mine)
        both.take(more)
        return both
    if isinstance(mine, Distribution) or isinstance(more, Distribution):
        raise TypeError(f"{name} is a histogram in one process and not in another")
    return max(mine, more) if name in _HIGHEST else mine + more


def _figure(value: Any) -> float | Distribution:
    if not isinstance(value, list):
        return value
    distribution = Distribution()
    distribution.total, *distribution.counts = value
    return distribution
