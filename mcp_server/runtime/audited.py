"""Which host calls go into the audit log, and what of a request says what it was about. Nothing secret does.

Every call of the network, of files and of models is recorded, and of memories and values every call that may change
one; beside them each refusal for want of a right, whatever the function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from pydantic_core import from_json

from mcp_server.capabilities.base import CallContext
from mcp_server.policy.rights import HOST_FUNCTIONS

__all__ = ["Record", "note_call"]

Record = Callable[[Mapping[str, Any], bytes | None], None]
MAX_TARGET = 512
MAX_PARSED = 65_536
_ALWAYS = frozenset({"NetworkAccess", "FileSystemAccess", "LLMAccess"})
_STORES = frozenset({"MemoryAccess", "StorageAccess"})
_READS = frozenset({"get_memory", "search_memories", "load_data", "list_data"})
_TARGET_KEYS = {
    "FileSystemAccess": ("path",),
    "LLMAccess": ("alias", "model"),
    "MemoryAccess": ("id",),
    "StorageAccess": ("key",),
}


def note_call(
    record: Record,
    context: CallContext,
    name: str,
    request: bytes,
    arguments: Mapping[str, Any] | None,
    code: str,
    data: object = None,
) -> None:
    """Record one host call, if it is of a kind that is.

    Args:
        record: The audit log.
        context: Of the call.
        name: The host function.
        request: As the guest sent it; only its digest is kept.
        arguments: Parsed, where it came to that.
        code: ``ok``, ``cancelled``, or the refusal's.
        data: What was answered.
    """
    capability = HOST_FUNCTIONS.get(name)
    if not _is_audited(capability, name, code):
        return
    if code == "limit_host_calls" and context.usage.host_calls > context.limits.host_calls + 1:
        return  # the first says it; a guest that goes on must not fill the disk
    record(
        {
            "event": "host_call",
            "principal": context.principal,
            "plugin": context.plugin,
            "wasm": context.digest,
            "capability": capability,
            "function": name[:MAX_TARGET],
            "target": _target(capability, _parsed(request) if arguments is None else arguments, data),
            "code": code,
            "call_id": context.call_id,
        },
        request,
    )


def _is_audited(capability: str | None, name: str, code: str) -> bool:
    return code == "capability_denied" or capability in _ALWAYS or (capability in _STORES and name not in _READS)


def _target(capability: str | None, arguments: Mapping[str, Any], data: object) -> str:
    """What the call was about: scheme, host and path of a URL, a path, an id, a key; empty when it does not say."""
    if capability == "NetworkAccess":
        return _bare_url(arguments.get("url"))[:MAX_TARGET]
    for key in _TARGET_KEYS.get(capability or "", ()):
        if isinstance(arguments.get(key), str):
            return cast("str", arguments[key])[:MAX_TARGET]
    if isinstance(data, dict):  # a memory that was added has its id from the answer
        answered = cast("dict[str, Any]", data)
        return str(answered.get("memory", answered).get("id", ""))[:MAX_TARGET]
    return ""


def _bare_url(url: object) -> str:
    """A URL without user, query and fragment, which is where secrets are put."""
    if not isinstance(url, str):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _parsed(request: bytes) -> Mapping[str, Any]:
    if len(request) > MAX_PARSED:
        return {}
    try:
        value: object = from_json(request or b"{}")
    except ValueError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
