"""The public keys of one issuer (RFC 7517): fetched when they are needed, kept for a time, fetched again on rotation.

However many tokens name a key that nobody knows, the issuer is asked once in a pause. While it cannot be reached, the
keys that are known stay good for an hour, so that its outage is not ours at once.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import anyio
import anyio.to_thread
import httpx2

from mcp_server import __version__
from mcp_server.errors import TokenProblem

__all__ = ["KeySource", "Keys"]

logger = logging.getLogger(__name__)

MOST_BYTES = 262_144
MOST_KEYS = 100
STALE_SECONDS = 3_600.0
"""How long keys are good that could not be fetched again."""
Keys = tuple[Mapping[str, Any], ...]
"""JSON Web Keys for signatures, as the issuer shows them."""


class KeySource:
    """Gives the keys behind one URL.

    Args:
        url: Of the JSON Web Key Set; https, or on this machine.
        refresh_seconds: How long keys are used without a look.
        pause_seconds: From one look to the next, at least.
        timeout_seconds: Of one look.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        url: str,
        *,
        refresh_seconds: float,
        pause_seconds: float,
        timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._clock = url, clock
        self._refresh, self._pause, self._timeout = refresh_seconds, pause_seconds, timeout_seconds
        self._keys: Keys = ()
        self._fetched: float | None = None
        self._looked: float | None = None
        self._looking = anyio.Lock()

    async def current(self) -> Keys:
        """The keys, fetched when there are none or they are due; whoever comes while that goes on has the old ones.

        Raises:
            TokenProblem: There are none, and the issuer cannot be asked.
        """
        if self._age() >= self._refresh and not (
            self._looking.locked() and self._age() < self._refresh + STALE_SECONDS
        ):
            await self._look(since=self._looked)
        if self._age() >= self._refresh + STALE_SECONDS:
            raise TokenProblem(
                f"the keys of the tokens cannot be fetched from {self._url}",
                fix="see the log for the reason; check jwks_url in [http.oauth.issuers]",
            )
        return self._keys

    async def newer(self, known: Keys) -> Keys:
        """The keys after another look, because none of ``known`` fits; ``known`` itself when it is too soon for one."""
        if self._keys is known:
            await self._look(since=self._looked)
        return self._keys

    def _age(self) -> float:
        return math.inf if self._fetched is None else self._clock() - self._fetched

    async def _look(self, *, since: float | None) -> None:
        async with self._looking:
            if self._looked != since:
                return  # somebody has looked while this one waited
            now = self._clock()
            if self._looked is not None and now - self._looked < self._pause:
                return
            self._looked = now
            with anyio.CancelScope(shield=True):  # a client that leaves must not cost all others the pause
                await self._fetch()

    async def _fetch(self) -> None:
        try:
            with anyio.fail_after(self._timeout):
                keys = _read(await self._body())
        except (httpx2.HTTPError, OSError, TimeoutError, ValueError, RecursionError) as error:
            logger.warning("the keys at %s could not be fetched: %s: %s", self._url, type(error).__name__, error)
            return
        self._fetched = self._clock()
        if keys != self._keys:
            self._keys = keys

    async def _body(self) -> bytes:
        client = await anyio.to_thread.run_sync(self._client)  # the trust store takes 30 ms to read
        headers = {
            "accept": "application/jwk-set+json, application/json",
            "accept-encoding": "identity",
            "user-agent": f"agentmem-mcp/{__version__}",
        }
        async with client, client.stream("GET", self._url, headers=headers) as response:
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}, expected 200")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ValueError(f"more than {MOST_BYTES} bytes")
            return bytes(body)

    def _client(self) -> httpx2.AsyncClient:
        verify = httpx2.create_ssl_context(verify=self._url.startswith("https:"), trust_env=False)
        return httpx2.AsyncClient(verify=verify, timeout=self._timeout, trust_env=False, follow_redirects=False)


def _read(body: bytes) -> Keys:
    document: object = json.loads(body)
    keys = cast("dict[str, object]", document).get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or len(cast("list[object]", keys)) > MOST_KEYS:
        raise ValueError(f"no JSON Web Key Set of at most {MOST_KEYS} keys")
    return tuple(
        cast("dict[str, Any]", key)
        for key in cast("list[object]", keys)
        if isinstance(key, dict) and cast("dict[str, object]", key).get("use", "sig") == "sig"
    )
