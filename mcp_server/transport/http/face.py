"""What ``serve --http`` asks for, made into a server: the address, who may call, and what the operator is told."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mcp_server.backends.tokens import TOKENS_NAME, TokenFile
from mcp_server.errors import SettingsError
from mcp_server.host import PluginHost
from mcp_server.transport.http.address import Address, open_socket
from mcp_server.transport.http.local_token import local_token
from mcp_server.transport.http.serving import HttpServer
from mcp_server.transport.http.site import MCP_PATH, SSE_PATH, Annex, Site
from mcp_server.transport.http.verifier import LocalToken, StaticTokens, TokenVerifier, VerifierChain
from mcp_server.transport.mcp_face import McpFace

__all__ = ["HttpFace"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HttpFace:
    """How the operator wants to serve over HTTP.

    Attributes:
        address: Where to listen.
        state: The folder of the local token.
        data: The folder of the static tokens.
        authenticate: Whether a caller must have a token.
    """

    address: Address
    state: Path
    data: Path
    authenticate: bool = True

    def server(self, host: PluginHost, annexes: Sequence[Annex] = ()) -> HttpServer:
        """A server on ``host``, listening already.

        Args:
            host: Entered already.
            annexes: More routes, beside MCP's own.

        Raises:
            SettingsError: Nobody could call, anybody could from elsewhere, or the address cannot be listened on.
            TokenProblem: The tokens cannot be read.
        """
        settings = host.settings.http
        verifier, shown = self._verifier(local=settings.local_token)
        listening, address = open_socket(self.address)
        host.services.own_addresses.add((address.host, address.port))
        site = Site(McpFace(host), settings, address, verifier, annexes=annexes)
        _tell(address, shown, sse=settings.sse, open_to_all=verifier is None)
        return HttpServer(site, listening, host.settings.runtime.drain_seconds)

    def _verifier(self, *, local: bool) -> tuple[TokenVerifier | None, str]:
        """Who judges tokens, and the local token where it is one of them."""
        if not self.authenticate:
            return None, ""
        file = TokenFile(self.data / TOKENS_NAME)
        static = StaticTokens(file)
        if local and self.address.is_loopback:
            token = local_token(self.state)
            return VerifierChain([LocalToken(token), static]), token
        if not file.tokens():
            raise SettingsError(
                f"nobody could call a server on {self.address.authority}: there is no token",
                fix="run `agentmem-mcp token create NAME` first; or let anybody call, with --no-auth",
            )
        return VerifierChain([static]), ""


def _tell(address: Address, token: str, *, sse: bool, open_to_all: bool) -> None:
    """Say on stderr where the server is and how to connect; the token goes there and to no log."""
    url = f"http://{address.authority}"
    header = "" if open_to_all else f' --header "Authorization: Bearer {token or "TOKEN"}"'
    lines = [
        f"agentmem-mcp serves MCP at {url}{MCP_PATH}" + (f" and {url}{SSE_PATH}" if sse else ""),
        f"connect with: claude mcp add --transport http agentmem {url}{MCP_PATH}{header}",
    ]
    if open_to_all:
        lines.append("warning: --no-auth: whoever reaches this address may list and call every tool")
    print(*lines, sep="\n", file=sys.stderr, flush=True)  # noqa: T201  # for the operator, who started it by hand
