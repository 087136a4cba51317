"""The MCP SDK's server with one trivial tool, over HTTP as the SDK and uvicorn come. Started by ``over_http.py``."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from benchmarks.echo_server import EchoFace

__all__ = ["main"]


class _Endpoint:
    def __init__(self, manager: StreamableHTTPSessionManager) -> None:
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._manager.handle_request(scope, receive, send)


def main(port: int) -> None:
    """Serve at ``/mcp`` on ``port`` of loopback until SIGTERM."""
    manager = StreamableHTTPSessionManager(EchoFace(stock=True).server)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with manager.run():
            yield

    app = Starlette(routes=[Route("/mcp", _Endpoint(manager))], lifespan=lifespan)
    uvicorn.run(app, port=port, http="h11", log_level="error", access_log=False, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
