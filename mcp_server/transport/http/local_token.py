"""The random token of local mode: made once, kept in the state folder where only its user can read it."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from mcp_server.backends.tokens import PREFIX
from mcp_server.errors import TokenProblem
from mcp_server.whole_file import replace_file

__all__ = ["FILE_NAME", "local_token"]

FILE_NAME = "http-token"
_FORM = re.compile(rf"{PREFIX}local_[A-Za-z0-9_-]{{43}}")


def local_token(state: Path) -> str:
    """The token of the state folder; a new one where there is none, or where others could have read or changed it.

    Raises:
        TokenProblem: It cannot be read or written.
    """
    path = state / FILE_NAME
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(state):
            known = _read(path)
            if known:
                return known
            token = f"{PREFIX}local_{secrets.token_urlsafe(32)}"
            replace_file(path, token.encode() + b"\n")
    except OSError as error:
        raise TokenProblem(
            f"the local token {path} cannot be kept: {error.strerror}", fix="make the state folder writable"
        ) from None
    return token


@contextmanager
def _alone(state: Path) -> Generator[None]:
    """Servers that start at one moment agree on one token."""
    lock = os.open(state / f"{FILE_NAME}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _read(path: Path) -> str:
    try:
        facts = path.lstat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_mode & 0o077:
            return ""
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""
    return text if _FORM.fullmatch(text) else ""
