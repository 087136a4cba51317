"""A provider without a model: it answers with sentences of the prompt, word for word, and invents nothing.

It is there only where the configuration names it, and its answers say so (``provider_kind``). A question, or a first
sentence that gives an order, says what is looked for; without one, the sentences that hold most of what all of them
talk about are taken. A token of it is a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Literal

import anyio.to_thread

from mcp_server.backends.llm.base import Completion, Prompt, Tokens
from mcp_server.backends.llm.errors import Unsupported
from mcp_server.memory.analysis import terms_of
from mcp_server.memory.candidates import rank

__all__ = ["ExtractiveProvider", "extract"]

MOST_SENTENCES = 3
_END = re.compile(r"(?<=[.!?…])[\"')\]”’]*\s+|(?<=[。！？])|\n+")
_ORDER = re.compile(r"(?i)(please\s+)?(summari[sz]e|answer|explain|describe|list|extract|find|tell|give)\b.*")


class ExtractiveProvider:
    """Sentences of the prompt."""

    kind: Literal["extractive"] = "extractive"
    most_temperature = 2.0  # without an effect: it is the same answer each time

    async def complete(
        self, model: str, prompt: Prompt, seconds: float, trace: Mapping[str, str] | None = None
    ) -> Completion:
        """As the contract says; it cannot write JSON."""
        if prompt.schema is not None:
            raise Unsupported("an extractive provider repeats sentences and cannot write JSON")
        text = "\n".join(message.content for message in prompt.messages if message.role == "user")
        answer, whole = await anyio.to_thread.run_sync(extract, text, prompt.max_tokens)
        tokens = Tokens(len(text.split()), len(answer.split()))
        return Completion(answer, "stop" if whole else "length", tokens)

    async def aclose(self) -> None:
        """It has nothing to close."""


def extract(text: str, most_words: int) -> tuple[str, bool]:
    """At most three sentences of ``text`` in their order, and whether all of those fit into ``most_words``."""
    sentences = [sentence.strip() for sentence in _END.split(text) if sentence.strip()]
    wanted = [one for one in sentences if one.endswith(("?", "？"))] or [
        one for one in sentences[:1] if _ORDER.match(one)
    ]
    rest = [one for one in sentences if one not in wanted]
    best = _fitting(" ".join(wanted), rest) or _central(rest)
    taken, left = list[int](), most_words
    chosen = best[:MOST_SENTENCES]
    for index in chosen:
        if len(rest[index].split()) <= left:
            taken.append(index)
            left -= len(rest[index].split())
    return " ".join(rest[index] for index in sorted(taken)), len(taken) == len(chosen)


def _fitting(query: str, sentences: Sequence[str]) -> list[int]:
    return [one.index for one in rank(query, sentences, "keyword", None)[0]] if query else []


def _central(sentences: Sequence[str]) -> list[int]:
    terms = [set(terms_of(sentence)) for sentence in sentences]
    spread = Counter(term for words in terms for term in words)
    weights = [sum(spread[term] for term in words) / sqrt(len(words) or 1) for words in terms]
    return sorted(range(len(sentences)), key=lambda index: (-weights[index], index))
