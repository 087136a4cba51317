"""What has just happened, newest first, and the stream that a script adds new lines from: one form for both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mcp_server.admin.events import event_facts, event_stream
from mcp_server.page.room import asking, room_of
from mcp_server.policy.scopes import ADMIN
from mcp_server.telemetry.events import Event

__all__ = ["ROUTES"]

_BAD = ("error", "critical", "alert", "emergency")


async def _show(request: Request) -> Response:
    room, _ = room_of(request), asking(request, ADMIN)
    kept = room.desk.happenings.hub.kept()
    last = kept[-1].number if kept else 0
    lines = [{"kind": event.kind, **_line(event)} for event in reversed(kept)]
    return room.pages.show(request, "log", here="log", lines=lines, last=last, audited=room.desk.host.audit is not None)


async def _follow(request: Request) -> Response:
    """The stream; a browser that was cut off says itself what it had last."""
    room, _ = room_of(request), asking(request, ADMIN)
    had = request.headers.get("last-event-id") or request.query_params.get("after", "")
    after = int(had) if had.isascii() and had.isdigit() and len(had) < 16 else None
    return event_stream(room.desk, after, _line)


def _line(event: Event) -> dict[str, Any]:
    """An event as the columns of the log, all text."""
    facts = event_facts(event)
    what, outcome, bad = _told(event.kind, facts)
    return {"at": str(facts["at"])[11:23], "plugin": str(facts["plugin"]), "what": what, "outcome": outcome, "bad": bad}


def _told(kind: str, facts: Mapping[str, Any]) -> tuple[str, str, bool]:
    """What happened, how it ended, and whether that is bad."""
    match kind:
        case "call":
            took = f"{facts['tool']} for {facts['principal']} in {facts['total_ns'] / 1e6:.1f} ms"
            return took, facts["outcome"], facts["outcome"] != "ok"
        case "denied":
            return f"{facts['function']} {facts['target']}".strip(), facts["code"], True
        case "log":
            return f"{facts['message']} {facts['fields']}".rstrip(), facts["level"], facts["level"] in _BAD
        case _:
            return f"is {facts['state']}", facts["code"], bool(facts["code"])


ROUTES = (
    Route("/log", _show, methods=["GET"]),
    Route("/log/events", _follow, methods=["GET"]),
)
