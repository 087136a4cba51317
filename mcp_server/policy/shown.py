"""A plugin's rights as JSON: what its manifest asks for, what the operator grants, what is in force."""

from __future__ import annotations

from typing import Any

from mcp_server.policy.file_limits import FILE_NUMBERS
from mcp_server.policy.http_limits import HTTP_NUMBERS
from mcp_server.policy.overlap import allowed_by_both
from mcp_server.policy.rights import Rights

__all__ = ["rights_as_json"]


def rights_as_json(rights: Rights) -> dict[str, Any]:
    """The same four lists for capabilities, three for URLs and folders, and what else a grant says."""
    network, files = rights.network, rights.files
    return {
        "required": sorted(rights.required),
        "optional": sorted(rights.optional),
        "granted": sorted(rights.granted),
        "denied": sorted(rights.denied),
        "effective": sorted(rights.effective),
        "network": {
            "requested": [rule.text for rule in network.ceiling],
            "granted": [rule.text for rule in network.grant],
            "denied": [rule.text for rule in network.deny],
            "effective": allowed_by_both(network) if "NetworkAccess" in rights.effective else [],
            "ranges": [str(block) for block in network.ranges],
            "secrets": {name: [rule.text for rule in rules] for name, rules in network.secrets.items()},
            "limits": network.bounds.shown(HTTP_NUMBERS),
        },
        "filesystem": {
            "requested": [{"path": "/".join(path), "mode": mode} for path, mode in files.ceiling],
            "granted": [{"name": root.name, "folder": root.folder, "mode": root.mode} for root in files.roots.values()],
            "denied": ["/".join(pattern) for pattern in files.deny],
            "effective": _folders(rights),
            "limits": files.bounds.shown(FILE_NUMBERS),
        },
        "storage": {"quota_bytes": rights.storage_quota if "StorageAccess" in rights.effective else 0},
        "llm": _models(rights),
        "hooks": rights.hooks,
        "memories": "principal" if rights.shares_memories else "own",
    }


def _models(rights: Rights) -> dict[str, Any]:
    rules = rights.llm
    return {
        "granted": list(rules.aliases),
        "effective": list(rules.aliases) if "LLMAccess" in rights.effective else [],
        "max_tokens_per_call": rules.tokens_per_call,
        "max_cost_per_call": _cost(rules.cost_per_call),
        "tokens_per_day": rules.tokens_per_day,
        "cost_per_day": _cost(rules.cost_per_day),
        "calls_at_once": rules.calls_at_once,
    }


def _cost(millionths: int | None) -> float | None:
    return None if millionths is None else millionths / 1_000_000


def _folders(rights: Rights) -> list[dict[str, str]]:
    """Each path that is asked for below a root that is granted, in the narrower of the two modes."""
    if "FileSystemAccess" not in rights.effective:
        return []
    found: list[dict[str, str]] = []
    for path, mode in rights.files.ceiling:
        root = rights.files.roots.get(path[0])
        if root is not None:
            found.append({"path": "/".join(path), "mode": "write" if mode == root.mode == "write" else "read"})
    return found
