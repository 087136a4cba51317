"""How a call ended: the result for the good end, the right error for each bad one."""

from __future__ import annotations

import signal
from typing import NamedTuple

from mcp_server.errors import (
    AgentMemError,
    Cancelled,
    FunctionMissing,
    LoadFailed,
    OutputInvalid,
    PluginCrashed,
    PluginFailed,
    PluginTrapped,
)
from mcp_server.policy.limits import Limits, exceeded
from mcp_server.worker.frames import Status

__all__ = ["CallResult", "crash_error", "load_error", "stop_error"]

MAX_GUEST_TEXT = 4_096


class CallResult(NamedTuple):
    """A call that ended well.

    Attributes:
        output: The guest's bytes.
        instantiate_ns: Time to make the instance; near zero when a spare was waiting.
        execute_ns: Time in the guest, host calls included.
        host_calls: Host calls made.
    """

    output: bytes
    instantiate_ns: int
    execute_ns: int
    host_calls: int = 0


def stop_error(status: int, text: str, plugin: str, function: str, limits: Limits) -> AgentMemError:
    """The error for a call that the worker answered with ``status``; ``text`` is the guest's or the engine's."""
    shown = text if len(text) <= MAX_GUEST_TEXT else text[:MAX_GUEST_TEXT] + "…"
    where = {"plugin": plugin, "function": function}
    match status:
        case Status.PLUGIN_ERROR:
            return PluginFailed(shown, data=where)
        case Status.OUT_OF_FUEL:
            return exceeded("instructions", limits, plugin=plugin)
        case Status.OUT_OF_MEMORY:
            return exceeded("memory", limits, plugin=plugin)
        case Status.OUTPUT_TOO_LARGE:
            return exceeded("output_bytes", limits, plugin=plugin, used=_number(text))
        case Status.NO_FUNCTION:
            return FunctionMissing(f"plugin '{plugin}' has no function '{function}'", data=where)
        case Status.STOPPED:
            return Cancelled(f"the call of {plugin}.{function} was stopped", data=where)
        case Status.LOAD_FAILED:
            return load_error(status, shown, plugin, limits)
        case Status.HOST_ABORTED:
            return OutputInvalid(f"plugin '{plugin}' has no room left for an answer of the host", data=where)
        case _:
            return PluginTrapped(f"plugin '{plugin}' trapped in {function}: {shown}", data=where)


def load_error(status: int, text: str, plugin: str, limits: Limits) -> AgentMemError:
    """The error for a module that the worker could not load or start."""
    if status == Status.OUT_OF_FUEL:
        error = exceeded("instructions", limits, plugin=plugin)
        error.message = error.message.replace("reached", "reached, while starting,", 1)
        return error
    if status == Status.OUT_OF_MEMORY:
        return exceeded("memory", limits, plugin=plugin)
    return LoadFailed(f"plugin '{plugin}' cannot be loaded: {_engine_text(text)}", data={"plugin": plugin})


def crash_error(plugin: str, function: str, exit_status: int | None) -> PluginCrashed:
    """The error for a call whose worker died under it."""
    return PluginCrashed(
        f"the worker process of plugin '{plugin}' died during {function} ({_describe_exit(exit_status)}); "
        "the next call gets a new one",
        data={"plugin": plugin, "function": function},
    )


def _number(text: str) -> int | None:
    """What a worker counted; it may be anybody's text when the guest has taken the worker over."""
    return int(text) if len(text) < 20 and text.isascii() and text.isdigit() else None


def _describe_exit(status: int | None) -> str:
    if status is None:
        return "no exit status"
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def _engine_text(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines)[:MAX_GUEST_TEXT] or "the engine gave no reason"
