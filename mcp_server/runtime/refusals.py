"""Tells the operator of refused host calls, with the fix that guests and models do not see. Decides nothing.

A guest can be refused a thousand times a call, each time with other words, so a fix is told once per call that met it
first, and a call is told of a few times at most.
"""

from __future__ import annotations

import logging

from mcp_server.capabilities.base import CallContext, HostRefusal

__all__ = ["RefusalLog"]

logger = logging.getLogger(__name__)

MOST_PER_CALL = 5
MOST_REMEMBERED = 1_024


class RefusalLog:
    """One line per refusal that an operator can do something about."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], None] = {}

    def tell(self, context: CallContext, name: str, refusal: HostRefusal) -> None:
        """Log ``refusal`` of host function ``name``, unless its fix was logged for this plugin before."""
        key = (context.plugin, refusal.fix)
        if not refusal.fix or key in self._told or context.usage.refusals_told >= MOST_PER_CALL:
            return
        context.usage.refusals_told += 1
        if len(self._told) >= MOST_REMEMBERED:
            self._told.pop(next(iter(self._told)))
        self._told[key] = None
        logger.warning(
            "plugin %s, call %s: %s: [%s] %s; fix: %s",
            context.plugin,
            context.call_id,
            name,
            refusal.code,
            refusal.message,
            refusal.fix,
        )
