"""Which embedding model an operator may name, and what must be said with it. Nothing is loaded or asked here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["EmbeddingSettings"]


class EmbeddingSettings(BaseModel):
    """``[memory.embeddings]``: the model that finds by meaning, as ``docs/memory.md`` has it; none by default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: Literal["model2vec", "fastembed", "endpoint"] | None = None
    path: Path | None = None
    model: str | None = None
    url: str | None = None
    key: str | None = Field(default=None, pattern=r"^[A-Z][A-Z0-9_]{0,63}$")
    dimensions: int | None = Field(default=None, ge=1, le=8_192)
    timeout_seconds: float = Field(default=4.0, gt=0, le=120)
    batch: int = Field(default=64, ge=1, le=2_048)
    cache_mb: int = Field(default=256, ge=0, le=65_536)

    @model_validator(mode="after")
    def _whole(self) -> EmbeddingSettings:
        needed = {"model2vec": ("path",), "fastembed": ("path", "model"), "endpoint": ("url", "model")}
        missing = [name for name in needed.get(self.provider or "", ()) if getattr(self, name) is None]
        if missing:
            raise ValueError(f"provider '{self.provider}' needs {' and '.join(repr(name) for name in missing)}")
        if self.url is not None:
            _check_endpoint(self.url, keyed=self.key is not None)
        return self


def _check_endpoint(url: str, *, keyed: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.query:
        raise ValueError(f"'{url}' must be an http or https URL such as http://127.0.0.1:11434/v1")
    if keyed and parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("a key is sent over https, or to this machine")
