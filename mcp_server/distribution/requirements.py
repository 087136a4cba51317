"""What installed plugins need of each other, and what would be wrong after a change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mcp_server import __version__
from mcp_server.errors import ManifestError
from mcp_server.manifest import Manifest, load_manifest
from mcp_server.manifest.load import MANIFEST_NAME
from mcp_server.registry.errors import RequirementConflict
from mcp_server.registry.needs import lacks

__all__ = ["installed_manifests", "require_compatible"]


def installed_manifests(folder: Path) -> dict[str, Manifest]:
    """The manifests of the plugins in the user's ``folder``; one that cannot be read says nothing."""
    found: dict[str, Manifest] = {}
    for path in sorted(folder.glob(f"*/{MANIFEST_NAME}")):
        try:
            manifest = load_manifest(path, roots=(folder,), host_version=__version__).manifest
        except ManifestError:
            continue
        found[manifest.plugin.id] = manifest
    return found


def require_compatible(before: Mapping[str, Manifest], changed: Mapping[str, Manifest | None]) -> None:
    """Refuse a change after which a plugin that fits now, or that comes, would miss another one.

    Args:
        before: What is installed.
        changed: What comes, by id; None for what goes.

    Raises:
        RequirementConflict: With every conflict that the change would bring.
    """
    after = {plugin: one for plugin, one in {**before, **changed}.items() if one is not None}
    there = set(_conflicts(before))
    found = {conflict: needed for conflict, needed in _conflicts(after).items() if conflict not in there}
    if not found:
        return
    wanted = dict.fromkeys(found.values())
    fix = f"install or update them together: agentmem-mcp add {' '.join(wanted)}"
    if None in changed.values():
        fix = "remove what needs it first, or both together"
    raise RequirementConflict("; ".join(found), fix=fix, data={"conflicts": list(found)})


def _conflicts(plugins: Mapping[str, Manifest]) -> dict[str, str]:
    """Sentence -> what would help."""
    there = {plugin: manifest.plugin for plugin, manifest in plugins.items()}
    return {
        lack.told("which is not installed"): lack.asked for section in there.values() for lack in lacks(section, there)
    }
