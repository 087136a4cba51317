"""Key files on disk, and the changes that write a trusted key or identity into the operator's configuration."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mcp_server.distribution.errors import SignatureProblem
from mcp_server.distribution.minisign import PublicKey, SecretKey
from mcp_server.errors import InvalidArguments
from mcp_server.settings.document import Document
from mcp_server.settings.sharing import TrustedIdentity

__all__ = ["forget_key", "identity_of", "public_key_in", "read_secret", "trust_identity", "trust_key", "write_keys"]

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
    table: dict[str, str] = _table(document, "keys")
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


def identity_of(identity: str | None, issuer: str | None) -> TrustedIdentity:
    """Who signs by Sigstore, from what a person wrote.

    Raises:
        InvalidArguments: One half is missing, or is none.
    """
    try:
        return TrustedIdentity(identity=identity or "", issuer=issuer or "")
    except ValidationError:
        raise InvalidArguments(
            "an identity is who, without blanks, and the URL of the issuer that vouches for it",
            fix="say both: --identity ann@example.com --issuer https://accounts.google.com",
        ) from None


def trust_identity(document: Document, name: str, identity: TrustedIdentity) -> list[str]:
    """Let ``[sharing.identities]`` name ``identity``; what was changed, a line each.

    Raises:
        InvalidArguments: The name is none, or stands for another identity.
    """
    _require_name(name)
    table, new = _table(document, "identities"), identity.model_dump()
    there = {other: TrustedIdentity.model_validate(dict(one)) for other, one in table.items()}
    for other, one in there.items():
        if one == identity and other != name:
            raise InvalidArguments(f"that identity is trusted as '{other}'", fix=f"agentmem-mcp key forget {other}")
    if there.get(name) == identity:
        return []
    if name in there:
        raise InvalidArguments(
            f"'{name}' stands for another identity, {there[name]}",
            fix=f"agentmem-mcp key forget {name}, when you know that it was replaced",
        )
    table[name] = new
    return [f"+ {name} = {identity} in [sharing.identities]"]


def forget_key(document: Document, name: str) -> list[str]:
    """Take the key and the identity of that name out; what was changed, a line each."""
    said: list[str] = []
    sharing = document.get("sharing", {})
    for word in ("keys", "identities"):
        if name in sharing.get(word, {}):
            del sharing[word][name]
            said.append(f"- {name} in [sharing.{word}]")
    if said and not sharing.get("identities", True):  # with the last [sharing.identities.NAME] its tables went
        del sharing["identities"]
    if said and not sharing:
        del document["sharing"]
    return said


def _table(document: Document, word: str) -> dict[str, Any]:
    for part in ("sharing", word):
        document.setdefault(part, {})
        document = document[part]
    return document


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidArguments(f"'{name}' is no name of a key", fix="use letters, digits, '.', '_', '@' and '-'")
