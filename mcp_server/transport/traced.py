"""What a traced request's span says beside the words of the MCP SDK, which makes it: how the request came."""

from __future__ import annotations

from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from opentelemetry import trace

__all__ = ["said_by_transport"]

_PIPE = {"network.transport": "pipe"}
_HTTP = {"network.transport": "tcp", "network.protocol.name": "http"}


async def said_by_transport(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """A middleware for the SDK's server, inside the one that makes the span."""
    trace.get_current_span().set_attributes(_PIPE if ctx.request is None else _HTTP)
    return await call_next(ctx)
