"""The contract between the bridge and a capability: a context in, plain data or a :class:`HostRefusal` out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from anyio import CancelScope

from mcp_server.memory.bounds import UNBOUND, Bounds
from mcp_server.policy.limits import Limits
from mcp_server.policy.narrowing import WIDE, Narrowing
from mcp_server.policy.rights import Rights

if TYPE_CHECKING:
    from mcp_server.telemetry.tracing import CallTrace, HostCallTrace

__all__ = ["CallContext", "HostFunction", "HostRefusal", "LogLine", "Usage"]


@dataclass(slots=True)
class Usage:
    """What one call has used so far; the runtime and the capabilities count here, nobody else."""

    host_calls: int = 0
    log_lines: int = 0
    log_bytes: int = 0
    log_dropped: int = 0
    http_requests: int = 0
    http_open: int = 0
    file_operations: int = 0
    file_bytes_read: int = 0
    file_bytes_written: int = 0
    llm_calls: int = 0
    llm_tokens: int = 0
    llm_cost: int = 0
    refusals_told: int = 0
    queue_ns: int = 0
    load_ns: int = 0
    host_ns: int = 0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line a plugin logged: cleaned, cut, ready for a sink."""

    plugin: str
    level: str
    message: str
    fields: Mapping[str, Any]


@dataclass(slots=True)
class CallContext:
    """Who calls, for whom, and within which bounds. Taken from the authenticated caller, never from a guest.

    Attributes:
        plugin: Id of the plugin that runs.
        principal: The caller: ``local`` on stdio, the token's subject over HTTP.
        session: The client's session, where the transport has one.
        call_id: Correlation id of the call in logs and errors.
        rights: The plugin's frozen rights.
        limits: The plugin's limits.
        config: The plugin's configuration, manifest merged with the operator's.
        depth: How many tool or hook calls this one is nested in.
        deadline: Monotonic seconds at which the call must be over.
        log: Where the plugin's log lines go.
        in_hook: Whether the call is a hook's: then its memory operations start no hooks.
        bounds: The agent and the run whose memories the call stays inside of.
        usage: Counters of this call.
        waiting: The host functions that wait for something; the bridge's.
        over: Whether the guest has ended, so that nobody would read an answer.
        digest: sha256 of the module that runs.
        trace: The spans of the call, where it is traced.
        asking: The span of the host call under way, where it is traced; a guest makes one at a time.
        narrowing: What is taken from the principal; rights and limits are without it already.
    """

    plugin: str
    principal: str
    session: str
    call_id: str
    rights: Rights
    limits: Limits
    config: Mapping[str, Any]
    depth: int
    deadline: float
    log: Callable[[LogLine], None]
    in_hook: bool = False
    bounds: Bounds = UNBOUND
    usage: Usage = field(default_factory=Usage)
    digest: str = ""
    waiting: set[CancelScope] = field(default_factory=set[CancelScope])
    over: bool = False
    trace: CallTrace | None = None
    asking: HostCallTrace | None = None
    narrowing: Narrowing = WIDE

    def end(self) -> None:
        """The guest has ended; what still waits on its behalf is given up: a model stops writing, a site is left."""
        self.over = True
        for scope in tuple(self.waiting):
            scope.cancel()


class HostRefusal(Exception):
    """A host function says no: becomes an envelope with ``success: false``, never a trap.

    Args:
        code: Stable code for ``metadata.code``.
        message: What was wrong, readable by the plugin's author and a model; no host paths, no secrets.
        data: More for ``metadata``.
        fix: The operator's next step: a command or a configuration line. Logged here, never sent to a guest.
    """

    def __init__(self, code: str, message: str, data: Mapping[str, Any] | None = None, *, fix: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data: Mapping[str, Any] = data or {}
        self.fix = fix


@dataclass(frozen=True, slots=True)
class HostFunction:
    """One function of a capability.

    Attributes:
        name: As the guest imports it.
        answer: Takes the context and the request object, gives JSON data; a coroutine where it must wait.
    """

    name: str
    answer: Callable[[CallContext, dict[str, Any]], Any | Awaitable[Any]]
    waits: bool = False
