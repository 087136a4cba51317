"""What a manifest asks for, against what the module imports: too little keeps it out, too much frightens."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mcp_server.authoring.findings import Findings
from mcp_server.authoring.inspection import Inspection
from mcp_server.manifest.model import Manifest
from mcp_server.policy.network import parse_rule
from mcp_server.policy.rights import HOST_FUNCTIONS, Capability
from mcp_server.problems import did_you_mean

__all__ = ["check_rights"]

_WRITING = frozenset({"write_file", "delete_file"})
_LOCAL = re.compile(r"localhost|127\.\d+\.\d+\.\d+|\[::1\]")


def check_rights(manifest: Manifest, found: Inspection, findings: Findings) -> None:
    """Add what is missing among, and what is too wide in, the rights that ``manifest`` asks for."""
    _check_imports(manifest, found, findings)
    _check_unused(manifest, found.host, findings)
    _check_network(manifest, findings)
    _check_files(manifest, found.host, findings)


def _check_imports(manifest: Manifest, found: Inspection, findings: Findings) -> None:
    declared = {*manifest.capabilities.required, *manifest.capabilities.optional}
    for name, capability in found.host.items():
        if not capability:
            hint = did_you_mean(name, list(HOST_FUNCTIONS))
            text = f"the module imports the host function '{name}', which no server offers{hint}"
            findings.error("import_unknown", text, "call a function of docs/capabilities.md", ("plugin",))
        elif capability not in declared:
            text = f"the module imports '{name}', which belongs to {capability}, and the manifest does not ask for it"
            fix = f'add "{capability}" to required or optional, or build without that call'
            findings.error("import_undeclared", text, fix, ("capabilities",))
    for name in found.foreign:
        text = f"the module imports '{name}', and no server has such a module"
        findings.error("import_unknown", text, "build it for Extism, with one of its PDKs", ("plugin",))
    if found.wasi and not manifest.runtime.wasi:
        text = f"the module imports WASI ({', '.join(found.wasi[:3])} …), and the manifest does not ask for it"
        findings.error("wasi_undeclared", text, "add wasi = true under [runtime]", ("runtime",))
    if manifest.runtime.wasi and not found.wasi:
        text = "the manifest asks for WASI, and the module imports nothing of it"
        findings.warning("wasi_unused", text, "remove wasi = true", ("runtime", "wasi"))


def _check_unused(manifest: Manifest, imported: Mapping[str, str], findings: Findings) -> None:
    used = set(imported.values())
    if manifest.hooks.entries():
        used.add("MemoryAccess")  # a hook is handed memories without asking for one
    lists: tuple[tuple[str, tuple[Capability, ...]], ...] = (
        ("required", manifest.capabilities.required),
        ("optional", manifest.capabilities.optional),
    )
    for name, capabilities in lists:
        for capability in capabilities:
            if capability not in used:
                functions = ", ".join(key for key, owner in HOST_FUNCTIONS.items() if owner == capability)
                text = f"the manifest asks for {capability}, and the module imports none of {functions}"
                key = ("capabilities", name)
                findings.warning("right_unused", text, f"remove {capability} from {name}", key, f'"{capability}"')


def _check_network(manifest: Manifest, findings: Findings) -> None:
    asked = {*manifest.capabilities.required, *manifest.capabilities.optional}
    if manifest.network.allow and "NetworkAccess" not in asked:
        text = "[network] names URLs, and the manifest does not ask for NetworkAccess"
        findings.warning("network_unused", text, "remove [network]", ("network",))
    if "NetworkAccess" in asked and not manifest.network.allow:
        text = "the manifest asks for NetworkAccess and names no URL, so every request is refused"
        findings.warning("network_empty", text, 'add allow = ["https://host/*"] under [network]', ("capabilities",))
    for pattern in manifest.network.allow:
        rule = parse_rule(pattern)
        key = ("network", "allow")
        if rule.host == "*" or re.fullmatch(r"\*\.[^.]+", rule.host):
            text = f"the pattern '{pattern}' means any host"
            findings.warning("network_wide", text, "name the hosts that the plugin talks to", key, pattern)
        elif "http" in rule.schemes and not _LOCAL.fullmatch(rule.host):
            text = f"the pattern '{pattern}' allows requests that anybody on the way can read"
            findings.warning("network_plain", text, f"https://{rule.host}{rule.path}", key, pattern)


def _check_files(manifest: Manifest, imported: Mapping[str, str], findings: Findings) -> None:
    asked = {*manifest.capabilities.required, *manifest.capabilities.optional}
    if manifest.filesystem.allow and "FileSystemAccess" not in asked:
        text = "[filesystem] names folders, and the manifest does not ask for FileSystemAccess"
        findings.warning("files_unused", text, "remove [filesystem]", ("filesystem",))
    if "FileSystemAccess" in asked and not manifest.filesystem.allow:
        text = "the manifest asks for FileSystemAccess and names no folder, so every path is refused"
        fix = 'add allow = [{ path = "notes", mode = "read" }] under [filesystem]'
        findings.warning("files_empty", text, fix, ("capabilities",))
    for rule in manifest.filesystem.allow:
        if rule.mode == "write" and not _WRITING & set(imported):
            text = f"the folder '{rule.path}' is asked for to write, and the module imports no function that writes"
            key = ("filesystem", "allow")
            findings.warning("files_wide", text, 'mode = "read"', key, f'"{rule.path}"')
