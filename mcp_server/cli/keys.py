"""``key generate``, ``key trust``, ``key forget`` and ``key list``: whose signatures count."""

from __future__ import annotations

from pathlib import Path

from mcp_server.cli.output import print_json, print_table
from mcp_server.cli.serve import load
from mcp_server.distribution.keys import forget_key, public_key_in, trust_key, write_keys
from mcp_server.distribution.minisign import PublicKey
from mcp_server.settings import user_folders
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


def trust(name: str, key: str, config: Path | None, *, quiet: bool, json: bool) -> None:
    """Let packages that are signed with ``key`` count as signed by ``name``.

    Raises:
        AgentMemError: It is no key, or the name or the key is taken.
    """
    read = public_key_in(key)
    _edited(
        config, edit_file(user_file(config), lambda document: trust_key(document, name, read)), quiet=quiet, json=json
    )


def forget(name: str, config: Path | None, *, quiet: bool, json: bool) -> None:
    """Trust that key no longer; what it has signed stays installed."""
    _edited(config, edit_file(user_file(config), lambda document: forget_key(document, name)), quiet=quiet, json=json)


def list_keys(config: Path | None, *, json: bool) -> None:
    """Print the keys that are trusted, and those that you can sign with."""
    trusted = {name: PublicKey.parse(text) for name, text in load(config).settings.sharing.keys.items()}
    own = sorted(path.stem for path in (user_folders().config / "keys").glob("*.key"))
    if json:
        shown = [{"name": name, "key": str(key), "key_id": key.name} for name, key in trusted.items()]
        print_json({"trusted": shown, "own": own})
        return
    rows = [[name, "trusted", key.name, str(key)] for name, key in trusted.items()]
    print_table(["NAME", "WHAT", "ID", "KEY"], [*rows, *([name, "signs", "-", "-"] for name in own)])


def _edited(config: Path | None, said: list[str], *, quiet: bool, json: bool) -> None:
    path = user_file(config)
    if json:
        print_json({"file": str(path), "changed": said})
    elif not quiet:
        print(f"{path}: {'; '.join(said) or 'nothing to change'}")
