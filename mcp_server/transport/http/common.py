"""What the processes of one server have in common: rates, the key of tickets and which were used, the board, the news.

A file without a name, mapped by each process; whoever changes it holds a lock that the kernel takes back from a process
that dies. What lasts longer than the server (tokens, approvals, memories) is in files and the store, not here.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
import struct
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_UN, lockf
from functools import lru_cache

from mcp_server.transport.http.rates import spend
from mcp_server.transport.tickets import MOST_SPENT, NONCE_BYTES

__all__ = [
    "AREAS",
    "ASKED_AT",
    "BOARD_AT",
    "BOARD_BYTES",
    "FIGURES_AT",
    "NEWS_AT",
    "NEWS_BYTES",
    "Common",
    "CommonBuckets",
]

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
ASKED_AT = 48
"""How often figures were asked for, read by ``figures``."""
_SPENT_AT = 64
_AREAS_AT = _SPENT_AT + MOST_SPENT * NONCE_BYTES
_AREA_BYTES = SLOTS * _SLOT.size
BOARD_AT = _AREAS_AT + AREAS * _AREA_BYTES
BOARD_BYTES = 128 * 1024
"""Room for a word on each of some 1 500 plugins, read by ``board``."""
NEWS_AT = BOARD_AT + BOARD_BYTES
NEWS_BYTES = 512 * 1024
"""Room for the last events, read by ``news``."""
_SIZE = NEWS_AT + NEWS_BYTES
FIGURES_AT = _SIZE
"""Where ``figures`` begin, which are not mapped: they may need room that the disk does not have."""


class Common:
    """The mapped file.

    Args:
        descriptor: Of a file that :meth:`create` made, here or in the process that started this one. It must stay
            the only one of that file in this process: closing a second would give up the locks.

    Attributes:
        memory: It, for those who know what lies where.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.memory = mmap.mmap(descriptor, _SIZE)

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
        return self.memory[:_KEY_BYTES]

    def buckets(self, area: int) -> CommonBuckets:
        """One of the tables, from 0."""
        return CommonBuckets(self, _AREAS_AT + area * _AREA_BYTES)

    def spend(self, nonce: bytes) -> bool:
        """Whether nobody has spent ``nonce`` before; a ring keeps the last of them."""
        with self.locked(0):
            if self.memory.find(nonce, _SPENT_AT, _AREAS_AT) >= 0:
                return False
            (position,) = _NEXT.unpack_from(self.memory, _NEXT_AT)
            at = _SPENT_AT + position % MOST_SPENT * NONCE_BYTES
            self.memory[at : at + NONCE_BYTES] = nonce
            _NEXT.pack_into(self.memory, _NEXT_AT, position + 1)
        return True

    @contextmanager
    def locked(self, at: int) -> Generator[None]:
        """Hold the lock of the part that begins at byte ``at``; it is held for microseconds."""
        lockf(self.descriptor, LOCK_EX, 1, at)
        try:
            yield
        finally:
            lockf(self.descriptor, LOCK_UN, 1, at)


class CommonBuckets:
    """Token buckets that all processes draw from; see :class:`~mcp_server.transport.http.rates.Buckets`.

    Each request passes here, so the lock is taken without the frames of :meth:`Common.locked`.
    """

    def __init__(self, common: Common, at: int) -> None:
        self._memory, self._descriptor, self._at = common.memory, common.descriptor, at

    def take(self, key: str, per_second: float, burst: float, now: float) -> float:
        """See there. Where all slots of a key are other keys', it gets the one that nobody used for longest."""
        digest = _digest(key)
        lockf(self._descriptor, LOCK_EX, 1, self._at)
        try:
            at = self._at + digest % SLOTS * _SLOT.size
            owner, left, since = _SLOT.unpack_from(self._memory, at)
            if owner != digest:
                at, left, since = self._find(digest, burst, now)
            left, wait = spend(left, since, per_second, burst, now)
            _SLOT.pack_into(self._memory, at, digest, left, now)
        finally:
            lockf(self._descriptor, LOCK_UN, 1, self._at)
        return wait

    def _find(self, digest: int, burst: float, now: float) -> tuple[int, float, float]:
        oldest, oldest_at = 0.0, -1
        for probe in range(PROBES):
            at = self._at + (digest + probe) % SLOTS * _SLOT.size
            owner, left, since = _SLOT.unpack_from(self._memory, at)
            if owner == digest:
                return at, left, since
            if oldest_at < 0 or since < oldest:
                oldest, oldest_at = since, at
        return oldest_at, burst, now


@lru_cache(maxsize=4_096)
def _digest(key: str) -> int:
    """What ``key`` is known by; never 0, which is a slot that nobody has used."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") or 1
