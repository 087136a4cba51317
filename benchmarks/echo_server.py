"""One trivial MCP server on two transports: the SDK's own stdio and ours. Started by ``stdio.py``, not by hand.

The handler, the server object and its settings are the same; only the bytes take another way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, cast

import anyio
import mcp_types as types
from mcp.server import NotificationOptions, Server
from mcp.server.context import ServerRequestContext
from mcp.server.models import InitializationOptions
from mcp.server.stdio import stdio_server

from mcp_server.transport.mcp_face import McpFace
from mcp_server.transport.pipes import Pipes
from mcp_server.transport.stdio import serve_face

__all__ = ["main"]

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"message": {"type": "string"}},
    "required": ["message"],
}


class EchoFace:
    """What our transport needs of a face, over a server with one tool.

    Args:
        stock: Leave the SDK's own settings as they are; else those that ``serve`` runs with.
    """

    def __init__(self, stock: bool) -> None:
        getter = None if stock else _schema
        self.server: Server[Any] = Server("echo", version="1", get_tool_input_schema=getter)
        if not stock:
            self.server.middleware.clear()
        self.server.add_request_handler("tools/list", types.PaginatedRequestParams, _list)
        self.server.add_request_handler("tools/call", types.CallToolRequestParams, _call)

    def initialization_options(self) -> InitializationOptions:
        """For a legacy handshake."""
        return self.server.create_initialization_options(NotificationOptions())

    async def wait_changed(self) -> None:
        """The tool never changes."""
        await anyio.sleep_forever()

    async def announce(self) -> None:
        """Nothing to tell."""


async def _list(_ctx: ServerRequestContext[Any, Any], _params: types.PaginatedRequestParams) -> dict[str, Any]:
    tool = {"name": "echo", "inputSchema": SCHEMA}
    return {"tools": [tool], "ttlMs": 0, "cacheScope": "private", "resultType": "complete"}


async def _call(_ctx: ServerRequestContext[Any, Any], params: types.CallToolRequestParams) -> dict[str, Any]:
    text = (params.arguments or {})["message"]
    return {"content": [{"type": "text", "text": text}], "isError": False, "resultType": "complete"}


def _schema(_name: str) -> Mapping[str, Any]:
    return SCHEMA


async def _on_sdk(face: EchoFace) -> None:
    async with stdio_server() as (read, write):
        await face.server.run(read, write, face.initialization_options())


async def _on_ours(face: EchoFace) -> None:
    pipes = Pipes(os.dup(0), os.dup(1), 1, None)
    await serve_face(pipes, cast("McpFace", face))
    await pipes.wire.flush()


def main(transport: str, settings: str) -> None:
    """Serve until stdin ends.

    Args:
        transport: ``sdk`` or ``ours``.
        settings: ``stock`` or ``served``.
    """
    anyio.run(_on_sdk if transport == "sdk" else _on_ours, EchoFace(settings == "stock"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
