"""A copy of a plugin's manifest that may also reach this machine, for tests with a server on loopback.

A manifest that ships asks for the real service and for no more; opening loopback there would open it to everyone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomlkit

__all__ = ["LOOPBACK", "ROOT", "manifest_for_loopback"]

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "http://127.0.0.1:*/*"


def manifest_for_loopback(plugin: str, folder: Path) -> Path:
    """Write the manifest of ``plugin`` into ``folder``, with loopback beside what it asks for; its schemas too."""
    shipped = ROOT / "manifests" / plugin
    document: Any = tomlkit.parse((shipped / "plugin.toml").read_text("utf-8"))
    document["network"]["allow"].append(LOOPBACK)
    copied = folder / plugin
    (copied / "schemas").mkdir(parents=True)
    (copied / "plugin.toml").write_text(tomlkit.dumps(document), "utf-8")
    for schema in shipped.glob("schemas/*.json"):
        (copied / "schemas" / schema.name).write_bytes(schema.read_bytes())
    return copied
