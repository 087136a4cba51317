"""Transformer models by fastembed, from a folder: given a folder, it neither looks into its cache nor downloads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcp_server.memory.embedders.files import digest, model_folder, package
from mcp_server.memory.errors import EmbeddingsUnavailable

__all__ = ["OnnxEmbedder"]

_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")


class OnnxEmbedder:
    """A model in a folder.

    Args:
        path: Holds the ONNX file under the name fastembed knows it by, and the tokenizer's files.
        model: As ``fastembed.TextEmbedding.list_supported_models()`` has it; says how to pool and where the file is.

    Raises:
        EmbeddingsUnavailable: The library or a file is missing, or the files are no model.
    """

    def __init__(self, path: str, model: str) -> None:
        folder = model_folder(path, _FILES)
        library = package("fastembed", "fastembed")
        try:
            self._network: Any = library.TextEmbedding(
                model_name=model, specific_model_path=str(folder), local_files_only=True, cuda=False
            )
            self._dim = len(self.embed(["dimension"])[0])
        # tokenizers raises Exception itself about a file it cannot read; the classes of onnxruntime (Fail,
        # InvalidProtobuf …) descend from it directly and are private; fastembed adds ValueError and OSError.
        except Exception as error:
            raise EmbeddingsUnavailable("the embedding model cannot be loaded", fix=f"{folder}: {error}") from error
        weights = sorted(folder.rglob("*.onnx"))
        self._model = f"fastembed:{model}:{digest(weights)}:{self._dim}"

    @property
    def model(self) -> str:
        """As the contract says."""
        return self._model

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """As the contract says."""
        return [vector.tolist() for vector in self._network.embed(list(texts))]
