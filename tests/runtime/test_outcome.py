"""From a worker's word to an error: every status has one, and no text of a worker breaks it."""

from __future__ import annotations

import signal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcp_server.errors import CallError, PluginFailed
from mcp_server.policy.limits import Limits
from mcp_server.runtime.outcome import crash_error, load_error, stop_error
from mcp_server.worker.frames import Status
from tests.requirements import requirement

CODES = {
    Status.PLUGIN_ERROR: "plugin_error",
    Status.TRAP: "plugin_trapped",
    Status.STOPPED: "cancelled",
    Status.OUT_OF_FUEL: "limit_instructions",
    Status.OUT_OF_MEMORY: "limit_memory",
    Status.OUTPUT_TOO_LARGE: "limit_output_bytes",
    Status.NO_FUNCTION: "function_missing",
    Status.LOAD_FAILED: "load_failed",
    Status.HOST_ABORTED: "output_invalid",
}


@requirement("frames:hostile")
@pytest.mark.parametrize("status", CODES)
def test_every_bad_end_has_an_error_of_its_own(status: int) -> None:
    error = stop_error(status, "17", "some", "run", Limits())
    assert error.error_code == CODES[status]


@requirement("frames:hostile")
@given(st.sampled_from(list(CODES)) | st.integers(1, 255), st.text(max_size=50))
@example(Status.OUTPUT_TOO_LARGE, "9" * 5_000)
@example(Status.OUTPUT_TOO_LARGE, "many")
def test_whatever_a_worker_says_becomes_a_call_error(status: int, text: str) -> None:
    assert isinstance(stop_error(status, text, "some", "run", Limits()), CallError)
    assert isinstance(load_error(status, text, "some", Limits()), CallError)


@requirement("frames:hostile")
def test_a_guests_error_text_is_cut() -> None:
    error = stop_error(Status.PLUGIN_ERROR, "x" * 100_000, "some", "run", Limits())
    assert isinstance(error, PluginFailed)
    assert len(error.message) < 5_000


@requirement("deaths:worker")
@pytest.mark.parametrize(
    ("status", "says"),
    [(-signal.SIGSEGV, "SIGSEGV"), (-250, "signal 250"), (3, "exit status 3"), (None, "no exit status")],
)
def test_a_death_is_told_by_its_signal(status: int | None, says: str) -> None:
    assert f"died during run ({says})" in crash_error("some", "run", status).message
