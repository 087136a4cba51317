"""The agent and the run that a call is for, said by the client beside the call: what they keep an operation inside of.

They narrow what a principal has, they open nothing. What a request names itself are labels; these two bind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from mcp_server.memory.errors import InvalidRequest

if TYPE_CHECKING:
    from mcp_server.backends.values import MemoryRecord
    from mcp_server.memory.requests import AddMemory, ListMemories, SearchMemories, UpdateMemory

__all__ = ["UNBOUND", "Bounds", "checked_label"]

R = TypeVar("R", bound="AddMemory | ListMemories | SearchMemories")
_LONGEST = 128


class Bounds(NamedTuple):
    """The only agent and the only run whose memories a call reaches; None for all."""

    agent_id: str | None = None
    run_id: str | None = None

    def narrowed(self, request: R) -> R:
        """``request`` about memories inside alone.

        Raises:
            InvalidRequest: It names another agent or run.
        """
        said = {name: value for name, value in self._asdict().items() if value is not None}
        for name, value in said.items():
            asked = getattr(request, name)
            if asked not in (None, value):
                raise _elsewhere(name, value, asked)
        return request.model_copy(update=said) if said else request

    def check(self, changes: UpdateMemory) -> None:
        """Let a memory be moved neither out nor elsewhere.

        Raises:
            InvalidRequest: The update names another agent or run, or none.
        """
        for name, value in self._asdict().items():
            asked = getattr(changes, name)
            if value is not None and name in changes.model_fields_set and asked != value:
                raise _elsewhere(name, value, asked)

    def hold(self, record: MemoryRecord) -> bool:
        """Whether ``record`` lies inside."""
        return self.agent_id in (None, record.agent_id) and self.run_id in (None, record.run_id)


UNBOUND = Bounds()
"""Reaches all that the principal has."""


def checked_label(value: object) -> str:
    """``value``, fit to be an agent or a run.

    Raises:
        ValueError: It is not 1 to 128 printable characters.
    """
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not value.isprintable():
        raise ValueError(f"must be 1 to {_LONGEST} printable characters")
    return value


def _elsewhere(name: str, value: str, asked: str | None) -> InvalidRequest:
    return InvalidRequest(
        f"{name}: the call is for '{value}', so it cannot be {'null' if asked is None else repr(asked)}"
    )
