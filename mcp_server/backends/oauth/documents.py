"""Reads one JSON document of an issuer: bounded in bytes, with no redirect, no proxy of the environment, no cookie."""

from __future__ import annotations

import json

import anyio.to_thread
import httpx2

from mcp_server import __version__

__all__ = ["DocumentRefused", "read_document"]

MOST_BYTES = 262_144


class DocumentRefused(Exception):
    """There is no such document, or it is not read; the text says which and why, for the log."""


async def read_document(url: str, kind: str = "application/json") -> object:
    """The JSON value at ``url``; how long that may take is the caller's to say.

    Args:
        url: Of the operator, or checked as one.
        kind: What is accepted beside JSON.

    Raises:
        DocumentRefused: See there.
    """
    try:
        return json.loads(await _body(url, kind))
    except (httpx2.HTTPError, OSError, ValueError, RecursionError) as error:
        raise DocumentRefused(f"{url}: {type(error).__name__}: {error}") from None


async def _body(url: str, kind: str) -> bytes:
    client = await anyio.to_thread.run_sync(_client, url)  # the trust store takes 30 ms to read
    headers = {
        "accept": f"{kind}, application/json",
        "accept-encoding": "identity",
        "user-agent": f"agentmem-mcp/{__version__}",
    }
    async with client, client.stream("GET", url, headers=headers) as response:
        if response.status_code != 200:
            raise ValueError(f"status {response.status_code}, expected 200")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MOST_BYTES:
                raise ValueError(f"more than {MOST_BYTES} bytes")
        return bytes(body)


def _client(url: str) -> httpx2.AsyncClient:
    verify = httpx2.create_ssl_context(verify=url.startswith("https:"), trust_env=False)
    return httpx2.AsyncClient(verify=verify, timeout=None, trust_env=False, follow_redirects=False)
