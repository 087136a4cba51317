"""From text to terms: what a person means to be the same word is the same term."""

from __future__ import annotations

import sys
import threading
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.backends.sqlite.typed import connect
from mcp_server.memory.analysis import analyze, terms_of


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The runners were running", ["runner", "run"]),
        ("Café CAFE cafe\u0301", ["cafe", "cafe", "cafe"]),
        ("Straße ﬁne ①", ["strass", "fine", "1"]),
        ("snake_case kebab-case a.b@c.de", ["snake", "case", "kebab", "case", "b", "c", "de"]),
        ("東京タワー", ["東京", "京タ", "タワ", "ワー"]),
        ("茶", ["茶"]),
        ("café 東京", ["cafe", "東京"]),
        ("が", ["が"]),
        ("한국어", ["한국", "국어"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("ไทย", ["ไท", "ทย"]),
        ("Чай чаЙ", ["чаи", "чаи"]),
        ("it's John's", ["john"]),
        ("how is the", []),
        ("😀 — …", []),
        ("", []),
    ],
)
def test_text_becomes_terms(text: str, terms: list[str]) -> None:
    assert terms_of(text) == terms


@given(st.text(max_size=40))
def test_no_term_can_leave_its_quotes_or_split_at_a_space(text: str) -> None:
    for term in terms_of(text):
        assert term
        assert not set(term) & set("\"' \t\n\x00()*:^-+")
    assert analyze(text).split() == terms_of(text)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cn", "Co"], max_codepoint=0x2FFF), max_size=20))
def test_the_index_finds_every_text_by_each_of_its_terms(text: str) -> None:
    connection = connect(Path(":memory:"))
    connection.execute(
        "CREATE VIRTUAL TABLE f USING fts5 (t, tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* Co M*'\")"
    )
    terms = terms_of(text)
    connection.execute("INSERT INTO f (rowid, t) VALUES (1, ?)", (" ".join(terms),))
    for term in terms:
        rows = connection.execute("SELECT rowid FROM f WHERE f MATCH ?", (f't:"{term}"',)).fetchall()
        assert rows == [(1,)]
    connection.close()


def test_threads_stem_at_once_and_never_mix_their_words() -> None:
    syllables = [consonant + vowel for consonant in "bdfglmnprst" for vowel in "aeiou"][:40]
    words = ["".join(parts) for parts in product(syllables, syllables, syllables, ("ing",))]  # more than are remembered
    expected = [terms_of(word) for word in words]
    wrong: list[str] = []

    def stem() -> None:
        for word, terms in zip(words, expected, strict=True):
            if terms_of(word) != terms:
                wrong.append(word)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=stem) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert wrong == []
