"""``/metrics``: the figures of :mod:`.gauges` for Prometheus, for who may manage plugins. What they are is not here."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from mcp_server.policy.scopes import ADMIN, unmet
from mcp_server.transport.http.challenge import Challenge
from mcp_server.transport.http.figures import CommonFigures
from mcp_server.transport.http.gauges import Gauges
from mcp_server.transport.http.reading import ReadRoute
from mcp_server.transport.http.site import Annex
from mcp_server.transport.identity import identity_in

__all__ = ["METRICS_PATH", "metrics_annex"]

METRICS_PATH = "/metrics"
_NEED = ((ADMIN,),)


def metrics_annex(gauges: Gauges, challenge: Challenge, common: CommonFigures | None = None) -> Annex:
    """The route.

    Args:
        gauges: Of the server.
        challenge: The answer to a token without the scope.
        common: Where the server is several processes, the figures of all.
    """

    async def metrics(request: Request) -> Response:
        missing = unmet(identity_in(request.scope).scopes, _NEED)
        if missing:
            return challenge.insufficient(missing)
        # The library is loaded when somebody looks: most servers are never asked.
        from mcp_server.telemetry.metrics.exposition import exposition  # noqa: PLC0415

        figures = await gauges.read()
        if common is not None:
            figures = await common.join(figures)
        page, media = exposition(figures, request.headers.get("accept", ""), process=common is None)
        return Response(page, headers={"content-type": media, "cache-control": "no-store"})

    return Annex([ReadRoute(METRICS_PATH, metrics)])
