"""``serve``, and how every command finds settings and plugin folders."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

import mcp_server
from mcp_server.cli.output import be_quiet, guarded, is_quiet, note
from mcp_server.errors import SettingsError
from mcp_server.registry.discovery import PluginFolders
from mcp_server.registry.governed import Launch
from mcp_server.settings import Configuration, Settings, load_configuration, user_folders

if TYPE_CHECKING:
    from mcp_server.opening.front import Opened
    from mcp_server.transport.http.face import HttpFace

__all__ = [
    "ServeOptions",
    "example_folders",
    "find_folders",
    "http_face",
    "launched",
    "load",
    "parse_sets",
    "serve",
    "serve_again",
    "settings_of",
    "versions",
    "with_address",
]


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the command line of ``serve`` says, however many processes serve."""

    manifests: Sequence[Path]
    plugins: Sequence[Path]
    config: Path | None
    sets: Sequence[str]
    watch: bool
    locked: bool
    no_auth: bool

    def words(self) -> list[str]:
        """As on a command line."""
        words = [word for folder in self.manifests for word in ("--manifests", str(folder))]
        words += [word for folder in self.plugins for word in ("--plugins", str(folder))]
        words += ["--config", str(self.config)] if self.config else []
        words += [word for given in self.sets for word in ("--set", given)]
        switches = {"--watch": self.watch, "--locked": self.locked, "--no-auth": self.no_auth}
        return words + [name for name, given in switches.items() if given]

    def document(self) -> dict[str, Any]:
        """As JSON has them; :meth:`from_document` reads it."""
        folders = {"manifests": [*map(str, self.manifests)], "plugins": [*map(str, self.plugins)]}
        switches = {"watch": self.watch, "locked": self.locked, "no_auth": self.no_auth, "quiet": is_quiet()}
        return {**folders, "config": str(self.config) if self.config else None, "sets": list(self.sets), **switches}

    @classmethod
    def from_document(cls, said: Mapping[str, Any]) -> ServeOptions:
        """Those that :meth:`document` wrote; whether it was to be quiet is the process's, and is left there."""
        manifests, plugins = ([Path(folder) for folder in said[key]] for key in ("manifests", "plugins"))
        config = Path(said["config"]) if said["config"] else None
        return cls(manifests, plugins, config, said["sets"], said["watch"], said["locked"], said["no_auth"])


def serve_again(opened: Opened) -> None:
    """Serve as the same command line was understood at an earlier start, without the library that understands it.

    Raises:
        SystemExit: It has failed; that was said.
    """
    if opened.options["quiet"]:
        be_quiet()
    options = ServeOptions.from_document(opened.options)
    guarded(partial(serve, options, http=None, stdio=True, inherited=None, opened=opened), as_json=False)


def serve(
    options: ServeOptions, *, http: str | None, stdio: bool, inherited: str | None, opened: Opened | None = None
) -> None:
    """Serve until the client closes stdin, or the process is asked to end; ``opened``: what was done before."""
    from mcp_server.app import run_server

    opened = opened and opened._replace(options=options.document())
    read = partial(load_configuration, options.config, overrides=parse_sets(options.sets))
    first = read()
    folders, launch = _found(options, http=http is not None)
    face = http_face(http, no_auth=options.no_auth, inherited=inherited) if http is not None else None
    run = partial(run_server, first.settings, folders, user_folders(), watch=options.watch, read=read, first=first)
    loop = {"use_uvloop": first.settings.runtime.uvloop and find_spec("uvloop") is not None}
    anyio.run(partial(run, launch=launch, http=face, stdio=stdio or face is None, opened=opened), backend_options=loop)


def _found(options: ServeOptions, *, http: bool) -> tuple[PluginFolders, Launch]:
    """Where plugins lie, and how the command was started; over HTTP what the management API installs is served too."""
    manifests, plugins = list(options.manifests), list(options.plugins)
    folders = find_folders(manifests, plugins)
    if http:
        folders = _with_installed(folders)
        manifests, plugins = list(folders.manifests), list(folders.plugins)
    return folders, launched(manifests, plugins, options.config, locked=options.locked)


def _with_installed(folders: PluginFolders) -> PluginFolders:
    """``folders`` and the user's own, where the management API installs plugins."""
    mine = user_folders().plugins
    mine.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folders if mine in folders.plugins else folders.plus(plugins=mine)


def http_face(address: str, *, no_auth: bool, inherited: str | None = None) -> HttpFace:
    """What ``--http`` and the options beside it ask for.

    Raises:
        SettingsError: The address is none.
    """
    from mcp_server.transport.http.address import parse_address
    from mcp_server.transport.http.face import HttpFace
    from mcp_server.transport.http.inherited import Inherited

    own, from_parent = user_folders(), Inherited.adopt(inherited) if inherited else None
    return HttpFace(parse_address(address), own.state, own.data, authenticate=not no_auth, inherited=from_parent)


def with_address(words: Sequence[str]) -> list[str]:
    """The command line with the default address after an ``--http`` that stands alone."""
    from itertools import zip_longest

    given: list[str] = []
    for word, following in zip_longest(words, words[1:], fillvalue="-"):
        given.append(word)
        if word == "--http" and following.startswith("-"):
            given.append("")
    return given


def load(config: Path | None, sets: Sequence[str] = ()) -> Configuration:
    """The configuration of a command; what is ignored of it is said on stderr."""
    configuration = load_configuration(config, overrides=parse_sets(sets))
    for warning in configuration.warnings:
        note(f"warning: {warning}")
    return configuration


def settings_of(config: Path | None) -> Settings:
    """The settings of a command, as :func:`load` finds them."""
    return load(config).settings


def parse_sets(sets: Sequence[str]) -> dict[str, dict[str, Any]]:
    """``runtime.max_workers=2`` as ``{"runtime": {"max_workers": 2}}``; a value is read as TOML, else taken as text.

    Raises:
        SettingsError: A word has not that form.
    """
    document: dict[str, dict[str, Any]] = {}
    for word in sets:
        key, separator, text = word.partition("=")
        try:
            value: Any = tomllib.loads(f"value = {text}")["value"]
        except (ValueError, RecursionError):
            value = text
        section, *names = key.strip().split(".")
        if not (separator and section and names and all(names)):
            raise SettingsError(f"--set {word}: is not SECTION.KEY=VALUE", fix="--set runtime.max_workers=2")
        table: dict[str, Any] = document.setdefault(section, {})
        for name in names[:-1]:
            if not isinstance(table.setdefault(name, {}), dict):
                raise SettingsError(f"--set {word}: '{name}' was set to a value", fix="set each key once")
            table = table[name]
        table[names[-1]] = value
    return document


def launched(
    manifests: list[Path] | None,
    plugins: list[Path] | None,
    config: Path | None,
    *,
    locked: bool = False,
    looking: bool = False,
    strict: bool = False,
) -> Launch:
    """How this command was started; its options are those of the ``plugin approve`` that it would recommend."""
    words = [word for folder in manifests or () for word in ("--manifests", str(folder))]
    words += [word for folder in plugins or () for word in ("--plugins", str(folder))]
    words += ["--config", str(config)] if config else []
    options = f" {shlex.join(words)}" if words else ""
    return Launch(strict=strict, locked=locked, looking=looking, options=options)


def find_folders(manifests: list[Path] | None, plugins: list[Path] | None) -> PluginFolders:
    """The folders named on the command line, else ``./manifests`` and ``./plugins``, else the user's, else examples."""
    if manifests or plugins:
        return PluginFolders(tuple(manifests or ()), tuple(plugins or ()))
    here = Path.cwd()
    local = PluginFolders(_existing(here / "manifests"), _existing(here / "plugins"))
    if local.roots:
        return local
    mine = user_folders().plugins
    if mine.is_dir() and any(mine.iterdir()):
        return PluginFolders((), (mine,))
    return example_folders()


def example_folders() -> PluginFolders:
    """The plugins that come with the package: inside it when installed, beside it in a checkout."""
    package = Path(mcp_server.__file__).resolve().parent
    for root in (package / "examples", package.parent):
        if (root / "manifests").is_dir() and (root / "plugins").is_dir():
            return PluginFolders((root / "manifests",), (root / "plugins",))
    return PluginFolders()


def versions() -> dict[str, str]:
    """What runs here, for bug reports."""
    import platform
    from importlib.metadata import version as installed_version

    names = ("agentmem-mcp", "mcp", "extism", "extism-sys", "anyio", "pydantic")
    return {"python": platform.python_version(), **{name: installed_version(name) for name in names}}


def _existing(folder: Path) -> tuple[Path, ...]:
    return (folder,) if folder.is_dir() else ()
