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
        if len(letters ^ set(candidate)) > 2 * most:  # each slip changes at most two letters of the set
            continue
        slips = distance(term, candidate, most)
        if slips <= most and (best is None or (slips, -documents, candidate) < best):
            best = (slips, -documents, candidate)
    return best[2] if best else None


def distance(one: str, other: str, most: int) -> int:
    """Insertions, deletions, replacements and swaps of neighbours between them; ``most + 1`` for anything above.

    Optimal string alignment: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    older: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        line = [at]
        for to, against in enumerate(other, 1):
            cost = min(row[to] + 1, line[to - 1] + 1, row[to - 1] + (letter != against))
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == against:
                cost = min(cost, older[to - 2] + 1)
            line.append(cost)
        if min(line) > most and (not older or min(row) > most):
            return most + 1
        older, row = row, line
    return min(row[-1], most + 1)
