"""The plugins that were sent to this machine: a store of bundles by digest, and one link for each installed plugin.

::

    data/bundles/<sha256>/    the files of one bundle, read-only
    data/bundles/change.json  a change that was decided and is not done yet
    data/plugins/<id>         a link to one of them
    data/plugins.lock         where each came from

A change of any number of plugins is decided in one step, when ``change.json`` is there; links and lock follow it, and
whoever comes next finishes what a process that died has left. So what is installed is all of the old, or all of the
new. What lies in ``data/plugins`` as a folder was put there by hand and is left alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from mcp_server.errors import AgentMemError
from mcp_server.registry.bundle import files_below
from mcp_server.registry.errors import InstallFailed, NotInstalled
from mcp_server.registry.lockfile import LOCK_NAME, LockFile, Origin, Origins
from mcp_server.whole_file import replace_file

__all__ = ["BUNDLES_NAME", "Arrival", "InstalledPlugins", "finish_changes"]

BUNDLES_NAME = "bundles"
logger = logging.getLogger(__name__)
_CHANGE = "change.json"
_NEW = ".new-"
_ABANDONED_SECONDS = 3_600
"""A folder of an upload that is older than any upload may take: its process died."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A bundle that is to be installed.

    Attributes:
        staged: Of :meth:`InstalledPlugins.staging`.
        origin: Where it came from; its ``bundle`` is filled in.
    """

    staged: Path
    origin: Origin


class _Plan(BaseModel):
    model_config = ConfigDict(extra="forbid")

    plugins: dict[str, Origin | None]


class InstalledPlugins:
    """The bundles below ``data``, common to all processes of one user.

    Args:
        data: The user's data folder.
    """

    def __init__(self, data: Path) -> None:
        self.folder = data / "plugins"
        self.lock = LockFile(data / LOCK_NAME)
        self._store = data / BUNDLES_NAME

    def has(self, plugin: str) -> bool:
        """Whether ``plugin`` was installed here."""
        return (self.folder / plugin).is_symlink()

    def origins(self) -> Origins:
        """Where the plugins that are installed came from.

        Raises:
            LockDamaged: That cannot be read.
            InstallFailed: A change that was decided cannot be finished.
        """
        self.settle()
        return {plugin: origin for plugin, origin in self.lock.origins().items() if self.has(plugin)}

    def settle(self) -> None:
        """Finish what a process that died had decided.

        Raises:
            InstallFailed: The disk says no.
        """
        if not (self._store / _CHANGE).exists():
            return
        try:
            with self._alone():
                self._finish()
        except OSError as error:
            raise _failed(error, decided=True) from None

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

    def change(self, wanted: Mapping[str, Arrival | None]) -> None:
        """Install and remove plugins, all of them or none; None removes.

        Raises:
            NotInstalled: A folder that was put there by hand has a place.
            LockDamaged: The lock cannot be read; nothing has changed.
            InstallFailed: All is decided and not all is done; whoever comes next finishes it.
            OSError: Nothing has changed.
        """
        digests = {plugin: _sealed(one.staged) for plugin, one in wanted.items() if one}
        with self._alone():
            self._finish()
            self.lock.origins()
            for plugin in wanted:
                self._require_place(plugin)
            plan: dict[str, Origin | None] = {}
            for plugin, one in wanted.items():
                plan[plugin] = one and one.origin.model_copy(update={"bundle": digests[plugin]})
                if one:
                    self._keep(one.staged, digests[plugin])
            decided = _Plan(plugins=plan).model_dump_json().encode()
            replace_file(self._store / _CHANGE, decided, durable=True)
            try:
                with suppress(OSError):
                    _sync(self._store)
                    self._finish()
                self._finish()  # a disk that failed once is asked once more; after a success this looks and is done
            except OSError as error:
                raise _failed(error, decided=True) from None

    def remove(self, *plugins: str) -> None:
        """Take ``plugins`` away, all or none.

        Raises:
            NotInstalled: One was not installed here.
            InstallFailed: The disk said no, and they are still there.
        """
        for plugin in plugins:
            self.require(plugin)
        try:
            self.change(dict.fromkeys(plugins))
        except OSError as error:
            raise _failed(error) from None

    def require(self, plugin: str) -> None:
        """Raises NotInstalled: ``plugin`` was not installed here."""
        if not self.has(plugin):
            raise NotInstalled(
                f"plugin '{plugin}' was not installed through the server and is not removed through it",
                fix="remove it from the folder that holds it (`agentmem-mcp plugin show` says which)",
                data={"plugin": plugin},
            )

    def _require_place(self, plugin: str) -> None:
        place = self.folder / plugin
        if place.exists() and not place.is_symlink():
            raise NotInstalled(
                f"plugin '{plugin}' was put into the plugin folder by hand and is not replaced",
                fix=f"remove {place} first",
                data={"plugin": plugin},
            )

    def _keep(self, staged: Path, digest: str) -> None:
        bundle = self._store / digest
        if not bundle.is_dir():
            staged.rename(bundle)
            _sync(self._store)

    def _finish(self) -> None:
        """Do what is decided; each step may be done twice, and the last one says that it is done."""
        decided = self._store / _CHANGE
        try:
            plan = _Plan.model_validate_json(decided.read_bytes())
        except FileNotFoundError:
            return
        for plugin, origin in plan.plugins.items():
            self._point(plugin, origin)
        _sync(self.folder)
        signed = {plugin: origin.version for plugin, origin in plan.plugins.items() if origin and origin.signer}
        self.lock.note(plan.plugins, signed)
        decided.unlink()
        with suppress(OSError):  # it is done; what is left over goes with the next one
            _sync(self._store)
            self._sweep()

    def _point(self, plugin: str, origin: Origin | None) -> None:
        place = self.folder / plugin
        if origin is None:
            place.unlink(missing_ok=True)
            return
        target = Path("..") / BUNDLES_NAME / origin.bundle
        if place.is_symlink() and place.readlink() == target:
            return
        link = self._store / f"{_NEW}{os.urandom(8).hex()}"  # not beside the others: a scan would find it
        try:
            link.symlink_to(target)
            link.replace(place)
        except OSError:
            with suppress(OSError):
                link.unlink(missing_ok=True)
            raise

    def _sweep(self) -> None:
        """Remove bundles that nothing links to, and what processes that died have left."""
        linked = {path.readlink().name for path in self.folder.iterdir() if path.is_symlink()}
        for path in self._store.iterdir():
            if path.name.startswith((_NEW, f".{_CHANGE}.")):
                if time.time() - path.lstat().st_mtime < _ABANDONED_SECONDS:
                    continue
            elif path.name in linked or path.name == _CHANGE:
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


def finish_changes(data: Path) -> None:
    """Finish what was decided below ``data``; what cannot be is told in the log, and serving goes on."""
    try:
        InstalledPlugins(data).settle()
    except AgentMemError as error:
        logger.warning("[%s] %s; fix: %s", error.error_code, error.message, error.fix)


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


def _failed(error: OSError, *, decided: bool = False) -> InstallFailed:
    then = (
        "the change was decided and is finished by the next command or server"
        if decided
        else ("what was installed before still is")
    )
    return InstallFailed(
        f"the plugin folder could not be changed: {error.strerror or error}; {then}",
        fix="look at the space and the permissions of the data folder",
    )
