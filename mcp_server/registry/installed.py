"""The plugins that were sent to this machine: a store of bundles by digest, and one link for each installed plugin.

::

    data/bundles/<sha256>/    the files of one bundle, read-only
    data/plugins/<id>         a link to one of them

A link is replaced in one step, so at any time the old bundle is installed, or the new one. What lies in
``data/plugins`` as a folder was put there by hand and is left alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from mcp_server.registry.bundle import files_below
from mcp_server.registry.errors import InstallFailed, NotInstalled

__all__ = ["BUNDLES_NAME", "InstalledPlugins"]

BUNDLES_NAME = "bundles"
_NEW = ".new-"
_ABANDONED_SECONDS = 3_600
"""A folder of an upload that is older than any upload may take: its process died."""


class InstalledPlugins:
    """The bundles below ``data``, common to all processes of one user.

    Args:
        data: The user's data folder.
    """

    def __init__(self, data: Path) -> None:
        self.folder = data / "plugins"
        self._store = data / BUNDLES_NAME

    def has(self, plugin: str) -> bool:
        """Whether ``plugin`` was installed here."""
        return (self.folder / plugin).is_symlink()

    @contextmanager
    def staging(self) -> Generator[Path]:
        """A new folder for files on their way into the store; gone at the end of the block, with what is still in it.

        Raises:
            InstallFailed: The block, or this, met an error of the disk.
        """
        fresh: Path | None = None
        try:
            for folder in (self._store, self.folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(prefix=_NEW, dir=self._store))
            yield fresh
        except OSError as error:
            raise _failed(error) from None
        finally:
            if fresh is not None:
                shutil.rmtree(fresh, ignore_errors=True)

    def install(self, staged: Path, plugin: str) -> str:
        """Make the files in ``staged`` the installed bundle of ``plugin``; the bundle's digest.

        Raises:
            NotInstalled: A folder that was put there by hand has the place.
            OSError: Nothing has changed.
        """
        digest = _sealed(staged)
        place = self.folder / plugin
        with self._alone():
            if place.exists() and not place.is_symlink():
                raise NotInstalled(
                    f"plugin '{plugin}' was put into the plugin folder by hand and is not replaced",
                    fix=f"remove {place} first",
                    data={"plugin": plugin},
                )
            bundle = self._store / digest
            if not bundle.is_dir():
                staged.rename(bundle)
                _sync(self._store)
            link = self._store / f"{_NEW}{os.urandom(8).hex()}"  # not beside the others: a scan would find it
            try:
                link.symlink_to(Path("..") / BUNDLES_NAME / digest)
                link.replace(place)
            except OSError:
                with suppress(OSError):
                    link.unlink(missing_ok=True)
                raise
            with suppress(OSError):  # it is installed; what is left over goes with the next one
                _sync(self.folder)
                self._sweep()
        return digest

    def remove(self, plugin: str) -> None:
        """Take ``plugin`` away.

        Raises:
            NotInstalled: It was not installed here.
            InstallFailed: The disk said no, and it is still there.
        """
        if not self.has(plugin):
            raise NotInstalled(
                f"plugin '{plugin}' was not installed through the server and is not removed through it",
                fix="remove it from the folder that holds it (`agentmem-mcp plugin show` says which)",
                data={"plugin": plugin},
            )
        try:
            with self._alone():
                (self.folder / plugin).unlink()
                with suppress(OSError):  # it is gone; its files go with the next one
                    _sync(self.folder)
                    self._sweep()
        except OSError as error:
            raise _failed(error) from None

    def _sweep(self) -> None:
        """Remove bundles that nothing links to, and what processes that died have left."""
        linked = {path.readlink().name for path in self.folder.iterdir() if path.is_symlink()}
        for path in self._store.iterdir():
            if path.name.startswith(_NEW):
                if time.time() - path.lstat().st_mtime < _ABANDONED_SECONDS:
                    continue
            elif path.name in linked:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Generator[None]:
        handle = os.open(self._store, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _sealed(folder: Path) -> str:
    """Put the files onto the disk, read-only; the sha256 over their names and digests."""
    whole = hashlib.sha256()
    for name in files_below(folder):
        path = folder / name
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        path.chmod(0o400)
        whole.update(f"{name}\0{digest}\n".encode())
    for inner in folder.rglob("*"):
        if inner.is_dir():
            _sync(inner)
    _sync(folder)
    return whole.hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _failed(error: OSError) -> InstallFailed:
    return InstallFailed(
        f"the plugin folder could not be changed: {error.strerror or error}; what was installed before still is",
        fix="look at the space and the permissions of the data folder",
    )
