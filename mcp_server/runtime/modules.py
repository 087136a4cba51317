"""Modules and their compiled code on disk, by digest, in folders only this user can enter.

The bytes a worker loads are the bytes that were read and hashed when the plugin was loaded, whatever happens to
the author's file afterwards. Compiled code lies in one folder per module, the only one its workers may write:
native code is loaded unverified, so no plugin may reach another's.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import anyio.to_thread

from mcp_server.errors import IntegrityError
from mcp_server.whole_file import replace_file

__all__ = ["ModuleStore"]


class ModuleStore:
    """A folder of ``<sha256>.wasm`` and ``<sha256>/`` with its compiled code.

    Args:
        folder: Made with mode 0700 when it is missing.
        max_code_bytes: Compiled code kept; the least recently used goes first.
    """

    def __init__(self, folder: Path, max_code_bytes: int = 1024 * 1024 * 1024) -> None:
        self._modules = folder / "modules"
        self._code = folder / "code"
        self.empty = folder / "empty"
        self._max_code_bytes = max_code_bytes
        self._folder = folder
        self._make_folders()

    def put(self, digest: str, data: bytes) -> None:
        """Keep ``data``, whose sha256 is ``digest``; atomic, and nothing happens when it is there."""
        path = self._modules / f"{digest}.wasm"
        if path.exists():
            return
        self._make_folders()
        replace_file(path, data, mode=0o400)

    def path(self, digest: str) -> Path:
        """Where the module would be; whoever reads it there hashes what was read."""
        return self._modules / f"{digest}.wasm"

    def has(self, digest: str) -> bool:
        """Whether :meth:`fetch` would find a module; its bytes are not looked at."""
        return (self._modules / f"{digest}.wasm").exists()

    async def fetch(self, digest: str) -> bytes:
        """The module's bytes, hashed again on the way.

        Raises:
            IntegrityError: They are gone, or not the ones that were put.
        """
        return await anyio.to_thread.run_sync(self._read, digest)

    def code_folder(self, digest: str) -> Path:
        """The folder for compiled code of ``digest``, with the engine's cache configuration in it."""
        folder = self._code / digest
        config = folder / "cache.toml"
        if not config.exists():
            self._make_folders()
            folder.mkdir(mode=0o700, exist_ok=True)
            config.write_text(f'[cache]\ndirectory = "{folder / "code"}"\n', encoding="utf-8")
            self._make_room(keep=folder)
        os.utime(folder)  # last used, last removed
        return folder

    def figures(self) -> dict[str, int]:
        """How much there is: ``{modules, module_bytes, compiled, compiled_bytes, max_compiled_bytes}``."""
        modules = [path.stat().st_size for path in self._modules.glob("*.wasm")]
        folders = list(self._code.iterdir())
        return {
            "modules": len(modules),
            "module_bytes": sum(modules),
            "compiled": len(folders),
            "compiled_bytes": sum(map(_size, folders)),
            "max_compiled_bytes": self._max_code_bytes,
        }

    def clear(self) -> int:
        """Remove all compiled code; the bytes freed."""
        size = sum(_size(folder) for folder in self._code.iterdir())
        for folder in list(self._code.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)
        return size

    def _make_folders(self) -> None:
        """Also while serving: caches are what people delete."""
        for path in (self._folder, self._modules, self._code, self.empty):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _make_room(self, keep: Path) -> None:
        folders = sorted((path for path in self._code.iterdir() if path != keep), key=lambda path: path.stat().st_mtime)
        total = sum(_size(folder) for folder in folders)
        for folder in folders:
            if total <= self._max_code_bytes:
                return
            total -= _size(folder)
            shutil.rmtree(folder, ignore_errors=True)

    def _read(self, digest: str) -> bytes:
        path = self._modules / f"{digest}.wasm"
        try:
            data = path.read_bytes()
        except OSError as error:
            raise IntegrityError(
                f"the stored module {digest[:12]}… cannot be read: {error.strerror}", fix="reload the plugin"
            ) from None
        found = hashlib.sha256(data).hexdigest()
        if found != digest:
            path.unlink(missing_ok=True)
            raise IntegrityError(
                f"the stored module {digest[:12]}… has the digest {found[:12]}…; it was removed",
                fix="reload the plugin; if it happens again, look who writes into the cache folder",
            )
        return data


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
