"""``serve``, and how every command finds settings and plugin folders."""

from __future__ import annotations

import platform
from functools import partial
from importlib.metadata import version as installed_version
from pathlib import Path

import anyio

import mcp_server
from mcp_server.registry.discovery import PluginFolders
from mcp_server.settings import load_settings, user_folders

__all__ = ["example_folders", "find_folders", "serve_stdio", "versions"]


def serve_stdio(manifests: list[Path] | None, plugins: list[Path] | None, config: Path | None, *, watch: bool) -> None:
    """Serve until the client closes stdin."""
    from mcp_server.app import run_stdio

    settings = load_settings(config)
    anyio.run(partial(run_stdio, settings, find_folders(manifests, plugins), user_folders(), watch=watch))


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
    names = ("agentmem-mcp", "mcp", "extism", "extism-sys", "anyio", "pydantic")
    return {"python": platform.python_version(), **{name: installed_version(name) for name in names}}


def _existing(folder: Path) -> tuple[Path, ...]:
    return (folder,) if folder.is_dir() else ()
