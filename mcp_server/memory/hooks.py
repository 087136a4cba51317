"""What a hook is, and whose memories an operation is about: plain values.

What hooks are shown and may change is in :mod:`.answers`, when they run in :mod:`.hooked`; how a plugin is run, the
host knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from mcp_server.memory.bounds import UNBOUND, Bounds

__all__ = ["POINTS", "PRINCIPAL_SPACE", "AnswerRefused", "Hook", "Point", "Scope"]

PRINCIPAL_SPACE = "@principal"
"""The space of memories that are the principal's own and no plugin's; no plugin can have such an id."""

Point = Literal[
    "before_add",
    "after_add",
    "before_search",
    "after_search",
    "before_update",
    "after_update",
    "before_delete",
    "after_delete",
]
POINTS: tuple[Point, ...] = get_args(Point)


class AnswerRefused(ValueError):
    """A hook answered what it may not; the text completes "its answer …"."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One function of one plugin at one point.

    Attributes:
        order: Lower runs first; equal ones by plugin id.
        budget_ms: Milliseconds it may take.
        closed: Whether the operation fails when the hook does.
    """

    plugin: str
    point: Point
    function: str
    order: int
    budget_ms: int
    closed: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose memories an operation is about and what it is nested in; from the authenticated call alone.

    Attributes:
        principal: The caller.
        space: The plugin whose memories they are, or :data:`PRINCIPAL_SPACE`.
        session: The client's session.
        depth: How many tool or hook calls the operation is nested in.
        in_hook: Whether a hook asks; then no hooks run.
        bounds: The agent and the run whose memories it stays inside of.
    """

    principal: str
    space: str
    session: str = ""
    depth: int = 0
    in_hook: bool = False
    bounds: Bounds = UNBOUND
