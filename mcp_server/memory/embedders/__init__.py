"""The embedding models an operator can name: where each is loaded from, and that nothing is ever downloaded.

A model is loaded by the first text it is asked about, so that a server starts as fast without it and a broken model
breaks searches by meaning alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from mcp_server.memory.embedding import Embedder

__all__ = ["LazyEmbedder", "endpoint", "fastembed", "model2vec"]


class LazyEmbedder:
    """A model that is loaded when it is first asked; after a failure it is tried again.

    Args:
        load: Gives the model.
    """

    def __init__(self, load: Callable[[], Embedder]) -> None:
        self._load = load
        self._loaded: Embedder | None = None
        self._lock = threading.Lock()

    @property
    def model(self) -> str:
        """As the contract says.

        Raises:
            EmbeddingsUnavailable: It cannot be loaded.
        """
        return self._ready().model

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """As the contract says.

        Raises:
            EmbeddingsUnavailable: It cannot be loaded, or does not answer.
        """
        return self._ready().embed(texts)

    def _ready(self) -> Embedder:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded


def model2vec(path: str) -> Embedder:
    """A static model of model2vec's kind, in the folder ``path``."""

    def load() -> Embedder:
        from mcp_server.memory.embedders.static import StaticEmbedder  # noqa: PLC0415  # loaded when first asked

        return StaticEmbedder(path)

    return LazyEmbedder(load)


def fastembed(path: str, model: str) -> Embedder:
    """A model that fastembed knows as ``model``, whose files lie in the folder ``path``."""

    def load() -> Embedder:
        from mcp_server.memory.embedders.onnx import OnnxEmbedder  # noqa: PLC0415  # loaded when first asked

        return OnnxEmbedder(path, model)

    return LazyEmbedder(load)


def endpoint(
    url: str,
    model: str,
    *,
    key: str | None,
    secret: Callable[[str], str | None],
    timeout_seconds: float,
    batch: int,
    dimensions: int | None,
) -> Embedder:
    """A server that speaks OpenAI's ``/embeddings``; the arguments are those of :class:`.remote.RemoteEmbedder`."""

    def load() -> Embedder:
        from mcp_server.memory.embedders.remote import RemoteEmbedder  # noqa: PLC0415  # loaded when first asked

        return RemoteEmbedder(
            url, model, key=key, secret=secret, timeout_seconds=timeout_seconds, batch=batch, dimensions=dimensions
        )

    return LazyEmbedder(load)
