"""What turns text into vectors. None is configured by default: then search is lexical, and says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul
from typing import Protocol

__all__ = ["Embedder", "unit"]

_ONE = 1e-6
"""How far from 1 a length may be: models round to float32."""


class Embedder(Protocol):
    """A model that is there already: nothing is downloaded when it is asked."""

    @property
    def model(self) -> str:
        """Names the model; vectors of two names, or of two lengths, are never compared."""
        ...

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector per text, of any length."""
        ...


def unit(vector: Sequence[float]) -> list[float]:
    """``vector`` at length 1, so that a dot product is the cosine; zero, and what is no number, becomes zero."""
    length = math.sqrt(sum(map(mul, vector, vector)))
    if abs(length - 1.0) < _ONE:
        return list(vector)
    if not 0.0 < length < math.inf:  # also false for NaN
        return [0.0] * len(vector)
    return [value / length for value in vector]
