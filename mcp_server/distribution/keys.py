"""Key files on disk, and the change that writes a trusted key into the operator's configuration."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mcp_server.distribution.errors import SignatureProblem
from mcp_server.distribution.minisign import PublicKey, SecretKey
from mcp_server.errors import InvalidArguments
from mcp_server.settings.document import Document

__all__ = ["forget_key", "public_key_in", "read_secret", "trust_key", "write_keys"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def write_keys(folder: Path, name: str) -> tuple[Path, Path, PublicKey]:
    """Make a key and write ``<name>.key`` (mode 0600) and ``<name>.pub``; both paths, and the public half.

    Raises:
        InvalidArguments: The name is none, or there is such a key.
        OSError: It cannot be written.
    """
    _require_name(name)
    secret, public = folder / f"{name}.key", folder / f"{name}.pub"
    key = SecretKey.generate()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InvalidArguments(f"there is a key {secret}", fix="choose another name, or remove that key") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(key.file())
    public.write_text(key.public_file(), encoding="utf-8")
    return secret, public, key.public


def read_secret(folder: Path, named: str) -> SecretKey:
    """The secret key of that name in ``folder``, or in the file of that path.

    Raises:
        SignatureProblem: There is none, or it is damaged.
    """
    own = folder / f"{named}.key"
    path = own if _NAME.fullmatch(named) and own.is_file() else Path(named)
    try:
        return SecretKey.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise SignatureProblem(
            f"there is no key '{named}' that can be read", fix=f"agentmem-mcp key generate {named}"
        ) from None


def public_key_in(text: str) -> PublicKey:
    """The key that ``text`` is, or that is in the file of that path.

    Raises:
        SignatureProblem: It is none.
    """
    path = Path(text)
    try:
        given = path.read_text(encoding="utf-8") if path.suffix == ".pub" or path.is_file() else text
    except (OSError, UnicodeDecodeError):
        raise SignatureProblem(
            f"the key file {text} cannot be read", fix="look at it, or paste its last line"
        ) from None
    return PublicKey.parse(given)


def trust_key(document: Document, name: str, key: PublicKey) -> list[str]:
    """Let ``[sharing.keys]`` name ``key``; what was changed, a line each.

    Raises:
        InvalidArguments: The name is none, or stands for another key.
    """
    _require_name(name)
    table = _keys(document)
    for other, text in table.items():
        if text == str(key) and other != name:
            raise InvalidArguments(f"that key is trusted as '{other}'", fix=f"agentmem-mcp key forget {other}")
    if table.get(name) == str(key):
        return []
    if name in table:
        raise InvalidArguments(
            f"'{name}' stands for another key, {PublicKey.parse(table[name]).name}",
            fix=f"agentmem-mcp key forget {name}, when you know that it was replaced",
        )
    table[name] = str(key)
    return [f"+ {name} = {key} in [sharing.keys]"]


def forget_key(document: Document, name: str) -> list[str]:
    """Take the key of that name out; what was changed, a line each."""
    table = _keys(document)
    if name not in table:
        return []
    del table[name]
    return [f"- {name} in [sharing.keys]"]


def _keys(document: Document) -> dict[str, str]:
    for word in ("sharing", "keys"):
        document.setdefault(word, {})
        document = document[word]
    return document


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidArguments(f"'{name}' is no name of a key", fix="use letters, digits, '.', '_', '@' and '-'")
