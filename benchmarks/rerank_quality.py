"""What reranking memories brings and costs: recall@5, MRR and milliseconds, against plain search by words.

The labelled set is made of the docstrings of this Python's standard library: the rest of a docstring is a memory, its
first paragraph is the question, and that memory is the one right answer. People wrote both, not knowing this search.
The weights of the plugin ``search`` were chosen on the modules of one half; the other half is measured.
Typing slips are made here: in half of the longer words of the questions, in a fifth of those of the memories.
"""

from __future__ import annotations

import ast
import hashlib
import random
import sys
import sysconfig
import tempfile
import time
import warnings
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import anyio

from benchmarks.table import Bar, Row, against, alone, run_program
from mcp_server.host import PluginHost
from mcp_server.memory.analysis import terms_of
from mcp_server.memory.hooks import PRINCIPAL_SPACE, Scope
from mcp_server.memory.requests import AddMemory, SearchMemories
from mcp_server.registry.discovery import PluginFolders
from mcp_server.settings import Grant, Settings

ROOT = Path(__file__).resolve().parent.parent
NOT_LIBRARY = {"test", "tests", "site-packages", "idlelib", "idle_test", "lib2to3", "turtledemo", "__pycache__"}
QUESTION_TERMS, MEMORY_TERMS, MEMORY_CHARS = range(5, 21), 12, 3_000
LIMIT = 10
SCOPE = Scope("somebody", PRINCIPAL_SPACE)


@dataclass(frozen=True)
class Pair:
    """A question and the memory that answers it; whether the weights were chosen on others."""

    question: str
    memory: str
    held_out: bool


def pairs() -> Iterator[Pair]:
    """First paragraph and rest of every docstring that has enough of both."""
    root = Path(sysconfig.get_path("stdlib"))
    seen = set[str]()
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root)
        if NOT_LIBRARY & set(name.parts):
            continue
        held_out = hashlib.sha256(str(name).encode()).digest()[0] % 2 == 1
        for docstring in _docstrings(path):
            head, _, rest = docstring.partition("\n\n")
            question, memory = " ".join(head.split()), " ".join(rest.split())[:MEMORY_CHARS]
            enough = len(terms_of(question)) in QUESTION_TERMS and len(terms_of(memory)) >= MEMORY_TERMS
            if enough and not {question, memory} & seen:
                seen |= {question, memory}
                yield Pair(question, memory, held_out)


def _docstrings(path: Path) -> Iterator[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield ast.get_docstring(node) or ""


def slipped(text: str, share: float, chance: random.Random) -> str:
    """``text`` with a typing slip in that share of its words of five letters and more."""

    def slip(word: str) -> str:
        at, letter = chance.randrange(1, len(word) - 1), chance.choice("abcdefghijklmnopqrstuvwxyz")
        left, right = word[:at], word[at + 1 :]
        return chance.choice([left + right, left + right[0] + word[at] + right[1:], left + letter + right])

    words = text.split()
    return " ".join(slip(w) if len(w) >= 5 and w.isalpha() and chance.random() < share else w for w in words)


@asynccontextmanager
async def opened(
    plugin: str | None, memories: Sequence[str], folder: Path
) -> AsyncGenerator[tuple[PluginHost, list[str]]]:
    """A host in which the hooks of ``plugin`` alone run, with the memories stored, and their ids."""
    grants = {plugin: Grant(hooks=True)} if plugin else {}
    folders = PluginFolders(plugins=(ROOT / "plugins",), manifests=(ROOT / "manifests",))
    async with PluginHost(Settings(grants=grants), folders, cache=folder / "cache", data=folder / str(plugin)) as host:
        engine = host.memories()
        quiet = Scope(SCOPE.principal, SCOPE.space, in_hook=True)  # what cleans before an add is not what is measured
        ids = [(await engine.add(quiet, AddMemory(content=memory))).record.id for memory in memories]
        yield host, ids


@dataclass(frozen=True)
class Figures:
    """One figure for each question; ``late`` is 1 where the hook did not come to its answer within its budget."""

    recall: list[float]
    reciprocal: list[float]
    ms: list[float]
    late: list[float]


async def asked(host: PluginHost, plugin: str | None, questions: Sequence[tuple[str, str]]) -> Figures:
    """Ask every question, after some that warm up."""
    figures = Figures([], [], [], [])
    for number, (question, right) in enumerate([*questions[:10], *questions]):
        started = time.perf_counter()
        found = await host.memories().search(SCOPE, SearchMemories(query=question, mode="lexical", limit=LIMIT))
        spent = time.perf_counter() - started
        places = [place for place, hit in enumerate(found.hits, 1) if hit.record.id == right]
        if number >= 10:
            figures.recall.append(float(bool(places) and places[0] <= 5))
            figures.reciprocal.append(1 / places[0] if places else 0.0)
            figures.ms.append(spent * 1_000)
            figures.late.append(float(any(plugin not in (hit.annotations or {}) for hit in found.hits[:1])))
    return figures


async def compared(kind: str, data: Sequence[Pair], share: tuple[float, float], rounds: int) -> list[Row]:
    """The rows of one kind of set: ``share`` of words with slips in questions and in memories."""
    chance = random.Random(3)  # noqa: S311  # made data
    made = [Pair(slipped(p.question, share[0], chance), slipped(p.memory, share[1], chance), p.held_out) for p in data]
    rows: list[Row] = []
    figures: dict[str | None, Figures] = {}
    with tempfile.TemporaryDirectory() as folder:
        for plugin in (None, "memory-processor", "search"):
            async with opened(plugin, [pair.memory for pair in made], Path(folder)) as (host, ids):
                questions = [(p.question, one) for p, one in zip(made, ids, strict=True) if p.held_out]
                figures[plugin] = await asked(host, plugin, questions[:rounds])
    plain = figures.pop(None)
    for plugin, own in figures.items():
        least = Bar("least", 1.0) if plugin == "search" else None
        name = f"hook of {plugin}, {kind}"
        rows.append(against(f"recall@5, {name}", "", [mean(own.recall)], [mean(plain.recall)], least))
        rows.append(against(f"MRR, {name}", "", [mean(own.reciprocal)], [mean(plain.reciprocal)], least))
        most = Bar("most", 20, "figure") if plugin == "search" else None
        rows.append(alone(f"added to a search, {name}", "ms", median(own.ms) - median(plain.ms), most))
        rows.append(alone(f"searches that it was too late for, {name}", "%", 100 * mean(own.late)))
    return rows


def measure(quick: bool) -> list[Row]:
    """The rows: clean, with slips in the questions, with slips in the memories."""

    async def every() -> list[Row]:
        data = list(pairs())
        data = data[:120] if quick else data
        kinds = {"clean": (0.0, 0.0), "slips in questions": (0.5, 0.0), "slips in memories": (0.0, 0.2)}
        rows: list[Row] = []
        for kind, share in kinds.items():
            rows += await compared(kind, data, share, 20 if quick else len(data))
        return rows

    return anyio.run(every)


def main() -> int:
    """Print the rows."""
    run_program(measure, __doc__ or "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
