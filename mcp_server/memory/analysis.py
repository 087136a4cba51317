"""From text to index terms: one function for records and queries, so that both say a word in the same way.

Compatibility forms and case are folded, accents dropped, English stop words dropped, English words stemmed. Scripts
without spaces between words become overlapping pairs of characters, which two-character queries find.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import cast

import Stemmer  # pyright: ignore[reportMissingImports]  # it has no types

__all__ = ["ANALYZER", "analyze", "terms_of"]

ANALYZER = "english-1"
"""Names these rules. An index that another set of rules made must be made again."""

# fmt: off
_STOP_WORDS = frozenset((
    "a", "about", "above", "after", "again", "all", "am", "an", "and", "any", "are", "as", "at",
    "be", "because", "been", "before", "being", "below", "between", "both", "but", "by", "can", "could", "did",
    "do", "does", "doing", "down", "during", "each", "few", "for", "from", "further", "had", "has", "have",
    "having", "he", "her", "here", "hers", "herself", "him", "himself", "his", "how", "i", "if", "in",
    "into", "is", "it", "its", "itself", "just", "me", "more", "most", "my", "myself", "no", "nor",
    "not", "now", "of", "off", "on", "once", "only", "or", "other", "our", "ours", "ourselves", "out",
    "over", "own", "same", "she", "should", "so", "some", "such", "than", "that", "the", "their", "theirs",
    "them", "themselves", "then", "there", "these", "they", "this", "those", "through", "to", "too", "under", "until",
    "up", "very", "was", "we", "were", "what", "when", "where", "which", "while", "who", "whom", "why",
    "will", "with", "would", "you", "your", "yours", "yourself", "yourselves", "s", "t", "d", "ll", "m",
    "re", "ve",
))
# fmt: on
_MOST_TERM_CHARS = 64
_UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # kana, Han
    "\u1100-\u11ff\uac00-\ud7af"  # Hangul
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
)
_is_unspaced = re.compile(f"[{_UNSPACED}]").match
_PLAIN = re.compile("[a-z0-9]+")
# One stemmer is for one thread at a time; its own cache is off, ours lies in front of it.
_english = cast("Callable[[str], str]", Stemmer.Stemmer("english", 0).stemWord)  # pyright: ignore[reportUnknownMemberType]
_stemming = threading.Lock()


def analyze(text: str) -> str:
    """The terms of ``text`` in order, joined by one space; what an index keeps."""
    return " ".join(terms_of(text))


def terms_of(text: str) -> list[str]:
    """The terms of ``text`` in order. None holds a space, a quote or a capital."""
    if text.isascii():
        return [_stem(word) for word in _PLAIN.findall(text.lower()) if word not in _STOP_WORDS]
    terms: list[str] = []
    for run in _runs(unicodedata.normalize("NFKC", text).casefold()):
        if _is_unspaced(run[0]):
            terms.extend(_pairs(run))
        elif (word := _without_accents(run)) and word not in _STOP_WORDS:
            terms.append(_stem(word))
    return terms


def _runs(text: str) -> list[str]:
    """Runs of characters of one kind; a mark belongs to what it stands on, which ``\\w`` does not know."""
    runs: list[str] = []
    before: str | None = None
    for character in text:
        kind = before if unicodedata.category(character)[0] == "M" else _kind(character)
        if kind is not None and kind == before:
            runs[-1] += character
        elif kind is not None:
            runs.append(character)
        before = kind
    return runs


def _kind(character: str) -> str | None:
    if not character.isalnum():
        return None
    return "unspaced" if _is_unspaced(character) else "word"


def _pairs(run: str) -> list[str]:
    return [run] if len(run) == 1 else [run[at : at + 2] for at in range(len(run) - 1)]


def _without_accents(run: str) -> str:
    if run.isascii():
        return run
    bare = "".join(each for each in unicodedata.normalize("NFD", run) if not "\u0300" <= each <= "\u036f")
    return unicodedata.normalize("NFC", bare or run)


@lru_cache(50_000)
def _stem(word: str) -> str:
    if word.isascii() and word.isalpha():
        with _stemming:
            return _english(word[:_MOST_TERM_CHARS])
    return word[:_MOST_TERM_CHARS]
