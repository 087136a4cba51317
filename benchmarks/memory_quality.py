"""How well memories are found: recall@5, recall@10 and MRR by words, by meaning and by both.

Without arguments on data made here: notes about things that have several names, and questions that use some of the
other names. The model of that data knows which names belong together, with an error, as a word table does. With
``--data FILE`` on a data set of one's own, and with ``--model2vec FOLDER`` with a real model. The file is JSON::

    {"scopes": [{"documents": [{"id": "1", "text": "…"}], "questions": [{"text": "…", "relevant": ["1"]}]}]}
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any, Literal

import numpy as np

from benchmarks.memory_engine import PLENTY, SYLLABLES
from benchmarks.table import Bar, Row, against, alone, argument_parser, print_rows
from mcp_server.backends.sqlite import SqliteStore
from mcp_server.memory import embedders
from mcp_server.memory.embedding import Embedder
from mcp_server.memory.engine import MemoryEngine
from mcp_server.memory.requests import AddMemory, SearchMemories

MODES: tuple[Literal["lexical", "semantic", "hybrid"], ...] = ("lexical", "semantic", "hybrid")
THINGS, NAMES, WORDS_A_NOTE, WORDS_A_QUESTION = 1_500, 3, 9, 5
OTHER_NAME, ERROR, DIMENSIONS = 0.8, 2.5, 128


@dataclass(frozen=True)
class Scope:
    """Texts by id, and questions with the ids that answer them."""

    documents: dict[str, str]
    questions: list[tuple[str, frozenset[str]]]


class Names:
    """Stands for a model: the names of one thing have vectors near to each other."""

    def __init__(self, things: Sequence[Sequence[str]]) -> None:
        chance = np.random.default_rng(5)
        self.model = "names"
        self._vectors: dict[str, np.ndarray] = {}
        for names in things:
            middle = chance.standard_normal(DIMENSIONS)
            for name in names:
                self._vectors[name] = middle + ERROR * chance.standard_normal(DIMENSIONS)

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """The mean of the words' vectors."""
        zero = np.zeros(DIMENSIONS)
        return [sum((self._vectors.get(word, zero) for word in text.split()), zero).tolist() for text in texts]


def made(scopes: int, notes: int, questions: int) -> tuple[list[Scope], Names]:
    """Data, the same in every run, and the model that knows its words."""
    chance = random.Random(19)  # noqa: S311  # made data
    words = list(dict.fromkeys("".join(chance.choices(SYLLABLES, k=3)) for _ in range(2 * THINGS * NAMES)))
    things = [words[at : at + NAMES] for at in range(0, THINGS * NAMES, NAMES)]
    weights = [1 / (rank + 20) for rank in range(THINGS)]
    found: list[Scope] = []
    for _ in range(scopes):
        about = [chance.choices(range(THINGS), weights, k=WORDS_A_NOTE) for _ in range(notes)]
        documents = {str(at): " ".join(chance.choice(things[one]) for one in note) for at, note in enumerate(about)}
        asked: list[tuple[str, frozenset[str]]] = []
        for at in chance.sample(range(notes), questions):
            kept = chance.sample(list(zip(about[at], documents[str(at)].split(), strict=True)), WORDS_A_QUESTION)
            query = [chance.choice(things[one]) if chance.random() < OTHER_NAME else word for one, word in kept]
            asked.append((" ".join(query), frozenset([str(at)])))
        found.append(Scope(documents, asked))
    return found, Names(things)


def read(path: Path) -> list[Scope]:
    """The data set in ``path``."""
    scopes: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["scopes"]
    return [
        Scope(
            {one["id"]: one["text"] for one in scope["documents"]},
            [(one["text"], frozenset(one["relevant"])) for one in scope["questions"]],
        )
        for scope in scopes
    ]


def measure(scopes: Sequence[Scope], embedder: Embedder | None) -> list[Row]:
    """A row per mode and measure; that of ``hybrid`` is compared with ``lexical``."""
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        engine = MemoryEngine(SqliteStore(Path(folder) / "store.db"), embedder=embedder, quota=PLENTY)
        ids = [_stored(engine, f"scope {number}", scope) for number, scope in enumerate(scopes)]
        for mode in MODES if embedder is not None else MODES[:1]:
            ranks = [rank for number, scope in enumerate(scopes) for rank in _ranks(engine, number, scope, ids, mode)]
            figures[mode] = {
                "recall@5": mean(share for share, _, _ in ranks),
                "recall@10": mean(share for _, share, _ in ranks),
                "MRR": mean(first for _, _, first in ranks),
            }
        engine.store.close()
    rows: list[Row] = []
    for mode, measures in figures.items():
        for name, figure in measures.items():
            if mode == "hybrid":
                bar = Bar("least", 1.0)
                rows.append(against(f"{name}, hybrid against lexical", "", [figure], [figures["lexical"][name]], bar))
            else:
                rows.append(alone(f"{name}, {mode}", "", figure))
    return rows


def _stored(engine: MemoryEngine, owner: str, scope: Scope) -> dict[str, str]:
    """Memory id -> document id; of equal texts the last one's."""
    names: dict[str, str] = {}
    items = list(scope.documents.items())
    for at in range(0, len(items), 500):
        batch = items[at : at + 500]
        added = engine.add_many(owner, "notes", [AddMemory(content=text) for _, text in batch])
        names.update((one.record.id, name) for one, (name, _) in zip(added, batch, strict=True))
    return names


def _ranks(
    engine: MemoryEngine, number: int, scope: Scope, ids: Sequence[dict[str, str]], mode: Any
) -> Iterable[tuple[float, float, float]]:
    for query, relevant in scope.questions:
        found = engine.search(f"scope {number}", "notes", SearchMemories(query=query, mode=mode, limit=10))
        names = [ids[number].get(hit.record.id) for hit in found.hits]
        places = [place for place, name in enumerate(names, 1) if name in relevant]
        yield (
            sum(place <= 5 for place in places) / len(relevant),
            len(places) / len(relevant),
            1 / places[0] if places else 0.0,
        )


def main() -> int:
    """Measure what the command line names."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--data", type=Path, metavar="FILE", help="a data set of one's own")
    parser.add_argument("--model2vec", metavar="FOLDER", help="a real model")
    options = parser.parse_args()
    scopes, embedder = made(2, 600, 100) if options.quick else made(10, 2_000, 150)
    if options.data:
        scopes, embedder = read(options.data), None
    if options.model2vec:
        embedder = embedders.model2vec(options.model2vec)
    print_rows(measure(scopes, embedder), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
