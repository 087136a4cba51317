"""The steps that the charts are drawn from, with a clock that the test turns."""

from __future__ import annotations

from pathlib import Path

from mcp_server.admin.history import STEP_SECONDS, STEPS, History
from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from mcp_server.telemetry.calls import CallRecord
from tests.requirements import requirement


def record(outcome: str, milliseconds: int) -> CallRecord:
    return CallRecord("c", "p", "p__t", "local", outcome, milliseconds * 1_000_000, 0, 0, 0, 0)


@requirement("page:live")
async def test_calls_are_counted_in_the_step_in_which_they_ended(tmp_path: Path, plugins: Path) -> None:
    now = [1_000_000.0]
    async with PluginHost(folders=PluginFolders(plugins=(plugins,)), cache=tmp_path, data=tmp_path) as host:
        history = History(host, clock=lambda: now[0])
        host.recorder.add(record("ok", 10))
        host.recorder.add(record("plugin_error", 30))
        now[0] += 3 * STEP_SECONDS
        host.recorder.add(record("ok", 20))
        history.measure()
        steps = history.steps()
        assert [(step.calls, step.failed) for step in steps] == [(2, 1), (0, 0), (0, 0), (1, 0)]
        assert [step.at - steps[0].at for step in steps] == [0, 10, 20, 30]
        assert 25 < steps[0].times.percentile(0.95) / 1e6 <= 30
        assert (steps[-1].workers, steps[-1].memory) == (0, 0)


@requirement("page:live")
async def test_no_more_steps_are_kept_than_are_drawn_however_long_nothing_happens(
    tmp_path: Path, plugins: Path
) -> None:
    now = [1_000_000.0]
    async with PluginHost(folders=PluginFolders(plugins=(plugins,)), cache=tmp_path, data=tmp_path) as host:
        history = History(host, clock=lambda: now[0])
        host.recorder.add(record("ok", 10))
        now[0] += 30 * 86_400
        steps = history.steps()
        assert len(steps) == STEPS and sum(step.calls for step in steps) == 0
        assert {b.number - a.number for a, b in zip(steps, steps[1:], strict=False)} == {1}
        now[0] -= 3_600  # a clock that was set back
        host.recorder.add(record("ok", 10))
        assert history.steps()[-1].calls == 1
