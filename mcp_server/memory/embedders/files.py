"""What models on disk have in common: a folder that must be there, a package that must be installed, a digest."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from mcp_server.memory.errors import EmbeddingsUnavailable

__all__ = ["digest", "model_folder", "package"]


def model_folder(path: str, files: Sequence[str]) -> Path:
    """The folder ``path``, which holds ``files``; libraries would take a missing one for a name to download.

    Raises:
        EmbeddingsUnavailable: It is not there, or lacks one of them.
    """
    folder = Path(path).expanduser().absolute()
    missing = [name for name in files if not (folder / name).is_file()]
    if missing:
        raise EmbeddingsUnavailable(
            "the embedding model's files are missing",
            fix=f"put {', '.join(missing)} into {folder}, or correct 'path' in [memory.embeddings]",
        )
    return folder


def package(name: str, extra: str) -> ModuleType:
    """The library ``name``, and numpy with it.

    Raises:
        EmbeddingsUnavailable: It is not installed.
    """
    try:
        importlib.import_module("numpy")
        return importlib.import_module(name)
    except ImportError as error:
        raise EmbeddingsUnavailable(
            "the embedding model's library is not installed",
            fix=f"pip install 'agentmem-mcp[{extra}]' ({error})",
        ) from error


def digest(files: Sequence[Path]) -> str:
    """Twelve hexadecimal digits that change with the bytes of ``files``."""
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as opened:
            whole.update(hashlib.file_digest(opened, "sha256").digest())
    return whole.hexdigest()[:12]
