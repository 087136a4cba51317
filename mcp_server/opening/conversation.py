"""How far a client has come, and under which name its next request is remembered: the same for who writes an answer
down and for who repeats it. What an answer says is not known here.
"""

from __future__ import annotations

import hashlib
from typing import Any

from mcp_server.opening.lines import canonical

__all__ = ["ENVELOPE", "INITIALIZE", "INITIALIZED", "LIST", "Conversation"]

INITIALIZE, DISCOVER, LIST, PING = "initialize", "server/discover", "tools/list", "ping"
INITIALIZED = "notifications/initialized"
ENVELOPE = "io.modelcontextprotocol/protocolVersion"
"""In the ``_meta`` of each request where there is no handshake."""
_START, _ALONE = "start", "alone"
_HANDSHAKE, _SESSION = "handshake ", "session "
_SPEAKING = "progressToken"


class Conversation:
    """Of one client, from its first byte on."""

    def __init__(self) -> None:
        self._state = _START

    @property
    def begun(self) -> bool:
        """Whether a request has settled how the rest is spoken."""
        return self._state != _START

    def next(self, method: str, params: dict[str, Any] | None) -> str | None:
        """The name of a request that comes now; None where it is for the server alone. The state is then after it."""
        if params is not None and _speaks(params):
            return None
        said = "" if params is None else canonical(params)
        match self._state, method:
            case (state, "server/discover") if state == _START:
                pass
            case (state, "initialize") if state == _START:
                self._state = _HANDSHAKE + hashlib.sha256(said.encode()).hexdigest()
                return f"{_START}\n{method}\n{said}"
            case (state, "tools/list") if state == _START and _stands_alone(params):
                self._state = _ALONE
            case (state, "tools/list" | "ping") if state != _START:
                pass
            case (state, "server/discover") if state == _ALONE:
                pass
            case _:
                return None
        return f"{self._state}\n{method}\n{said}"

    def notified(self, method: str, params: dict[str, Any] | None) -> bool:
        """Whether a notification changes nothing but the state, which is then after it."""
        if method == INITIALIZED and self._state.startswith(_HANDSHAKE) and not params:
            self._state = _SESSION + self._state.removeprefix(_HANDSHAKE)
            return True
        return method == "notifications/cancelled" and self._state != _START


def _stands_alone(params: dict[str, Any] | None) -> bool:
    meta = (params or {}).get("_meta")
    return isinstance(meta, dict) and ENVELOPE in meta


def _speaks(params: dict[str, Any]) -> bool:
    """Whether something may have to be sent before the answer."""
    meta = params.get("_meta")
    return isinstance(meta, dict) and _SPEAKING in meta
