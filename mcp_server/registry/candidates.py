"""What a scan of the plugin folders finds: each manifest or lone module, read or with the reason why it cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from mcp_server.errors import AgentMemError, ManifestError
from mcp_server.manifest.load import LoadedManifest
from mcp_server.registry.claims import by_path
from mcp_server.registry.discovery import Found, PluginFolders, discover, lone_modules
from mcp_server.registry.record import PluginRecord
from mcp_server.registry.version import PluginVersion, read_manifest

__all__ = ["Candidate", "candidates"]

Candidate = tuple[Found, LoadedManifest | None, AgentMemError | None]
"""What was found, its manifest, and why there is none."""


def candidates(
    folders: PluginFolders,
    records: Mapping[str, PluginRecord],
    host_version: str,
    stored: Callable[[PluginVersion], bool],
) -> Iterable[Candidate]:
    """Every plugin that lies in ``folders``; a manifest that nobody touched since it was read is not read again.

    Args:
        folders: Where to look.
        records: What is known already.
        host_version: For ``requires_host``.
        stored: Whether the module of a version is still kept.

    Raises:
        SettingsError: A folder is missing or unreadable.
    """
    claimed: list[Path] = []
    for found in discover(folders):
        known = by_path(records, found.path)
        if known is not None and known.version is not None and known.untouched and stored(known.version):
            claimed.append(known.version.source.wasm)
            yield found, known.version.source, None
            continue
        try:
            source = read_manifest(found, folders.roots, host_version)
        except ManifestError as error:
            yield found, None, error
            # a module whose manifest is broken must not slip in as a lone one, without its manifest's limits
            claimed += [path / found.guessed_id / f"{found.guessed_id}.wasm" for path in folders.plugins]
            claimed += found.path.parent.glob("*.wasm")
            continue
        claimed.append(source.wasm)
        yield found, source, None
    for found in lone_modules(folders, claimed):
        try:
            yield found, read_manifest(found, folders.roots, host_version), None
        except ManifestError as error:
            yield found, None, error
