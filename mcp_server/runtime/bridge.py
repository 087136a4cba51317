"""Host calls: from a guest's request bytes to an answer envelope, checked and counted on the way.

Every answer is ``{"success", "data", "error", "metadata"}``; a refusal or a failure is an envelope with
``success: false`` and a stable ``metadata.code``, never a trap and never silence.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

from anyio import CancelScope
from pydantic_core import from_json, to_json

from mcp_server.capabilities.base import CallContext, HostFunction, HostRefusal
from mcp_server.policy.rights import HOST_FUNCTIONS
from mcp_server.runtime.audited import Record, note_call
from mcp_server.runtime.refusals import RefusalLog

__all__ = ["Bridge", "Listener"]

logger = logging.getLogger(__name__)
Listener = Callable[[CallContext, str, bytes, str], None]
"""Takes the call's context, the host function, the request as the guest sent it, and ``ok`` or the refusal's code."""
_EMPTY_DONE = b'{"success":true,"data":null,"error":null,"metadata":{}}'


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
        """Told of each host call when it has been answered; for tests of plugins."""

    def answer(self, context: CallContext, name: str, request: bytes, send: Callable[[bytes], None]) -> None:
        """Answer one host call through ``send``: now, or later for a function that waits."""
        arguments: dict[str, Any] | None = None
        code, data = "internal", None
        try:
            function, arguments = admitted = self._admit(context, name, request)
            if function.waits:
                self._spawn(lambda: self._answer_later(*admitted, context, request, send))
                code = ""  # it is recorded when it is answered
                return
            data = function.answer(context, arguments)
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
                self._note(context, name, request, arguments, code, data)

    async def _answer_later(
        self,
        function: HostFunction,
        arguments: dict[str, Any],
        context: CallContext,
        request: bytes,
        send: Callable[[bytes], None],
    ) -> None:
        if context.over:
            return
        code, data = "cancelled", None  # unless it comes to an end: the guest has ended, or the host is closing
        with CancelScope() as scope:
            context.waiting.add(scope)
            try:
                data = await cast("Awaitable[Any]", function.answer(context, arguments))
                code = "ok"
                send(_done(data))
            except HostRefusal as refusal:
                code = refusal.code
                self._refusals.tell(context, function.name, refusal)
                send(_refused(refusal))
            except Exception:  # as above
                code = "internal"
                logger.exception("host function %s failed for plugin %s", function.name, context.plugin)
                send(_refused(HostRefusal("internal", f"{function.name}: the host failed; see its log")))
            finally:
                context.waiting.discard(scope)
                self._note(context, function.name, request, arguments, code, data)

    def _note(
        self,
        context: CallContext,
        name: str,
        request: bytes,
        arguments: dict[str, Any] | None,
        code: str,
        data: object,
    ) -> None:
        if self._record is not None:
            note_call(self._record, context, name, request, arguments, code, data)
        for listener in self.listeners:
            listener(context, name, request, code)

    def _admit(self, context: CallContext, name: str, request: bytes) -> tuple[HostFunction, dict[str, Any]]:
        usage, limit = context.usage, context.limits.host_calls
        usage.host_calls += 1
        if usage.host_calls > limit:
            raise HostRefusal(
                "limit_host_calls",
                f"one call may make {limit} host calls; this was number {usage.host_calls}",
                {"limit": "host_calls", "allowed": limit, "used": usage.host_calls},
                fix=f"raise max_host_calls under [plugins.{context.plugin}.limits] in the server's configuration",
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
