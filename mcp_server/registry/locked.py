"""What ``serve --locked`` asks of a registry before anything is served."""

from __future__ import annotations

from collections.abc import Iterable

from mcp_server.errors import AgentMemError, ApprovalPending, LockDamaged
from mcp_server.registry.errors import PluginDisabled
from mcp_server.registry.record import PluginRecord

__all__ = ["require_approved"]


def require_approved(records: Iterable[PluginRecord]) -> None:
    """Refuse to go on when any plugin is not exactly what was approved, broken ones included.

    Raises:
        ApprovalPending: Names each, and why.
        LockDamaged: Nobody can tell.
    """
    held: dict[str, AgentMemError] = {}
    for record in records:
        if isinstance(record.error, PluginDisabled):
            continue  # nothing of it runs
        if record.error is not None or record.approval is None or record.approval.standing != "approved":
            held[record.id] = record.error or ApprovalPending(f"plugin '{record.id}' was never approved")
    if not held:
        return
    for error in held.values():
        if isinstance(error, LockDamaged):
            raise error
    fixes = dict.fromkeys(error.fix for error in held.values() if error.fix)
    raise ApprovalPending(
        f"--locked: nothing was started, for these plugins are not what was approved: {', '.join(held)}: "
        + "; ".join(error.message for error in held.values()),
        fix="\n       ".join(fixes),
        data={"plugins": sorted(held)},
    )
