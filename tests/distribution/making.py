"""Plugins, packages, keys and homes for the tests of this folder."""

from __future__ import annotations

import io
import json
import stat
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcp_server.distribution.minisign import SecretKey
from mcp_server.distribution.package import package_of
from mcp_server.distribution.signing import signed_files
from tests.distribution.commands import run
from tests.guests import ECHO, module

__all__ = ["WASM", "archive", "configure", "lock_of", "plugin", "refused", "signed", "versions_of", "zip_of"]

WASM = module(ECHO)


def plugin(folder: Path, name: str, version: str = "0.1.0", more: str = "", header: str = "") -> Path:
    """A plugin's folder below ``folder``."""
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    (home / f"{name}.wasm").write_bytes(WASM)
    head = f'manifest_version = 1\n[plugin]\nid = "{name}"\nname = "{name}"\nversion = "{version}"\n'
    (home / "plugin.toml").write_text(f"{head}{header}\n{more}\n", encoding="utf-8")
    return home


def archive(folder: Path, name: str, version: str = "0.1.0", more: str = "", header: str = "") -> Path:
    """A package of such a plugin, in ``folder``."""
    package = package_of(plugin(folder / "sources" / version, name, version, more, header))
    path = folder / package.file_name
    path.write_bytes(package.archive())
    return path


def signed(path: Path, key: SecretKey, comment: str = "for a test") -> Path:
    """The archive at ``path``, signed in its place."""
    with zipfile.ZipFile(path) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    path.write_bytes(zip_of(signed_files(files, key, comment)))
    return path


def zip_of(files: Mapping[str, bytes | str], *, links: tuple[str, ...] = ()) -> bytes:
    """A zip with ``files``, those in ``links`` as symbolic links."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = ((stat.S_IFLNK if name in links else stat.S_IFREG) | 0o644) << 16
            opened.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def configure(home: Path, text: str) -> None:
    """Write the user's configuration below ``home``."""
    (home / "config").mkdir(parents=True, exist_ok=True)
    (home / "config" / "config.toml").write_text(text, encoding="utf-8")


def lock_of(home: Path) -> dict[str, Any]:
    """What ``plugins.lock`` says is installed."""
    path = home / "data" / "plugins.lock"
    return json.loads(path.read_text(encoding="utf-8"))["installed"] if path.exists() else {}


def versions_of(home: Path) -> dict[str, str]:
    """What lies installed below ``home``; that the lock says the same, too."""
    manifests = (home / "data" / "plugins").glob("*/plugin.toml")
    plugins = [tomllib.loads(path.read_text(encoding="utf-8"))["plugin"] for path in manifests]
    found: dict[str, str] = {one["id"]: one["version"] for one in plugins}
    assert {name: origin["version"] for name, origin in lock_of(home).items()} == found
    return found


def refused(home: Path, *words: str | Path) -> tuple[int, str]:
    """The exit code of a command that fails, and the code of its error; and that it left no plugin half there."""
    result = run(home, *words, "--json")
    assert (result.stdout, result.returncode != 0) == ("", True), result.stdout
    error = json.loads(result.stderr.splitlines()[-1])["error"]
    return result.returncode, error["code"]
