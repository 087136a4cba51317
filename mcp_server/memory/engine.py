"""The memory engine: what can be done with memories, always inside one principal's and plugin's scope.

Synchronous: every operation is a few statements on an embedded store. An event loop calls it through the store's
``caller``. Principal and plugin are the caller's, from the authenticated context; nothing in a request widens them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_server.backends.base import Store
from mcp_server.backends.conditions import Condition
from mcp_server.backends.cursors import open_cursor, seal_cursor
from mcp_server.backends.errors import MemoryNotFound
from mcp_server.backends.values import Added, Change, MemoryChanges, MemoryRecord, MemoryStats, NewVector
from mcp_server.errors import AgentMemError
from mcp_server.memory.analysis import analyze
from mcp_server.memory.embedding import Embedder, unit
from mcp_server.memory.errors import EmbeddingsNotConfigured
from mcp_server.memory.filters import chosen
from mcp_server.memory.model import content_hash, new_memory
from mcp_server.memory.requests import (
    AddMemory,
    DeleteMemories,
    DeleteMemory,
    ListMemories,
    SearchMemories,
    UpdateMemory,
)
from mcp_server.memory.search import Found, Search
from mcp_server.memory.times import from_text

__all__ = ["DEFAULT_QUOTA", "MemoryEngine", "Page"]

logger = logging.getLogger(__name__)
DEFAULT_QUOTA = 256 * 1024 * 1024
"""Bytes of memories and their history, per principal and plugin."""
_MOST_CHANGES = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Memories, the newest first, and the cursor that asks for the next ones."""

    records: Sequence[MemoryRecord]
    cursor: str | None


class MemoryEngine:
    """All operations.

    Args:
        store: Where memories lie.
        embedder: Finds by meaning; None for words alone.
        quota: Bytes that one principal's memories of one plugin may take.
        clock: Microseconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        *,
        embedder: Embedder | None = None,
        quota: int = DEFAULT_QUOTA,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self._store, self._memories = store, store.memories
        self._embedder, self._quota = embedder, quota
        self._search = Search(store.memories, embedder)
        self._clock = clock or (lambda: time.time_ns() // 1_000)

    @property
    def store(self) -> Store:
        """Where memories lie."""
        return self._store

    @property
    def embeds(self) -> bool:
        """Whether writing and searching ask a model."""
        return self._embedder is not None

    def add(self, principal: str, plugin: str, request: AddMemory) -> Added:
        """Store one memory; one with the same content, agent and run that is there already is given instead.

        Raises:
            QuotaReached: ``memory_bytes``.
        """
        return self.add_many(principal, plugin, [request])[0]

    def add_many(self, principal: str, plugin: str, requests: Sequence[AddMemory]) -> Sequence[Added]:
        """Store all or none.

        Raises:
            QuotaReached: ``memory_bytes``.
        """
        now = self._clock()
        memories = [new_memory(request, now) for request in requests]
        outcomes = self._memories.add(principal, plugin, memories, quota=self._quota)
        self._embed(principal, plugin, [outcome.record for outcome in outcomes if not outcome.duplicate])
        return outcomes

    def get(self, principal: str, plugin: str, identifier: str) -> MemoryRecord:
        """One memory.

        Raises:
            MemoryNotFound: It is not there, has expired, or is somebody else's.
        """
        found = self._memories.get(principal, plugin, identifier, now=self._clock())
        if found is None:
            raise MemoryNotFound(identifier)
        return found

    def get_all(self, principal: str, plugin: str, request: ListMemories) -> Page:
        """A page of memories.

        Raises:
            InvalidRequest: The filters.
            CursorInvalid: The cursor is not of this listing.
        """
        condition, listing = _condition(request), f"memories:{_choice(request)}"
        after = None
        if request.cursor is not None:
            at, identifier = open_cursor(self._store.secret, principal, plugin, listing, request.cursor)
            after = (at, identifier)
        now = 0 if request.include_expired else self._clock()
        records = self._memories.page(principal, plugin, condition, after=after, limit=request.limit + 1, now=now)
        if len(records) <= request.limit:
            return Page(records, None)
        last = records[request.limit - 1]
        position = [last.created_at, last.id]
        return Page(records[: request.limit], seal_cursor(self._store.secret, principal, plugin, listing, position))

    def update(self, principal: str, plugin: str, request: UpdateMemory) -> MemoryRecord:
        """Replace what the request names; what was there goes to the history.

        Raises:
            MemoryNotFound: It is not there.
            VersionConflict: ``if_version`` is not the stored version.
            QuotaReached: ``memory_bytes``.
        """
        names = request.model_fields_set - {"id", "if_version", "user_id"}
        fields: dict[str, Any] = {name: getattr(request, name) for name in names}
        if request.content is not None:
            fields |= {"analyzed": analyze(request.content), "hash": content_hash(request.content)}
        if request.expires_at is not None:
            fields["expires_at"] = from_text(request.expires_at)
        changes = MemoryChanges(fields, self._clock())
        changed = self._memories.update(
            principal, plugin, request.id, changes, quota=self._quota, if_version=request.if_version
        )
        if request.content is not None:
            self._embed(principal, plugin, [changed])
        return changed

    def delete(self, principal: str, plugin: str, request: DeleteMemory) -> bool:
        """Whether there was something to delete.

        Raises:
            VersionConflict: ``if_version`` is not the stored version.
        """
        return self._memories.delete(principal, plugin, request.id, at=self._clock(), if_version=request.if_version)

    def delete_all(self, principal: str, plugin: str, request: DeleteMemories) -> int:
        """Delete what is chosen; how many that were.

        Raises:
            InvalidRequest: The filters.
            ConfirmationNeeded: ``confirm`` is not the number of memories that are chosen.
        """
        return self._memories.delete_where(
            principal, plugin, _condition(request), at=self._clock(), expected=request.confirm
        )

    def search(self, principal: str, plugin: str, request: SearchMemories) -> Found:
        """The memories that fit best.

        Raises:
            InvalidRequest: The filters.
            EmbeddingsNotConfigured: The mode needs an embedder.
            EmbeddingsUnavailable: The mode needs one, and the one that is configured does not answer.
        """
        now = 0 if request.include_expired else self._clock()
        return self._search.run(principal, plugin, request, _condition(request), now)

    def history(self, principal: str, plugin: str, identifier: str) -> Sequence[Change]:
        """The newest changes of a memory, newest first, also after its end.

        Raises:
            MemoryNotFound: There never was one, or its history is forgotten.
        """
        changes = self._memories.history(principal, plugin, identifier, limit=_MOST_CHANGES)
        if not changes:
            raise MemoryNotFound(identifier)
        return changes

    def stats(self, principal: str, plugin: str) -> MemoryStats:
        """Figures of the caller's memories."""
        return self._memories.stats(principal, plugin)

    def embed_missing(self, principal: str, plugin: str, batch: int = 256) -> int:
        """Give vectors to up to ``batch`` memories without one of the present model; how many got one.

        Raises:
            EmbeddingsNotConfigured: There is no model.
            EmbeddingsUnavailable: It does not answer; nothing is lost, and the next call begins where this one did.
        """
        if self._embedder is None:
            raise EmbeddingsNotConfigured
        records = self._memories.without_vector(principal, plugin, self._embedder.model, limit=batch)
        return self._put_vectors(self._embedder, principal, plugin, records) if records else 0

    def missing(self, principal: str, plugin: str) -> int:
        """How many memories have no vector of the present model, so that a search by meaning does not find them."""
        if self._embedder is None:
            return 0
        return self._memories.count_without_vector(principal, plugin, self._embedder.model)

    def _embed(self, principal: str, plugin: str, records: Sequence[MemoryRecord]) -> None:
        if self._embedder is None or not records:
            return
        try:
            self._put_vectors(self._embedder, principal, plugin, records)
        except AgentMemError as error:  # they are stored and found by words; embed_missing comes back to them
            logger.warning("%d memories were stored without vectors: %s (%s)", len(records), error.message, error.fix)

    def _put_vectors(self, embedder: Embedder, principal: str, plugin: str, records: Sequence[MemoryRecord]) -> int:
        vectors = embedder.embed([record.content for record in records])
        new = [NewVector(one.id, one.hash, unit(vector)) for one, vector in zip(records, vectors, strict=True)]
        return self._memories.put_vectors(principal, plugin, embedder.model, new)


def _condition(request: ListMemories | SearchMemories | DeleteMemories) -> Condition:
    return chosen(request.filters, request.memory_types, request.agent_id, request.run_id)


def _choice(request: ListMemories) -> str:
    return request.model_dump_json(exclude={"cursor", "limit", "user_id"})
