"""How memories are found: candidates from the store, ordered by the ranking, by words, by meaning or by both."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mcp_server.backends.base import MemoryStore
from mcp_server.backends.conditions import Condition
from mcp_server.backends.values import Candidate, MemoryRecord
from mcp_server.errors import AgentMemError
from mcp_server.memory.analysis import terms_of
from mcp_server.memory.embedding import Embedder, unit
from mcp_server.memory.errors import EmbeddingsNotConfigured
from mcp_server.memory.ranking import Bm25, Scored, absolute, fuse
from mcp_server.memory.requests import SearchMemories
from mcp_server.memory.spelling import correction, reach

__all__ = ["Found", "Hit", "Search", "UsedMode"]

logger = logging.getLogger(__name__)
UsedMode = Literal["lexical", "semantic", "hybrid", "recent"]
_FEWEST_CANDIDATES = 50
_MOST_TERMS = 64
_MOST_CORRECTIONS = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """One result.

    Attributes:
        record: The memory.
        score: 0 to 1; in hybrid mode relative to the other results of this query.
        explanation: The parts of the score, where they were asked for.
        annotations: What hooks have to say about it, by plugin.
    """

    record: MemoryRecord
    score: float
    explanation: Mapping[str, Any] | None = None
    annotations: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave.

    Attributes:
        hits: The best first; equal ones by age, the newest first, then by id.
        mode: How it was searched; ``recent`` for a query without words, which gives the newest.
        corrections: Words of the query that nobody wrote, and what was searched in their place.
        uncovered: Memories of the scope without a vector of the present model, which meaning could not find.
    """

    hits: Sequence[Hit]
    mode: UsedMode
    corrections: Mapping[str, str] = field(default_factory=dict[str, str])
    uncovered: int = 0


@dataclass(frozen=True, slots=True)
class _Question:
    """A query with its vector where meaning is asked; ``mode`` is what can be done."""

    mode: Literal["lexical", "semantic", "hybrid"]
    vector: Sequence[float]
    model: str


@dataclass(frozen=True, slots=True)
class _Words:
    """The lexical side of one query."""

    scores: Mapping[str, float]
    parts: Mapping[str, Mapping[str, float]]
    records: Mapping[str, MemoryRecord]
    corrections: Mapping[str, str]
    any_terms: bool


class Search:
    """Searches a store for one caller at a time.

    Args:
        store: Where the memories are.
        embedder: Gives meaning; None for words alone.
    """

    def __init__(self, store: MemoryStore, embedder: Embedder | None) -> None:
        self._store = store
        self._embedder = embedder

    def run(self, principal: str, plugin: str, request: SearchMemories, condition: Condition, now: int) -> Found:
        """The best memories that fulfil ``condition``; ``now`` hides what has expired, 0 shows it.

        Raises:
            EmbeddingsNotConfigured: The mode needs an embedder.
            EmbeddingsUnavailable: The mode needs one, and the one that is configured does not answer.
        """
        question = self._question(request)
        mode = question.mode
        most = max(_FEWEST_CANDIDATES, 2 * request.limit)
        words = _NO_WORDS if mode == "semantic" else self._words(principal, plugin, request.query, condition, most, now)
        if mode == "lexical" and not words.any_terms:
            return self._recent(principal, plugin, request, condition, now)
        if mode == "lexical":
            meaning, records = {}, words.records
        else:
            meaning, near = self._meaning(principal, plugin, question, condition, most, now)
            records = {**words.records, **near}
        scored = _scored(mode, words.scores, meaning)
        kept = [one for one in scored if _strength(one) >= request.threshold] if request.threshold else scored
        kept.sort(key=lambda one: (-one.score, -records[one.key].created_at, one.key))
        hits = [
            Hit(records[one.key], one.score, _explained(one, words) if request.explain else None)
            for one in kept[: request.limit]
        ]
        return Found(hits, mode, words.corrections, self._uncovered(principal, plugin, question))

    def _question(self, request: SearchMemories) -> _Question:
        asked = request.mode
        if asked == "lexical" or (asked == "auto" and self._embedder is None):
            return _BY_WORDS
        if self._embedder is None:
            raise EmbeddingsNotConfigured
        try:
            vector = unit(self._embedder.embed([request.query])[0])
            return _Question("semantic" if asked == "semantic" else "hybrid", vector, self._embedder.model)
        except AgentMemError as error:
            if asked != "auto":
                raise
            logger.warning("searched by words alone: %s (%s)", error.message, error.fix)
            return _BY_WORDS

    def _uncovered(self, principal: str, plugin: str, question: _Question) -> int:
        return self._store.count_without_vector(principal, plugin, question.model) if question.model else 0

    def _recent(self, principal: str, plugin: str, request: SearchMemories, condition: Condition, now: int) -> Found:
        if request.threshold:
            return Found((), "recent")
        records = self._store.page(principal, plugin, condition, after=None, limit=request.limit, now=now)
        return Found([Hit(record, 0.0) for record in records], "recent")

    def _words(self, principal: str, plugin: str, query: str, condition: Condition, most: int, now: int) -> _Words:
        asked = list(dict.fromkeys(terms_of(query)))[:_MOST_TERMS]
        if not asked:
            return _NO_WORDS
        known = self._store.vocabulary(principal, plugin, asked)
        corrections = self._corrections(principal, plugin, [term for term in asked if term not in known.documents])
        if corrections:
            asked = list(dict.fromkeys(corrections.get(term, term) for term in asked))
            known = self._store.vocabulary(principal, plugin, asked)
        terms = [term for term in asked if term in known.documents]
        ranking = Bm25(known.records, known.mean_terms, known.documents)
        found = self._store.match(principal, plugin, terms, condition, limit=most, now=now)
        return _weighed(ranking, terms, found, corrections)

    def _corrections(self, principal: str, plugin: str, unknown: Sequence[str]) -> dict[str, str]:
        corrections: dict[str, str] = {}
        for term in unknown[:_MOST_CORRECTIONS]:
            slips = reach(term)
            if slips:
                meant = correction(term, self._store.similar_terms(principal, plugin, term, slips))
                if meant is not None:
                    corrections[term] = meant
        return corrections

    def _meaning(
        self, principal: str, plugin: str, question: _Question, condition: Condition, most: int, now: int
    ) -> tuple[dict[str, float], dict[str, MemoryRecord]]:
        near = self._store.nearest(principal, plugin, question.model, question.vector, condition, limit=most, now=now)
        return (
            {neighbour.record.id: neighbour.cosine for neighbour in near},
            {neighbour.record.id: neighbour.record for neighbour in near},
        )


_BY_WORDS = _Question("lexical", (), "")
_NO_WORDS = _Words({}, {}, {}, {}, any_terms=False)


def _weighed(ranking: Bm25, terms: Sequence[str], found: Sequence[Candidate], corrections: Mapping[str, str]) -> _Words:
    parts = {one.record.id: ranking.parts(terms, one.analyzed.split()) for one in found}
    scores = {key: sum(part.values()) for key, part in parts.items()}
    return _Words(scores, parts, {one.record.id: one.record for one in found}, corrections, any_terms=True)


def _scored(
    mode: Literal["lexical", "semantic", "hybrid"], words: Mapping[str, float], meaning: Mapping[str, float]
) -> list[Scored[str]]:
    if mode == "lexical":
        return [Scored(key, absolute(score), score, None) for key, score in words.items()]
    if mode == "semantic":
        return [Scored(key, score, None, score) for key, score in meaning.items()]
    return fuse(words, meaning)


def _strength(one: Scored[str]) -> float:
    """What a threshold is compared with: a fused score is relative to its query, its sides are not."""
    return max(absolute(one.lexical or 0.0), one.semantic or 0.0)


def _explained(one: Scored[str], words: _Words) -> dict[str, Any]:
    parts: dict[str, Any] = {"score": one.score}
    if one.lexical is not None:
        parts["lexical"] = {"bm25": one.lexical, "score": absolute(one.lexical), "terms": dict(words.parts[one.key])}
    if one.semantic is not None:
        parts["semantic"] = {"cosine": one.semantic}
    return parts
