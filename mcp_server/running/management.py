"""Speaks to the management API of a running server; what it refuses comes as an error with the server's own code."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mcp_server.errors import AgentMemError
from mcp_server.exits import Exit

if TYPE_CHECKING:
    import httpx2

__all__ = ["Happening", "Management", "ManagementRefused", "ServerUnreachable"]

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 60.0
"""A reload reads every plugin again, and a stop waits for the calls under way."""


class ServerUnreachable(AgentMemError):
    """There is no server that could be asked, or it does not answer."""

    code = "server_unreachable"
    exit_code = Exit.UNREACHABLE


class ManagementRefused(AgentMemError):
    """The server refused; the code is its own.

    Args:
        problem: RFC 9457.
    """

    exit_code = Exit.USAGE

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail", "it said no more")), fix=str(problem.get("fix") or ""))
        self._code = str(problem.get("code", self.code))

    @property
    def error_code(self) -> str:
        return self._code


class _Denied(ManagementRefused):
    exit_code = Exit.DENIED


class _Busy(ManagementRefused):
    exit_code = Exit.UNREACHABLE


class _PluginFails(ManagementRefused):
    exit_code = Exit.PLUGIN_INVALID


def _refusal(status: int) -> type[ManagementRefused]:
    if status >= 500:
        return _Busy if status == 503 else _PluginFails
    return {401: _Denied, 403: _Denied, 429: _Busy}.get(status, ManagementRefused)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that a server told.

    Attributes:
        kind: As in docs/api.md.
        about: A JSON object.
    """

    kind: str
    about: dict[str, Any]


class Management:
    """The API of one server.

    Args:
        url: Of the server, without a path.
        token: With the scope ``admin:plugins``.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to one request.

        Raises:
            ManagementRefused: The server said no.
            ServerUnreachable: It cannot be spoken to.
        """
        import httpx2  # noqa: PLC0415  # 100 ms that only a command with a server to ask has to spend

        try:
            with self._client() as client:
                answer = client.request(method, f"/api/v1{path}", json=body)
            document: object = answer.json() if answer.content else {}
        except (httpx2.HTTPError, ValueError) as error:
            raise self._silent(error) from None
        found = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
        if answer.status_code >= 400:
            raise _refusal(answer.status_code)(found)
        return found

    def follow(self, after: int) -> Generator[Happening]:
        """What happens in the server after event number ``after``; a connection that breaks off goes on where it was.

        Raises:
            ManagementRefused: The server said no.
            ServerUnreachable: It is not there, or no longer.
        """
        import httpx2  # noqa: PLC0415  # as above

        last = str(after)
        while True:
            heard = False
            try:
                with (
                    self._client() as client,
                    client.stream("GET", "/api/v1/events", headers={"last-event-id": last}) as answer,
                ):
                    if answer.status_code >= 400:
                        answer.read()
                        raise _refusal(answer.status_code)(cast("dict[str, Any]", answer.json()))
                    for event in httpx2.EventSource(answer):
                        heard, last = True, event.id or last
                        if event.data:
                            yield Happening(event.event, json.loads(event.data))
            except (httpx2.HTTPError, ValueError) as error:
                if not heard:
                    raise self._silent(error) from None

    def _client(self) -> httpx2.Client:
        import httpx2  # noqa: PLC0415  # as above

        headers = {"authorization": f"Bearer {self._token}"}
        timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        return httpx2.Client(base_url=self.url, headers=headers, timeout=timeout, trust_env=False)

    def _silent(self, error: Exception) -> ServerUnreachable:
        return ServerUnreachable(
            f"the server at {self.url} does not answer: {type(error).__name__}",
            fix="look at its log, or start it again: agentmem-mcp serve --http",
        )
