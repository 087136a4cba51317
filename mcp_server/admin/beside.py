"""The routes beside the API that tell of the server, for its document: health, readiness and figures.

They are the site's, of which the document's library knows nothing; a test holds what is said here against what they do.
"""

from __future__ import annotations

from typing import Any

from mcp_server.admin.failures import PROBLEMS
from mcp_server.policy.scopes import ADMIN
from mcp_server.transport.http.health import HEALTH, READY
from mcp_server.transport.http.metrics import METRICS_PATH

__all__ = ["paths_beside"]

_OPEN: list[dict[str, list[str]]] = []
_ANY_TOKEN: list[dict[str, list[str]]] = [{"bearer": []}]
_ADMIN: list[dict[str, list[str]]] = [{"bearer": [ADMIN]}]


def paths_beside() -> dict[str, Any]:
    """Path items of OpenAPI; their server is the root, not the API's."""
    ready = {
        "200": _json("It takes new work.", "ready"),
        "503": _json("It is ending: what is under way is finished, and nothing new is taken.", "ending"),
    }
    text = {"schema": {"type": "string"}}
    texts = {"text/plain": text, "application/openmetrics-text": text}
    figures = {"200": {"description": "In the format of Prometheus, or of OpenMetrics when asked.", "content": texts}}
    return {
        HEALTH: _read("health", "Say that the process lives.", {"200": _json("It lives.", "ok")}, _OPEN),
        READY: _read("ready", "Say whether the server takes new work.", ready, _ANY_TOKEN),
        METRICS_PATH: _read("metrics", "Show the figures of the server, of all its processes.", figures, _ADMIN),
    }


def _read(name: str, what: str, answers: dict[str, Any], security: list[dict[str, list[str]]]) -> dict[str, Any]:
    operation = {
        "tags": ["server"],
        "summary": name.capitalize(),
        "description": f"{what} Beside the API: its path begins at the root.",
        "operationId": f"{name}_beside",
        "servers": [{"url": "/"}],
        "security": security,
        "responses": {**answers, **{str(status): told for status, told in PROBLEMS.items()}},
    }
    return {"get": operation}


def _json(what: str, word: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"status": {"type": "string", "const": word}}, "required": ["status"]}
    return {"description": what, "content": {"application/json": {"schema": schema}}}
