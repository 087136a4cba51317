"""Ranks texts that somebody brings along, with the formulas that rank memories. Nothing is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any, Literal

from mcp_server.memory.analysis import terms_of
from mcp_server.memory.embedding import Embedder, unit
from mcp_server.memory.errors import EmbeddingsNotConfigured, InvalidRequest
from mcp_server.memory.ranking import Bm25, absolute, fuse
from mcp_server.memory.spelling import distance

__all__ = ["Ranked", "RankMode", "rank"]

RankMode = Literal["auto", "keyword", "fuzzy", "semantic", "hybrid"]
MOST_FUZZY_QUERY_WORDS = 16
MOST_FUZZY_WORDS = 20_000
_LEAST_LIKENESS = 0.6


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate that fits: its place in the request, its score from 0 to 1, and the parts of that."""

    index: int
    score: float
    parts: Mapping[str, Any]


def rank(query: str, texts: Sequence[str], mode: RankMode, embedder: Embedder | None) -> tuple[list[Ranked], RankMode]:
    """Those of ``texts`` that fit at all, the best first, and the mode that was used.

    Raises:
        EmbeddingsNotConfigured: The mode needs an embedder.
        InvalidRequest: Too many different words to compare by likeness.
    """
    used: RankMode = mode
    if mode == "auto":
        used = "keyword" if embedder is None else "hybrid"
    match used:
        case "fuzzy":
            ranked = _by_likeness(query, texts)
        case "semantic":
            ranked = [Ranked(at, score, {"cosine": score}) for at, score in _cosines(query, texts, embedder).items()]
        case "hybrid":
            meaning = _cosines(query, texts, embedder)
            words = {one.index: one.parts["bm25"] for one in _by_words(query, texts)}
            ranked = [
                Ranked(one.key, one.score, {"bm25": one.lexical, "cosine": one.semantic})
                for one in fuse(words, meaning)
            ]
        case _:
            ranked = _by_words(query, texts)
    return sorted(ranked, key=lambda one: (-one.score, one.index)), used


def _by_words(query: str, texts: Sequence[str]) -> list[Ranked]:
    asked = list(dict.fromkeys(terms_of(query)))
    terms = [terms_of(text) for text in texts]
    documents = Counter(term for words in terms for term in set(words))
    ranking = Bm25(len(terms), sum(map(len, terms)) / max(len(terms), 1), documents)
    ranked: list[Ranked] = []
    for index, words in enumerate(terms):
        bm25 = sum(ranking.parts(asked, words).values())
        if bm25:
            ranked.append(Ranked(index, absolute(bm25), {"bm25": bm25}))
    return ranked


def _by_likeness(query: str, texts: Sequence[str]) -> list[Ranked]:
    """Mean over the words of the query of the likeness of the nearest word; a quarter off is still like it."""
    asked = list(dict.fromkeys(terms_of(query) or query.casefold().split()))
    words = [set(terms_of(text)) for text in texts]
    different = set[str]().union(*words)
    if len(asked) > MOST_FUZZY_QUERY_WORDS or len(different) > MOST_FUZZY_WORDS:
        raise InvalidRequest(
            f"fuzzy ranking takes at most {MOST_FUZZY_QUERY_WORDS} words in the query and {MOST_FUZZY_WORDS} different "
            f"words in the candidates, got {len(asked)} and {len(different)}"
        )
    likeness = {term: _likenesses(term, different) for term in asked}
    ranked: list[Ranked] = []
    for index, own in enumerate(words):
        best = [max((likeness[term].get(word, 0.0) for word in own), default=0.0) for term in asked]
        score = sum(best) / max(len(best), 1)
        if score:
            ranked.append(Ranked(index, score, {"words": dict(zip(asked, best, strict=True))}))
    return ranked


def _likenesses(term: str, words: set[str]) -> dict[str, float]:
    """Word -> 1 for the same, less for each slip, for words that are like ``term`` at all."""
    letters, found = set(term), dict[str, float]()
    for word in words:
        longer = max(len(term), len(word))
        most = int((1 - _LEAST_LIKENESS) * longer)
        if abs(len(term) - len(word)) > most or len(letters.symmetric_difference(word)) > 2 * most:
            continue
        slips = distance(term, word, most)
        if slips <= most:
            found[word] = 1 - slips / longer
    return found


def _cosines(query: str, texts: Sequence[str], embedder: Embedder | None) -> dict[int, float]:
    if embedder is None:
        raise EmbeddingsNotConfigured
    vector, *others = [unit(each) for each in embedder.embed([query, *texts])]
    return {index: sum(map(mul, vector, other)) for index, other in enumerate(others)}
