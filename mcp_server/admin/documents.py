"""``/openapi.json`` and ``/docs``: the API described from its own models, and a page that shows it.

The page is one file, with Swagger UI in it: a browser sends no token with what a page asks for, so it asks for nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse, JSONResponse, Response

from mcp_server.admin.access import Anyone
from mcp_server.admin.beside import paths_beside
from mcp_server.admin.failures import Problem

__all__ = ["describe", "router"]

router = APIRouter(tags=["documents"])

_START = """
const said = JSON.parse(document.getElementById("openapi").textContent);
SwaggerUIBundle({spec: said, dom_id: "#api", deepLinking: false, validatorUrl: null});
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>agentmem-mcp management API</title>
<style>{style}</style></head>
<body><main id="api"></main><script type="application/json" id="openapi">{said}</script>
<script>{library}</script><script>{start}</script></body></html>
"""


@router.get("/openapi.json", response_class=JSONResponse)
async def openapi_document(request: Request, caller: Anyone) -> Response:
    """The OpenAPI document of this API."""
    del caller
    return JSONResponse(request.app.openapi())


@router.get("/docs", response_class=HTMLResponse)
async def documentation(request: Request, caller: Anyone) -> Response:
    """A page that shows the OpenAPI document."""
    del caller
    style, library = _files()
    said = json.dumps(request.app.openapi(), ensure_ascii=False).replace("<", "\\u003c")
    page = _PAGE.format(style=style, said=said, library=library, start=_START)
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in (library, _START))
    policy = f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; connect-src 'self'"
    return HTMLResponse(page, headers={"content-security-policy": f"{policy}; frame-ancestors 'none'; base-uri 'none'"})


def describe(app: FastAPI) -> dict[str, Any]:
    """The document of ``app``; made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            servers=app.servers,
        )
        document["paths"] |= paths_beside()
        document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        app.openapi_schema = document
    return app.openapi_schema


@cache
def _files() -> tuple[str, str]:
    """The style and the script of Swagger UI, as a package brings them."""
    found = find_spec("fastapi_offline")
    if found is None or found.origin is None:
        raise RuntimeError("the package fastapi-offline is not installed")
    folder = Path(found.origin).parent / "static"
    style = (folder / "swagger-ui.css").read_text(encoding="utf-8").replace("</style", "<\\/style")
    library = (folder / "swagger-ui-bundle.js").read_text(encoding="utf-8").replace("</script", "<\\/script")
    return style, library


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
