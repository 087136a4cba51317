"""What ``serve --http`` asks for, made into a server: the address, who may call, and what the operator is told."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mcp_server.backends.tokens import TOKENS_NAME, TokenFile
from mcp_server.errors import SettingsError
from mcp_server.host import PluginHost
from mcp_server.settings.http import HttpSettings
from mcp_server.settings.oauth import OAuthSettings
from mcp_server.transport.http.address import Address, open_socket
from mcp_server.transport.http.challenge import Challenge
from mcp_server.transport.http.counted import RequestCounts
from mcp_server.transport.http.figures import CommonFigures
from mcp_server.transport.http.gauges import Gauges
from mcp_server.transport.http.inherited import Inherited
from mcp_server.transport.http.local_token import local_token
from mcp_server.transport.http.metrics import metrics_annex
from mcp_server.transport.http.serving import HttpServer
from mcp_server.transport.http.site import MCP_PATH, SSE_PATH, Annex, Site
from mcp_server.transport.http.verifier import LocalToken, StaticTokens, TokenVerifier, VerifierChain
from mcp_server.transport.lane.http import HttpLane
from mcp_server.transport.mcp_face import McpFace
from mcp_server.transport.tickets import Tickets

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
        inherited: From the parent, where this is one process of several.
    """

    address: Address
    state: Path
    data: Path
    authenticate: bool = True
    inherited: Inherited | None = None

    def takes_local_token(self, settings: HttpSettings) -> bool:
        """Whether the machine's own user may call, and manage, with the local token."""
        return self.authenticate and settings.local_token and self.address.is_loopback

    def server(
        self, host: PluginHost, annexes: Sequence[Annex] = (), before: Callable[[], None] | None = None
    ) -> HttpServer:
        """A server on ``host``, listening already.

        Args:
            host: Entered already.
            annexes: More routes, beside MCP's own.
            before: Called before each request, where this is one process of several.

        Raises:
            SettingsError: Nobody could call, anybody could from elsewhere, or the address cannot be listened on.
            TokenProblem: The tokens cannot be read.
        """
        settings = host.settings.http
        verifier, shown = self._verifier(settings)
        if self.inherited is None:
            common, (listening, address) = None, open_socket(self.address)
        else:
            common, listening, address = self.inherited.common, self.inherited.listening, self.address
        host.services.own_addresses.add((address.host, address.port))
        face = McpFace(host, Tickets(common.key, common.spend) if common else None)
        challenge, metadata = _metadata(settings.oauth) if self.authenticate else (Challenge(), [])
        counts = RequestCounts()
        gauges, figures = Gauges(host, counts), CommonFigures(common) if common else None
        site = Site(
            face,
            settings,
            address,
            verifier,
            challenge=challenge,
            annexes=[*metadata, metrics_annex(gauges, challenge, figures), *annexes],
            common=common,
            counts=counts,
            before=before,
        )
        if self.inherited is None:
            _tell(address, shown, settings, sse=settings.sse, open_to_all=verifier is None)
        beside = [partial(figures.follow, gauges.own)] if figures else []
        drain_seconds, lane = host.settings.runtime.drain_seconds, _lane(face, host, site)
        return HttpServer(site, listening, drain_seconds, self.inherited, lane, beside)

    def open(self, settings: HttpSettings) -> tuple[socket.socket, Address, Callable[[], None]]:
        """For the parent of several processes: the socket, its address, and what tells the operator about them.

        Raises:
            SettingsError: See :meth:`server`.
            TokenProblem: As well.
        """
        verifier, shown = self._verifier(settings)
        listening, address = open_socket(self.address)
        return listening, address, partial(_tell, address, shown, settings, sse=False, open_to_all=verifier is None)

    def _verifier(self, settings: HttpSettings) -> tuple[TokenVerifier | None, str]:
        """Who judges tokens, and the local token where it is one of them."""
        if not self.authenticate:
            return None, ""
        file = TokenFile(self.data / TOKENS_NAME)
        verifiers: list[TokenVerifier] = [StaticTokens(file), *_access_tokens(settings.oauth)]
        if self.takes_local_token(settings):
            token = local_token(self.state)
            return VerifierChain([LocalToken(token), *verifiers]), token
        if not file.tokens() and not settings.oauth.issuers:
            raise SettingsError(
                f"nobody could call a server on {self.address.authority}: there is no token",
                fix="run `agentmem-mcp token create NAME` first; name an authorization server in [http.oauth]; "
                "or let anybody call, with --no-auth",
            )
        return VerifierChain(verifiers), ""


def _lane(face: McpFace, host: PluginHost, site: Site) -> HttpLane | None:
    """What answers plain requests, where the operator wants that; traces are the SDK's to make."""
    wanted = host.settings.runtime.fast_lane and host.invoker.tracing is None
    return HttpLane(face, host.invoker, site.guards) if wanted else None


def _access_tokens(settings: OAuthSettings) -> list[TokenVerifier]:
    if not settings.issuers:
        return []
    from mcp_server.transport.http.oauth import AccessTokens  # noqa: PLC0415  # cryptography, for who wants it

    return [AccessTokens(settings)]


def _metadata(settings: OAuthSettings) -> tuple[Challenge, list[Annex]]:
    if not settings.issuers or settings.resource is None:
        return Challenge(), []
    from mcp_server.transport.http.oauth import metadata_annex, metadata_url  # noqa: PLC0415  # as above

    return Challenge(metadata_url(settings.resource)), [metadata_annex(settings)]


def _tell(address: Address, token: str, settings: HttpSettings, *, sse: bool, open_to_all: bool) -> None:
    """Say on stderr where the server is and how to connect; the token goes there and to no log."""
    url = f"http://{address.authority}"
    header = "" if open_to_all else f' --header "Authorization: Bearer {token or "TOKEN"}"'
    lines = [
        f"agentmem-mcp serves MCP at {url}{MCP_PATH}" + (f" and {url}{SSE_PATH}" if sse else ""),
        f"connect with: claude mcp add --transport http agentmem {url}{MCP_PATH}{header}",
    ]
    if settings.page:
        lines.append(f"open in a browser: {url}/" + ("" if open_to_all else ", and sign in with the token"))
    if open_to_all:
        lines.append("warning: --no-auth: whoever reaches this address may list and call every tool")
    print(*lines, sep="\n", file=sys.stderr, flush=True)  # noqa: T201  # for the operator, who started it by hand
