"""The file of remembered answers: read only where it is whole, this user's own, and all it rests on is what it was."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from typing import Any, NamedTuple

from mcp_server.opening.world import Fact, fact_of, was_hashed

__all__ = ["MAX_BYTES", "Memory", "read_memory", "written"]

MAX_BYTES = 32 * 1024 * 1024


class Memory(NamedTuple):
    """What is remembered of a way to start.

    Attributes:
        facts: Path of each file and folder that the answers rest on -> what it was like.
        answers: Name of a request (:class:`~.conversation.Conversation`) -> the JSON of its result.
        learned: What else the SDK has said that a call needs (:class:`mcp_server.transport.lane.terms.Terms`).
        options: What the command line means.
        announced: What the record of the running server says (:func:`~mcp_server.running.presence.announced`).
        state: The folder of that record.
    """

    facts: dict[str, Fact]
    answers: dict[str, str]
    learned: dict[str, str]
    options: dict[str, Any]
    announced: dict[str, Any]
    state: str

    @property
    def holds(self) -> bool:
        """Whether everything is as it was."""
        return all(fact == fact_of(path, hashed=was_hashed(fact)) for path, fact in self.facts.items())


def written(memory: Memory, name: str) -> bytes:
    """The bytes of a file called ``name``."""
    body = json.dumps([name, *memory], ensure_ascii=True, separators=(",", ":")).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def read_memory(path: str) -> Memory | None:
    """What lies at ``path``; None where there is nothing that can be believed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
            return None
        return _read(os.read(handle, min(facts.st_size, MAX_BYTES)), os.path.basename(path))  # noqa: PTH119  # see place.py
    except OSError:
        return None
    finally:
        os.close(handle)


def _read(data: bytes, name: str) -> Memory | None:
    digest, _, body = data.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        return None
    stated, *fields = json.loads(body)  # written by this very version: the checksum says so, and the name holds it
    return Memory(*fields) if stated == name else None
