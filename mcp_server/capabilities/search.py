"""SearchAccess: ``search`` ranks what the plugin brings, ``embed`` gives vectors where a model is configured."""

from __future__ import annotations

from typing import Annotated, Any

from anyio.to_thread import run_sync
from pydantic import BaseModel, ConfigDict, Field

from mcp_server.capabilities.base import CallContext, HostFunction, HostRefusal
from mcp_server.capabilities.requests import checked, refusing
from mcp_server.memory.candidates import RankMode, rank
from mcp_server.memory.embedding import Embedder, unit
from mcp_server.memory.errors import EmbeddingsNotConfigured

__all__ = ["functions"]

_MOST_CANDIDATES = 1_000
_MOST_TEXTS = 256
_LONGEST_QUERY = 4_096


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Search(_Request):
    query: Annotated[str, Field(max_length=_LONGEST_QUERY)]
    candidates: Annotated[list[str | dict[str, Any]], Field(max_length=_MOST_CANDIDATES)]
    mode: RankMode = "auto"
    limit: Annotated[int, Field(ge=1, le=_MOST_CANDIDATES)] = 10


class _Embed(_Request):
    texts: Annotated[list[str], Field(min_length=1, max_length=_MOST_TEXTS)]


class _Searching:
    def __init__(self, embedder: Embedder | None) -> None:
        self._embedder = embedder

    async def search(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "search", _Search, request)
        texts = [_text(at, candidate) for at, candidate in enumerate(asked.candidates)]
        with refusing("search"):
            ranked, mode = await run_sync(rank, asked.query, texts, asked.mode, self._embedder)
        results = [
            {"index": one.index, "score": one.score, "parts": dict(one.parts), "candidate": asked.candidates[one.index]}
            for one in ranked[: asked.limit]
        ]
        return {"results": results, "mode": mode}

    async def embed(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "embed", _Embed, request)
        with refusing("embed"):
            embedder = self._embedder
            if embedder is None:
                raise EmbeddingsNotConfigured
            vectors = await run_sync(embedder.embed, asked.texts)
        return {"model": embedder.model, "vectors": [unit(vector) for vector in vectors]}


def functions(embedder: Embedder | None = None) -> tuple[HostFunction, ...]:
    """The host functions; without an ``embedder`` what needs meaning is refused as ``embeddings_not_configured``."""
    searching = _Searching(embedder)
    return (
        HostFunction("search", searching.search, waits=True),
        HostFunction("embed", searching.embed, waits=True),
    )


def _text(at: int, candidate: str | dict[str, Any]) -> str:
    if isinstance(candidate, str):
        return candidate
    for key in ("content", "text"):
        if isinstance(candidate.get(key), str):
            return candidate[key]
    raise HostRefusal("invalid_request", f"search: candidates[{at}]: is a text, or an object with 'content' or 'text'")
