"""Copies of approved versions, so that a fresh start can serve one whose files have changed since.

A copy holds the manifest, the tools' texts and the grants; the module's bytes are in the module store. A copy is
believed only as far as its digests are those in the lock.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mcp_server.manifest import JsonSchema, Manifest
from mcp_server.manifest.load import LoadedManifest
from mcp_server.policy.llm import LlmRules
from mcp_server.policy.network import NetworkGrant
from mcp_server.policy.paths import FileGrant
from mcp_server.policy.plugin_config import merged, named_secrets
from mcp_server.registry.facts import Facts
from mcp_server.registry.lockfile import PARTS, Entry
from mcp_server.registry.version import OperatorWord
from mcp_server.whole_file import replace_file

__all__ = ["KeptVersions", "granted_before", "manifest_of"]


class KeptVersions:
    """``<folder>/<plugin id>.json``, one for each approved plugin."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, facts: Facts, word: OperatorWord) -> None:
        """Keep what was approved, in place of what was approved before.

        Raises:
            OSError: It cannot be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        document = {"facts": asdict(facts), "grant": _grant_document(word)}
        replace_file(self._path(facts.plugin), json.dumps(document).encode("utf-8"))

    def get(self, plugin: str, entry: Entry) -> tuple[Facts, dict[str, Any]] | None:
        """The facts that ``entry`` approved, and the grant they came from; None when there is no such copy."""
        try:
            document: dict[str, Any] = json.loads(self._path(plugin).read_bytes())
            facts = Facts(**document["facts"])
            digests = facts.digests()
            grant: dict[str, Any] = document["grant"]
        except (OSError, ValueError, KeyError, TypeError):
            return None  # gone, or written by hand: worth nothing, and the lock still says what was approved
        if facts.plugin != plugin or any(digests[part] != getattr(entry, part) for part in PARTS):
            return None
        return facts, grant

    def _path(self, plugin: str) -> Path:
        return self._folder / f"{plugin}.json"


def manifest_of(facts: Facts, path: Path, wasm: Path) -> LoadedManifest:
    """The manifest that was approved, with its module at ``wasm``.

    Raises:
        ValueError: This version of the server does not take it.
        KeyError: As before.
    """
    document = facts.manifest
    manifest = Manifest.model_validate_json(json.dumps(document["manifest"]))
    schemas = tuple((JsonSchema(given), JsonSchema(out) if out else None) for given, out in document["schemas"])
    stated = document["config_schema"]
    config = JsonSchema(stated, hidden=True) if stated else None
    return LoadedManifest(manifest, path, wasm, schemas, document["declared"], config)


def granted_before(grant: dict[str, Any]) -> dict[str, Any]:
    """The fields of :class:`OperatorWord` that grant, as they were when the copy was made.

    Raises:
        KeyError: It is not what :meth:`KeptVersions.put` wrote.
        TypeError: As before.
    """
    llm: dict[str, Any] = dict(grant["llm"])
    llm["aliases"] = tuple(llm["aliases"])
    return {
        "granted": frozenset(grant["granted"]),
        "denied": frozenset(grant["denied"]),
        "network": NetworkGrant(**{key: _tuples(value) for key, value in grant["network"].items()}),
        "files": tuple(FileGrant(**root) for root in grant["files"]),
        "denied_paths": tuple(grant["denied_paths"]),
        "llm": LlmRules(**llm),
        "hooks": bool(grant["hooks"]),
        "shares_memories": bool(grant["shares_memories"]),
        "config_secrets": frozenset(grant["config_secrets"]),
    }


def _grant_document(word: OperatorWord) -> dict[str, Any]:
    network = word.network
    return {
        "granted": sorted(word.granted),
        "denied": sorted(word.denied),
        "network": {
            "allow": network.allow,
            "deny": network.deny,
            "ranges": network.ranges,
            "secrets": {name: tuple(rules) for name, rules in network.secrets.items()},
        },
        "files": [asdict(root) for root in word.files],
        "denied_paths": word.denied_paths,
        "llm": asdict(word.llm),
        "hooks": word.hooks,
        "shares_memories": word.shares_memories,
        "config_secrets": sorted({name for _, name in named_secrets(merged({}, word.config, word.config_secrets))}),
    }


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: tuple(rules) for name, rules in value.items()}  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]  # JSON
    return tuple(value)
