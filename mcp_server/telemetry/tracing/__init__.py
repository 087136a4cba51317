"""Traces for OpenTelemetry: ``spans`` makes those of a call, ``attributes`` names what they say, ``export`` sends them.

Without the extra ``otel``, or without settings that name a collector, nothing of this is imported.
"""

from mcp_server.telemetry.tracing.spans import CallTrace, HostCallTrace, Tracing

__all__ = ["CallTrace", "HostCallTrace", "Tracing"]
