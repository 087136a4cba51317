"""The figures of one plugin that a host shows: its state, its workers, their crashes and memory."""

from __future__ import annotations

from typing import Any

from mcp_server.registry.record import PluginRecord

__all__ = ["plugin_figures"]


def plugin_figures(record: PluginRecord) -> dict[str, Any]:
    """JSON values; ``workers`` is there while it serves."""
    runner = record.runner
    stats: dict[str, Any] = {"state": str(record.shown_state)}
    if runner is not None:
        stats |= {
            "in_flight": runner.in_flight,
            "crashes": runner.crashes.total,
            "quarantined": runner.crashes.quarantined,
            "memory_peak_bytes": runner.memory_peak(),
            "workers": [
                {"pid": worker.pid, "in_flight": worker.in_flight, **worker.facts} for worker in runner.workers
            ],
        }
    return stats
