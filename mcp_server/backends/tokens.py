"""``tokens.json``: the static bearer tokens, by digest; no token itself is ever written.

A token is ``agentmem_<id>_<secret>``. The secret has 256 random bits, so one SHA-256 keeps it: there is nothing to
guess, and a slow hash would only slow down the server. Says who a token belongs to; not what it is good for.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcp_server.errors import TokenProblem
from mcp_server.whole_file import replace_file

__all__ = ["PREFIX", "TOKENS_NAME", "StaticToken", "TokenFile", "token_digest"]

TOKENS_NAME = "tokens.json"
"""Its name in the data folder."""
PREFIX = "agentmem_"
NAME = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"
MOST = 10_000


class StaticToken(BaseModel):
    """One token that was given out.

    Attributes:
        id: The public part of the token.
        name: What the operator calls it; unique.
        principal: Who calls with it.
        scopes: What it is good for.
        digest: SHA-256 of the whole token, in hexadecimal.
        created: Seconds since 1970.
        expires: Seconds since 1970; None for never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[0-9a-f]{8}$")
    name: str = Field(pattern=NAME)
    principal: str = Field(min_length=1, max_length=256)
    scopes: tuple[str, ...]
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    created: int
    expires: int | None


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tokens: list[StaticToken]


class TokenFile:
    """The file at ``path``; missing is the same as empty. Several processes may use it at one time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int, int] | None = None
        self._by_id: dict[str, StaticToken] = {}

    def tokens(self) -> Sequence[StaticToken]:
        """Every token, the oldest first; read again only when the file changed.

        Raises:
            TokenProblem: It cannot be read, or is damaged; then no token is good.
        """
        try:
            facts = self.path.stat()
        except FileNotFoundError:
            self._stamp, self._by_id = None, {}
            return ()
        except OSError as error:
            raise self._damaged(f"cannot be read: {error.strerror}") from None
        stamp = facts.st_mtime_ns, facts.st_size, facts.st_ino
        if stamp != self._stamp:
            self._by_id = {token.id: token for token in self._read()}
            self._stamp = stamp
        return tuple(self._by_id.values())

    def find(self, token: str) -> StaticToken | None:
        """Whose ``token`` this is, expired or not; None where nobody was given it.

        Raises:
            TokenProblem: See :meth:`tokens`.
        """
        self.tokens()
        found = self._by_id.get(token.removeprefix(PREFIX).partition("_")[0])
        if found is None or not hmac.compare_digest(found.digest, token_digest(token)):
            return None
        return found

    def create(
        self, name: str, principal: str, scopes: Sequence[str], *, created: int, expires: int | None
    ) -> tuple[StaticToken, str]:
        """Give out a token: the entry, and the token itself, which is nowhere else.

        Raises:
            TokenProblem: The name is taken or unusable, or the file cannot be written.
        """
        identifier = secrets.token_hex(4)
        token = f"{PREFIX}{identifier}_{secrets.token_urlsafe(32)}"
        try:
            entry = StaticToken(
                id=identifier,
                name=name,
                principal=principal,
                scopes=tuple(scopes),
                digest=token_digest(token),
                created=created,
                expires=expires,
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise TokenProblem(f"{first['loc'][0]}: {first['msg']}", fix="choose letters, digits, . _ @ -") from None

        def add(tokens: list[StaticToken]) -> list[StaticToken]:
            if any(other.name == name for other in tokens):
                raise TokenProblem(
                    f"there is a token named '{name}' already",
                    fix=f"choose another name, or run `agentmem-mcp token revoke {name}` first",
                )
            if len(tokens) >= MOST:
                raise TokenProblem(f"there are {MOST} tokens, which is the most", fix="revoke some")
            return [*tokens, entry]

        self._change(add)
        return entry, token

    def revoke(self, name: str) -> StaticToken:
        """Take a token back, by its name or id; it is refused from the next request on.

        Raises:
            TokenProblem: There is none.
        """
        gone: list[StaticToken] = []

        def remove(tokens: list[StaticToken]) -> list[StaticToken]:
            gone.extend(token for token in tokens if name in (token.name, token.id))
            if not gone:
                raise TokenProblem(f"there is no token '{name}'", fix="agentmem-mcp token list")
            return [token for token in tokens if token not in gone]

        self._change(remove)
        return gone[0]

    def _change(self, change: Callable[[list[StaticToken]], list[StaticToken]]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                document = _Document(tokens=change(list(self._read())))
                replace_file(self.path, document.model_dump_json(indent=1).encode(), durable=True)
            finally:
                os.close(lock)
        except OSError as error:
            raise self._damaged(f"cannot be written: {error.strerror}") from None

    def _read(self) -> Sequence[StaticToken]:
        try:
            return _Document.model_validate_json(self.path.read_bytes()).tokens
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._damaged(f"cannot be read: {error.strerror}") from None
        except ValidationError:
            raise self._damaged("is damaged") from None

    def _damaged(self, what: str) -> TokenProblem:
        return TokenProblem(
            f"the file of tokens {self.path} {what}", fix=f"look at {self.path}; without it there is no static token"
        )


def token_digest(token: str) -> str:
    """The form in which a token is kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
