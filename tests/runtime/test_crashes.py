"""When a plugin whose workers crash may be tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.errors import PluginUnavailable
from mcp_server.runtime.crashes import LONGEST_PAUSE, QUARANTINE, QUARANTINE_AFTER, WINDOW, CrashRecord
from tests.requirements import requirement

GAPS = st.lists(st.floats(0, 200, allow_nan=False), min_size=1, max_size=20)


def pause(record: CrashRecord, now: float) -> float:
    """Seconds until the record lets a worker be started, 0 when it does."""
    try:
        record.check(now)
    except PluginUnavailable as refused:
        left = refused.data["retry_after_ms"]
        assert isinstance(left, int)
        return left / 1_000
    return 0.0


@requirement("deaths:backoff")
def test_the_first_crash_costs_nothing_and_each_further_one_twice_as_much() -> None:
    record = CrashRecord("some")
    pauses: list[float] = []
    for _ in range(QUARANTINE_AFTER):
        record.add(1_000)
        pauses.append(pause(record, 1_000))
    assert pauses == [0, 1, 2, 4, QUARANTINE]


@requirement("deaths:backoff")
@given(GAPS)
def test_a_pause_is_bounded_and_ends_when_it_says(gaps: list[float]) -> None:
    record, now, times = CrashRecord("some"), 0.0, list[float]()
    for gap in gaps:
        now += gap
        times.append(now)
        record.add(now)
        recent = [time for time in times if now - time <= WINDOW]
        left = pause(record, now)
        assert record.quarantined is (len(recent) >= QUARANTINE_AFTER)
        assert left <= (QUARANTINE if record.quarantined else LONGEST_PAUSE)
        assert (left > 0) is (len(recent) > 1)
        assert pause(record, now + left + 0.001) == 0
    assert record.total == len(gaps)


@requirement("deaths:backoff")
@given(GAPS)
def test_whoever_is_forgiven_starts_anew(gaps: list[float]) -> None:
    record, now = CrashRecord("some"), 0.0
    for gap in gaps:
        now += gap
        record.add(now)
    record.forget()
    assert (pause(record, now), record.quarantined) == (0, False)
    record.add(now)
    assert pause(record, now) == 0


@requirement("deaths:backoff")
def test_the_refusal_tells_how_long_and_what_to_do() -> None:
    record = CrashRecord("some")
    for _ in range(3):
        record.add(50)
    with pytest.raises(
        PluginUnavailable, match="'some' is held back after 3 crashes of its worker; retry in 2 s"
    ) as no:
        record.check(50)
    assert no.value.data == {"plugin": "some", "retry_after_ms": 2_000, "quarantined": False}
    assert "restart" in no.value.fix
