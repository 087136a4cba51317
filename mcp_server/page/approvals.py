"""What waits for an approval, with a diff of what changed since the last, and the button that approves just that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mcp_server.admin import plugins as api
from mcp_server.admin.desk import Desk
from mcp_server.admin.shapes import ApprovalState
from mcp_server.errors import InvalidArguments
from mcp_server.page.room import asking, form_in, go, room_of
from mcp_server.policy.scopes import ADMIN
from mcp_server.registry.record import PluginRecord
from mcp_server.tools.plugin_facts import approval_facts

__all__ = ["ROUTES", "Line", "waiting"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a diff: what it is about, and what was taken out or put in there.

    Attributes:
        sign: `-`, `+`, or nothing where it is no more than a statement.
    """

    sign: Literal["-", "+", ""]
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A plugin that waits.

    Attributes:
        plugin: Its id.
        version: That waits.
        serves: Whether an older one serves meanwhile.
        details: What is known of the approval.
        lines: The diff; for a plugin that was never approved, all that it asks for.
        tools: The names and descriptions that clients would be shown.
    """

    plugin: str
    version: str
    serves: bool
    details: ApprovalState
    lines: list[Line]
    tools: list[dict[str, Any]]


def waiting(desk: Desk) -> list[Waiting]:
    """Every plugin that waits for an approval."""
    return [found for record in desk.host.list_plugins() if (found := _waiting(record)) is not None]


def _waiting(record: PluginRecord) -> Waiting | None:
    verdict = record.approval
    if verdict is None or verdict.may_run or verdict.trouble is not None or verdict.facts is None:
        return None
    facts = verdict.facts
    details = ApprovalState.model_validate(approval_facts(record))
    lines = [line for text in verdict.changes for line in _lines(text)]
    if not lines:
        lines = [Line("+", "module", f"sha256 {facts.wasm}"), Line("+", "version", facts.version)]
        lines += [Line("+", kind, word) for kind in ("allow", "deny") for word in sorted(facts.grants[kind])]
    return Waiting(record.id, facts.version, record.serving, details, lines, facts.tools)


def _lines(change: str) -> list[Line]:
    """One difference, as :func:`~mcp_server.registry.facts.differences` says it, as lines of a diff."""
    about, colon, rest = change.partition(": ")
    if not colon:
        return [Line("", change, "")]
    if about in ("tool added", "tool removed"):
        return [Line("+" if about == "tool added" else "-", about, rest)]
    if about == "grants":
        return [Line("+" if rest[0] == "+" else "-", about, rest[2:])]
    before, arrow, after = rest.partition(" -> ")
    if not arrow or " -> " in after:  # a text of the plugin's with an arrow in it could be read in two ways
        return [Line("", about, rest)]
    return [Line("-", about, before), Line("+", about, after)]


async def _show(request: Request) -> Response:
    room, _ = room_of(request), asking(request, ADMIN)
    return room.pages.show(request, "approvals", here="approvals", found=waiting(room.desk))


async def _approve(request: Request) -> Response:
    room, me = room_of(request), asking(request, ADMIN)
    form = await form_in(request)
    if not form.get("plugin") or not form.get("seen"):
        raise InvalidArguments("the form does not say which version was seen", fix="load the approvals again")
    await api.approve_plugin(form["plugin"], room.desk, me, form["seen"])
    return go("/page/approvals", "approve")


ROUTES = (
    Route("/approvals", _show, methods=["GET"]),
    Route("/approvals", _approve, methods=["POST"]),
)
