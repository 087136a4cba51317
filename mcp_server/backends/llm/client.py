"""One provider over HTTP: sends a prompt, reads the streamed answer within bounds, tries again where that is safe.

Providers are the operator's own choice, so any address may be one, loopback too. Nothing of the environment has a part
in it (no proxy, no netrc), no redirect is followed, and no compressed answer is read: a chunk would be unpacked whole
before anybody could count it.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from email.utils import parsedate_to_datetime
from typing import Literal, cast

import anyio
import anyio.to_thread
import httpx2

from mcp_server import __version__
from mcp_server.backends.llm.base import MOST_TEXT, Completion, Dialect, Prompt, Reading
from mcp_server.backends.llm.errors import (
    AnswerInvalid,
    AnswerTooLong,
    NotConfigured,
    ProviderFailed,
    Rejected,
    TimedOut,
    Unavailable,
)

__all__ = ["HttpProvider"]

CONNECT_SECONDS = 10.0
MOST_STREAM = 64 * 1024 * 1024
"""Bytes of all events of one answer: a token of four letters comes in some 200 bytes of JSON."""
MOST_ERROR = 16_384
LONGEST_PAUSE = 8.0
FAREWELL = 0.1
"""Seconds in which the end of a stream may follow its last event, so that the connection can be used again."""
AGAIN = frozenset({429, 500, 502, 503, 529})
_SENDABLE = re.compile("[!-~]{1,4096}")


class _Later(Exception):
    """The provider asks to try again; nothing of an answer has come."""

    def __init__(self, status: int, after: float | None) -> None:
        super().__init__(status)
        self.status, self.after = status, after


class HttpProvider:
    """A provider.

    Args:
        name: As the operator calls it; for the operator's part of errors.
        base_url: What the dialect's path is put after.
        dialect: How it speaks.
        key: Gives the key when it is needed, None when there should be one and is not.
        attempts: How often a request is sent at most.
        pause: Seconds before the second attempt where the provider does not say; doubled each time.
    """

    kind: Literal["model"] = "model"

    def __init__(
        self,
        name: str,
        base_url: str,
        dialect: Dialect,
        *,
        key: Callable[[], str | None] | None = None,
        attempts: int = 4,
        pause: float = 0.25,
    ) -> None:
        self._name, self._url, self._dialect = name, base_url.rstrip("/") + dialect.path, dialect
        self._key, self._attempts, self._pause = key, attempts, pause
        self._client: httpx2.AsyncClient | None = None
        self._opening = anyio.Lock()

    @property
    def most_temperature(self) -> float:
        """As the contract says."""
        return self._dialect.most_temperature

    async def complete(
        self, model: str, prompt: Prompt, seconds: float, trace: Mapping[str, str] | None = None
    ) -> Completion:
        """As the contract says; what is under way when the time is over, or the task is cancelled, is hung up."""
        headers = {**(trace or {}), **self._headers()}
        content = json.dumps(self._dialect.body(model, prompt), separators=(",", ":")).encode()
        with anyio.move_on_after(seconds):
            return await self._attempts_at(headers, content, time.monotonic() + seconds)
        raise TimedOut(seconds)

    async def aclose(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _attempts_at(self, headers: dict[str, str], content: bytes, until: float) -> Completion:
        for attempt in range(1, self._attempts + 1):
            try:
                return await self._ask(headers, content)
            except _Later as later:
                pause = later.after
                if pause is None:  # with a part of chance, so that callers who failed together do not return together
                    pause = min(self._pause * 2 ** (attempt - 1), LONGEST_PAUSE) * random.uniform(0.75, 1.25)  # noqa: S311
                if attempt == self._attempts or time.monotonic() + pause >= until:
                    raise self._busy(later, attempt) from None
                await anyio.sleep(pause)
        raise RuntimeError("a provider with no attempts was asked")

    async def _ask(self, headers: dict[str, str], content: bytes) -> Completion:
        client = await self._opened()
        try:
            async with client.stream("POST", self._url, headers=headers, content=content) as response:
                if response.status_code in AGAIN:
                    raise _Later(response.status_code, _seconds_of(response.headers.get("retry-after")))
                if response.status_code != 200:
                    raise await self._rejected(response)
                self._check_form(response)
                return await _read(response, self._dialect.reading())
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            fix = f"llm.providers.{self._name}: no connection ({type(error).__name__}); look at base_url"
            raise Unavailable("connect", "the provider cannot be reached", fix=fix) from None
        except httpx2.SSEError:
            raise AnswerTooLong(MOST_TEXT) from None
        except httpx2.RemoteProtocolError as error:
            raise AnswerInvalid("protocol", "the answer was cut off, or is no HTTP", fix=self._told(error)) from None
        except httpx2.HTTPError as error:
            raise ProviderFailed("connection", self._told(error)) from None

    async def _opened(self) -> httpx2.AsyncClient:
        async with self._opening:
            if self._client is None:  # on a thread: the trust store takes 30 ms to read
                self._client = await anyio.to_thread.run_sync(self._open)
            return self._client

    def _open(self) -> httpx2.AsyncClient:
        verify = httpx2.create_ssl_context(verify=self._url.startswith("https:"), trust_env=False)
        timeout = httpx2.Timeout(None, connect=CONNECT_SECONDS)  # the whole has one deadline; this is the caller's
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=16)  # the grants bound what is open
        return httpx2.AsyncClient(
            verify=verify, timeout=timeout, limits=limits, trust_env=False, follow_redirects=False
        )

    def _headers(self) -> dict[str, str]:
        key = self._key() if self._key else None
        if self._key and (key is None or not _SENDABLE.fullmatch(key)):
            raise NotConfigured(
                "no language model can be asked: its provider has no usable key",
                fix=f"set the secret that llm.providers.{self._name}.key names, in visible ASCII",
            )
        usual = {"accept": "text/event-stream", "accept-encoding": "identity", "content-type": "application/json"}
        return usual | {"user-agent": f"agentmem-mcp/{__version__}"} | self._dialect.headers(key)

    def _check_form(self, response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise AnswerInvalid("encoding", "the provider's answer is compressed, which was not asked for")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "text/event-stream":
            fix = f"llm.providers.{self._name}: look whether base_url is right and the provider can stream"
            raise AnswerInvalid("type", "the provider's answer is no stream of events", fix=fix)

    async def _rejected(self, response: httpx2.Response) -> Rejected:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MOST_ERROR:
                break
        told = self._words(bytes(body[:MOST_ERROR]))
        fix = (
            f"llm.providers.{self._name}: status {response.status_code}{told}; look at its key, its model and base_url"
        )
        return Rejected(response.status_code, fix=fix)

    def _words(self, body: bytes) -> str:
        """What the provider says, for the operator's log; nothing of it where it repeats a part of the key."""
        text = " ".join(body.decode("utf-8", "replace").split())[:300]
        key, seen = (self._key() if self._key else None) or "", text.casefold()
        pieces = {key[at : at + 4].casefold() for at in range(len(key) - 3)}
        return f" ({text})" if text and not any(piece in seen for piece in pieces) else ""

    def _busy(self, later: _Later, attempts: int) -> Unavailable:
        tried = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        fix = f"llm.providers.{self._name}: status {later.status} after {tried}"
        return Unavailable("busy", f"the provider is busy ({tried})", retry_after=later.after, fix=fix)

    def _told(self, error: Exception) -> str:
        return f"llm.providers.{self._name}: {type(error).__name__}"


async def _read(response: httpx2.Response, reading: Reading) -> Completion:
    received = 0
    events = aiter(httpx2.EventSource(response, max_event_size=MOST_TEXT))
    with anyio.CancelScope() as farewell:
        async with aclosing(cast("AsyncGenerator[httpx2.ServerSentEvent]", events)):
            async for event in events:
                if reading.draft.done:
                    break
                if not event.data:
                    continue  # a sign of life
                received += len(event.data)
                if received > MOST_STREAM:
                    raise AnswerTooLong(MOST_STREAM)
                reading.take(event.data)
                if reading.draft.done:
                    farewell.deadline = anyio.current_time() + FAREWELL
    return reading.draft.finished()


def _seconds_of(text: str | None) -> float | None:
    """``Retry-After``: seconds, or a date; None where it is neither."""
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text.strip()):
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None
