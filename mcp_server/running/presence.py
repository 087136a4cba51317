"""A process lets others find it: by a small file, under a lock that ends with the process. Nothing is read here."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

__all__ = ["FOLDER", "announced"]

FOLDER = "running"
"""Its name in the state folder."""


@contextmanager
def announced(state: str, says: Mapping[str, Any]) -> Generator[None]:
    """Let others find this process as long as the block lasts; where the disk refuses, nobody finds it.

    Args:
        state: The folder below which the file lies.
        says: What it says beside the process's id and when that was.
    """
    pid, handle = os.getpid(), -1
    folder = os.path.join(state, FOLDER)  # noqa: PTH118  # pathlib takes longer to import than a start may last
    path = os.path.join(folder, f"{pid}.json")  # noqa: PTH118
    with suppress(OSError):
        handle = _write(folder, path, json.dumps({**says, "pid": pid, "started": time.time()}).encode())
    try:
        yield
    finally:
        if handle >= 0:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108
            os.close(handle)


def _write(folder: str, path: str, data: bytes) -> int:
    """The descriptor that holds the lock; others see the file only once it is whole and locked."""
    os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
    fresh = os.path.join(folder, f".{os.getpid()}-{os.urandom(8).hex()}")  # noqa: PTH118
    handle = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.write(handle, data)
        os.replace(fresh, path)  # noqa: PTH105
    except BaseException:
        os.close(handle)
        with suppress(OSError):
            os.unlink(fresh)  # noqa: PTH108
        raise
    return handle
