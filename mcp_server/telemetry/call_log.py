"""One log line per call, formatted and written in batches: a line on the call's own way is a quarter of its cost.

(Measured: 475 of 2 050 µs of request handling under a profiler, most of it in ``logging`` itself.)
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from mcp_server.telemetry.calls import CallRecord
from mcp_server.telemetry.logs import clean

__all__ = ["CallLog"]

BATCH_SECONDS = 0.05


class CallLog:
    """Collects finished calls and writes their lines to stderr a moment later.

    Args:
        style: ``text`` or ``json``, as for every other line.
        later: Runs a function after so many seconds.
    """

    def __init__(self, style: str, later: Callable[[float, Callable[[], None]], object]) -> None:
        self._line = _json_line if style == "json" else _text_line
        self._later = later
        self._waiting: list[CallRecord] = []

    def add(self, record: CallRecord) -> None:
        """Note one call."""
        if not self._waiting:
            self._later(BATCH_SECONDS, self.flush)
        self._waiting.append(record)

    def flush(self) -> None:
        """Write what is waiting."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            sys.stderr.write("".join(self._line(record) for record in waiting))
            sys.stderr.flush()


def _text_line(record: CallRecord) -> str:
    return (
        f"{_moment(record.at)} info    {record.tool} {record.outcome} call={record.call_id} plugin={record.plugin} "
        f"principal={clean(record.principal)} ms={record.total_ns / 1e6:.3f} "
        f"instantiate_ms={record.instantiate_ns / 1e6:.3f} execute_ms={record.execute_ns / 1e6:.3f}\n"
    )


def _json_line(record: CallRecord) -> str:
    line = {
        "time": _moment(record.at),
        "level": "info",
        "logger": "call",
        "message": f"{record.tool} {record.outcome}",
        "tool": record.tool,
        "outcome": record.outcome,
        "call": record.call_id,
        "plugin": record.plugin,
        "principal": clean(record.principal),
        "ms": round(record.total_ns / 1e6, 3),
        "instantiate_ms": round(record.instantiate_ns / 1e6, 3),
        "execute_ms": round(record.execute_ns / 1e6, 3),
    }
    return json.dumps(line) + "\n"


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1_000) % 1_000:03d}Z"
