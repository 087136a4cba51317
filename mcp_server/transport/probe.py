"""``server/discover`` before any other request on the pipes: answered without letting it choose the era."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import anyio
from mcp.server.connection import Connection
from mcp.server.runner import modern_error_data, serve_one
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import InboundLadderRejection, classify_inbound_request
from mcp.shared.transport_context import TransportContext
from pydantic import ValidationError

from mcp_server.transport.frame import Message
from mcp_server.transport.mcp_face import McpFace

__all__ = ["discover"]


@dataclass
class _ProbeContext:
    """The dispatch context of a request that is answered before any era is chosen: no way back to the client."""

    request_id: str | int
    transport: TransportContext = field(default_factory=lambda: TransportContext(kind="stdio", can_send_request=False))
    can_send_request: bool = False
    message_metadata: None = None
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)

    async def send_raw_request(self, method: str, params: object, opts: object = None) -> dict[str, Any]:
        raise MCPError(-32600, f"{method} cannot be sent before the session has begun")

    async def notify(self, method: str, params: object, opts: object = None) -> None:
        """Dropped: there is no session to notify."""

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Dropped, as above."""


async def discover(face: McpFace, message: Message) -> Message:
    """The answer to a ``server/discover``."""
    params: dict[str, Any] | None = message.get("params")
    route = classify_inbound_request({"method": "server/discover", "params": params})
    answer: Message = {"jsonrpc": "2.0", "id": message["id"]}
    if isinstance(route, InboundLadderRejection):
        return {**answer, "error": {"code": route.code, "message": route.message, "data": route.data}}
    connection = Connection.from_envelope(route.protocol_version, route.client_info, route.client_capabilities)
    try:
        context = cast("Any", _ProbeContext(message["id"]))
        result = await serve_one(
            face.server, context, "server/discover", params, connection=connection, lifespan_state={}
        )
        return {**answer, "result": result}
    except (MCPError, ValidationError) as error:
        return {**answer, "error": modern_error_data(error).model_dump(exclude_none=True)}
