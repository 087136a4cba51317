"""``/events``: what happens in the server, as server-sent events, while the client listens."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mcp_server.admin.access import Admin
from mcp_server.admin.bodies import StrictRoute
from mcp_server.admin.desk import AtDesk, Desk
from mcp_server.telemetry.calls import CallRecord
from mcp_server.telemetry.events import Event, Hub
from mcp_server.transport.http.streams import Streams

__all__ = ["event_facts", "event_stream", "router"]

router = APIRouter(tags=["events"], route_class=StrictRoute)
PING_SECONDS = 15
Shown = Callable[[Event], dict[str, Any]]


class _Told(Response):
    """A stream of the site's, which ends with the client's token and with the server."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, streams: Streams, after: int | None, shown: Shown, status_code: int = 200) -> None:
        super().__init__(status_code=status_code)
        self._hub, self._streams, self._after, self._shown = hub, streams, after, shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = EventSourceResponse(_lines(self._hub, self._after, self._shown), ping=PING_SECONDS)
        await self._streams.serve(told, scope, receive, send)


@router.get("/events", response_class=_Told)
async def follow_events(
    desk: AtDesk,
    admin: Admin,
    last_event_id: Annotated[
        int | None, Header(ge=0, description="Go on after this one, where it is still known.")
    ] = None,
) -> Response:
    """Follow what happens: `lifecycle`, `call`, `denied`, `log`, and `lost` with how many a slow client missed."""
    del admin
    return event_stream(desk, last_event_id)


def event_facts(event: Event) -> dict[str, Any]:
    """An event as JSON."""
    about: dict[str, Any] = asdict(event.about) if isinstance(event.about, CallRecord) else event.about
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds")
    return {**about, "at": at}


def event_stream(desk: Desk, after: int | None, shown: Shown = event_facts) -> Response:
    """The stream of events, from that after number ``after``, each as ``shown`` makes it."""
    if desk.streams is None:
        raise RuntimeError("the API stands in no site")
    return _Told(desk.happenings.hub, desk.streams, after, shown)


async def _lines(hub: Hub, after: int | None, shown: Shown) -> AsyncGenerator[ServerSentEvent]:
    with hub.listening(after) as line:
        last = str(max((event.number for event in hub.kept()), default=0)) if after is None else None
        yield ServerSentEvent(comment="listening", id=last)  # who is cut off before an event comes can come back
        async for event in line.events:
            lost = line.lost()
            if lost:
                yield ServerSentEvent(json.dumps({"events": lost}), event="lost")
            yield ServerSentEvent(json.dumps(shown(event), ensure_ascii=False), event=event.kind, id=str(event.number))
