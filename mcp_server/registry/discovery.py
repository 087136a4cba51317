"""Where plugins lie. Lists candidates and reads nothing: a broken plugin is still found, and then says why.

The rule, the same everywhere: a plugin is a ``plugin.toml``; a ``.wasm`` that no manifest claims is found too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

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
        modules: Each holds ``<id>/<id>.wasm`` for a manifest elsewhere; no plugin is looked for in them.
    """

    manifests: tuple[Path, ...] = ()
    plugins: tuple[Path, ...] = ()
    single: tuple[Path, ...] = ()
    modules: tuple[Path, ...] = ()

    @property
    def roots(self) -> tuple[Path, ...]:
        """Folders into which a manifest's ``wasm`` path may point."""
        return (*self.plugins, *self.manifests, *self.modules)

    def plus(self, *, single: Path | None = None, plugins: Path | None = None, manifests: Path | None = None) -> Self:
        """These and more, each after its own kind."""
        return replace(
            self,
            single=(*self.single, single) if single else self.single,
            plugins=(*self.plugins, plugins) if plugins else self.plugins,
            manifests=(*self.manifests, manifests) if manifests else self.manifests,
        )


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
            if _is_file(path):
                found.setdefault(_real(path), Found(path, "manifest"))
    for path in folders.single:
        manifest = path if _is_file(path) else path / MANIFEST_NAME
        if not _is_file(manifest):
            raise SettingsError(
                f"there is no plugin at {path}", fix=f"name a bundle folder, a plugin.toml or a .wasm: {path}"
            )
        kind = "module" if manifest.suffix == ".wasm" else "manifest"
        found.setdefault(_real(manifest), Found(manifest, kind))
    return list(found.values())


def lone_modules(folders: PluginFolders, claimed: Iterable[Path]) -> list[Found]:
    """Every ``.wasm`` below the plugin folders that is not ``claimed`` by a manifest.

    A folder with a manifest of its own is its author's business: modules in it are not offered on their own.
    """
    taken = {_real(path) for path in claimed}
    found: dict[Path, Found] = {}
    for folder in folders.plugins:
        for path in (*sorted(folder.glob("*.wasm")), *sorted(folder.glob("*/*.wasm"))):
            own = _is_file(path.parent / MANIFEST_NAME) and path.parent != folder
            if _is_file(path) and _real(path) not in taken and not own:
                found.setdefault(_real(path), Found(path, "module"))
    return list(found.values())


def _require_folder(folder: Path) -> None:
    fix = f"create it, or correct --manifests / --plugins: {folder}"
    try:
        next(folder.iterdir(), None)
        return
    except FileNotFoundError:
        what = "does not exist"
    except NotADirectoryError:
        what = "is not a folder"
    except PermissionError as error:
        what, fix = f"cannot be read: {error.strerror}", f"chmod u+rx {folder}"
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        what = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    raise SettingsError(f"the plugin folder {folder} {what}", fix=fix)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a folder on the way that may not be entered, a name that no file can have
        return False


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of symbolic links is a RuntimeError up to Python 3.12
        return path.absolute()
