"""Asks a module what it says of itself, in a worker behind all walls, with every right denied."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from mcp_server.authoring.failures import PluginRefused, ToolFailed
from mcp_server.authoring.inspection import Inspection, needed_capabilities
from mcp_server.authoring.loading import open_plugin_async
from mcp_server.wasm.exports import DESCRIBING

__all__ = ["ask_module"]

_ID = "inspected"
PATIENCE = {"max_load_time_ms": 120_000}
"""An author waits for a compiler that a server would not wait for."""


async def ask_module(inspection: Inspection, *, cache: Path | None = None) -> Inspection:
    """``inspection`` with the module's own answer to ``metadata`` (or ``describe``), or why there is none.

    Its host functions are linked and answer ``capability_denied``; what it would store is forgotten.

    Args:
        inspection: Of a module on disk.
        cache: For compiled code; the user's cache folder when omitted.
    """
    asked = sorted(DESCRIBING & set(inspection.module.callable_exports()), reverse=True)  # metadata before describe
    if not asked:
        return inspection
    needed = needed_capabilities(inspection.module)
    with TemporaryDirectory(prefix="agentmem-inspect-") as folder:
        _write_bundle(Path(folder), inspection)
        try:
            denied = {"deny": list(needed)}
            async with open_plugin_async(folder, grants=denied, limits=PATIENCE, cache=cache) as plugin:
                answer = await plugin.call_export(asked[0])
        except (PluginRefused, ToolFailed) as failure:
            return replace(inspection, silence=f"{failure.code}: {failure.text}".replace(f"'{_ID}'", "").strip())
    if not isinstance(answer, dict):
        return replace(inspection, silence=f"'{asked[0]}' answers no JSON object")
    return replace(inspection, metadata=cast("dict[str, Any]", answer))


def _write_bundle(folder: Path, inspection: Inspection) -> None:
    optional = ", ".join(f'"{name}"' for name in needed_capabilities(inspection.module))
    wasi = "true" if inspection.wasi else "false"
    (folder / "plugin.toml").write_text(
        f'manifest_version = 1\n[plugin]\nid = "{_ID}"\nname = "{_ID}"\nversion = "0.0.0"\n'
        f"[runtime]\nwasi = {wasi}\n[capabilities]\noptional = [{optional}]\n",
        encoding="utf-8",
    )
    shutil.copyfile(inspection.path, folder / f"{_ID}.wasm")
