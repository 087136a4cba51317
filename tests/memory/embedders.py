"""Embedders for tests: deterministic, and about as clever as a list of synonyms."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_server.errors import AgentMemError

TOPICS = (("tea", "coffee", "drink", "beverage"), ("dog", "cat", "pet", "animal"), ("car", "train", "travel"))


class Topics:
    """A vector of topics: texts about the same thing are near without sharing a word."""

    model = "topics-4"

    def __init__(self) -> None:
        self.fails = False

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One number per topic, and a little of something else."""
        if self.fails:
            raise AgentMemError("the model is away")
        return [[*(sum(word in text.lower() for word in topic) for topic in TOPICS), 0.1] for text in texts]
