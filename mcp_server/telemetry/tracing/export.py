"""Sends spans to a collector, by OTLP over HTTP, as the ``OTEL_…`` variables of the environment say.

The variables are OpenTelemetry's own, and its library reads them: where to, headers, the sampler, the service's name.
What is decided here is only whether there is anything to send to.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from threading import Thread

import anyio
import anyio.to_thread

from mcp_server import __version__
from mcp_server.telemetry.tracing.spans import Tracing

__all__ = ["start_tracing", "wants_tracing"]

logger = logging.getLogger(__name__)

SERVICE = "agentmem-mcp"
GOODBYE_SECONDS = 5.0
"""For what waits to be sent, when the server ends."""
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"


def wants_tracing(environment: Mapping[str, str]) -> bool:
    """Whether the operator named a collector, and did not switch tracing off."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = environment.get("OTEL_TRACES_EXPORTER", "").replace(" ", "").split(",")
    named = any(environment.get(name) for name in _ENDPOINTS)
    return "otlp" in exporters or (exporters == [""] and named)


def start_tracing(environment: Mapping[str, str]) -> Tracing | None:
    """Begin, where it is wanted and can be; why it cannot be is told in the log."""
    if not wants_tracing(environment):
        return None
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        logger.warning("no traces: OTEL_… names a collector, but the package is missing; install 'agentmem-mcp[otel]'")
        return None
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), _SPOKEN)
    if protocol != _SPOKEN:
        logger.warning("traces are sent as %s, the only protocol spoken here, not as %s", _SPOKEN, protocol)
    return _started()


def _started() -> Tracing:
    from opentelemetry import trace  # noqa: PLC0415  # an extra, and 0.2 s of imports
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # as above
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace import SpanLimits, TracerProvider  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  # as above

    named = OTELResourceDetector().detect().attributes  # from the environment: it wins
    resource = Resource.create({"service.name": SERVICE, "service.version": __version__, **named})
    # No events: one would be an exception's text and stack, which may quote what a caller sent.
    limits = SpanLimits(max_events=0)
    provider = TracerProvider(resource=resource, span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)  # the MCP SDK makes the spans of requests, and asks there

    async def close() -> None:
        goodbye = Thread(target=provider.shutdown, name="last spans", daemon=True)  # no collector holds up the end
        goodbye.start()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(goodbye.join, GOODBYE_SECONDS)

    return Tracing(provider.get_tracer(SERVICE, __version__), close)
