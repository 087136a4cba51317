"""Static word tables of model2vec's kind: a mean over the vectors of a text's tokens, thousands of texts a second."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from mcp_server.memory.embedders.files import digest, model_folder, package
from mcp_server.memory.errors import EmbeddingsUnavailable

__all__ = ["StaticEmbedder"]

_FILES = ("config.json", "model.safetensors", "tokenizer.json")


class StaticEmbedder:
    """A model in a folder.

    Args:
        path: Holds ``config.json``, ``model.safetensors`` and ``tokenizer.json``.

    Raises:
        EmbeddingsUnavailable: The library or a file is missing, or the files are no model.
    """

    def __init__(self, path: str) -> None:
        folder = model_folder(path, _FILES)
        library = package("model2vec", "embeddings")
        try:
            self._table: Any = library.StaticModel.from_pretrained(str(folder))
        # tokenizers raises Exception itself, and nothing narrower, about a file it cannot read; the others add
        # SafetensorError, ValueError, KeyError and TypeError. Nothing of ours runs in here.
        except Exception as error:
            raise EmbeddingsUnavailable("the embedding model cannot be read", fix=f"{folder}: {error}") from error
        # The bytes name the model: another table in the same folder gives vectors that must not be compared.
        self._model = f"model2vec:{digest([folder / name for name in _FILES])}:{self._table.dim}"
        self._lock = threading.Lock()  # the tokenizer's length limit is set and reset by each call

    @property
    def model(self) -> str:
        """As the contract says."""
        return self._model

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """As the contract says."""
        with self._lock:
            return self._table.encode(list(texts), use_multiprocessing=False).tolist()
