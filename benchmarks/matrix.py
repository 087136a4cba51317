"""A table with a column for each server: what was measured of ours, of each peer, and the ratios that have bars.

``table.py`` has one baseline for a row; here each line has as many as there are peers, and becomes a row for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.table import Bar, Row, against, alone, cells_of_table, number, print_rows

__all__ = ["Line", "print_tables", "rows_of"]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of all servers.

    Attributes:
        what: Was measured.
        unit: Of it.
        ours: A figure for each round.
        others: The same of each peer.
        bars: By peer, for the ratio to it; under an empty name for our figure itself.
    """

    what: str
    unit: str
    ours: Sequence[float]
    others: Mapping[str, Sequence[float]] = field(default_factory=dict[str, Sequence[float]])
    bars: Mapping[str, Bar] = field(default_factory=dict[str, Bar])


def rows_of(lines: Iterable[Line]) -> list[Row]:
    """A row of each line for each peer; of one without peers, or with a bar of its own, its figure alone."""
    rows: list[Row] = []
    for line in lines:
        for name, figures in line.others.items():
            rows.append(against(f"{line.what}, against {name}", line.unit, line.ours, figures, line.bars.get(name)))
        if "" in line.bars or not line.others:
            rows.append(alone(line.what, line.unit, line.ours, line.bars.get("")))
    return rows


def print_tables(tables: Mapping[str, Sequence[Line]], *, as_json: bool) -> None:
    """Print a Markdown table under each title, or the rows for ``run.py``."""
    if as_json:
        print_rows([row for lines in tables.values() for row in rows_of(lines)], as_json=True)
        return
    for title, lines in tables.items():
        _print(title, lines)
    barred = [row for lines in tables.values() for row in rows_of(lines) if row.bar]
    print(f"\n{sum(bool(row.met) for row in barred)} of {len(barred)} bars are met")


def _print(title: str, lines: Sequence[Line]) -> None:
    peers = list(dict.fromkeys(name for line in lines for name in line.others))
    head = ["what", "ours", *(column for name in peers for column in (name, f"÷ {name}")), "bars", "met"]
    print(f"\n{title}\n")
    cells_of_table([head, *(_cells(line, peers) for line in lines)])


def _cells(line: Line, peers: Sequence[str]) -> list[str]:
    found = {name: against("", line.unit, line.ours, figures) for name, figures in line.others.items()}
    cells = [line.what, f"{number(median(line.ours))} {line.unit}"]
    for name in peers:
        row = found.get(name)
        cells += ["", ""] if row is None else [f"{number(row.baseline or 0)} {line.unit}", f"{row.ratio:.2f}"]
    barred = [row for row in rows_of([line]) if row.bar]
    names = [name for name in (*line.others, "") if name in line.bars]
    shown = (f"{row.bar.shown(line.unit)} {name}".rstrip() for row, name in zip(barred, names, strict=True) if row.bar)
    met = "" if not barred else "yes" if all(row.met for row in barred) else "NO"
    return [*cells, ", ".join(shown), met]
