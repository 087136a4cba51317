"""The spans of one call: ``queue``, ``load`` and ``execute``, and below that one for each host call.

Their parent is whatever span is current when the call begins: that of the MCP request, or of the host call whose hook
it is. Times of waiting are known only when it is over, so those spans are made afterwards, with their true times.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from mcp_server.telemetry.tracing.attributes import host_call_attributes

__all__ = ["CallTrace", "HostCallTrace", "Tracing"]

_W3C = TraceContextTextMapPropagator()
_CLIENTS = frozenset({"http_request", "call_llm"})


@dataclass(frozen=True, slots=True)
class Tracing:
    """Traces calls, where that is on.

    Attributes:
        tracer: Makes the spans.
        close: Sends what waits, and ends.
    """

    tracer: Tracer
    close: Callable[[], Awaitable[None]]

    def call(self, plugin: str, function: str) -> CallTrace:
        """The trace of a call that begins now."""
        return CallTrace(self.tracer, plugin, function)


class CallTrace:
    """The spans of one call.

    Args:
        tracer: Makes them.
        plugin: Its id.
        function: The tool, or the hook's point.
    """

    def __init__(self, tracer: Tracer, plugin: str, function: str) -> None:
        self._tracer = tracer
        self._parent = get_current()
        self._said = {"agentmem.plugin.id": plugin, "agentmem.function": function}
        self._execute: Span | None = None
        self._inside: Context = self._parent

    def executing(self, queue_ns: int, load_ns: int) -> None:
        """The call is being handed to the guest, after it waited so long for a place and for a worker."""
        now = time.time_ns()
        self._waited("queue", now - load_ns - queue_ns, queue_ns)
        self._waited("load", now - load_ns, load_ns)
        self._execute = self._tracer.start_span("execute", self._parent, attributes=self._said, start_time=now)
        self._inside = trace.set_span_in_context(self._execute, self._parent)

    def host_call(self, function: str) -> HostCallTrace:
        """The guest asks the host."""
        kind = SpanKind.CLIENT if function in _CLIENTS else SpanKind.INTERNAL
        said = {"agentmem.plugin.id": self._said["agentmem.plugin.id"], "agentmem.host_function": function}
        return HostCallTrace(self._tracer.start_span(function, self._inside, kind, said), function, self._inside)

    def end(self, outcome: str, queue_ns: int, load_ns: int, instantiate_ns: int) -> None:
        """The call is over; what waited for in vain is told here."""
        if self._execute is None:
            now = time.time_ns()
            self._waited("queue", now - load_ns - queue_ns, queue_ns, outcome)
            if load_ns:
                self._waited("load", now - load_ns, load_ns, outcome)
            return
        self._execute.set_attribute("agentmem.instantiate_us", instantiate_ns // 1_000)
        _finish(self._execute, outcome)

    def _waited(self, name: str, start: int, nanoseconds: int, outcome: str = "ok") -> None:
        span = self._tracer.start_span(name, self._parent, attributes=self._said, start_time=start)
        _finish(span, outcome, start + nanoseconds)


class HostCallTrace:
    """The span of one host call.

    Args:
        span: It, begun.
        function: The host function.
        outside: The context of the call.
    """

    def __init__(self, span: Span, function: str, outside: Context) -> None:
        self._span, self._function = span, function
        self._context = trace.set_span_in_context(span, outside)

    @contextmanager
    def active(self) -> Generator[None]:
        """In this block what begins is part of this host call."""
        token = attach(self._context)
        try:
            yield
        finally:
            detach(token)

    def asks_model(self, provider: str, model: str, max_tokens: int, temperature: float | None) -> None:
        """It asks a language model: the dialect that is spoken, the name that the provider knows, and its bounds."""
        self._span.update_name(f"chat {model}")
        said = {"gen_ai.provider.name": provider, "gen_ai.request.model": model}
        self._span.set_attributes({**said, "gen_ai.request.max_tokens": max_tokens})
        if temperature is not None:
            self._span.set_attribute("gen_ai.request.temperature", temperature)

    def headers(self) -> dict[str, str]:
        """``traceparent`` and ``tracestate`` for a request that the host call sends; never ``baggage``."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, self._context)
        return carrier

    def end(self, code: str, arguments: Mapping[str, Any] | None, data: object) -> None:
        """It is answered with ``code``."""
        if self._span.is_recording():
            self._span.set_attributes(host_call_attributes(self._function, arguments, data))
        _finish(self._span, code)


def _finish(span: Span, outcome: str, at: int | None = None) -> None:
    if outcome != "ok":
        span.set_attribute("error.type", outcome)
        span.set_status(StatusCode.ERROR)
    span.end(at)
