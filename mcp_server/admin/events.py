"""``/events``: what happens in the server, as server-sent events, while the client listens."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mcp_server.admin.access import Admin
from mcp_server.admin.bodies import StrictRoute
from mcp_server.admin.desk import AtDesk
from mcp_server.telemetry.calls import CallRecord
from mcp_server.telemetry.events import Event, Hub
from mcp_server.transport.http.streams import Streams

__all__ = ["router"]

router = APIRouter(tags=["events"], route_class=StrictRoute)
PING_SECONDS = 15


class _Told(Response):
    """A stream of the site's, which ends with the client's token and with the server."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, streams: Streams, after: int | None, status_code: int = 200) -> None:
        super().__init__(status_code=status_code)
        self._hub, self._streams, self._after = hub, streams, after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = EventSourceResponse(_lines(self._hub, self._after), ping=PING_SECONDS)
        await self._streams.serve(told, scope, receive, send)


@router.get("/events", response_class=_Told)
async def follow_events(
    desk: AtDesk,
    admin: Admin,
    last_event_id: Annotated[
        int | None, Header(ge=0, description="Go on after this one, where it is still known.")
    ] = None,
) -> Response:
    """Follow what happens: `lifecycle`, `call`, `denied`, and `lost` with a count when the client was too slow."""
    del admin
    if desk.streams is None:
        raise RuntimeError("the API stands in no site")
    return _Told(desk.happenings.hub, desk.streams, last_event_id)


async def _lines(hub: Hub, after: int | None) -> AsyncGenerator[ServerSentEvent]:
    with hub.listening(after) as line:
        yield ServerSentEvent(comment="listening")
        async for event in line.events:
            lost = line.lost()
            if lost:
                yield ServerSentEvent(json.dumps({"events": lost}), event="lost")
            yield ServerSentEvent(_shown(event), event=event.kind, id=str(event.number))


def _shown(event: Event) -> str:
    about: dict[str, Any] = asdict(event.about) if isinstance(event.about, CallRecord) else event.about
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds")
    return json.dumps({**about, "at": at}, ensure_ascii=False)
