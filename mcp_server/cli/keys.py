"""``key generate``, ``key trust``, ``key forget`` and ``key list``: whose signatures count."""

from __future__ import annotations

from pathlib import Path

from mcp_server.cli.output import print_json, print_table
from mcp_server.cli.serve import load
from mcp_server.distribution.keys import forget_key, identity_of, public_key_in, trust_identity, trust_key, write_keys
from mcp_server.distribution.minisign import PublicKey
from mcp_server.errors import InvalidArguments
from mcp_server.settings import user_folders
from mcp_server.settings.document import Document
from mcp_server.settings.edit import edit_file
from mcp_server.settings.folders import user_file

__all__ = ["forget", "generate", "list_keys", "trust"]


def generate(name: str, *, quiet: bool, json: bool) -> None:
    """Make a key to sign with, and print the line that others trust.

    Raises:
        InvalidArguments: There is one of that name.
    """
    secret, public, key = write_keys(user_folders().config / "keys", name)
    if json:
        print_json({"name": name, "secret": str(secret), "public": str(public), "key": str(key), "key_id": key.name})
        return
    if quiet:
        return
    print(f"the secret key is {secret}: whoever has that file can sign as you")
    print(f"others trust you with:\n  agentmem-mcp key trust {name} {key}")


def trust(
    name: str,
    key: str | None,
    identity: str | None,
    issuer: str | None,
    config: Path | None,
    *,
    quiet: bool,
    json: bool,
) -> None:
    """Let packages that are signed with ``key``, or as ``identity``, count as signed by ``name``.

    Raises:
        AgentMemError: It is no key and no identity, or the name, the key or the identity is taken.
    """
    who = identity_of(identity, issuer) if identity or issuer else None
    if (key is None) == (who is None):
        raise InvalidArguments(
            "name either a key or an identity", fix="agentmem-mcp key trust NAME RW…, or NAME --identity … --issuer …"
        )
    read = public_key_in(key) if key is not None else None

    def change(document: Document) -> list[str]:
        if read is not None:
            return trust_key(document, name, read)
        return trust_identity(document, name, who) if who else []

    _edited(config, edit_file(user_file(config), change), quiet=quiet, json=json)


def forget(name: str, config: Path | None, *, quiet: bool, json: bool) -> None:
    """Trust that name no longer; what it has signed stays installed."""
    _edited(config, edit_file(user_file(config), lambda document: forget_key(document, name)), quiet=quiet, json=json)


def list_keys(config: Path | None, *, json: bool) -> None:
    """Print the keys and identities that are trusted, and the keys that you can sign with."""
    sharing = load(config).settings.sharing
    trusted = {name: PublicKey.parse(text) for name, text in sharing.keys.items()}
    own = sorted(path.stem for path in (user_folders().config / "keys").glob("*.key"))
    if json:
        shown = [{"name": name, "key": str(key), "key_id": key.name} for name, key in trusted.items()]
        who = [{"name": name, **identity.model_dump()} for name, identity in sharing.identities.items()]
        print_json({"trusted": shown, "identities": who, "own": own})
        return
    rows = [[name, "trusted", key.name, str(key)] for name, key in trusted.items()]
    rows += [[name, "trusted", "sigstore", str(identity)] for name, identity in sharing.identities.items()]
    print_table(["NAME", "WHAT", "ID", "KEY"], [*rows, *([name, "signs", "-", "-"] for name in own)])


def _edited(config: Path | None, said: list[str], *, quiet: bool, json: bool) -> None:
    path = user_file(config)
    if json:
        print_json({"file": str(path), "changed": said})
    elif not quiet:
        print(f"{path}: {'; '.join(said) or 'nothing to change'}")
