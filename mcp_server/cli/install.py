"""``install`` and ``uninstall``: this server in the configuration of a client, shown before it is written."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mcp_server.cli.output import print_json, say
from mcp_server.cli.serve import parse_sets
from mcp_server.clients.entry import PROGRAM, Entry
from mcp_server.clients.errors import ClientConfigError
from mcp_server.clients.install import Change, installing, uninstalling
from mcp_server.clients.places import Client, Machine, find_client, project_place, user_places
from mcp_server.settings.folders import HOME_VARIABLE
from mcp_server.settings.variables import environment_of

__all__ = ["Serving", "Where", "client_file", "install_server", "own_command", "serving_entry", "uninstall_server"]


@dataclass(frozen=True, slots=True)
class Where:
    """Which file is meant, and which entry of it."""

    name: str = "agentmem"
    project: bool = False
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Serving:
    """How the client is to start the server."""

    manifests: Sequence[Path] = ()
    plugins: Sequence[Path] = ()
    config: Path | None = None
    sets: Sequence[str] = ()
    watch: bool = False
    locked: bool = False
    variables: Sequence[str] = field(default_factory=tuple)


def install_server(name: str, where: Where, serving: Serving, *, dry_run: bool, json: bool) -> None:
    """Write the entry into the client's file; for ``json``, print it."""
    entry = serving_entry(serving)
    if name == "json":
        print_json({"mcpServers": {where.name: entry.as_json()}})
        return
    client = find_client(name)
    change = installing(client_file(client, where), client, where.name, entry)
    _apply(change, client, where, dry_run=dry_run, json=json)


def uninstall_server(name: str, where: Where, *, dry_run: bool, json: bool) -> None:
    """Take the entry out of the client's file."""
    client = find_client(name)
    change = uninstalling(client_file(client, where), client, where.name)
    _apply(change, client, where, dry_run=dry_run, json=json)


def client_file(client: Client, where: Where) -> Path:
    """The file of ``client`` on this machine.

    Raises:
        ClientConfigError: It has none in a project, or the one there leads out of the project.
    """
    if where.file is not None:
        return where.file.expanduser().absolute()
    if where.project:
        folder = Path.cwd().resolve()
        path = Path(project_place(client, folder))
        if not path.parent.resolve().is_relative_to(folder):
            raise ClientConfigError(f"{path.parent} is a link out of this folder", fix=f"look at {path.parent}")
        return path
    machine = Machine(platform.system(), environment_of(None), str(Path.home()))
    places = [Path(place) for place in user_places(client, machine)]
    return next((place for place in places if place.parent.is_dir()), places[-1])


def serving_entry(serving: Serving) -> Entry:
    """The entry that starts the server as asked, from any folder and with hardly any environment.

    Raises:
        ClientConfigError: A folder, a file or a variable is not as it must be.
        SettingsError: A ``--set`` is none.
    """
    parse_sets(serving.sets)
    manifests, plugins = list(serving.manifests), list(serving.plugins)
    if not manifests and not plugins:  # what every command here would take, which the client cannot see
        manifests, plugins = _here("manifests"), _here("plugins")
    words = [word for folder in manifests for word in ("--manifests", _folder(folder))]
    words += [word for folder in plugins for word in ("--plugins", _folder(folder))]
    words += ["--config", _file(serving.config)] if serving.config is not None else []
    words += [word for given in serving.sets for word in ("--set", given)]
    words += [name for name, given in (("--watch", serving.watch), ("--locked", serving.locked)) if given]
    command, *before = own_command()
    return Entry(command, [*before, "serve", *words], _variables(serving.variables))


def own_command() -> list[str]:
    """What runs this very installation: its script, else its Python and the package."""
    script = Path(sys.executable).with_name(PROGRAM)
    return [str(script)] if script.is_file() else [sys.executable, "-m", "mcp_server"]


def _here(name: str) -> list[Path]:
    return [Path(name)] if Path(name).is_dir() else []


def _folder(folder: Path) -> str:
    place = folder.expanduser().absolute()
    if not place.is_dir():
        raise ClientConfigError(f"there is no folder {place}", fix="name a folder that is there")
    return str(place)


def _file(file: Path) -> str:
    place = file.expanduser().absolute()
    if not place.is_file():
        raise ClientConfigError(f"there is no file {place}", fix="name a configuration file that is there")
    return str(place)


def _variables(words: Sequence[str]) -> dict[str, str]:
    home = environment_of(None).get(HOME_VARIABLE)
    found = {HOME_VARIABLE: str(Path(home).expanduser().absolute())} if home else {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or not name.isidentifier() or not name.isascii():
            raise ClientConfigError(f"--env {word}: is not NAME=VALUE", fix="--env AGENTMEM_LOG__LEVEL=debug")
        found[name] = value
    return found


def _apply(change: Change, client: Client, where: Where, *, dry_run: bool, json: bool) -> None:
    backup = None if dry_run else change.make()
    if json:
        facts = {"client": client.id, "file": str(change.file.path), "name": where.name, "changed": change.any}
        kept = str(backup) if backup else None
        print_json({**facts, "dry_run": dry_run, "backup": kept, "difference": change.difference})
        return
    if not change.any:
        say(f"{change.file.path}: nothing to change")
        return
    say(change.difference)
    if dry_run:
        say(f"{change.file.path}: nothing was written (--dry-run)")
        return
    say(f"{change.file.path}: written" + (f"; as it was: {backup}" if backup else ""))
    say(f"{client.title}: {client.restart}")
