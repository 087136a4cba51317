"""The memory engine and the embedded store at 100 000 records: 50 callers with 2 000 each, and one caller with all."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

from benchmarks.rounds import percentile
from benchmarks.table import Bar, Row, alone, run_program
from mcp_server.backends.sqlite import SqliteStore
from mcp_server.memory.engine import MemoryEngine
from mcp_server.memory.requests import AddMemory, SearchMemories

BATCH = 500
SCOPE = 2_000
WORDS = 30_000
SYLLABLES = [a + b for a in "bcdfghjklmnprstvw" for b in ("a", "e", "i", "o", "u", "ar", "en", "is", "on")]
STOP_WORDS = ["the", "and", "of", "to", "a", "in", "is", "it", "that", "was", "for", "on", "with", "as", "at", "by"]
PLENTY = 1 << 40


def measure(quick: bool = False) -> list[Row]:
    """The rows of this program."""
    records, questions = (6_000, 100) if quick else (100_000, 1_000)
    texts = sentences(records + questions)
    stored, fresh = texts[:records], texts[records:]
    with tempfile.TemporaryDirectory() as folder:
        many = MemoryEngine(SqliteStore(Path(folder) / "many.db"), quota=PLENTY)
        rows = _filled(many, stored, lambda number: f"user {number // SCOPE}")
        rows += _written(many, fresh)
        rows += _searched(many, "one scope of 2 000", f"user {records // SCOPE - 1}", stored[-SCOPE:], questions, 3.0)
        rows += _keys(many, questions * 10)
        many.store.close()
        one = MemoryEngine(SqliteStore(Path(folder) / "one.db"), quota=PLENTY)
        _filled(one, stored, lambda _: "user")
        rows += _searched(one, f"one scope of {records}", "user", stored, questions, 12.0)
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
    started = time.perf_counter()
    for number in range(0, len(texts), BATCH):
        engine.add_many(owner(number), "notes", [AddMemory(content=text) for text in texts[number : number + BATCH]])
    rate = len(texts) / (time.perf_counter() - started)
    return [alone("add_many, 500 at a time", "records/s", rate, Bar("least", 15_000, "figure"))]


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
