"""On which terms the SDK would have answered: which parameters it takes, and what it makes of a result.

The SDK is asked itself, once for each kind of ``_meta`` and each list; so an upgrade that changes its mind changes
ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from pydantic_core import from_json, to_json

from mcp_server.tools.projection import ToolList
from mcp_server.transport.identity import bounds_of

if TYPE_CHECKING:
    from mcp.server import Server

__all__ = ["CALL", "MODERN", "SESSION_VERSIONS", "Terms", "is_modern"]

CALL, LIST, DISCOVER = "tools/call", "tools/list", "server/discover"
MODERN = "2026-07-28"
"""The one protocol version without a handshake (``mcp`` 2.3.0); a test holds it against the SDK's list."""
SESSION_VERSIONS = frozenset({"2025-06-18", "2025-11-25"})
"""Those whose results can say all that a tool answers; the SDK leaves parts out for older ones."""
RESERVED = "io.modelcontextprotocol/"
MOST = 256
_STAMP, _TAKEN = "stamp", "taken"
_SPEAKING = frozenset({"progressToken", "io.modelcontextprotocol/logLevel"})
"""With these something may have to be sent before the result."""


class Terms:
    """Those of one server object of the SDK.

    Args:
        server: Of the SDK; its name and version go into answers of 2026-07-28. None while there is none yet; then what
            was not remembered is not known.
        remembered: What :meth:`learned` said at an earlier start of the same server.
    """

    def __init__(self, server: Server[Any] | None, remembered: Mapping[str, str] | None = None) -> None:
        self._stamp: dict[str, Any] = {}
        self._discovered: dict[str, bytes] = {}
        self._taken: set[tuple[str, bytes]] = set()
        self._lists: WeakKeyDictionary[ToolList, dict[str, bytes]] = WeakKeyDictionary()
        for name, value in (remembered or {}).items():
            kind, _, rest = name.partition("\n")
            if kind == _STAMP:
                self._stamp = from_json(value)
            elif kind == _TAKEN:
                version, _, meta = rest.partition("\n")
                self._taken.add((version, meta.encode()))
        self._server: Server[Any] | None = None
        if server is not None:
            self.ask(server)

    def ask(self, server: Server[Any]) -> None:
        """Ask ``server`` from now on."""
        from mcp_types import SERVER_INFO_META_KEY  # noqa: PLC0415  # most calls do without the SDK

        self._server, self._stamp = server, {SERVER_INFO_META_KEY: server.server_info_stamp}

    def learned(self) -> dict[str, str]:
        """What the SDK has said so far."""
        said = {f"{_TAKEN}\n{version}\n{meta.decode()}": "" for version, meta in self._taken}
        return {**said, _STAMP: to_json(self._stamp).decode()} if self._stamp else said

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
        if self._server is None or not given.keys().isdisjoint(_SPEAKING) or not _is_valid(version, given):
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

    @property
    def has_server(self) -> bool:
        """Whether there is somebody to ask."""
        return self._server is not None

    def listed(self, shown: ToolList, version: str, entries: list[dict[str, Any]]) -> bytes | None:
        """The JSON of the first page of ``tools/list``, made once; None while there is no server to ask."""
        if self._server is None:
            return None
        made = self._lists.setdefault(shown, {})
        if version not in made:
            from mcp_types import methods  # noqa: PLC0415  # as above

            from mcp_server.transport.mcp_face import list_page  # noqa: PLC0415  # as above

            result = methods.serialize_server_result(LIST, version, list_page(entries, None))
            made[version] = to_json({**result, "_meta": self._stamp} if is_modern(version) else result)
        return made[version]

    def discovered(self, version: str) -> bytes | None:
        """The JSON of the answer to ``server/discover``, made once; None while there is no server to ask."""
        if self._server is None:
            return None
        if version not in self._discovered:
            from mcp_types import DiscoverResult, methods  # noqa: PLC0415  # as above
            from mcp_types.version import MODERN_PROTOCOL_VERSIONS  # noqa: PLC0415  # as above

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
    return version == MODERN


def _is_valid(version: str, meta: dict[str, Any]) -> bool:
    from mcp.shared.exceptions import MCPError  # noqa: PLC0415  # as above
    from mcp_types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY, methods  # noqa: PLC0415
    from pydantic import ValidationError  # noqa: PLC0415

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
