"""Any server that speaks OpenAI's ``POST …/embeddings``: Ollama, vLLM, LM Studio, llama.cpp, OpenAI itself.

Blocking, so it is called away from the event loop. The texts leave this machine when the server is elsewhere.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import httpx2

from mcp_server.memory.embedders.files import package
from mcp_server.memory.errors import EmbeddingsUnavailable

__all__ = ["RemoteEmbedder"]

REST_SECONDS = 15.0

_TRIES = 3
_FIRST_PAUSE_SECONDS = 0.2
_BUSY = (429, 500, 502, 503, 529)
_MOST_ANSWER_BYTES = 64 * 1024 * 1024


class _Again(Exception):
    """The server is busy; ``after`` seconds is what it asked for."""

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


class RemoteEmbedder:
    """A model behind a URL.

    Args:
        url: What ``/embeddings`` is added to, such as ``http://127.0.0.1:11434/v1``.
        model: The server's name for it.
        key: Name of the secret that is sent as a bearer token.
        secret: Gives a secret's value, read anew for each request.
        timeout_seconds: For one request of at most ``batch`` texts, tries and pauses included.
        batch: Texts in one request.
        dimensions: Asked of the server, for models that can be shortened.
        rest_seconds: After a failure it is not asked again for so long: each add and search would wait for it.

    Raises:
        EmbeddingsUnavailable: numpy is not installed.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str | None,
        secret: Callable[[str], str | None],
        timeout_seconds: float,
        batch: int,
        dimensions: int | None,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        package("numpy", "embeddings")  # the store compares vectors with it
        self._url, self._name, self._dimensions = f"{url.rstrip('/')}/embeddings", model, dimensions
        self._key, self._secret = key, secret
        self._seconds, self._batch = timeout_seconds, batch
        # A redirect would carry texts and key to a place that nobody named; so would a proxy of the environment.
        self._client = httpx2.Client(follow_redirects=False, trust_env=False)
        self._pause = threading.Event()
        self._rest_seconds, self._rests_until = rest_seconds, 0.0

    @property
    def model(self) -> str:
        """As the contract says; the dimension is the server's affair unless it is asked for one."""
        return f"endpoint:{self._url}:{self._name}" + (f":{self._dimensions}" if self._dimensions else "")

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """As the contract says.

        Raises:
            EmbeddingsUnavailable: No answer in time, a refusal, or an answer that holds no vectors.
        """
        if time.monotonic() < self._rests_until:
            raise EmbeddingsUnavailable(
                "the embedding server failed moments ago and is not asked yet", fix=f"look whether {self._url} answers"
            )
        vectors: list[list[float]] = []
        for start in range(0, len(texts), self._batch):
            vectors += self._some(texts[start : start + self._batch])
        return vectors

    def _some(self, texts: Sequence[str]) -> list[list[float]]:
        deadline = time.monotonic() + self._seconds
        pause = _FIRST_PAUSE_SECONDS
        for last in (False,) * (_TRIES - 1) + (True,):
            try:
                return _vectors(self._asked(texts, deadline), len(texts))
            except _Again as busy:
                wait = pause if busy.after is None else busy.after
                if last or time.monotonic() + wait >= deadline:
                    raise self._failure(str(busy)) from None
                self._pause.wait(wait)
                pause *= 2
            except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError) as error:
                raise self._failure(f"{type(error).__name__}: {error}") from None
        raise AssertionError("the last try returns or raises")

    def _asked(self, texts: Sequence[str], deadline: float) -> bytes:
        body: dict[str, Any] = {"model": self._name, "input": list(texts), "encoding_format": "float"}
        if self._dimensions:
            body["dimensions"] = self._dimensions
        left = max(deadline - time.monotonic(), 0.001)
        with self._client.stream("POST", self._url, json=body, headers=self._headers(), timeout=left) as answer:
            if answer.status_code in _BUSY:
                raise _Again(f"HTTP {answer.status_code}", _seconds(answer.headers.get("retry-after")))
            if answer.status_code != 200:
                raise ValueError(f"HTTP {answer.status_code}")
            text = bytearray()
            for piece in answer.iter_bytes():
                text += piece
                if len(text) > _MOST_ANSWER_BYTES:
                    raise ValueError(f"an answer of more than {_MOST_ANSWER_BYTES} bytes")
                if time.monotonic() > deadline:  # the client's timeout starts anew with every piece
                    raise ValueError("no whole answer in time")
            return bytes(text)

    def _headers(self) -> dict[str, str]:
        if self._key is None:
            return {}
        value = self._secret(self._key)
        if not value:
            raise EmbeddingsUnavailable(
                "the embedding server's key is not set", fix=f"set AGENTMEM_SECRET_{self._key} in the environment"
            )
        return {"Authorization": f"Bearer {value}"}

    def _failure(self, why: str) -> EmbeddingsUnavailable:
        self._rests_until = time.monotonic() + self._rest_seconds
        value = self._secret(self._key) if self._key else None
        told = why.replace(value, "***") if value else why
        return EmbeddingsUnavailable("the embedding server did not give vectors", fix=f"{self._url}: {told:.300}")


def _vectors(text: bytes, count: int) -> list[list[float]]:
    """The vectors of an answer, in the order of the texts.

    Raises:
        ValueError: It is no such answer.
    """
    answer: Any = json.loads(text)
    try:
        items = cast("list[dict[str, Any]]", answer["data"])
        ordered = [item["embedding"] for item in sorted(items, key=lambda item: item["index"])]
        vectors = [[float(value) for value in vector] for vector in ordered]
    except (KeyError, TypeError) as error:
        raise ValueError(f"the answer holds no data[].embedding ({error!r})") from None
    lengths = {len(vector) for vector in vectors}
    if len(vectors) != count or len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"{len(vectors)} vectors of lengths {sorted(lengths)} for {count} texts")
    return vectors


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(float(text), 0.0)
    except ValueError:  # a date: then our own pause
        return None
