"""The management API as one application, and as an annex of the site. Its routes are in the modules of their nouns."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI
from starlette.routing import Mount

from mcp_server import __version__
from mcp_server.admin import audit, calls, documents, events, logs, memories, plugins, rights, tools, uploads
from mcp_server.admin.desk import Desk
from mcp_server.admin.failures import PROBLEMS, answer_failures
from mcp_server.admin.uploads import UPLOAD_TYPES
from mcp_server.transport.http.bodies import BodyRule
from mcp_server.transport.http.site import Annex

__all__ = ["API_PATH", "management", "management_api"]

API_PATH = "/api/v1"
MIB = 1024 * 1024


def management(desk: Desk) -> Annex:
    """The routes, to be hung into a site."""
    http = desk.host.settings.http
    rule = BodyRule(http.max_upload_mb * MIB, UPLOAD_TYPES, http.upload_seconds)
    return Annex(routes=[Mount(API_PATH, management_api(desk))], bodies={f"{API_PATH}/plugins": rule}, joined=desk.join)


def management_api(desk: Desk) -> FastAPI:
    """The application; it trusts that a guard before it has established who calls."""
    app = FastAPI(
        title="agentmem-mcp",
        version=__version__,
        description="Manage plugins, rights and memories of one server. See docs/api.md.",
        servers=[{"url": API_PATH}],
        root_path_in_servers=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=PROBLEMS,
    )
    app.state.desk = desk
    app.openapi = partial(documents.describe, app)
    answer_failures(app)
    for noun in (uploads, plugins, logs, rights, calls, tools, memories, audit, events, documents):
        app.include_router(noun.router)
    return app
