"""Cursors that mean something only to who they were given to: a position, sealed with principal, plugin and listing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, cast

from mcp_server.backends.errors import CursorInvalid

__all__ = ["open_cursor", "seal_cursor"]

_SEAL_BYTES = 16
_MOST_CHARS = 2_048


def seal_cursor(secret: bytes, principal: str, plugin: str, listing: str, position: list[Any]) -> str:
    """An opaque text for ``position``; ``listing`` names what is listed, with everything that must not change."""
    body = json.dumps(position, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal(secret, principal, plugin, listing, body) + body).rstrip(b"=").decode()


def open_cursor(secret: bytes, principal: str, plugin: str, listing: str, cursor: str) -> list[Any]:
    """The position inside.

    Raises:
        CursorInvalid: It was altered, or made for another principal, plugin or listing.
    """
    if len(cursor) > _MOST_CHARS:
        raise CursorInvalid
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise CursorInvalid from None
    seal, body = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
    if not hmac.compare_digest(seal, _seal(secret, principal, plugin, listing, body)):
        raise CursorInvalid
    return cast("list[Any]", json.loads(body))


def _seal(secret: bytes, principal: str, plugin: str, listing: str, body: bytes) -> bytes:
    # Each part with its length in front, so that no two triples read the same.
    parts = [part.encode("utf-8", "surrogatepass") for part in (principal, plugin, listing)]
    text = b"".join(len(part).to_bytes(8, "big") + part for part in (*parts, body))
    return hmac.new(secret, text, hashlib.sha256).digest()[:_SEAL_BYTES]
