"""Which requests need nothing but their result, and the making of it; how they came is not known here."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from pydantic_core import to_json

from mcp_server.policy.scopes import TOOLS_LIST, unmet
from mcp_server.tools.catalog import Catalog, Tool
from mcp_server.tools.invoke import Caller, Invoker
from mcp_server.transport.face import Face, may_ask
from mcp_server.transport.identity import Identity, bounds_of
from mcp_server.transport.lane.message import Request
from mcp_server.transport.lane.terms import CALL, Terms, is_modern
from mcp_server.transport.needs import tool_need

__all__ = ["PlainRequests"]

PATIENCE_MS = 15_000
"""After which the SDK makes an event stream of an answer over HTTP that is not there yet (``mcp`` 2.3.0)."""
HEADER = b"x-mcp-header"
STAGES = 3
"""Waits that may each last as long as a call: for a place of the caller's, for one of the plugin's, and the call."""


class PlainRequests:
    """Those of one face.

    Args:
        face: What is served.
        invoker: Calls its tools.
        terms: On which they are answered.
    """

    def __init__(self, face: Face, invoker: Invoker, terms: Terms) -> None:
        self._face, self._invoker, self.terms = face, invoker, terms
        self._catalog: Catalog | None = None
        self._open: dict[tuple[str, bool], bool] = {}

    def asked(self, request: Request, identity: Identity, version: str) -> Tool | bytes | None:
        """What needs nothing but its result: a tool to call, or the JSON of a result that is there already.

        That is the first page of ``tools/list``, ``server/discover``, or ``ping``. None for every other request.
        """
        if request.method == CALL:
            return self._tool(request, identity, modern=is_modern(version))
        return self._known(request, identity, version)

    def _tool(self, request: Request, identity: Identity, *, modern: bool) -> Tool | None:
        params = request.params
        name, arguments = params.get("name"), params.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, dict):
            return None
        if not params.keys() <= {"name", "arguments", "_meta"}:
            return None
        tool = self._face.catalog(identity).tools.get(name)
        if tool is None or not self._is_open(tool, modern=modern):
            return None
        return None if identity.scopes is not None and unmet(identity.scopes, tool_need(tool)) else tool

    def call(
        self, request: Request, tool: Tool, identity: Identity, session: str, version: str
    ) -> Coroutine[Any, Any, dict[str, Any]]:
        """The result of a call on the wire; errors of the call are results, too."""
        caller = Caller(identity.principal, session=session, bounds=bounds_of(request.params.get("_meta")))
        call = self._invoker.run(tool, request.params.get("arguments", {}), caller)
        return self._face.answered(call, tool.name, tool, request.id, legacy=not is_modern(version))

    def _known(self, request: Request, identity: Identity, version: str) -> bytes | None:
        if not request.params.keys() <= {"_meta"}:
            return None
        match request.method, is_modern(version):
            case "tools/list", _:
                may_see = identity.scopes is None or not unmet(identity.scopes, ((TOOLS_LIST,),))
                return self._listed(identity, version) if may_see else None
            case "server/discover", True:
                return self.terms.discovered(version)
            case "ping", False:
                return b"{}"
            case _:
                return None

    def _listed(self, identity: Identity, version: str) -> bytes | None:
        shown = self._face.tools_shown(identity)
        entries = shown.modern if is_modern(version) else shown.legacy
        return self.terms.listed(shown, version, entries)

    def _is_open(self, tool: Tool, *, modern: bool) -> bool:
        """Whether calls of ``tool`` are answered with one body, and read from the body alone.

        In 2026-07-28 the lines of a plugin's log are for those who ask for them in ``_meta``, and these are not here.
        """
        catalog = self._face.catalog_of_all()
        if catalog is not self._catalog:
            self._catalog, self._open = catalog, {}
        found = self._open.get((tool.name, modern))
        if found is None:
            found = self._open[tool.name, modern] = (
                not (may_ask(tool) if modern else self._face.may_speak(tool.name))
                and STAGES * tool.limits.execution_time <= PATIENCE_MS
                and not _sets_headers(tool)
            )
        return found


def _sets_headers(tool: Tool) -> bool:
    """Whether parts of the arguments are repeated in headers, where the SDK compares them."""
    if HEADER not in to_json(tool.input.source).lower():
        return False
    from mcp.shared.inbound import find_invalid_x_mcp_header, x_mcp_header_map  # noqa: PLC0415  # loads the SDK

    return find_invalid_x_mcp_header(tool.input.source) is not None or bool(x_mcp_header_map(tool.input.source))
