"""How far two words lie apart, and the word that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["correction", "distance", "reach"]

_SHORTEST = 4


def reach(term: str) -> int:
    """How many slips are forgiven: none in a short word or one with digits, two from six letters on."""
    if len(term) < _SHORTEST or not term.isalpha():
        return 0
    return 1 if len(term) < 6 else 2


def correction(term: str, known: Iterable[tuple[str, int]]) -> str | None:
    """The nearest of ``known`` (terms with their document counts) within reach; of two, the more frequent one."""
    most = reach(term)
    letters = set(term)
    best: tuple[int, int, str] | None = None
    for candidate, documents in known:
        if len(letters.symmetric_difference(candidate)) > 2 * most:  # each slip changes at most two letters of the set
            continue
        slips = distance(term, candidate, most)
        if slips <= most and (best is None or (slips, -documents, candidate) < best):
            best = (slips, -documents, candidate)
            most = slips  # what lies further off can no longer win
    return best[2] if best else None


def distance(one: str, other: str, most: int) -> int:
    """Insertions, deletions, replacements and swaps of neighbours between them; ``most + 1`` for anything above.

    Optimal string alignment, a column of the table in the bits of one number: Hyyrö, "A Bit-Vector Algorithm for
    Computing Levenshtein and Damerau Edit Distances" (2003).
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    if not one:
        return len(other)
    places: dict[str, int] = {}
    for at, letter in enumerate(one):
        places[letter] = places.get(letter, 0) | 1 << at
    every = (1 << len(one)) - 1
    last, more, less, diagonal, before, slips = 1 << len(one) - 1, every, 0, 0, 0, len(one)
    for letter in other:
        same = places.get(letter, 0)
        swapped = (~diagonal & same) << 1 & before
        diagonal = (((same & more) + more) ^ more) | same | less | swapped
        right, left = less | ~(diagonal | more), diagonal & more
        slips += bool(right & last) - bool(left & last)
        right = right << 1 | 1
        more, less = (left << 1 | ~(diagonal | right)) & every, right & diagonal & every
        before = same
    return min(slips, most + 1)
