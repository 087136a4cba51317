"""What is noted when a call of a plugin has ended, a client's or a hook's: its figures, and the end of its trace."""

from __future__ import annotations

import time

from mcp_server.capabilities.base import CallContext
from mcp_server.runtime.outcome import CallResult
from mcp_server.telemetry.calls import CallRecord, CallRecorder

__all__ = ["note_end"]


def note_end(
    recorder: CallRecorder, context: CallContext, tool: str, outcome: str, started: int, result: CallResult | None
) -> None:
    """Record the call that ``context`` was made for.

    Args:
        recorder: Takes the record.
        context: Of the call; its trace ends.
        tool: The tool's name, or what else was called.
        outcome: ``ok``, ``tool_error``, ``cancelled`` or an error's code.
        started: ``time.perf_counter_ns()`` when it began.
        result: What the worker answered, where it came to that.
    """
    record = CallRecord(
        call_id=context.call_id,
        plugin=context.plugin,
        tool=tool,
        principal=context.principal,
        outcome=outcome,
        total_ns=time.perf_counter_ns() - started,
        instantiate_ns=result.instantiate_ns if result else 0,
        execute_ns=result.execute_ns if result else 0,
        host_calls=context.usage.host_calls,
        output_bytes=len(result.output) if result else 0,
        queue_ns=context.usage.queue_ns,
        load_ns=context.usage.load_ns,
        host_ns=context.usage.host_ns,
    )
    recorder.add(record)
    if context.trace is not None:
        context.trace.end(outcome, record.queue_ns, record.load_ns, record.instantiate_ns)
