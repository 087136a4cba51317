"""Reads what a server's metrics are when somebody looks: from its tallies, its registry, its store. Writes nothing.

A label is a plugin, a tool or a word of ours that exists; no principal, no argument and no text of a guest is one.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Generator, Iterable

from mcp_server import __version__
from mcp_server.backends.errors import StoreError
from mcp_server.backends.values import KeyFigures, Spending, StoreFigures
from mcp_server.capabilities.base import CallContext
from mcp_server.host import PluginHost
from mcp_server.policy.llm import LlmRules, LlmSettings, micro
from mcp_server.policy.rights import HOST_FUNCTIONS
from mcp_server.registry.record import PluginRecord
from mcp_server.telemetry.metrics.families import OTHER, PHASES
from mcp_server.telemetry.metrics.tally import CallTally, Distribution, HostCallTally
from mcp_server.telemetry.snapshot import resident_memory
from mcp_server.transport.http.counted import RequestCounts

__all__ = ["Gauges"]

logger = logging.getLogger(__name__)
DAY = 86_400
_MILLION = 1_000_000
_NOTHING = Spending(0, 0)
Labelled = list[tuple[tuple[str, ...], float | Distribution]]
Row = tuple[str, tuple[str, ...], float | Distribution]


class Gauges:
    """The figures of one server; counts from the moment it is made.

    Args:
        host: Entered already.
        requests: Counted by the site.
    """

    def __init__(self, host: PluginHost, requests: RequestCounts) -> None:
        self._host, self._requests = host, requests
        self._calls, self._host_calls = CallTally(), HostCallTally()
        host.recorder.listeners.append(self._calls.add)
        host.fleet.bridge.listeners.append(self._heard)

    async def read(self) -> dict[str, Labelled]:
        """By the name of a family, what it shows."""
        return _by_name([*await self._stored(), *self._own()])

    def own(self) -> dict[str, Labelled]:
        """What no other process on the same store knows."""
        return _by_name(self._own())

    def _own(self) -> Generator[Row]:
        yield from self._of_server()
        yield from self._of_calls()
        yield from self._of_host_calls()
        yield from self._of_plugins()

    def _heard(self, context: CallContext, function: str, request: bytes, outcome: str, took: int) -> None:
        del request
        self._host_calls.add(context.plugin, function if function in HOST_FUNCTIONS else OTHER, outcome, took)

    def _of_server(self) -> Generator[Row]:
        host, deferred = self._host, self._host.services.deferred
        yield "agentmem_build_info", (__version__,), 1
        yield "agentmem_tools", (), len(host.catalog.tools)
        yield "agentmem_hooks_waiting", (), deferred.waiting if deferred else 0
        yield "agentmem_hooks_dropped_total", (), deferred.dropped if deferred else 0
        yield "agentmem_audit_rows_lost_total", (), host.audit.lost if host.audit else 0
        yield "agentmem_http_requests_in_flight", (), self._requests.open
        for (route, status), number in sorted(self._requests.answered.items()):
            yield "agentmem_http_requests_total", (route, str(status)), number

    def _of_calls(self) -> Generator[Row]:
        unknown = self._host.recorder.not_found
        if unknown:
            yield "agentmem_calls_total", (OTHER, OTHER, "tool_not_found"), unknown
        for tally in self._calls.tools(self._shown):
            labels = (tally.plugin, tally.tool)
            for outcome, number in sorted(tally.outcomes.items()):
                yield "agentmem_calls_total", (*labels, outcome), number
            yield "agentmem_call_seconds", labels, tally.total
            yield "agentmem_call_output_bytes_total", labels, tally.output_bytes
            for phase, times in zip(PHASES, tally.phases, strict=True):
                yield "agentmem_call_phase_seconds", (*labels, phase), times

    def _of_host_calls(self) -> Generator[Row]:
        self._host_calls.fold(lambda plugin: plugin in self._host.registry.records)
        denied: Counter[tuple[str, str, str]] = Counter()
        for (plugin, function, outcome), number in sorted(self._host_calls.counts.items()):
            yield "agentmem_host_calls_total", (plugin, function, outcome), number
            if outcome.endswith("_denied"):
                denied[plugin, HOST_FUNCTIONS.get(function, OTHER), outcome] += number
        for labels, number in denied.items():
            yield "agentmem_denials_total", labels, number
        for function, times in sorted(self._host_calls.seconds.items()):
            yield "agentmem_host_call_seconds", (function,), times

    def _of_plugins(self) -> Generator[Row]:
        for record in self._host.registry.records.values():
            yield "agentmem_plugin_state", (record.id, str(record.shown_state)), 1
            yield from _of_workers(record)

    async def _stored(self) -> list[Row]:
        day = int(time.time() // DAY)
        try:
            figures = await self._host.services.figures(day)
        except StoreError as error:
            logger.warning("the store cannot be measured: %s; %s", error.message, error.fix)
            return [("agentmem_store_up", (), 0)]
        plugins = list(self._host.registry.records.values())
        rows = [row for record in plugins for row in _of_budgets(record, figures)]
        rows += _of_common_budgets(self._host.settings.llm, figures.spent.values() if figures else ())
        if figures is not None:
            rows += _of_store(figures)
        return rows

    def _shown(self, plugin: str, tool: str) -> bool:
        """Whether a tool exists: it is shown, or is a hook, or belongs to a plugin that does not serve just now."""
        if tool in self._host.catalog.tools:
            return True
        record = self._host.registry.records.get(plugin)
        return record is not None and (not record.serving or tool.startswith(f"{plugin}:"))


def _by_name(rows: Iterable[Row]) -> dict[str, Labelled]:
    found: dict[str, Labelled] = {}
    for name, labels, figure in rows:
        found.setdefault(name, []).append((labels, figure))
    return found


def _of_workers(record: PluginRecord) -> Generator[Row]:
    runner, labels = record.runner, (record.id,)
    if runner is None:
        return
    yield "agentmem_plugin_quarantined", labels, int(runner.crashes.quarantined)
    yield "agentmem_calls_in_flight", labels, runner.in_flight
    yield "agentmem_workers", labels, len(runner.workers)
    yield "agentmem_worker_memory_bytes", labels, sum(resident_memory(worker.pid) for worker in runner.workers)
    yield "agentmem_worker_memory_peak_bytes", labels, runner.memory_peak()
    yield "agentmem_worker_starts_total", labels, runner.starts
    yield "agentmem_worker_crashes_total", labels, runner.crashes.total


def _of_budgets(record: PluginRecord, figures: StoreFigures | None) -> Generator[Row]:
    """What a plugin that may use models or keep values took of its budgets."""
    if record.version is None:
        return
    rights, labels = record.version.rights, (record.id,)
    if "LLMAccess" in rights.effective:
        yield from _of_spending(labels, rights.llm, figures.spent.get(record.id, _NOTHING) if figures else _NOTHING)
    if "StorageAccess" in rights.effective:
        kept = figures.keys.get(record.id, KeyFigures(0, 0)) if figures else KeyFigures(0, 0)
        yield "agentmem_kv_bytes", labels, kept.size
        yield "agentmem_kv_fullest_bytes", labels, kept.most
        yield "agentmem_kv_quota_bytes", labels, rights.storage_quota


def _of_spending(labels: tuple[str], rules: LlmRules, spent: Spending) -> Generator[Row]:
    yield "agentmem_llm_tokens_used", labels, spent.tokens
    yield "agentmem_llm_cost_used", labels, spent.cost / _MILLION
    if rules.tokens_per_day is not None:
        yield "agentmem_llm_tokens_left", labels, max(rules.tokens_per_day - spent.tokens, 0)
    if rules.cost_per_day is not None:
        yield "agentmem_llm_cost_left", labels, max(rules.cost_per_day - spent.cost, 0) / _MILLION


def _of_common_budgets(settings: LlmSettings, spent: Iterable[Spending]) -> Generator[Row]:
    each = list(spent)
    if settings.tokens_per_day is not None:
        left = settings.tokens_per_day - sum(one.tokens for one in each)
        yield "agentmem_llm_server_tokens_left", (), max(left, 0)
    cost = micro(settings.cost_per_day)
    if cost is not None:
        yield "agentmem_llm_server_cost_left", (), max(cost - sum(one.cost for one in each), 0) / _MILLION


def _of_store(figures: StoreFigures) -> Generator[Row]:
    yield "agentmem_store_up", (), 1
    yield "agentmem_store_bytes", (), figures.file_bytes
    yield "agentmem_memories", (), figures.memories
    yield "agentmem_memory_bytes", (), figures.memory_bytes
