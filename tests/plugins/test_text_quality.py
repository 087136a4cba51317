"""What ``memory-processor`` finds in ten real texts, against what a reader found in them before."""

from __future__ import annotations

from statistics import mean

import pytest

from benchmarks.text_quality import KEYWORDS, Expected, Score, by_counting, by_plugin, score, texts
from mcp_server.testing import Plugin
from tests.requirements import requirement

pytestmark = pytest.mark.plugin("manifests/memory-processor")
TEXTS = texts()
HARD = {"law": 0.4, "news": 0.5, "code": 0.5}
"""Of these texts fewer keywords are found, and no fewer than this: see benchmarks/README.md."""


def of_plugin(plugin: Plugin, expected: Expected) -> Score:
    return score(expected, *by_plugin(plugin, expected.text))


def test_the_expectations_are_about_the_texts() -> None:
    assert len(TEXTS) == 10
    for one in TEXTS:
        assert len(one.keywords) == KEYWORDS, one.name
        text = " ".join(one.text.split()).casefold()
        for ways in one.keywords:
            assert any(way in text for way in ways), (one.name, ways)
        for sentence in one.sentences:
            assert sentence in " ".join(one.text.split()), one.name


@requirement("plugins:text-quality")
@pytest.mark.parametrize("expected", TEXTS, ids=lambda one: one.name)
def test_most_of_a_readers_keywords_are_found(expected: Expected, plugin: Plugin) -> None:
    assert of_plugin(plugin, expected).recall >= HARD.get(expected.name, 0.6)


@requirement("plugins:text-quality")
@pytest.mark.parametrize("expected", [one for one in TEXTS if one.name != "prose"], ids=lambda one: one.name)
def test_a_summary_has_a_sentence_that_matters(expected: Expected, plugin: Plugin) -> None:
    assert of_plugin(plugin, expected).sentence == 1


@requirement("plugins:text-quality")
def test_keywords_and_summaries_are_better_than_counting(plugin: Plugin) -> None:
    own = [of_plugin(plugin, one) for one in TEXTS]
    counted = [score(one, *by_counting(one.text)) for one in TEXTS]
    for of in ("precision", "recall", "sentence"):
        assert mean(getattr(one, of) for one in own) > mean(getattr(one, of) for one in counted), of


def test_a_score_counts_what_is_there_and_what_is_missing() -> None:
    expected = Expected("t", "", (frozenset({"tea", "green tea"}), frozenset({"milk"})), ("Tea is hot.",))
    assert score(expected, ["Tea", "cup"], ["So: Tea is hot."]) == Score(0.5, 0.5, 1.0)
    assert score(expected, [], []) == Score(0.0, 0.0, 0.0)
