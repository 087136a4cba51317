"""``/metrics`` of a server of several processes: the figures of all, whichever is asked."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from mcp_server.telemetry.metrics.joining import counted, from_json, joined, to_json
from mcp_server.telemetry.metrics.tally import Distribution
from tests.flows.processes import children, gone
from tests.guests import ECHO, module, write_plugin
from tests.http.test_metrics import of, scrape
from tests.http.test_processes import TWO, only
from tests.http_server import HttpServer, http_server
from tests.requirements import requirement

CALLS, SECONDS = "agentmem_calls_total", "agentmem_call_seconds_count"


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))


@pytest.fixture
async def pair(stage: Path, tmp_path: Path) -> AsyncIterator[HttpServer]:
    """A server of two processes: the first has called ``well`` twice, the second three times."""
    async with http_server(stage, home=tmp_path, arguments=TWO) as server:
        for which, times in enumerate((2, 3)):
            with only(server, which):
                for _ in range(times):
                    await server.call("well__echo")
        yield server


@requirement("metrics:processes")
async def test_whichever_process_is_asked_shows_what_all_have_counted(pair: HttpServer) -> None:
    for _ in range(6):  # new connections, which come to either
        found = await scrape(pair)
        assert of(found, CALLS, plugin="well", outcome="ok") == 5
        assert of(found, SECONDS, plugin="well") == 5
        assert of(found, "agentmem_http_requests_total", route="/mcp", status="200") == 5
        assert of(found, "agentmem_workers", plugin="well") == 2
        assert of(found, "agentmem_plugin_state", plugin="well") == 1
        assert of(found, "agentmem_build_info") == 1
        assert not any(name.startswith("process_") for name, _ in found)


@requirement("metrics:processes")
async def test_of_a_process_that_does_not_answer_the_counters_stand_and_not_the_gauges(pair: HttpServer) -> None:
    await scrape(pair)
    for which in range(2):
        with only(pair, which):
            found = await scrape(pair)
        assert of(found, CALLS, plugin="well") == 5
        assert of(found, "agentmem_workers", plugin="well") == 1


@requirement("metrics:processes")
async def test_no_counter_goes_back_when_a_process_is_replaced(pair: HttpServer) -> None:
    before = await scrape(pair)
    for number, times in enumerate((1, 2)):  # the one in the dead one's place dies, too
        processes = set(children(pair.process.pid))
        killed = min(processes) if number == 0 else max(processes)
        os.kill(killed, signal.SIGKILL)
        await gone([killed])
        with anyio.fail_after(30):
            while len(set(children(pair.process.pid)) - {killed}) < 2:
                await anyio.lowlevel.checkpoint()
        kept = processes - {killed}
        for pid in kept:
            os.kill(pid, signal.SIGSTOP)
        await pair.call("well__echo")  # answered by the new one, once it serves
        for pid in kept:
            os.kill(pid, signal.SIGCONT)
        found = await scrape(pair)
        assert of(found, CALLS, plugin="well") == 5 + times
        counters = {name for name, _ in before if name.endswith(("_total", "_count", "_sum", "_bucket"))}
        assert all(found[sample] >= value for sample, value in before.items() if sample[0] in counters)
        before = found


@requirement("metrics:processes")
def test_figures_of_two_are_added_and_those_that_both_know_are_not() -> None:
    times = Distribution()
    times.add(1_000)
    figures = {
        "agentmem_calls_total": [(("a", "a__b", "ok"), 2.0)],
        "agentmem_call_seconds": [(("a", "a__b"), times)],
        "agentmem_worker_memory_peak_bytes": [(("a",), 7.0)],
        "agentmem_workers": [(("a",), 1)],
        "agentmem_memories": [((), 9.0)],
    }
    other = {**from_json(to_json(figures)), "agentmem_calls_total": [(("c", "c__d", "ok"), 3.0)]}
    both = joined(figures, [other, counted(figures)])
    assert dict(both["agentmem_calls_total"]) == {("a", "a__b", "ok"): 4, ("c", "c__d", "ok"): 3}
    assert to_json(both)["agentmem_call_seconds"] == [[("a", "a__b"), [3_000, 3, *[0] * 16]]]
    assert both["agentmem_worker_memory_peak_bytes"] == [(("a",), 7)]
    assert both["agentmem_workers"] == [(("a",), 2)]
    assert both["agentmem_memories"] == [((), 9)]
    assert (times.total, times.counts[0]) == (1_000, 1)
