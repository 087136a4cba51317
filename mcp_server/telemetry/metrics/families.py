"""Every metric that ``/metrics`` shows: name, kind, labels, meaning. A list, no behaviour.

``docs/metrics.md`` is written from it, and a test holds it against what a server shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["BUCKETS", "FAMILIES", "OTHER", "PHASES", "Family"]

OTHER = "other"
"""The label of plugins and tools that are gone, or never were."""
PHASES = ("queue", "load", "instantiate", "execute", "host")
BUCKETS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds in seconds: a small call takes 0.1 ms, the longest that a plugin may be allowed two minutes."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric.

    Attributes:
        name: As Prometheus queries it, but for the ``_bucket``, ``_sum`` and ``_count`` of a histogram.
        kind: What it is.
        labels: In order.
        what: What it says, for people.
        over: For a gauge, how several processes make one figure of theirs; any of them knows it when this is empty.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    what: str
    over: Literal["", "sum", "max"] = ""


_TOOL = ("plugin", "tool")

FAMILIES: tuple[Family, ...] = (
    Family("agentmem_build_info", "gauge", ("version",), "1, for the version that runs"),
    # calls
    Family(
        "agentmem_calls_total",
        "counter",
        (*_TOOL, "outcome"),
        "calls that ended: `ok`, `tool_error` where the plugin answered an error, `cancelled`, or an error code; a "
        "hook is the tool `<plugin>:<point>`",
    ),
    Family("agentmem_call_seconds", "histogram", _TOOL, "from the request to the result"),
    Family(
        "agentmem_call_phase_seconds",
        "histogram",
        (*_TOOL, "phase"),
        "what that was spent on: `queue` (waiting for a place), `load` (waiting for a worker with the module), "
        "`instantiate`, `execute` (in the guest, without what it waited for the host), `host` (in host functions); "
        "`instantiate` and `execute` of calls that had a result",
    ),
    Family("agentmem_call_output_bytes_total", "counter", _TOOL, "bytes that plugins answered"),
    Family("agentmem_calls_in_flight", "gauge", ("plugin",), "calls that hold a place of the plugin now", "sum"),
    # host functions
    Family(
        "agentmem_host_calls_total",
        "counter",
        ("plugin", "function", "outcome"),
        "with `ok` or a refusal's code",
    ),
    Family("agentmem_host_call_seconds", "histogram", ("function",), "how long the host took to answer"),
    Family(
        "agentmem_denials_total",
        "counter",
        ("plugin", "capability", "code"),
        "host calls that a plugin had not the right for; they are among the host calls, too",
    ),
    # plugins and workers
    Family("agentmem_plugin_state", "gauge", ("plugin", "state"), "1, for the state that the plugin is in"),
    Family(
        "agentmem_plugin_quarantined", "gauge", ("plugin",), "1 while it is held back because its workers crash", "max"
    ),
    Family("agentmem_tools", "gauge", (), "tools that are shown to clients"),
    Family("agentmem_workers", "gauge", ("plugin",), "worker processes that live", "sum"),
    Family("agentmem_worker_memory_bytes", "gauge", ("plugin",), "resident memory of its workers now", "sum"),
    Family("agentmem_worker_memory_peak_bytes", "gauge", ("plugin",), "the most that one of its workers had", "max"),
    Family("agentmem_worker_starts_total", "counter", ("plugin",), "workers started, from 0 again after a reload"),
    Family("agentmem_worker_crashes_total", "counter", ("plugin",), "workers that died by themselves, as before"),
    Family("agentmem_hooks_waiting", "gauge", (), "after-hooks that wait for their turn", "sum"),
    Family("agentmem_hooks_dropped_total", "counter", (), "after-hooks that were given up, for too many waited"),
    # budgets and quotas
    Family("agentmem_llm_tokens_used", "gauge", ("plugin",), "tokens that the plugin took today (UTC), for everybody"),
    Family("agentmem_llm_tokens_left", "gauge", ("plugin",), "what its budget of today has left"),
    Family("agentmem_llm_cost_used", "gauge", ("plugin",), "cost of today, in the currency of the prices"),
    Family("agentmem_llm_cost_left", "gauge", ("plugin",), "what its budget of costs has left, where it has one"),
    Family("agentmem_llm_server_tokens_left", "gauge", (), "left of `[llm] tokens_per_day`, where it is set"),
    Family("agentmem_llm_server_cost_left", "gauge", (), "left of `[llm] cost_per_day`, where it is set"),
    Family("agentmem_kv_bytes", "gauge", ("plugin",), "keys and values that it keeps, for everybody"),
    Family("agentmem_kv_fullest_bytes", "gauge", ("plugin",), "the same of the one principal who has most"),
    Family("agentmem_kv_quota_bytes", "gauge", ("plugin",), "what it may keep for each principal"),
    # the store and the log
    Family("agentmem_store_up", "gauge", (), "1 when the store can be read, 0 when not; nothing before there is one"),
    Family("agentmem_store_bytes", "gauge", (), "size of the database"),
    Family("agentmem_memories", "gauge", (), "memories that are kept, of everybody"),
    Family("agentmem_memory_bytes", "gauge", (), "their size with their history, as quotas count it"),
    Family("agentmem_audit_rows_lost_total", "counter", (), "rows that the audit log could not take"),
    # HTTP
    Family(
        "agentmem_http_requests_total",
        "counter",
        ("route", "status"),
        "requests that were answered; the status is 499 where the client left first",
    ),
    Family("agentmem_http_requests_in_flight", "gauge", (), "requests that are open, streams among them", "sum"),
)
