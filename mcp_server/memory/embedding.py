"""What turns text into vectors. None is configured by default: then search is lexical, and says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

__all__ = ["Embedder", "unit"]


class Embedder(Protocol):
    """A model that is there already: nothing is downloaded when it is asked."""

    @property
    def model(self) -> str:
        """Names model and dimension; vectors of two names are never compared."""
        ...

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector per text, of any length."""
        ...


def unit(vector: Sequence[float]) -> list[float]:
    """``vector`` at length 1, so that a dot product is the cosine; zero stays zero."""
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector] if length else list(vector)
