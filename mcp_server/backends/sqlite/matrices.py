"""Vectors in memory: one matrix per scope and model, kept up to date by what was written since, the oldest let go.

Only numpy is known here, and it is loaded with the first search by meaning. A matrix is a hint: who uses its order
reads the rows again, because another process may have deleted some.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Batch", "Key", "Matrices", "Source", "cosines", "pack"]

_SPARE_ROWS = 64
_ROWS_FOR_TWO = 16_384  # a scan of 1 ms; to wake a thread takes 0.05
_GROWTH = 5, 4
Batch = Sequence[tuple[int, bytes]]
"""Row ids, and their vectors as float16."""


class Key(NamedTuple):
    """Which vectors a matrix holds."""

    scope_id: int
    model: str
    dim: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where the vectors of one key come from.

    Attributes:
        generation: The scope's, read before anything else.
        count: How many vectors there are.
        changes: Batches of what was written after a generation; -1 gives everything.
    """

    generation: int
    count: int
    changes: Callable[[int], Iterable[Batch]]


class Matrices:
    """The matrices of the scopes searched last.

    Args:
        budget: Bytes they may take together; a scope that is larger alone is read anew by each search.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._kept: OrderedDict[Key, _Matrix] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        """What they take now."""
        with self._lock:
            return sum(matrix.bytes for matrix in self._kept.values())

    def ranked(self, key: Key, vector: Sequence[float], source: Source, first: int) -> Iterator[list[int]]:
        """Row ids, those nearest to ``vector`` first, in growing batches; about ``first`` of them to begin with."""
        import numpy as np  # noqa: PLC0415  # heavy, and an extra

        query = np.asarray(vector, dtype=np.float32)
        if source.count * key.dim * 4 > self._budget:
            rids, scores = _scan(source, query)
        else:
            rids, scores = self._current(key, source).scores(query)
            self._trim()
        alive = rids > 0
        if not alive.all():
            rids, scores = rids[alive], scores[alive]
        return _in_order(rids, scores, first)

    def forget(self, key: Key, rids: Sequence[int]) -> None:
        """Leave ``rids`` out from now on: they are gone from the file."""
        with self._lock:
            matrix = self._kept.get(key)
        if matrix is not None:
            matrix.forget(rids)

    def _current(self, key: Key, source: Source) -> _Matrix:
        with self._lock:
            matrix = self._kept.get(key)
            if matrix is None:
                matrix = self._kept[key] = _Matrix(key.dim)
            self._kept.move_to_end(key)
        matrix.catch_up(source)
        return matrix

    def _trim(self) -> None:
        with self._lock:
            taken = sum(matrix.bytes for matrix in self._kept.values())
            while taken > self._budget and self._kept:
                _, matrix = self._kept.popitem(last=False)
                taken -= matrix.bytes


@dataclass(slots=True)
class _Matrix:
    """One scope's vectors as float32 rows, with room for more; a row whose id is 0 is gone."""

    dim: int
    _generation: int = -1
    _count: int = 0
    _gone: int = 0
    _rids: NDArray[np.int64] | None = None
    _rows: NDArray[np.float32] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def bytes(self) -> int:
        return 0 if self._rids is None or self._rows is None else self._rids.nbytes + self._rows.nbytes

    def catch_up(self, source: Source) -> None:
        """Read what was written since; everything anew where most rows are gone."""
        with self._lock:
            if source.generation == self._generation:
                return
            if self._count > 2 * source.count + _SPARE_ROWS:
                self._generation, self._count, self._gone, self._rids, self._rows = -1, 0, 0, None, None
            known = self._generation
            self._reserve(source.count - self._count if known < 0 else 0)
            for batch in source.changes(known):
                self._take(batch, replaces=known >= 0)
            self._generation = source.generation

    def scores(self, query: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Row ids and their dot products with ``query``."""
        with self._lock:
            self._reserve(0)
            assert self._rids is not None and self._rows is not None  # noqa: S101  # reserved above
            rids, rows = self._rids[: self._count], self._rows[: self._count]
        return rids.copy(), _dot(rows, query)

    def forget(self, rids: Sequence[int]) -> None:
        import numpy as np  # noqa: PLC0415  # heavy, and an extra

        with self._lock:
            if self._rids is not None:
                known = self._rids[: self._count]
                known[np.isin(known, np.asarray(rids, dtype=np.int64))] = 0

    def _take(self, batch: Batch, *, replaces: bool) -> None:
        import numpy as np  # noqa: PLC0415  # heavy, and an extra

        if not batch:
            return
        self._reserve(len(batch))
        assert self._rids is not None and self._rows is not None  # noqa: S101  # reserved above
        rids, rows = _unpacked(batch, self.dim)
        if replaces:
            older = self._rids[: self._count]
            older[np.isin(older, rids)] = 0
        end = self._count + len(batch)
        self._rids[self._count : end] = rids
        self._rows[self._count : end] = rows
        self._count = end

    def _reserve(self, more: int) -> None:
        import numpy as np  # noqa: PLC0415  # heavy, and an extra

        needed = self._count + more
        if self._rids is not None and needed <= len(self._rids):
            return
        room = max(needed + _SPARE_ROWS, self._count * _GROWTH[0] // _GROWTH[1])
        rids, rows = np.zeros(room, dtype=np.int64), np.empty((room, self.dim), dtype=np.float32)
        if self._rids is not None and self._rows is not None:
            rids[: self._count], rows[: self._count] = self._rids[: self._count], self._rows[: self._count]
        self._rids, self._rows = rids, rows


def pack(vector: Sequence[float]) -> bytes:
    """As float16: a quarter of the size, and the same ten neighbours."""
    import numpy as np  # noqa: PLC0415  # heavy, and an extra

    return np.asarray(vector, dtype="<f2").tobytes()


def cosines(vector: Sequence[float], packed: Sequence[bytes]) -> list[float]:
    """The dot products with stored vectors of one length, the same in whatever matrix the rows were found."""
    import numpy as np  # noqa: PLC0415  # heavy, and an extra

    stored = np.frombuffer(b"".join(packed), dtype="<f2").reshape(len(packed), len(vector)).astype(np.float64)
    return np.clip(np.vecdot(stored, np.asarray(vector, dtype=np.float64)), -1.0, 1.0).tolist()


def _dot(rows: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Not ``rows @ query``: the threads of its BLAS wait for each other, 16 ms in place of 0.06 on a busy machine.

    The two halves of a large matrix are two threads' work; neither waits before its own half is done.
    """
    import numpy as np  # noqa: PLC0415  # heavy, and an extra

    if len(rows) < _ROWS_FOR_TWO:
        return np.vecdot(rows, query)
    scores, half = np.empty(len(rows), dtype=np.float32), len(rows) // 2
    other = _beside().submit(np.vecdot, rows[:half], query, scores[:half])
    np.vecdot(rows[half:], query, scores[half:])
    other.result()
    return scores


@cache
def _beside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="vectors")


def _unpacked(batch: Batch, dim: int) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    import numpy as np  # noqa: PLC0415  # heavy, and an extra

    rids, packed = zip(*batch, strict=True)
    rows = np.frombuffer(b"".join(packed), dtype=np.dtype("<f2")).reshape(len(batch), dim)
    return np.array(rids, dtype=np.int64), rows


def _scan(source: Source, query: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Score every row and keep none."""
    import numpy as np  # noqa: PLC0415  # heavy, and an extra

    rids: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    scores: list[NDArray[np.float32]] = [np.zeros(0, dtype=np.float32)]
    for batch in source.changes(-1):
        found, rows = _unpacked(batch, len(query))
        rids.append(found)
        scores.append(_dot(rows.astype(np.float32), query))
    return np.concatenate(rids), np.concatenate(scores)


def _in_order(rids: NDArray[np.int64], scores: NDArray[np.float32], first: int) -> Iterator[list[int]]:
    """The best ``first``, then the rest in batches that grow: most searches need no more than the first."""
    import numpy as np  # noqa: PLC0415  # heavy, and an extra

    given = 0
    if len(rids) > 4 * first:
        least = np.partition(scores, len(scores) - first)[len(scores) - first]
        among = np.flatnonzero(scores >= least)
        best = rids[among][np.lexsort((-rids[among], -scores[among]))]
        given = len(best)
        yield best.tolist()
    order = rids[np.lexsort((-rids, -scores))]
    size = first
    while given < len(order):
        yield order[given : given + size].tolist()
        given += size
        size *= 4
