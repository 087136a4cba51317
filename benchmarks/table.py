"""One row per figure, one table per program: what was measured, against what, and whether the bar is met."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Literal

__all__ = [
    "Bar",
    "Row",
    "against",
    "alone",
    "argument_parser",
    "cells_of_table",
    "number",
    "print_rows",
    "print_table",
    "row_from_json",
    "run_program",
]


@dataclass(frozen=True, slots=True)
class Bar:
    """What a row must reach.

    Attributes:
        sense: Whether the figure may be at most or must be at least ``value``.
        value: The number.
        of: Whether it bounds the ratio or the measured figure itself.
    """

    sense: Literal["most", "least"]
    value: float
    of: Literal["ratio", "figure"] = "ratio"

    def met(self, figure: float) -> bool:
        """Whether ``figure`` is on the good side."""
        return figure <= self.value if self.sense == "most" else figure >= self.value

    def shown(self, unit: str) -> str:
        """For people: ``≤ 1.1 ×`` or ``≥ 109 MB/s``."""
        sign = "≤" if self.sense == "most" else "≥"
        return f"{sign} {self.value:g} ×" if self.of == "ratio" else f"{sign} {number(self.value)} {unit}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: What was measured.
        unit: Of ``measured`` and ``baseline``.
        measured: Median over the rounds.
        baseline: The same of what it is compared with, or None.
        ratio: Median of the rounds' ratios, which is not the ratio of the medians.
        bar: What it must reach; None for a figure that is only told.
    """

    name: str
    unit: str
    measured: float
    baseline: float | None = None
    ratio: float | None = None
    bar: Bar | None = None

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where there is none."""
        if self.bar is None:
            return None
        figure = self.ratio if self.bar.of == "ratio" else self.measured
        return figure is not None and self.bar.met(figure)


def against(name: str, unit: str, measured: Sequence[float], baseline: Sequence[float], bar: Bar | None = None) -> Row:
    """A row of two interleaved series: one ratio per round, so that a slow moment of the machine hits both sides."""
    ratios = [mine / other for mine, other in zip(measured, baseline, strict=True)]
    return Row(name, unit, median(measured), median(baseline), median(ratios), bar)


def alone(name: str, unit: str, measured: Sequence[float] | float, bar: Bar | None = None) -> Row:
    """A row without a baseline."""
    value = measured if isinstance(measured, int | float) else median(measured)
    return Row(name, unit, value, bar=bar)


def print_table(rows: Iterable[Row]) -> None:
    """Print ``rows`` as a Markdown table that also reads well in a terminal."""
    cells_of_table([("what", "measured", "baseline", "ratio", "bar", "met"), *(_cells(row) for row in rows)])


def cells_of_table(lines: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table whose first line is its head."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for at_line, line in enumerate(lines):
        cells = (
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("| " + " | ".join(cells) + " |", flush=True)
        if at_line == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def run_program(measure: Callable[[bool], list[Row]], description: str) -> None:
    """The ``main`` of a benchmark program.

    Args:
        measure: Gives the rows; its argument says whether small counts will do.
        description: For ``--help``.
    """
    options = argument_parser(description).parse_args()
    print_rows(measure(options.quick), as_json=options.json)


def argument_parser(description: str) -> argparse.ArgumentParser:
    """What every program understands."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small counts: a look, not a result")
    parser.add_argument("--json", action="store_true", help="rows as JSON lines")
    return parser


def print_rows(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print ``rows`` for people, or for ``run.py``."""
    if not as_json:
        print_table(rows)
        return
    for row in rows:
        sys.stdout.write(json.dumps(asdict(row)) + "\n")


def row_from_json(line: str) -> Row:
    """The row that a program printed with ``--json``."""
    fields = json.loads(line)
    bar = fields.pop("bar")
    return Row(**fields, bar=Bar(**bar) if bar else None)


def _cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[row.met]
    return (
        row.name,
        f"{number(row.measured)} {row.unit}",
        "" if row.baseline is None else f"{number(row.baseline)} {row.unit}",
        "" if row.ratio is None else f"{row.ratio:.2f}",
        row.bar.shown(row.unit) if row.bar else "",
        met,
    )


def number(value: float) -> str:
    """For people: three digits, or thousands with blanks."""
    if abs(value) >= 1_000:
        return f"{value:_.0f}".replace("_", " ")
    return f"{value:.3g}"
