"""The contracts every store keeps; ``tests/backends/test_contract.py`` runs on each of them.

``principal`` and ``plugin`` come first in every method: they are columns of every key and every WHERE, and come from
the authenticated context. Every method is one transaction: done as a whole, or a :class:`StoreError` and not at all.
Methods block, so they are called through the store's :class:`Caller` where an event loop must not wait.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from mcp_server.backends.conditions import Condition
from mcp_server.backends.values import (
    Added,
    Budget,
    Candidate,
    Change,
    Entry,
    MemoryChanges,
    MemoryRecord,
    MemoryStats,
    Neighbour,
    NewMemory,
    NewVector,
    Spending,
    Stored,
    StoreFigures,
    Vocabulary,
)

__all__ = ["BudgetStore", "Caller", "KeyValueStore", "MemoryStore", "Position", "Store"]

T = TypeVar("T")
Position = tuple[int, str]
"""Where a page of memories ended: ``created_at`` and id."""


class Caller(Protocol):
    """Calls a store from an event loop, in the way that suits the store."""

    @property
    def reads_here(self) -> bool:
        """Whether a small read never waits and may be called on the event loop as it is."""
        ...

    def soon(self, work: Callable[[], T]) -> Awaitable[T]:
        """For what takes microseconds: on this thread where the store allows it and nobody has to wait."""
        ...

    def away(self, work: Callable[[], T]) -> Awaitable[T]:
        """For what may take milliseconds: on another thread."""
        ...


class KeyValueStore(Protocol):
    """Values under keys, per principal and plugin. A version only rises, also over a delete: it never comes twice."""

    def load(self, principal: str, plugin: str, key: str) -> Stored | None:
        """The value under ``key``, or None where there is none or it has expired."""
        ...

    def store(
        self,
        principal: str,
        plugin: str,
        key: str,
        value: bytes,
        *,
        quota: int,
        expires_at: int | None = None,
        if_version: int | None = None,
    ) -> int:
        """Write and give the new version; ``if_version`` 0 asks that there is nothing yet.

        Raises:
            VersionConflict: Another version is stored.
            QuotaReached: ``kv_bytes``; keys and values of this principal and plugin would pass ``quota`` bytes.
        """
        ...

    def delete(self, principal: str, plugin: str, key: str, *, if_version: int | None = None) -> bool:
        """Whether there was something to delete.

        Raises:
            VersionConflict: Another version is stored.
        """
        ...

    def list(self, principal: str, plugin: str, *, prefix: str, after: str, limit: int) -> Sequence[Entry]:
        """Entries whose key begins with ``prefix`` and comes after ``after``, ordered by code points."""
        ...

    def used(self, principal: str, plugin: str) -> int:
        """Bytes the quota counts."""
        ...


class MemoryStore(Protocol):
    """Memories, per principal and plugin. ``now`` hides what has expired; 0 shows it."""

    def add(self, principal: str, plugin: str, memories: Sequence[NewMemory], *, quota: int) -> Sequence[Added]:
        """Store all of them; one with the content, agent and run of a stored one gives that one, as a duplicate.

        Raises:
            QuotaReached: ``memory_bytes``; none is stored.
        """
        ...

    def get(self, principal: str, plugin: str, identifier: str, *, now: int) -> MemoryRecord | None:
        """One memory, or None."""
        ...

    def update(
        self,
        principal: str,
        plugin: str,
        identifier: str,
        changes: MemoryChanges,
        *,
        quota: int,
        if_version: int | None = None,
    ) -> MemoryRecord:
        """Replace fields, raise the version, keep what was there in the history; new content drops the vector.

        Raises:
            MemoryNotFound: No such memory, or it has expired.
            VersionConflict: Another version is stored.
            QuotaReached: ``memory_bytes``.
        """
        ...

    def delete(self, principal: str, plugin: str, identifier: str, *, at: int, if_version: int | None = None) -> bool:
        """Whether there was something to delete.

        Raises:
            VersionConflict: Another version is stored.
        """
        ...

    def delete_where(self, principal: str, plugin: str, condition: Condition, *, at: int, expected: int | None) -> int:
        """Delete what fulfils ``condition``, expired or not; how many that were.

        Raises:
            ConfirmationNeeded: There are some, and not ``expected`` ones; none is deleted.
        """
        ...

    def page(
        self, principal: str, plugin: str, condition: Condition, *, after: Position | None, limit: int, now: int
    ) -> Sequence[MemoryRecord]:
        """The newest first, from behind ``after`` on."""
        ...

    def match(
        self, principal: str, plugin: str, terms: Sequence[str], condition: Condition, *, limit: int, now: int
    ) -> Sequence[Candidate]:
        """The best ``limit`` candidates that hold some of ``terms``; the ranking orders them."""
        ...

    def vocabulary(self, principal: str, plugin: str, terms: Sequence[str]) -> Vocabulary:
        """How often ``terms`` occur in this scope."""
        ...

    def similar_terms(self, principal: str, plugin: str, term: str, slips: int) -> Sequence[tuple[str, int]]:
        """Terms of this scope that begin or end as ``term`` does and are at most ``slips`` shorter or longer.

        Each with the number of memories it occurs in. A slip hits both ends too seldom to pay for a look at all terms.
        """
        ...

    def put_vectors(self, principal: str, plugin: str, model: str, vectors: Sequence[NewVector]) -> int:
        """Keep unit vectors in place of older ones; how many were kept. A text that changed meanwhile keeps none."""
        ...

    def nearest(
        self,
        principal: str,
        plugin: str,
        model: str,
        vector: Sequence[float],
        condition: Condition,
        *,
        limit: int,
        now: int,
    ) -> Sequence[Neighbour]:
        """The memories whose vectors of ``model`` lie closest to ``vector``, exactly; of equal ones the newer first.

        Vectors of another length than ``vector`` are another model's, whatever its name says.
        """
        ...

    def without_vector(self, principal: str, plugin: str, model: str, *, limit: int) -> Sequence[MemoryRecord]:
        """Memories that have no vector of ``model`` yet."""
        ...

    def count_without_vector(self, principal: str, plugin: str, model: str) -> int:
        """How many memories of the scope have no vector of ``model``, expired ones too. Cheap: asked by each search."""
        ...

    def history(self, principal: str, plugin: str, identifier: str, *, limit: int) -> Sequence[Change]:
        """The newest changes of one memory, newest first; also of a deleted one."""
        ...

    def stats(self, principal: str, plugin: str) -> MemoryStats:
        """Figures of the scope."""
        ...


class BudgetStore(Protocol):
    """What was spent on language models, per principal, plugin and day; correct with any number of processes."""

    def reserve(self, principal: str, plugin: str, day: int, most: Spending, budgets: Sequence[Budget]) -> None:
        """Count ``most`` as spent on ``day`` (days since 1970, UTC), until it is settled.

        Raises:
            BudgetReached: It would pass one of ``budgets``; nothing is counted.
        """
        ...

    def settle(self, principal: str, plugin: str, day: int, reserved: Spending, spent: Spending) -> None:
        """Count ``spent`` in the place of what was reserved."""
        ...

    def spent(self, principal: str, plugin: str, day: int) -> Spending:
        """What one principal's calls of one plugin took, what is reserved included."""
        ...


class Store(Protocol):
    """A database that keeps all of them, and what it takes to run it."""

    @property
    def memories(self) -> MemoryStore: ...

    @property
    def keys(self) -> KeyValueStore: ...

    @property
    def budgets(self) -> BudgetStore: ...

    @property
    def caller(self) -> Caller: ...

    @property
    def secret(self) -> bytes:
        """Seals cursors; the same for every process on this database."""
        ...

    def owners(self) -> Sequence[tuple[str, str]]:
        """Every principal and plugin that has memories; for the operator's maintenance, never for a caller."""
        ...

    def maintain(self, *, now: int, history_before: int = 0) -> int:
        """Sweep what has expired, drop history older than ``history_before``, tidy files; how many rows went."""
        ...

    def figures(self, day: int) -> StoreFigures:
        """What lies here, and what was spent on ``day`` (days since 1970, UTC); for the operator."""
        ...

    def problems(self) -> Sequence[str]:
        """What is inconsistent: pages, indexes, counters. Empty when all is well."""
        ...

    def close(self) -> None: ...
