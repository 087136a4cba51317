"""Where plugins lie. Lists candidates and reads nothing: a broken plugin is still found, and then says why.

The rule, the same everywhere: a plugin is a ``plugin.toml``; a ``.wasm`` that no manifest claims is found too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mcp_server.errors import SettingsError

__all__ = ["Found", "PluginFolders", "discover", "lone_modules"]

MANIFEST_NAME = "plugin.toml"


@dataclass(frozen=True, slots=True)
class PluginFolders:
    """The configured folders.

    Attributes:
        manifests: Each holds ``<name>/plugin.toml``.
        plugins: Each holds ``<id>/<id>.wasm``, bundles (``plugin.toml`` beside the module) and lone modules.
        single: Plugins named one by one: a bundle folder, a ``plugin.toml`` or a ``.wasm``.
    """

    manifests: tuple[Path, ...] = ()
    plugins: tuple[Path, ...] = ()
    single: tuple[Path, ...] = ()

    @property
    def roots(self) -> tuple[Path, ...]:
        """Folders into which a manifest's ``wasm`` path may point."""
        return (*self.plugins, *self.manifests)


@dataclass(frozen=True, slots=True)
class Found:
    """One candidate."""

    path: Path
    kind: Literal["manifest", "module"]

    @property
    def guessed_id(self) -> str:
        """A name to list it under when it cannot even be parsed."""
        return self.path.parent.name if self.kind == "manifest" else self.path.stem


def discover(folders: PluginFolders) -> list[Found]:
    """Every ``plugin.toml`` below the folders, manifests first, each file once, in a fixed order.

    Raises:
        SettingsError: A configured folder is missing or unreadable.
    """
    found: dict[Path, Found] = {}
    for folder in (*folders.manifests, *folders.plugins):
        _require_folder(folder)
        for path in (folder / MANIFEST_NAME, *sorted(folder.glob(f"*/{MANIFEST_NAME}"))):
            if path.is_file():
                found.setdefault(path.resolve(), Found(path, "manifest"))
    for path in folders.single:
        manifest = path / MANIFEST_NAME if path.is_dir() else path
        if not manifest.is_file():
            raise SettingsError(
                f"there is no plugin at {path}", fix=f"name a bundle folder, a plugin.toml or a .wasm: {path}"
            )
        kind = "module" if manifest.suffix == ".wasm" else "manifest"
        found.setdefault(manifest.resolve(), Found(manifest, kind))
    return list(found.values())


def lone_modules(folders: PluginFolders, claimed: Iterable[Path]) -> list[Found]:
    """Every ``.wasm`` below the plugin folders that is not ``claimed`` by a manifest.

    A folder with a manifest of its own is its author's business: modules in it are not offered on their own.
    """
    taken = {path.resolve() for path in claimed}
    found: dict[Path, Found] = {}
    for folder in folders.plugins:
        for path in (*sorted(folder.glob("*.wasm")), *sorted(folder.glob("*/*.wasm"))):
            own = (path.parent / MANIFEST_NAME).is_file() and path.parent != folder
            if path.resolve() not in taken and path.is_file() and not own:
                found.setdefault(path.resolve(), Found(path, "module"))
    return list(found.values())


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise SettingsError(
            f"the plugin folder {folder} {what}", fix=f"create it, or correct --manifests / --plugins: {folder}"
        )
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise SettingsError(
            f"the plugin folder {folder} cannot be read: {error.strerror}", fix=f"chmod u+rx {folder}"
        ) from None
