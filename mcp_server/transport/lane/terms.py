"""On which terms the SDK would have answered: which parameters it takes, and what it makes of a result.

The SDK is asked itself, once for each kind of ``_meta`` and each list; so an upgrade that changes its mind changes
ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from weakref import WeakKeyDictionary

from mcp.server import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    PROTOCOL_VERSION_META_KEY,
    SERVER_INFO_META_KEY,
    DiscoverResult,
    methods,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError
from pydantic_core import to_json

from mcp_server.tools.projection import ToolList
from mcp_server.transport.identity import bounds_of

__all__ = ["CALL", "SESSION_VERSIONS", "Terms", "is_modern"]

CALL, LIST, DISCOVER = "tools/call", "tools/list", "server/discover"
SESSION_VERSIONS = frozenset({"2025-06-18", "2025-11-25"})
"""Those whose results can say all that a tool answers; the SDK leaves parts out for older ones."""
RESERVED = "io.modelcontextprotocol/"
MOST = 256
_SPEAKING = frozenset({"progressToken", "io.modelcontextprotocol/logLevel"})
"""With these something may have to be sent before the result."""


class Terms:
    """Those of one server object of the SDK.

    Args:
        server: Of the SDK; its name and version go into answers of 2026-07-28.
    """

    def __init__(self, server: Server[Any]) -> None:
        self._server = server
        self._stamp = {SERVER_INFO_META_KEY: server.server_info_stamp}
        self._discovered: dict[str, bytes] = {}
        self._taken: set[tuple[str, bytes]] = set()
        self._lists: WeakKeyDictionary[ToolList, dict[str, bytes]] = WeakKeyDictionary()

    def takes(self, params: dict[str, Any], version: str) -> bool:
        """Whether ``_meta`` of a request is in order in a protocol version, and asks for nothing on the way."""
        meta: object = params.get("_meta")
        if meta is None:
            return "_meta" not in params and not is_modern(version)
        if not isinstance(meta, dict):
            return False
        given = cast("dict[str, Any]", meta)
        key = version, to_json(given)
        if key in self._taken:
            return True
        if not given.keys().isdisjoint(_SPEAKING) or not _is_valid(version, given):
            return False
        if len(self._taken) >= MOST:
            self._taken.clear()
        self._taken.add(key)
        return True

    def result(self, result: dict[str, Any], version: str) -> bytes:
        """The JSON of a result of ``tools/call``."""
        if "structuredContent" in result and result["structuredContent"] is None:
            del result["structuredContent"]
        if is_modern(version):
            result["_meta"] = {**result["_meta"], **self._stamp} if "_meta" in result else self._stamp
        return to_json(result, inf_nan_mode="null")

    def listed(self, shown: ToolList, version: str, page: Callable[[], dict[str, Any]]) -> bytes:
        """The JSON of the first ``page`` of ``tools/list``, made once."""
        made = self._lists.setdefault(shown, {})
        if version not in made:
            result = methods.serialize_server_result(LIST, version, page())
            made[version] = to_json({**result, "_meta": self._stamp} if is_modern(version) else result)
        return made[version]

    def discovered(self, version: str) -> bytes:
        """The JSON of the answer to ``server/discover``, made once."""
        if version not in self._discovered:
            result = DiscoverResult(
                supported_versions=list(MODERN_PROTOCOL_VERSIONS),
                capabilities=self._server.get_capabilities(protocol_version=version),
                instructions=self._server.instructions,
            )
            wire = methods.serialize_server_result(DISCOVER, version, result.model_dump(by_alias=True, mode="json"))
            self._discovered[version] = to_json({**wire, "_meta": self._stamp})
        return self._discovered[version]


def is_modern(version: str) -> bool:
    """Whether each request of a protocol version stands alone."""
    return version in MODERN_PROTOCOL_VERSIONS


def _is_valid(version: str, meta: dict[str, Any]) -> bool:
    modern = is_modern(version)
    if modern:
        if meta.get(PROTOCOL_VERSION_META_KEY) != version or CLIENT_CAPABILITIES_META_KEY not in meta:
            return False
    elif any(key.startswith(RESERVED) for key in meta):
        return False  # the envelope of 2026-07-28 in a session
    try:
        bounds_of(meta)
        methods.validate_client_request(CALL, version, {"name": "x", "_meta": meta})
        methods.validate_client_request(LIST, version, {"_meta": meta})
        methods.validate_client_request(DISCOVER if modern else "ping", version, {"_meta": meta})
    except (MCPError, ValidationError, KeyError):
        return False
    return True
