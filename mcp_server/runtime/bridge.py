"""Host calls: from a guest's request bytes to an answer envelope, checked and counted on the way.

Every answer is ``{"success", "data", "error", "metadata"}``; a refusal or a failure is an envelope with
``success: false`` and a stable ``metadata.code``, never a trap and never silence.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from anyio import CancelScope
from pydantic_core import from_json, to_json

from mcp_server.capabilities.base import CallContext, HostFunction, HostRefusal
from mcp_server.policy.rights import HOST_FUNCTIONS
from mcp_server.runtime.audited import Record, note_call
from mcp_server.runtime.refusals import RefusalLog

if TYPE_CHECKING:
    from mcp_server.telemetry.tracing import HostCallTrace

__all__ = ["Bridge", "Listener"]

logger = logging.getLogger(__name__)
Listener = Callable[[CallContext, str, bytes, str, int], None]
"""Takes the call's context, the host function, the request as the guest sent it, ``ok`` or the refusal's code, and how
many nanoseconds it took."""
_EMPTY_DONE = b'{"success":true,"data":null,"error":null,"metadata":{}}'


@dataclass(slots=True)
class _HostCall:
    """One of them, while it is being answered."""

    context: CallContext
    name: str
    request: bytes
    send: Callable[[bytes], None]
    started: int = field(default_factory=time.perf_counter_ns)
    arguments: dict[str, Any] | None = None
    trace: HostCallTrace | None = None


class Bridge:
    """Finds the capability that answers and lets nothing else through.

    Args:
        functions: What the capabilities offer.
        spawn: Runs a coroutine in the host's task group, for functions that wait.
        record: The audit log, where one is kept.
    """

    def __init__(
        self,
        functions: Iterable[HostFunction],
        spawn: Callable[[Callable[[], Awaitable[None]]], None],
        record: Record | None = None,
    ) -> None:
        self._functions = {function.name: function for function in functions}
        self._spawn = spawn
        self._refusals = RefusalLog()
        self._record = record
        self.listeners: list[Listener] = []
        """Told of each host call when it has been answered."""

    def put_between(self, between: Callable[[HostFunction], HostFunction]) -> None:
        """Let what ``between`` gives answer in place of each function; who may ask what is still decided here."""
        self._functions = {name: between(function) for name, function in self._functions.items()}

    def answer(self, context: CallContext, name: str, request: bytes, send: Callable[[bytes], None]) -> None:
        """Answer one host call through ``send``: now, or later for a function that waits."""
        call = _HostCall(context, name, request, send)
        if context.trace is not None:
            call.trace = context.asking = context.trace.host_call(name)
        code, data = "internal", None
        try:
            function, call.arguments = self._admit(context, name, request)
            if function.waits:
                self._spawn(lambda: self._answer_later(function, call))
                code = ""  # it is recorded when it is answered
                return
            data = function.answer(context, call.arguments)
            send(_done(data))
            code = "ok"
        except HostRefusal as refusal:
            code = refusal.code
            self._refusals.tell(context, name, refusal)
            send(_refused(refusal))
        except Exception:  # the host-function bridge: a fault of ours must reach the guest as an envelope
            logger.exception("host function %s failed for plugin %s, call %s", name, context.plugin, context.call_id)
            send(_refused(HostRefusal("internal", f"{name}: the host failed; see its log for call {context.call_id}")))
        finally:
            if code:
                self._note(call, code, data)

    async def _answer_later(self, function: HostFunction, call: _HostCall) -> None:
        context, data = call.context, None
        code = "cancelled"  # unless it comes to an end: the guest has ended, or the host is closing
        if context.over:
            return
        with CancelScope() as scope, call.trace.active() if call.trace else nullcontext():
            context.waiting.add(scope)
            try:
                data = await cast("Awaitable[Any]", function.answer(context, call.arguments or {}))
                code = "ok"
                call.send(_done(data))
            except HostRefusal as refusal:
                code = refusal.code
                self._refusals.tell(context, function.name, refusal)
                call.send(_refused(refusal))
            except Exception:  # as above
                code = "internal"
                logger.exception("host function %s failed for plugin %s", function.name, context.plugin)
                call.send(_refused(HostRefusal("internal", f"{function.name}: the host failed; see its log")))
            finally:
                context.waiting.discard(scope)
                self._note(call, code, data)

    def _note(self, call: _HostCall, code: str, data: object) -> None:
        took = time.perf_counter_ns() - call.started
        call.context.usage.host_ns += took
        if call.trace is not None:
            call.trace.end(code, call.arguments, data)
        if self._record is not None:
            note_call(self._record, call.context, call.name, call.request, call.arguments, code, data)
        for listener in self.listeners:
            listener(call.context, call.name, call.request, code, took)

    def _admit(self, context: CallContext, name: str, request: bytes) -> tuple[HostFunction, dict[str, Any]]:
        usage, limit = context.usage, context.limits.host_calls
        usage.host_calls += 1
        if usage.host_calls > limit:
            raise HostRefusal(
                "limit_host_calls",
                f"one call may make {limit} host calls; this was number {usage.host_calls}",
                {"limit": "host_calls", "allowed": limit, "used": usage.host_calls},
                fix=context.narrowing.limit_fix(context.plugin, "host_calls", context.limits),
            )
        if not context.rights.allows(name):
            capability = HOST_FUNCTIONS.get(name)
            raise HostRefusal(
                "capability_denied",
                f"{name} belongs to {capability or 'no capability'}, which is not granted to '{context.plugin}'",
                {"capability": capability or "no capability"},
                fix=context.rights.fix(context.plugin, [capability]) if capability else "",
            )
        function = self._functions.get(name)
        if function is None:
            raise HostRefusal("not_offered", f"this host does not offer {name}")
        return function, _parse(name, request)


def _parse(name: str, request: bytes) -> dict[str, Any]:
    try:
        value: object = from_json(request or b"{}", allow_inf_nan=False)
    except ValueError as error:
        raise HostRefusal("invalid_request", f"{name}: the request is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise HostRefusal("invalid_request", f"{name}: the request must be an object, got {type(value).__name__}")
    return cast("dict[str, Any]", value)


def _done(data: object) -> bytes:
    if data is None:
        return _EMPTY_DONE
    return to_json({"success": True, "data": data, "error": None, "metadata": {}})


def _refused(refusal: HostRefusal) -> bytes:
    metadata = {"code": refusal.code, **refusal.data}
    return json.dumps({"success": False, "data": None, "error": refusal.message, "metadata": metadata}).encode()
