"""The memory engine and the embedded store at 100 000 records: 50 callers with 2 000 each, and one caller with all.

Vectors are made of the texts' words and of a size that small models have; what a model takes is not in the figures.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np

from benchmarks.rounds import percentile
from benchmarks.table import Bar, Row, alone, run_program
from mcp_server.backends.conditions import AllOf
from mcp_server.backends.sqlite import SqliteStore
from mcp_server.backends.values import NewVector
from mcp_server.memory.engine import MemoryEngine
from mcp_server.memory.requests import AddMemory, SearchMemories

BATCH = 500
SCOPE = 2_000
WORDS = 30_000
SYLLABLES = [a + b for a in "bcdfghjklmnprstvw" for b in ("a", "e", "i", "o", "u", "ar", "en", "is", "on")]
STOP_WORDS = ["the", "and", "of", "to", "a", "in", "is", "it", "that", "was", "for", "on", "with", "as", "at", "by"]
PLENTY = 1 << 40
DIMENSIONS = 384
RECALL = Bar("least", 0.99, "figure")


class WordVectors:
    """Stands for a model: the sum of random vectors of the words, at length 1."""

    model = f"words-{DIMENSIONS}"

    def __init__(self) -> None:
        self._chance = np.random.default_rng(3)
        self._known: dict[str, np.ndarray] = {}

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector per text."""
        return self.rows(texts).tolist()

    def rows(self, texts: Sequence[str]) -> np.ndarray:
        """The same as a matrix."""
        found = np.stack([sum((self._word(word) for word in text.split()), np.zeros(DIMENSIONS)) for text in texts])
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def _word(self, word: str) -> np.ndarray:
        if word not in self._known:
            self._known[word] = self._chance.standard_normal(DIMENSIONS)
        return self._known[word]


def measure(quick: bool = False) -> list[Row]:
    """The rows of this program."""
    records, questions = (6_000, 100) if quick else (100_000, 1_000)
    texts = sentences(records + questions)
    stored, fresh = texts[:records], texts[records:]
    with tempfile.TemporaryDirectory() as folder:
        embedder = WordVectors()
        many = MemoryEngine(SqliteStore(Path(folder) / "many.db"), quota=PLENTY)
        rows = _filled(many, stored, lambda number: f"user {number // SCOPE}")
        rows += _embedded(many, embedder)
        rows += _written(many, fresh)
        rows += _searched(many, "one scope of 2 000", f"user {records // SCOPE - 1}", stored[-SCOPE:], questions, 3.0)
        last = f"user {records // SCOPE - 1}"
        rows += _by_meaning(many, embedder, "one scope of 2 000", last, stored[-SCOPE:], questions, 3.0)
        rows += _keys(many, questions * 10)
        many.store.close()
        one = MemoryEngine(SqliteStore(Path(folder) / "one.db"), quota=PLENTY)
        _filled(one, stored, lambda _: "user")
        rows += _searched(one, f"one scope of {records}", "user", stored, questions, 12.0)
        _embedded(one, embedder)
        rows += _by_meaning(one, embedder, f"one scope of {records}", "user", stored, questions // 4, 12.0)
        rows.append(_recall(one, embedder, stored, 20 if quick else 100))
        rows += _written_between(one, embedder, fresh[: questions // 10], stored[0])
        one.store.close()
        rows.append(alone("file of all records", "MB", (Path(folder) / "one.db").stat().st_size / 1e6))
    return rows


def sentences(count: int) -> list[str]:
    """Sentences of 13 words, six of them stop words, the others as frequent as in a language; the same in every run."""
    chance = random.Random(7)  # noqa: S311  # made data
    words = ["".join(chance.choices(SYLLABLES, k=chance.choice((1, 2, 2, 3, 3, 4)))) for _ in range(WORDS)]
    weights = list(accumulate(1 / (rank + 40) for rank in range(WORDS)))
    texts: list[str] = []
    for _ in range(count):
        text = chance.choices(words, cum_weights=weights, k=7) + chance.choices(STOP_WORDS, k=6)
        chance.shuffle(text)
        texts.append(" ".join(text))
    return texts


def _filled(engine: MemoryEngine, texts: Sequence[str], owner: Callable[[int], str]) -> list[Row]:
    started, processor = time.perf_counter(), time.process_time()
    for number in range(0, len(texts), BATCH):
        engine.add_many(owner(number), "notes", [AddMemory(content=text) for text in texts[number : number + BATCH]])
    rate = len(texts) / (time.perf_counter() - started)
    return [
        alone("add_many, 500 at a time", "records/s", rate, Bar("least", 15_000, "figure")),
        alone("the same, per second of processor time", "records/s", len(texts) / (time.process_time() - processor)),
    ]


def _embedded(engine: MemoryEngine, embedder: WordVectors) -> list[Row]:
    memories, seconds, count = engine.store.memories, 0.0, 0
    for principal, plugin in engine.store.owners():
        records = memories.without_vector(principal, plugin, embedder.model, limit=1_000_000)
        vectors = embedder.embed([record.content for record in records])
        new = [NewVector(one.id, one.hash, vector) for one, vector in zip(records, vectors, strict=True)]
        started = time.perf_counter()
        for number in range(0, len(new), BATCH):
            count += memories.put_vectors(principal, plugin, embedder.model, new[number : number + BATCH])
        seconds += time.perf_counter() - started
    return [alone(f"vectors of {DIMENSIONS} numbers, 500 at a time", "records/s", count / seconds)]


def _by_meaning(
    engine: MemoryEngine,
    embedder: WordVectors,
    where: str,
    owner: str,
    texts: Sequence[str],
    count: int,
    most: float,
) -> list[Row]:
    chance = random.Random(13)  # noqa: S311  # made data
    clever = MemoryEngine(engine.store, embedder=embedder, quota=PLENTY)
    queries = [" ".join(chance.sample(chance.choice(texts).split(), 8)) for _ in range(count)]
    requests = [SearchMemories(query=query, mode="hybrid") for query in queries]
    cold, *times = _times([lambda request=request: clever.search(owner, "notes", request) for request in requests])
    return [
        alone(f"hybrid top 10, {where}, vectors not in memory yet", "ms", cold * 1e3),
        *_percentiles(f"hybrid top 10, {where}", "ms", times, 1e3, Bar("most", most, "figure")),
    ]


def _recall(engine: MemoryEngine, embedder: WordVectors, texts: Sequence[str], count: int) -> Row:
    """How many of the ten nearest by full precision are among the ten that the store gives."""
    chance = random.Random(17)  # noqa: S311  # made data
    rows = np.vstack([embedder.rows(texts[at : at + 1_000]).astype(np.float32) for at in range(0, len(texts), 1_000)])
    hit = 0
    for _ in range(count):
        query = embedder.rows([" ".join(chance.sample(chance.choice(texts).split(), 8))])[0]
        exact = {texts[at] for at in np.argsort(-(rows @ query.astype(np.float32)), kind="stable")[:10]}
        near = engine.store.memories.nearest(
            "user", "notes", embedder.model, query.tolist(), AllOf(()), limit=10, now=0
        )
        hit += len(exact & {one.record.content for one in near})
    return alone("recall@10 of vectors against a look at all in full precision", "", hit / (10 * count), RECALL)


def _written_between(engine: MemoryEngine, embedder: WordVectors, fresh: Sequence[str], query: str) -> list[Row]:
    """Each search follows a write to the same scope, which makes what is in memory out of date."""
    clever = MemoryEngine(engine.store, embedder=embedder, quota=PLENTY)
    request, times = SearchMemories(query=query, mode="semantic"), list[float]()
    for text in fresh:
        clever.add("user", "notes", AddMemory(content=f"anew {text}"))
        times += _times([lambda: clever.search("user", "notes", request)])
    return _percentiles("semantic top 10, all records, after a write to them", "ms", times, 1e3, None)


def _written(engine: MemoryEngine, texts: Sequence[str]) -> list[Row]:
    requests = [AddMemory(content=text) for text in texts]
    times = _times([lambda request=request: engine.add("user 0", "notes", request) for request in requests])
    return _percentiles("add, a transaction each", "ms", times, 1e3, Bar("most", 0.3, "figure"))


def _searched(engine: MemoryEngine, where: str, owner: str, texts: Sequence[str], count: int, most: float) -> list[Row]:
    chance = random.Random(11)  # noqa: S311  # made data
    asked = [" ".join(chance.sample(chance.choice(texts).split(), 8)) for _ in range(count)]
    requests = [SearchMemories(query=query) for query in asked]
    slipped = [SearchMemories(query=" ".join(_slip(word) for word in query.split())) for query in asked[: count // 4]]

    def searching(request: SearchMemories) -> Callable[[], object]:
        return lambda: engine.search(owner, "notes", request)

    times = _times([searching(request) for request in requests])
    typos = _times([searching(request) for request in slipped])
    return [
        *_percentiles(f"lexical top 10, {where}", "ms", times, 1e3, Bar("most", most, "figure")),
        *_percentiles(f"the same, a slip in each long word, {where}", "ms", typos, 1e3, None),
    ]


def _keys(engine: MemoryEngine, count: int) -> list[Row]:
    keys = engine.store.keys
    value = b"x" * 200
    puts = _times([lambda n=n: keys.store("user", "notes", f"key {n}", value, quota=PLENTY) for n in range(count)])
    gets = _times([lambda n=n: keys.load("user", "notes", f"key {n}") for n in range(count)])
    return [
        *_percentiles("key-value put, 200 B", "µs", puts, 1e6, None),
        *_percentiles("key-value get, 200 B", "µs", gets, 1e6, Bar("most", 5, "figure")),
    ]


def _slip(word: str) -> str:
    return word if len(word) < 5 else word[:2] + word[3] + word[2] + word[4:]


def _times(calls: Sequence[Callable[[], object]]) -> list[float]:
    times: list[float] = []
    for call in calls:
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return times


def _percentiles(name: str, unit: str, times: list[float], scale: float, bar: Bar | None) -> list[Row]:
    return [
        alone(f"{name}, p50", unit, percentile(times, 0.5) * scale, bar),
        alone(f"{name}, p99", unit, percentile(times, 0.99) * scale),
    ]


if __name__ == "__main__":
    run_program(measure, __doc__ or "")
