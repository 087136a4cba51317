"""What a file or folder was like when answers were remembered, and whether it still is. Which files count is not known
here.

A file is the same while its device, inode, size, and times of modification and of change are. The last one is what
makes this safe: no program can set it back, so that whatever was written in between shows, also where size and time of
modification were made to fit. Files that say what is shown are read and hashed as well. A module's bytes are hashed
when it is loaded and when a worker fetches it, before any call; so a list may at worst name what no longer runs.
"""

from __future__ import annotations

import hashlib
import os
import stat

__all__ = ["Fact", "fact_of", "settled", "was_hashed"]

SETTLED_NS = 20_000_000
"""A file system's clock may be this coarse (4 ms on Linux): a younger file may change without its times changing."""
_FIELDS = ("st_dev", "st_ino", "st_mode", "st_size", "st_mtime_ns", "st_ctime_ns")
MAX_HASHED = 8 * 1024 * 1024

Fact = list[int | str] | None
"""Device, inode, mode, size, modified, changed (nanoseconds since 1970), and the sha256 of what was read; None where
there is no such file."""


def fact_of(path: str, *, hashed: bool) -> Fact:
    """What ``path`` is like now, with its sha256 where ``hashed`` is wanted of a file."""
    try:
        if not hashed:
            return _identity(os.stat(path))  # noqa: PTH116  # pathlib takes longer to import than all of this
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe of that name blocks nobody
        try:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_HASHED:
                return _identity(facts)
            return [*_identity(facts), hashlib.sha256(os.read(handle, facts.st_size)).hexdigest()]
        finally:
            os.close(handle)
    except (OSError, ValueError):
        return None


def was_hashed(fact: Fact) -> bool:
    """Whether ``fact`` tells of the bytes, too."""
    return fact is not None and len(fact) > len(_FIELDS)


def settled(fact: Fact, began: int) -> bool:
    """Whether what was read after ``began`` (nanoseconds since 1970) is surely what ``fact`` is of."""
    return fact is None or all(int(when) < began - SETTLED_NS for when in fact[4 : len(_FIELDS)])


def _identity(facts: os.stat_result) -> list[int | str]:
    return [getattr(facts, field) for field in _FIELDS]
