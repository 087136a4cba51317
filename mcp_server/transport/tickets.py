"""Tickets for the second round of a question: signed, for one call of one principal, good once and not for long.

Whoever holds the key can judge a ticket, so it may come back to another process than the one that gave it out.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import struct
import time
from collections import deque
from collections.abc import Callable

__all__ = ["MOST_SPENT", "NONCE_BYTES", "TicketRefused", "Tickets"]

SECONDS = 600.0
NONCE_BYTES = 16
MOST_SPENT = 4_096
"""Used tickets that are remembered. Beyond it the oldest may be used again, by its own principal for the same call."""
_DUE = struct.Struct(">d")
_MAC_BYTES = 32


class TicketRefused(Exception):
    """A ticket that was not given out for this call, was used, or is too old."""


class Tickets:
    """Gives tickets out and takes them back.

    Args:
        key: Signs them; one of this process alone when omitted.
        spend: Takes a ticket's nonce, and says whether it is the first time; remembered in this process when omitted.
        clock: Seconds that only grow, the same for all that share the key.
    """

    def __init__(
        self,
        key: bytes | None = None,
        spend: Callable[[bytes], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key = key or secrets.token_bytes(32)
        self._spent: deque[bytes] = deque(maxlen=MOST_SPENT)
        self._spend, self._clock = spend or self._spend_here, clock

    def issue(self, call: str) -> str:
        """A ticket for ``call``, which stands for a principal, a tool and its arguments."""
        head = secrets.token_bytes(NONCE_BYTES) + _DUE.pack(self._clock() + SECONDS)
        return base64.urlsafe_b64encode(head + self._mac(head, call)).decode()

    def redeem(self, ticket: str, call: str) -> None:
        """Return once for each ticket of ``call``.

        Raises:
            TicketRefused: See there.
        """
        try:
            whole = base64.b64decode(ticket.encode("ascii"), b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise TicketRefused from None
        head, mac = whole[:-_MAC_BYTES], whole[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(head, call)):
            raise TicketRefused
        (due,) = _DUE.unpack(head[NONCE_BYTES:])
        if self._clock() > due or not self._spend(head[:NONCE_BYTES]):
            raise TicketRefused

    def _mac(self, head: bytes, call: str) -> bytes:
        return hmac.digest(self._key, head + call.encode(), "sha256")

    def _spend_here(self, nonce: bytes) -> bool:
        if nonce in self._spent:
            return False
        self._spent.append(nonce)
        return True
