"""What an approval binds of one version: wasm, manifest, tools as a client sees them, grants; and how two differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_server.policy.plugin_config import named_secrets
from mcp_server.registry.version import PluginVersion

__all__ = ["Facts", "digest_of", "differences", "facts_of", "manifest_document", "within"]

Document = dict[str, Any]
ServedTools = Callable[[PluginVersion], Sequence[Mapping[str, Any]]]
MAX_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Facts:
    """One version as an approval sees it.

    Attributes:
        plugin: Its id.
        version: The author's version number.
        wasm: sha256 of the module.
        manifest: The normalised manifest, its schemas resolved.
        tools: Names, titles, descriptions, schemas, annotations, as a client sees them.
        grants: ``{"allow": […], "deny": […]}``: the effective rights, one line each.
    """

    plugin: str
    version: str
    wasm: str
    manifest: Document
    tools: list[Document]
    grants: dict[str, list[str]]

    def digests(self) -> dict[str, str]:
        """A sha256 for each of ``lockfile.PARTS``."""
        return {
            "wasm": self.wasm,
            "manifest": digest_of(self.manifest),
            "tools": digest_of(self.tools),
            "grants": digest_of(self.grants),
        }


def facts_of(version: PluginVersion, served: ServedTools) -> Facts:
    """The facts of a version that was read.

    Raises:
        NameCollision: Its exports cannot be shown as tools.
    """
    plugin = version.source.manifest.plugin
    tools = [dict(tool) for tool in served(version)]
    return Facts(plugin.id, plugin.version, version.module.sha256, manifest_document(version), tools, _grants(version))


def manifest_document(version: PluginVersion) -> Document:
    """The manifest as data; a lone module has only its name, and the name is not its author's word."""
    source = version.source
    return {
        "declared": source.declared,
        "manifest": source.manifest.model_dump(mode="json"),
        "config_schema": source.config_schema.source if source.config_schema else None,
        "schemas": [[given.source, out.source if out else None] for given, out in source.schemas],
    }


def digest_of(value: object) -> str:
    """sha256 over canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def within(inner: Mapping[str, Sequence[str]], outer: Mapping[str, Sequence[str]]) -> bool:
    """Whether ``inner`` allows nothing that ``outer`` does not: fewer allowances, no denial lost."""
    return set(inner["allow"]) <= set(outer["allow"]) and set(outer["deny"]) <= set(inner["deny"])


def differences(old: Facts, new: Facts) -> list[str]:
    """What changed, a line each, readable: ``tool x__run description: 'a' -> 'b'``."""
    lines: list[str] = []
    if old.wasm != new.wasm:
        lines.append(f"wasm: sha256 {old.wasm[:16]}… -> {new.wasm[:16]}…")
    if old.version != new.version:
        lines.append(f"version: {old.version} -> {new.version}")
    lines += _changed("manifest", _flat(old.manifest["manifest"]), _flat(new.manifest["manifest"]), skip="tools")
    before, after = ({tool["name"]: tool for tool in facts.tools} for facts in (old, new))
    lines += [f"tool removed: {name}" for name in before if name not in after]
    lines += [f"tool added: {name}: {_shown(after[name]['description'])}" for name in after if name not in before]
    for name in before.keys() & after.keys():
        lines += _changed(f"tool {name}", _flat(before[name]), _flat(after[name]))
    for kind in ("allow", "deny"):
        lines += [f"grants: - {kind} {line}" for line in sorted(set(old.grants[kind]) - set(new.grants[kind]))]
        lines += [f"grants: + {kind} {line}" for line in sorted(set(new.grants[kind]) - set(old.grants[kind]))]
    return lines


def _grants(version: PluginVersion) -> dict[str, list[str]]:
    rights = version.rights
    allow: list[str] = list(rights.effective)
    allow += [f"secret {name} as config {path}" for path, name in named_secrets(version.runnable.config)]
    deny: list[str] = []
    if "NetworkAccess" in rights.effective:
        net = rights.network
        allow += [f"network {rule.text}" for rule in net.grant]
        allow += [f"network range {network}" for network in net.ranges]
        allow += [f"secret {name} to {rule.text}" for name, rules in net.secrets.items() for rule in rules]
        deny += [f"network {rule.text}" for rule in net.deny]
    if "FileSystemAccess" in rights.effective:
        files = rights.files
        for root in files.roots.values():
            links = ", hard links" if root.hard_links else ""
            allow.append(f"folder {root.name} = {root.folder} ({root.mode}{links})")
        deny += [f"path {'/'.join(segments)}" for segments in files.deny]
    if "LLMAccess" in rights.effective:
        allow += [f"model {alias}" for alias in rights.llm.aliases]
    if rights.hooks:
        allow.append("hooks on memories")
    if rights.shares_memories:
        allow.append("the principal's own memories")
    return {"allow": sorted(set(allow)), "deny": sorted(set(deny))}


def _changed(what: str, old: Mapping[str, Any], new: Mapping[str, Any], skip: str = "\0") -> list[str]:
    """A line per key that came, went or changed, in the order of the new value."""
    lines: list[str] = []
    for key in dict.fromkeys((*new, *old)):
        if key.startswith(skip) or (key in old and key in new and old[key] == new[key]):
            continue
        before = _shown(old[key]) if key in old else "(none)"
        after = _shown(new[key]) if key in new else "(none)"
        lines.append(f"{what} {key}: {before} -> {after}")
    return lines


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """``{"a": {"b": 1}}`` as ``{"a.b": 1}``; lists stay whole."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    found: dict[str, Any] = {}
    for key, item in value.items():  # pyright: ignore[reportUnknownVariableType]  # JSON
        found |= _flat(item, f"{path}.{key}" if path else str(key))  # pyright: ignore[reportUnknownArgumentType]
    return found


def _shown(value: object) -> str:
    """JSON on one line, so that nothing a plugin's author wrote can move the cursor; cut when it is long."""
    text = json.dumps(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… ({len(text)} characters)"
