"""What stores take and give: frozen values without behaviour. Times are microseconds since 1970, UTC.

Those that come by the hundred are named tuples: a frozen dataclass of 13 fields takes four times as long to make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

__all__ = [
    "Added",
    "Budget",
    "Candidate",
    "Change",
    "Entry",
    "KeyFigures",
    "MemoryChanges",
    "MemoryRecord",
    "MemoryStats",
    "Neighbour",
    "NewMemory",
    "NewVector",
    "Operation",
    "Spending",
    "StoreFigures",
    "Stored",
    "Vocabulary",
]

Operation = Literal["add", "update", "delete", "expire"]


class NewMemory(NamedTuple):
    """A memory on its way in.

    Attributes:
        analyzed: The content as index terms joined by one space; see ``memory.analysis``.
        hash: SHA-256 of the content, in hexadecimal.
    """

    id: str
    content: str
    analyzed: str
    hash: str
    memory_type: str
    created_at: int
    updated_at: int
    metadata: Mapping[str, Any]
    agent_id: str | None = None
    run_id: str | None = None
    importance: float | None = None
    expires_at: int | None = None
    version: int = 1


class MemoryRecord(NamedTuple):
    """A memory as it is stored. ``user_id`` is the principal it belongs to."""

    id: str
    content: str
    memory_type: str
    user_id: str
    agent_id: str | None
    run_id: str | None
    metadata: dict[str, Any]
    created_at: int
    updated_at: int
    hash: str
    version: int
    expires_at: int | None
    importance: float | None


@dataclass(frozen=True, slots=True)
class MemoryChanges:
    """What an update replaces: the named fields, by their values; content comes with its terms and hash."""

    fields: Mapping[str, Any]
    at: int


class Added(NamedTuple):
    """One outcome of an add: the record that is stored now, and whether it was there before."""

    record: MemoryRecord
    duplicate: bool


class Candidate(NamedTuple):
    """A record that matched some term, with its index terms for the ranking."""

    record: MemoryRecord
    analyzed: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a scope knows of a query's terms.

    Attributes:
        records: Memories in the scope.
        mean_terms: Mean number of terms of a memory.
        documents: Term -> in how many memories it occurs; terms that occur nowhere are missing.
    """

    records: int
    mean_terms: float
    documents: Mapping[str, int]


class NewVector(NamedTuple):
    """The vector of one memory's text; it is kept only while the memory still has the content of ``hash``."""

    id: str
    hash: str
    vector: Sequence[float]


class Neighbour(NamedTuple):
    """A record and the cosine of its vector with the query's."""

    record: MemoryRecord
    cosine: float


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a memory's history; ``before`` holds what the change replaced."""

    id: str
    version: int
    operation: Operation
    at: int
    before: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class MemoryStats:
    """Figures of one scope; ``size`` counts the bytes the quota counts."""

    records: int
    size: int
    vectors: int
    changes: int
    oldest: int | None
    newest: int | None
    by_type: Mapping[str, int]


class Stored(NamedTuple):
    """A value as it is stored under a key."""

    value: bytes
    version: int
    expires_at: int | None


class Entry(NamedTuple):
    """One line of a listing of keys."""

    key: str
    size: int
    version: int
    expires_at: int | None


Vector = Sequence[float]


class KeyFigures(NamedTuple):
    """Bytes that a plugin keeps under keys: of all principals, and of the one who has most."""

    size: int
    most: int


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """What lies in a store, over all principals.

    Attributes:
        file_bytes: Of the whole database.
        memories: Their number.
        memory_bytes: As quotas count them.
        keys: By plugin.
        spent: On language models on one day, by plugin.
    """

    file_bytes: int
    memories: int
    memory_bytes: int
    keys: Mapping[str, KeyFigures]
    spent: Mapping[str, Spending]


class Spending(NamedTuple):
    """What language models took: tokens in and out, and millionths of the operator's currency."""

    tokens: int
    cost: int


@dataclass(frozen=True, slots=True)
class Budget:
    """A bound on the sum of a day.

    Attributes:
        of: Whose sum: this plugin's, this principal's, or everybody's.
        tokens: None is no bound.
        cost: None is no bound.
    """

    of: Literal["plugin", "principal", "server"]
    tokens: int | None = None
    cost: int | None = None
