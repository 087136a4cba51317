"""The gate of messages: a POST of MCP is read whole, parsed strictly and checked for scopes before the SDK sees it.

What passes is one well-formed JSON-RPC message; whether MCP knows its method, and all that follows, is the SDK's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Message as AsgiMessage
from starlette.types import Receive, Scope, Send

from mcp_server.policy.scopes import unmet
from mcp_server.tools.json_text import JsonProblem, parse
from mcp_server.transport.frame import INVALID_REQUEST, PARSE_ERROR, Message, frame_problem
from mcp_server.transport.http.challenge import Challenge
from mcp_server.transport.identity import identity_in
from mcp_server.transport.mcp_face import McpFace
from mcp_server.transport.needs import needed
from mcp_server.transport.unique_keys import RepeatedKey, require_unique

__all__ = ["Admitted", "MessageGate"]

MAX_DEPTH = 256
"""Of a whole message; arguments have a limit of their own, which is lower and a tool's error."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A message that may go on.

    Attributes:
        message: It.
        receive: Gives its body again, and then the end of the connection.
    """

    message: Message
    receive: Receive


class MessageGate:
    """Reads and judges messages.

    Args:
        face: What they are for.
        challenge: The answer to a token without the scopes.
    """

    def __init__(self, face: McpFace, challenge: Challenge) -> None:
        self._face, self._challenge = face, challenge

    async def admit(self, scope: Scope, receive: Receive, send: Send) -> Admitted | None:
        """The message of a POST; None when it was answered with what is wrong with it, or the client is gone.

        Raises:
            BodyRefused: See ``bodies``.
        """
        body = await _whole(receive)
        if body is None:
            return None
        judged = _read(body)
        if isinstance(judged, Response):
            await judged(scope, receive, send)
            return None
        refused = self._refusal(scope, judged)
        if refused is not None:
            await refused(scope, receive, send)
            return None
        return Admitted(judged, _again(body, receive))

    def _refusal(self, scope: Scope, message: Message) -> Response | None:
        method = message.get("method")
        if method is None:
            return None
        identity = identity_in(scope)
        if identity.scopes is not None:
            missing = unmet(
                identity.scopes, needed(method, message.get("params"), self._face.catalog(identity), identity)
            )
            if missing:
                return self._challenge.insufficient(missing)
        return None


async def _whole(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _read(body: bytes) -> Message | Response:
    try:
        message = parse(body, MAX_DEPTH)
        require_unique(body, message)
    except (JsonProblem, ValueError) as error:
        kind = INVALID_REQUEST if isinstance(error, RepeatedKey) else PARSE_ERROR
        return _error(kind, f"the body is {error}")
    wrong = frame_problem(message)
    return _error(INVALID_REQUEST, wrong) if wrong else cast("Message", message)


def _error(code: int, text: str) -> Response:
    """A JSON-RPC error without an id: nothing that was sent can be trusted to have one."""
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": text}}
    return Response(to_json(body), 400, media_type="application/json")


def _again(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> AsgiMessage:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
