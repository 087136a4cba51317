"""What was found out about one thing: in order, worth a look, or wrong, and then what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from mcp_server.errors import AgentMemError

__all__ = ["Finding", "fine", "look", "wrong", "wrong_by"]

Status = Literal["ok", "look", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        check: What kind of thing it is about.
        status: Whether it is in order; ``look`` may be as it should be, and the reader knows.
        what: What was found, with values.
        fix: The next step; never empty where something is wrong.
    """

    check: str
    status: Status
    what: str
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        """``{check, status, what, fix}``."""
        return asdict(self)


def fine(check: str, what: str) -> Finding:
    """In order."""
    return Finding(check, "ok", what)


def look(check: str, what: str, fix: str = "") -> Finding:
    """Worth a look."""
    return Finding(check, "look", what, fix)


def wrong(check: str, what: str, fix: str) -> Finding:
    """Not in order."""
    return Finding(check, "wrong", what, fix)


def wrong_by(check: str, error: AgentMemError, fix: str) -> Finding:
    """Not in order, as ``error`` says; ``fix`` is for an error that has none."""
    return wrong(check, f"[{error.error_code}] {error.message}", error.fix or fix)
