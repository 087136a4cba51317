"""How good the keywords and summaries of `memory-processor` are, beside what needs no plugin at all.

Ten short texts in `tests/plugins/texts/`, each with the keywords that a reader would name and the sentences of which a
summary should have one, written before the plugin had seen the texts. The baselines are the most frequent words of four
letters and more (pairs of characters in Chinese), and the first three sentences.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.table import Bar, Row, run_program
from mcp_server.testing import Plugin, open_plugin

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ROOT / "tests" / "plugins" / "texts"
KEYWORDS, SENTENCES = 10, 3
HAN = re.compile(r"[\u4e00-\u9fff]+")
SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


@dataclass(frozen=True)
class Expected:
    """A text, and what a reader finds in it: keywords with other ways to say each, and sentences that matter."""

    name: str
    text: str
    keywords: tuple[frozenset[str], ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """Of one text: 0 to 1 each; ``sentence`` is 1 where the summary has a sentence that matters."""

    precision: float
    recall: float
    sentence: float


def texts() -> list[Expected]:
    """The texts with what is expected of them."""
    document = tomllib.loads((TEXTS / "expected.toml").read_text(encoding="utf-8"))
    return [
        Expected(
            name,
            (TEXTS / f"{name}.txt").read_text(encoding="utf-8"),
            tuple(frozenset(word.casefold() for word in words.split("|")) for words in table["keywords"]),
            tuple(table["sentences"]),
        )
        for name, table in document.items()
    ]


def by_plugin(plugin: Plugin, text: str) -> tuple[list[str], list[str]]:
    """The keywords and the summary's sentences, as the plugin finds them."""
    keywords = plugin.call("extract_keywords", text=text, limit=KEYWORDS)["keywords"]
    summary = plugin.call("summarize_memory", text=text, max_sentences=SENTENCES)["sentences"]
    return [one["keyword"] for one in keywords], [one["text"] for one in summary]


def by_counting(text: str) -> tuple[list[str], list[str]]:
    """The most frequent words, the first of level ones first, and the first sentences."""
    words = [word.casefold() for word in re.findall(r"[^\W\d_]{4,}", text) if not HAN.search(word)]
    for run in HAN.findall(text):
        words += [run[at : at + 2] for at in range(len(run) - 1)]
    sentences = [sentence.strip() for sentence in SENTENCE.split(text) if sentence.strip()]
    return [word for word, _ in Counter(words).most_common(KEYWORDS)], sentences[:SENTENCES]


def score(expected: Expected, keywords: Sequence[str], sentences: Sequence[str]) -> Score:
    """How much of what was found is expected, and how much of what is expected was found."""
    found = {keyword.casefold() for keyword in keywords}
    wanted = frozenset[str]().union(*expected.keywords)
    return Score(
        precision=sum(keyword.casefold() in wanted for keyword in keywords) / max(len(keywords), 1),
        recall=mean(bool(found & ways) for ways in expected.keywords),
        sentence=float(any(sentence in told for sentence in expected.sentences for told in sentences)),
    )


def measure(quick: bool = False) -> list[Row]:
    """The rows of this program; there is no smaller count."""
    data = texts()
    with open_plugin(ROOT / "manifests" / "memory-processor") as plugin:
        mine = [score(one, *by_plugin(plugin, one.text)) for one in data]
    base = [score(one, *by_counting(one.text)) for one in data]
    rows: list[Row] = []
    for of, counting in (("precision", "frequency"), ("recall", "frequency"), ("sentence", "first three")):
        what = "a sentence that matters" if of == "sentence" else f"keywords, {of}@{KEYWORDS}"
        pairs = [(getattr(a, of), getattr(b, of)) for a, b in zip(mine, base, strict=True)]
        rows += [
            Row(f"{what}, {one.name}, against {counting}", "", a, b)
            for one, (a, b) in zip(data, pairs, strict=True)
            if not quick
        ]
        own, other = mean(a for a, _ in pairs), mean(b for _, b in pairs)
        rows.append(Row(f"{what}, all texts, against {counting}", "", own, other, own / other, Bar("least", 1.0)))
    return rows


if __name__ == "__main__":
    run_program(measure, __doc__ or "")
