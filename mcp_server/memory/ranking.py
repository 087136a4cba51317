"""In what order results come, and why. The formulas and their weights were chosen by measurement on a question set.

BM25 counts within the caller's scope alone, so that nobody's order depends on somebody else's memories.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

__all__ = ["DENSE_WEIGHT", "Bm25", "Scored", "absolute", "fuse"]

K1, B = 1.2, 0.75
HALF_WAY = 4.0
DENSE_WEIGHT = 0.3
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Bm25:
    """BM25 over one collection.

    Attributes:
        records: How many texts there are.
        mean_terms: Mean number of terms of a text.
        documents: Term -> in how many texts it occurs.
    """

    records: int
    mean_terms: float
    documents: Mapping[str, int]

    def parts(self, query: Sequence[str], text: Sequence[str]) -> dict[str, float]:
        """What each term of ``query`` that is in ``text`` adds."""
        norm = K1 * (1 - B + B * len(text) / (self.mean_terms or 1))
        parts: dict[str, float] = {}
        for term in query:
            count = text.count(term)
            if count:
                documents = self.documents.get(term, 1)
                rarity = math.log1p((self.records - documents + 0.5) / (documents + 0.5))
                parts[term] = rarity * count * (K1 + 1) / (count + norm)
        return parts


def absolute(bm25: float) -> float:
    """0 to 1, comparable between queries; 4 is half way."""
    return bm25 / (bm25 + HALF_WAY)


class Scored(NamedTuple, Generic[K]):
    """One fused result; a side that did not find it is None."""

    key: K
    score: float
    lexical: float | None
    semantic: float | None


def fuse(lexical: Mapping[K, float], semantic: Mapping[K, float], weight: float = DENSE_WEIGHT) -> list[Scored[K]]:
    """A convex sum of both sides, each stretched to 0 … 1 over what it found; unordered."""
    words, meaning, rest = _stretched(lexical), _stretched(semantic), 1 - weight
    return [
        Scored(key, rest * words.get(key, 0.0) + weight * meaning.get(key, 0.0), lexical.get(key), semantic.get(key))
        for key in dict.fromkeys([*lexical, *semantic])
    ]


def _stretched(scores: Mapping[K, float]) -> dict[K, float]:
    least, most = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    if most == least:  # the only hit is the best hit, not the worst
        return dict.fromkeys(scores, 1.0)
    return {key: (score - least) / (most - least) for key, score in scores.items()}
