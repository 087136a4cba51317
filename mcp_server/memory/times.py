"""Times: microseconds inside, RFC 3339 in UTC outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["from_text", "to_text"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_text(at: int) -> str:
    """``2026-11-23T09:00:00.000000Z``; always as long, so that it sorts as text too."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_text(text: str) -> int:
    """Microseconds since 1970; a time without a zone is UTC.

    Raises:
        ValueError: It is no time between 1970 and 9999.
    """
    at = datetime.fromisoformat(text)
    microseconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
    if microseconds < 0:
        raise ValueError(f"{text} is before 1970")
    return microseconds
