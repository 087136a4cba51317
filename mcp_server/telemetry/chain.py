"""The form of the audit log: one JSON row a line, each with the hash of the one before; and its head.

The head is a small file beside the log that says where the chain stood last, so that a cut tail is seen. Whoever can
write both files can write a new history: note the head's hash somewhere else to rule that out.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mcp_server.whole_file import replace_file

__all__ = ["GENESIS", "HEAD_NAME", "Head", "audit_files", "guarded", "opened", "read_head", "sealed", "write_head"]

GENESIS = "0" * 64
HEAD_NAME = "head.json"
_GUARD_NAME = "guard"


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain stands.

    Attributes:
        seq: Number of the last row.
        hash: Of the last row.
        file: Name of the file it is in.
        size: Bytes of that file up to and with that row.
        first_seq: Number of the oldest row that is still kept.
        first_prev: The hash that row continues.
    """

    seq: int = 0
    hash: str = GENESIS
    file: str = ""
    size: int = 0
    first_seq: int = 1
    first_prev: str = GENESIS


def sealed(row: Mapping[str, Any], seq: int, prev: str) -> tuple[bytes, str]:
    """The line of ``row`` as number ``seq`` after the row with the hash ``prev``, and its own hash."""
    numbered = {"seq": seq, **row, "prev": prev}
    digest = hashlib.sha256(_text(numbered)).hexdigest()
    return _text({**numbered, "hash": digest}) + b"\n", digest


def opened(line: bytes) -> dict[str, Any]:
    """The row of a line.

    Raises:
        ValueError: It is not byte for byte what :func:`sealed` wrote.
    """
    row: Any = json.loads(line)
    if not isinstance(row, dict) or not {"seq", "prev", "hash"} <= row.keys():
        raise ValueError("is not a row of the log")
    whole: dict[str, Any] = row  # pyright: ignore[reportUnknownVariableType]  # JSON
    stated = {key: value for key, value in whole.items() if key != "hash"}
    if hashlib.sha256(_text(stated)).hexdigest() != whole["hash"] or _text(whole) != line.rstrip(b"\n"):
        raise ValueError("was altered: its hash is not that of its content")
    return whole


def read_head(folder: Path) -> Head | None:
    """The head; None when there is none.

    Raises:
        ValueError: It is damaged.
    """
    try:
        return Head(**json.loads((folder / HEAD_NAME).read_bytes()))
    except FileNotFoundError:
        return None
    except TypeError as error:
        raise ValueError(str(error)) from None


def write_head(folder: Path, head: Head) -> None:
    """Replace the head; the old one or the new one is there at any time."""
    replace_file(folder / HEAD_NAME, json.dumps(asdict(head)).encode("ascii"))


def audit_files(folder: Path) -> list[Path]:
    """The files of the log, oldest first: their names carry the number of their first row."""
    return sorted(folder.glob("audit-*.jsonl"))


@contextmanager
def guarded(folder: Path) -> Generator[None]:
    """Hold the lock that every process that writes or checks this log takes.

    Raises:
        OSError: The folder cannot be used.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / _GUARD_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _text(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, separators=(",", ":"), sort_keys=True).encode("ascii")
