"""A server over HTTP, as :mod:`tests.http.conftest` has it, and what its management API is sent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.flows.conftest import anyio_backend, stage
from tests.guests import ECHO, module, write_plugin
from tests.http.conftest import make_token, web

__all__ = ["API", "ZIP", "anyio_backend", "bundle", "make_token", "manifest", "stage", "web", "zipped"]

API = "/api/v1"
ZIP = {"content-type": "application/zip"}


def manifest(plugin: str, version: str = "0.1.0", more: str = "") -> str:
    """A manifest for a module beside it."""
    head = f'manifest_version = 1\n[plugin]\nid = "{plugin}"\nname = "{plugin}"\nversion = "{version}"\n'
    return f"{head}{more}\n"


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    """A zip with ``files``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def bundle(plugin: str, version: str = "0.1.0", more: str = "", body: str = ECHO) -> bytes:
    """A good bundle."""
    return zipped({"plugin.toml": manifest(plugin, version, more), f"{plugin}.wasm": module(body)})


def write_bundle(folder: Path, plugin: str) -> Path:
    """The same as a folder."""
    return write_plugin(folder, plugin, module(ECHO))
