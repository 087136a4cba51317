"""``/audit``: the newest rows of the audit log. Whether the chain holds is for ``audit verify``, beside the file."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query

from mcp_server.admin.access import Admin
from mcp_server.admin.bodies import StrictRoute
from mcp_server.admin.desk import AtDesk
from mcp_server.admin.shapes import Shape
from mcp_server.telemetry.audit_check import newest_rows

__all__ = ["router"]

router = APIRouter(tags=["audit"], route_class=StrictRoute)


class Rows(Shape):
    """Rows, the oldest first."""

    rows: list[dict[str, Any]]


@router.get("/audit")
async def show_audit(
    desk: AtDesk,
    admin: Admin,
    plugin: Annotated[str | None, Query(max_length=128)] = None,
    since: Annotated[datetime | None, Query(description="RFC 3339; without a zone it is UTC.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Rows:
    """Show the newest rows of the audit log."""
    del admin
    start = since.replace(tzinfo=since.tzinfo or UTC) if since is not None else None
    read = partial(newest_rows, desk.state / "audit", limit, plugin, start)
    return Rows(rows=await anyio.to_thread.run_sync(read))
