"""``/health`` and ``/ready``: whether the process lives, and whether it takes new work. Nothing else is told there."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mcp_server.transport.http.admission import Readiness
from mcp_server.transport.http.reading import ReadRoute

__all__ = ["HEALTH", "READY", "health_routes"]

HEALTH, READY = "/health", "/ready"


def health_routes(readiness: Readiness) -> list[ReadRoute]:
    """Both routes."""

    async def health(request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})

    async def ready(request: Request) -> Response:
        del request
        status, word = (200, "ready") if readiness.ready else (503, "ending")
        return JSONResponse({"status": word}, status, headers={"cache-control": "no-store"})

    return [ReadRoute(HEALTH, health), ReadRoute(READY, ready)]
