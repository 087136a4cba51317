"""Every failure of the management API as one shape, RFC 9457 with our stable codes; and the status of each code."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mcp_server.admin.access import Insufficient
from mcp_server.errors import AgentMemError, CallError
from mcp_server.policy.scopes import ADMIN
from mcp_server.transport.http.bodies import BodyRefused
from mcp_server.transport.http.problem import problem
from mcp_server.transport.identity import Identity, identity_in

__all__ = ["PROBLEMS", "Problem", "answer_failures", "failure"]

logger = logging.getLogger(__name__)

_STATUS: dict[str, int] = {
    **dict.fromkeys(("plugin_not_found", "tool_not_found", "memory_not_found", "function_missing"), 404),
    **dict.fromkeys(("capability_denied", "consent_denied", "consent_needed", "hook_vetoed"), 403),
    **dict.fromkeys(
        ("lifecycle_invalid", "name_collision", "version_conflict", "approval_pending", "not_installed"), 409
    ),
    **dict.fromkeys(("plugin_disabled", "rollback_refused", "requirement_conflict"), 409),
    "signature_invalid": 403,
    **dict.fromkeys(("invalid_arguments", "invalid_request", "cursor_invalid", "settings_invalid"), 422),
    **dict.fromkeys(("manifest_invalid", "module_invalid", "bundle_invalid", "config_invalid"), 422),
    **dict.fromkeys(("integrity_failed", "embeddings_not_configured", "limit_memory_bytes"), 422),
    **dict.fromkeys(("limit_input_bytes", "limit_json_depth", "limit_module_bytes"), 422),
    **dict.fromkeys(("limit_functions", "limit_table_elements", "limit_memory"), 422),
    "busy": 429,
    **dict.fromkeys(("plugin_unavailable", "store_busy", "embeddings_unavailable", "lock_damaged"), 503),
    "limit_execution_time": 504,
    **dict.fromkeys(("install_failed", "store_full"), 507),
}
"""By code. What else a call fails with is 502, for the plugin is behind us; and what is left is 500."""
_OWN = frozenset({"type", "title", "status", "code", "detail", "message"})


class Problem(BaseModel):
    """Why a request was not answered with what it asked for (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str = Field(description="Stable: one of docs/errors.md, or of the guards in docs/http.md.")
    detail: str
    fix: str | None = Field(default=None, description="The operator's next step; for callers who may manage plugins.")


_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "It was refused.", "content": _CONTENT},
    "5XX": {"description": "It failed.", "content": _CONTENT},
}
"""For the document, of every route."""


def answer_failures(app: Starlette) -> None:
    """Give ``app`` the handlers."""
    handlers: dict[type[Exception], Any] = {
        AgentMemError: _failed,
        Insufficient: _insufficient,
        BodyRefused: _body_refused,
        RequestValidationError: _not_valid,
        HTTPException: _http,
        Exception: _unforeseen,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _failed(request: Request, error: AgentMemError) -> Response:
    return failure(identity_in(request.scope), error)


def failure(identity: Identity, error: AgentMemError) -> Response:
    """What ``identity`` is told of an error."""
    status = _STATUS.get(error.error_code, 502 if isinstance(error, CallError) else 500)
    more = {key: value for key, value in error.as_dict().items() if key not in _OWN}
    if error.fix and (identity.scopes is None or ADMIN in identity.scopes):
        more["fix"] = error.fix
    headers = {"retry-after": "1"} if status in (429, 503) else {}
    return problem(status, error.error_code, error.message, headers, more)


async def _insufficient(request: Request, error: Insufficient) -> Response:
    return request.app.state.desk.challenge.insufficient(error.scopes)


async def _body_refused(request: Request, error: BodyRefused) -> Response:
    del request
    return error.response


async def _not_valid(request: Request, error: RequestValidationError) -> Response:
    del request
    problems = [f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors()]
    return problem(422, "invalid_arguments", "; ".join(problems), more={"problems": problems})


async def _http(request: Request, error: HTTPException) -> Response:
    if isinstance(error.__cause__, BodyRefused):  # a library's "cannot be read" hides why
        return await _body_refused(request, error.__cause__)
    words = {404: "not_found", 405: "method_not_allowed", 400: "invalid_body"}
    detail = "there is nothing at this path" if error.status_code == 404 else str(error.detail)
    return problem(error.status_code, words.get(error.status_code, "refused"), detail, error.headers)


async def _unforeseen(request: Request, error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, AgentMemError.code, "the server failed; its log says how")
