"""What a store fails with; every database's own exceptions become one of these.

::

    StoreError                store_failed        the database said no for a reason that has no row of its own
    ├── StoreBusy             store_busy          another process writes; retry
    ├── StoreFull             store_full          no space left; reading works, writing heals with the space
    ├── StoreDamaged          store_damaged       the file is not what was written
    ├── StoreTooNew           store_too_new       a newer version of this program has migrated it
    ├── QuotaReached          limit_<name>        the principal's share for this plugin is used up
    ├── BudgetReached         limit_llm_<unit>    a day's budget of tokens or costs does not hold it
    ├── VersionConflict       version_conflict    ``if_version`` is not the version that is stored
    ├── MemoryNotFound        memory_not_found
    ├── ConfirmationNeeded    confirmation_needed how many memories would be deleted was not said
    └── CursorInvalid         cursor_invalid      not made here, or not for this caller
"""

from __future__ import annotations

from mcp_server.errors import AgentMemError
from mcp_server.exits import Exit

__all__ = [
    "BudgetReached",
    "ConfirmationNeeded",
    "CursorInvalid",
    "MemoryNotFound",
    "QuotaReached",
    "StoreBusy",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "StoreTooNew",
    "VersionConflict",
]


class StoreError(AgentMemError):
    """The store could not do what it was asked; nothing of it was done."""

    code = "store_failed"
    exit_code = Exit.UNREACHABLE


class StoreBusy(StoreError):
    """Another process held the write lock for as long as we wait."""

    code = "store_busy"


class StoreFull(StoreError):
    """The disk, or the size the store may have, is used up."""

    code = "store_full"


class StoreDamaged(StoreError):
    """The file is no database, or its pages contradict one another."""

    code = "store_damaged"


class StoreTooNew(StoreError):
    """The schema is of a later version; migrations only go forward."""

    code = "store_too_new"


class QuotaReached(StoreError):
    """A write would pass the share of one principal and plugin.

    Args:
        limit: The quota's name; the error code is ``limit_<name>``.
        allowed: The value in force.
        used: What the write would have led to.
    """

    code = "limit_exceeded"
    exit_code = Exit.TOOL_ERROR

    def __init__(self, limit: str, *, allowed: int, used: int, unit: str = "bytes") -> None:
        self.limit = limit
        super().__init__(
            f"this would take {used} {unit}, the quota is {allowed}",
            data={"limit": limit, "allowed": allowed, "used": used},
        )

    @property
    def error_code(self) -> str:
        return f"limit_{self.limit}"


class BudgetReached(StoreError):
    """What may be spent would pass the budget of a day.

    Args:
        of: Whose budget: ``plugin``, ``principal`` or ``server``.
        unit: ``tokens`` or ``cost``.
        allowed: The budget.
        needed: What was to be reserved.
    """

    code = "limit_exceeded"

    def __init__(self, of: str, unit: str, *, allowed: int, needed: int) -> None:
        self.of, self.unit, self.allowed, self.needed = of, unit, allowed, needed
        super().__init__(f"the day's budget of {allowed} for this {of} does not hold {needed} more ({unit})")

    @property
    def error_code(self) -> str:
        return f"limit_llm_{self.unit}"


class VersionConflict(StoreError):
    """A conditional write met another version than it asked for.

    Args:
        what: What is versioned, for the message.
        expected: The caller's ``if_version``.
        actual: The version that is stored; 0 when there is nothing.
    """

    code = "version_conflict"
    exit_code = Exit.TOOL_ERROR

    def __init__(self, what: str, *, expected: int, actual: int) -> None:
        found = f"is at version {actual}" if actual else "does not exist"
        super().__init__(
            f"{what} {found}, 'if_version' asked for {expected}; read it again",
            data={"expected": expected, "actual": actual},
        )


class MemoryNotFound(StoreError):
    """No memory of that id is in the caller's scope."""

    code = "memory_not_found"
    exit_code = Exit.TOOL_ERROR

    def __init__(self, identifier: str) -> None:
        super().__init__(f"there is no memory '{identifier:.64}'", data={"id": identifier[:64]})


class ConfirmationNeeded(StoreError):
    """Many memories would be deleted, and nobody said so twice."""

    code = "confirmation_needed"
    exit_code = Exit.TOOL_ERROR

    def __init__(self, count: int) -> None:
        super().__init__(f"this deletes {count} memories; repeat it with 'confirm': {count}", data={"count": count})


class CursorInvalid(StoreError):
    """A cursor was altered, or belongs to another caller, plugin or listing."""

    code = "cursor_invalid"
    exit_code = Exit.TOOL_ERROR

    def __init__(self) -> None:
        super().__init__("'cursor' must be the one this listing gave last, unchanged")
