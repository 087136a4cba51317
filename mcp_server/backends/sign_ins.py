"""Who is signed in with a browser: a file for each in one folder, so that every process of a server knows them.

A file holds the token that somebody signed in with, sealed by a secret that only the browser has: who reads the folder
learns nothing, and who is signed out is so everywhere at once. Whether the token is still good is not judged here.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcp_server.errors import TokenProblem
from mcp_server.whole_file import replace_file

__all__ = ["FOLDER_NAME", "SignIns", "new_secret"]

FOLDER_NAME = "page-sign-ins"
"""Its name in the state folder."""
MOST = 1_000
"""People signed in; beyond it, whoever did nothing for longest is signed out."""
_STAMP, _NONCE = 8, 12


class SignIns:
    """The folder at ``folder``; missing is the same as empty.

    Args:
        folder: Made when somebody signs in.
        idle_seconds: How long a sign-in lasts that is not used.
        total_seconds: How long one lasts at most.
        clock: Seconds since 1970.
    """

    def __init__(
        self, folder: Path, idle_seconds: float, total_seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder, self._clock = folder, clock
        self._idle_seconds, self._total_seconds = idle_seconds, total_seconds

    def open(self, token: str) -> str:
        """Keep ``token``; the secret by which it is found, for the browser alone.

        Raises:
            TokenProblem: It cannot be kept.
        """
        secret, nonce = new_secret(), os.urandom(_NONCE)
        stamp = int(self._clock()).to_bytes(_STAMP, "big")
        sealed = AESGCM(_key(secret)).encrypt(nonce, token.encode(), stamp)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._sweep()
            replace_file(self._path(secret), stamp + nonce + sealed)
            self.touch(secret)
        except OSError as error:
            raise TokenProblem(
                f"the sign-in cannot be kept: {error.strerror}", fix=f"make the folder {self._folder} writable"
            ) from None
        return secret

    def token(self, secret: str) -> str | None:
        """The token behind ``secret``; None where nobody signed in with it, or it has ended."""
        path = self._path(secret)
        try:
            data, used = path.read_bytes(), path.stat().st_mtime
        except OSError:
            return None
        stamp, nonce, sealed = data[:_STAMP], data[_STAMP : _STAMP + _NONCE], data[_STAMP + _NONCE :]
        try:
            token = AESGCM(_key(secret)).decrypt(nonce, sealed, stamp).decode()
        except (InvalidTag, ValueError):
            return None  # damaged: nobody is let in by it
        if self._ended(int.from_bytes(stamp, "big"), used):
            self.close(secret)
            return None
        return token

    def touch(self, secret: str) -> None:
        """Say that somebody is there: the idle time begins anew."""
        now = self._clock()
        try:
            os.utime(self._path(secret), (now, now))
        except FileNotFoundError:
            return  # signed out meanwhile

    def close(self, secret: str) -> None:
        """Sign out."""
        self._path(secret).unlink(missing_ok=True)

    def _path(self, secret: str) -> Path:
        return self._folder / _derived(secret, b"agentmem name").hex()

    def _ended(self, opened: float, used: float) -> bool:
        now = self._clock()
        return now - used >= self._idle_seconds or now - opened >= self._total_seconds

    def _sweep(self) -> None:
        """Remove what has ended, and the longest idle beyond the most."""
        used = {path: path.stat().st_mtime for path in self._folder.iterdir() if not path.name.startswith(".")}
        oldest_first = sorted(used, key=used.__getitem__)
        for number, path in enumerate(oldest_first):
            if self._clock() - used[path] >= self._idle_seconds or len(used) - number >= MOST:
                path.unlink(missing_ok=True)


def new_secret() -> str:
    """256 random bits, as a cookie can hold them."""
    return secrets.token_urlsafe(32)


def _key(secret: str) -> bytes:
    return _derived(secret, b"agentmem seal")


def _derived(secret: str, purpose: bytes) -> bytes:
    return hashlib.blake2b(secret.encode(), digest_size=32, person=purpose).digest()
