"""What the processes of one server have in common: buckets of rates, the key of tickets, and which of these were used.

A file without a name, mapped by each process; whoever changes it holds a lock that the kernel takes back from a process
that dies. What lasts longer than the server (tokens, approvals, memories) is in files and the store, not here.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import secrets
import struct
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

from mcp_server.transport.http.rates import spend
from mcp_server.transport.tickets import MOST_SPENT, NONCE_BYTES

__all__ = ["AREAS", "Common", "CommonBuckets"]

AREAS = 2
"""Tables of buckets."""
SLOTS = 8_192
"""Buckets in each."""
PROBES = 8
"""Slots that a key may lie in."""
_SLOT = struct.Struct("=Qdd")
_NEXT = struct.Struct("=Q")
_KEY_BYTES = 32
_NEXT_AT = _KEY_BYTES
_SPENT_AT = 64
_AREAS_AT = _SPENT_AT + MOST_SPENT * NONCE_BYTES
_AREA_BYTES = SLOTS * _SLOT.size
_SIZE = _AREAS_AT + AREAS * _AREA_BYTES


class Common:
    """The mapped file.

    Args:
        descriptor: Of a file that :meth:`create` made, here or in the process that started this one. It must stay
            the only one of that file in this process: closing a second would give up the locks.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._map = mmap.mmap(descriptor, _SIZE)

    @classmethod
    def create(cls) -> Common:
        """A new one, with a new key and full buckets.

        Raises:
            OSError: There is no room for it.
        """
        with tempfile.TemporaryFile() as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.truncate(_SIZE)
            file.flush()
            return cls(os.dup(file.fileno()))

    @property
    def key(self) -> bytes:
        """Random, as old as the server."""
        return self._map[:_KEY_BYTES]

    def buckets(self, area: int) -> CommonBuckets:
        """One of the tables, from 0."""
        return CommonBuckets(self, _AREAS_AT + area * _AREA_BYTES)

    def spend(self, nonce: bytes) -> bool:
        """Whether nobody has spent ``nonce`` before; a ring keeps the last of them."""
        with self.locked(0):
            if self._map.find(nonce, _SPENT_AT, _AREAS_AT) >= 0:
                return False
            (position,) = _NEXT.unpack_from(self._map, _NEXT_AT)
            at = _SPENT_AT + position % MOST_SPENT * NONCE_BYTES
            self._map[at : at + NONCE_BYTES] = nonce
            _NEXT.pack_into(self._map, _NEXT_AT, position + 1)
        return True

    def read(self, at: int) -> tuple[int, float, float]:
        """A slot: the key's digest, what is left, and when that was so."""
        return _SLOT.unpack_from(self._map, at)

    def write(self, at: int, slot: tuple[int, float, float]) -> None:
        """Replace a slot; under the lock."""
        _SLOT.pack_into(self._map, at, *slot)

    @contextmanager
    def locked(self, at: int) -> Generator[None]:
        """Hold the lock of the part that begins at byte ``at``; it is held for microseconds."""
        fcntl.lockf(self.descriptor, fcntl.LOCK_EX, 1, at)
        try:
            yield
        finally:
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN, 1, at)


class CommonBuckets:
    """Token buckets that all processes draw from; see :class:`~mcp_server.transport.http.rates.Buckets`."""

    def __init__(self, common: Common, at: int) -> None:
        self._common, self._at = common, at

    def take(self, key: str, per_second: float, burst: float, now: float) -> float:
        """See there. Where all slots of a key are other keys', it gets the one that nobody used for longest."""
        digest = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") or 1
        with self._common.locked(self._at):
            at, left, since = self._find(digest, burst, now)
            left, wait = spend(left, since, per_second, burst, now)
            self._common.write(at, (digest, left, now))
        return wait

    def _find(self, digest: int, burst: float, now: float) -> tuple[int, float, float]:
        oldest, oldest_at = 0.0, -1
        for probe in range(PROBES):
            at = self._at + (digest + probe) % SLOTS * _SLOT.size
            owner, left, since = self._common.read(at)
            if owner == digest:
                return at, left, since
            if oldest_at < 0 or since < oldest:
                oldest, oldest_at = since, at
        return oldest_at, burst, now
