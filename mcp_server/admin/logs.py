"""``/plugins/{id}/logs``: the newest lines that a plugin logged. What it logs from now on is told by ``/events``."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import Field

from mcp_server.admin.access import Admin
from mcp_server.admin.bodies import StrictRoute
from mcp_server.admin.desk import AtDesk
from mcp_server.admin.shapes import Known, Shape
from mcp_server.telemetry.plugin_log import FOLDER, last_lines

__all__ = ["router"]

router = APIRouter(tags=["plugins"], route_class=StrictRoute)


class Lines(Shape):
    """Lines, the oldest first."""

    lines: list[dict[str, Any]] = Field(description="`time`, `level`, `message`, and fields as `plugin.<name>`.")
    event: int = Field(description="Number of the last event before: `/events` goes on after it.")


@router.get("/plugins/{plugin}/logs")
async def show_logs(
    plugin: Known, desk: AtDesk, admin: Admin, limit: Annotated[int, Query(ge=1, le=100_000)] = 50
) -> Lines:
    """Show the newest lines that a plugin logged, in any server of this user; also of one that is gone."""
    del admin
    last = max((event.number for event in desk.happenings.hub.kept()), default=0)
    read = partial(last_lines, desk.state / FOLDER, plugin, limit)
    return Lines(lines=await anyio.to_thread.run_sync(read), event=last)
