"""The public keys of one issuer (RFC 7517): fetched when they are needed, kept for a time, fetched again on rotation.

However many tokens name a key that nobody knows, the issuer is asked once in a pause. While it cannot be reached, the
keys that are known stay good for an hour, so that its outage is not ours at once.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import anyio

from mcp_server.backends.oauth.discovery import discovered_keys_url
from mcp_server.backends.oauth.documents import DocumentRefused, read_document
from mcp_server.errors import TokenProblem

__all__ = ["KeySource", "Keys"]

logger = logging.getLogger(__name__)

MOST_KEYS = 100
STALE_SECONDS = 3_600.0
"""How long keys are good that could not be fetched again."""
Keys = tuple[Mapping[str, Any], ...]
"""JSON Web Keys for signatures, as the issuer shows them."""


class KeySource:
    """Gives the keys of one issuer.

    Args:
        issuer: https, or on this machine.
        url: Of its JSON Web Key Set, as well; None to ask the issuer for it, with every look.
        refresh_seconds: How long keys are used without a look.
        pause_seconds: From one look to the next, at least.
        timeout_seconds: Of one look.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        issuer: str,
        url: str | None,
        *,
        refresh_seconds: float,
        pause_seconds: float,
        timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer, self._url, self._clock = issuer, url, clock
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
                f"the keys of the tokens cannot be fetched from {self._url or self._issuer}",
                fix="see the log for the reason; check issuer and jwks_url in [http.oauth.issuers]",
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
                url = self._url or await discovered_keys_url(self._issuer)
                keys = _read(await read_document(url, "application/jwk-set+json"), url)
        except (DocumentRefused, TimeoutError) as error:
            why = str(error) or f"no answer within {self._timeout:g} s"
            logger.warning("the keys of %s could not be fetched: %s", self._issuer, why)
            return
        self._fetched = self._clock()
        if keys != self._keys:
            self._keys = keys


def _read(document: object, url: str) -> Keys:
    keys = cast("dict[str, object]", document).get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or len(cast("list[object]", keys)) > MOST_KEYS:
        raise DocumentRefused(f"{url}: no JSON Web Key Set of at most {MOST_KEYS} keys")
    return tuple(
        cast("dict[str, Any]", key)
        for key in cast("list[object]", keys)
        if isinstance(key, dict) and cast("dict[str, object]", key).get("use", "sig") == "sig"
    )
