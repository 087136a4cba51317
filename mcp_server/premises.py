"""What a server's first answers rest on: every file that was looked at for them, and whether they may be remembered.

They may not while something is wrong that the operator is told of at each start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import mcp_server
from mcp_server import __version__
from mcp_server.host import PluginHost
from mcp_server.opening.front import Opened
from mcp_server.opening.recorder import Premises, Recorder
from mcp_server.registry.approval import LOCK_NAME
from mcp_server.registry.errors import PluginDisabled
from mcp_server.registry.governed import Launch
from mcp_server.registry.installed import BUNDLES_NAME
from mcp_server.registry.record import PluginRecord
from mcp_server.registry.stamps import files_of
from mcp_server.settings import Configuration, Folders

__all__ = ["recorder_of"]

MOST_PATHS = 16_384
_COUNTING = frozenset({".toml", ".wasm", ".json"})


def recorder_of(
    host: PluginHost, opened: Opened, first: Configuration, own: Folders, launch: Launch | None
) -> Recorder:
    """Remembers what ``host`` answers at first, until its catalogue changes.

    Args:
        host: Entered already.
        opened: What the front of the pipes has done.
        first: What the host was started with.
        own: The user's folders.
        launch: How the process was started.
    """
    recorder = Recorder(opened, lambda: _premises(host, first, own, launch or Launch()))
    host.changed.append(recorder.stop)
    return recorder


def _premises(host: PluginHost, first: Configuration, own: Folders, launch: Launch) -> Premises | None:
    if not host.settings.runtime.fast_lane or host.invoker.tracing is not None:
        return None
    if first.warnings or not all(map(_is_quiet, host.list_plugins())):
        return None
    paths: dict[str, bool] = {}
    for path, hashed in _paths(host, first, own):
        paths[str(path.absolute())] = hashed
        if len(paths) > MOST_PATHS:
            return None
    roots = [str(root.absolute()) for root in host.folders.roots]
    announced = {"version": __version__, "locked": launch.locked, "folders": roots}
    return Premises(paths, announced, str(own.state))


def _is_quiet(record: PluginRecord) -> bool:
    return record.newest is None and isinstance(record.error, PluginDisabled | None)


def _paths(host: PluginHost, first: Configuration, own: Folders) -> Iterator[tuple[Path, bool]]:
    for file in first.files:
        yield file.path, True
    yield own.data / LOCK_NAME, True
    here = Path.cwd()
    for place in (own.data / BUNDLES_NAME, own.plugins, here / "manifests", here / "plugins"):
        yield place, False
    for root in host.folders.roots:
        yield from _below(root)
    for path in host.folders.single:
        yield path, path.suffix == ".toml"
        yield path / "plugin.toml", True
    for record in host.list_plugins():
        yield record.path, record.path.suffix == ".toml"
        for path in files_of(record.version.source) if record.version is not None else ():
            yield path, path.suffix != ".wasm"
    yield from _code()


def _below(root: Path) -> Iterator[tuple[Path, bool]]:
    """A folder of plugins as far as plugins are looked for in it."""
    yield root, False
    for path in (*root.glob("*"), *root.glob("*/*")):
        if path.suffix in _COUNTING or (path.parent == root and path.is_dir()):
            yield path, path.suffix == ".toml"


def _code() -> Iterator[tuple[Path, bool]]:
    """The program itself, and where its libraries are installed: an upgrade adds and removes entries there."""
    for path in Path(mcp_server.__file__).parent.rglob("*.py"):
        yield path, False
    for library in ("mcp", "mcp_types", "pydantic"):
        stated = getattr(sys.modules.get(library), "__file__", None)
        if stated:
            yield Path(stated).parent.parent, False
