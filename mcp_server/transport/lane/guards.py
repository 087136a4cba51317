"""What stands before every route of a site, as the lane asks it; the guards themselves are the site's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcp_server.transport.http.admission import Admission
from mcp_server.transport.http.counted import RequestCounts
from mcp_server.transport.http.hosts import Names
from mcp_server.transport.http.sessions import SessionManager
from mcp_server.transport.http.verifier import TokenVerifier

__all__ = ["Guards"]


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards of one site.

    Attributes:
        names: Of this server.
        verifier: Judges tokens; None where everybody may call.
        admission: Gives places.
        sessions: Of the handshake eras.
        counts: Keeps figures of requests.
        max_body: Bytes.
        before: Called before each request, where several processes serve as one.
    """

    names: Names
    verifier: TokenVerifier | None
    admission: Admission
    sessions: SessionManager
    counts: RequestCounts | None
    max_body: int
    before: Callable[[], None] | None = None
