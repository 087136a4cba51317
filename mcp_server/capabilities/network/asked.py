"""What a guest asks of ``http_request``, checked, and what a redirect makes of it."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
from urllib.parse import urljoin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcp_server.capabilities.base import HostRefusal
from mcp_server.capabilities.network.urls import parse_url
from mcp_server.policy.network import NetworkDenied, NetworkLimits, Target
from mcp_server.problems import problems_of

__all__ = ["Asked", "parse_asked", "redirected"]

# Framing is ours. The overrides would make a server see another method or path than the one the rules were asked about.
FORBIDDEN_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect"}
    | {"accept-encoding", "proxy-authorization", "proxy-connection", "proxy-authenticate", "http2-settings"}
    | {"x-http-method", "x-http-method-override", "x-method-override", "x-original-url", "x-rewrite-url"}
)
CREDENTIAL_HEADERS = frozenset({"authorization", "cookie"})
SECRET_MARK = "{{secret:"  # noqa: S105  # the mark, not a secret
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_VALUE = re.compile(r"(?![ \t])[ -~\t]*(?<![ \t])")
_VISIBLE = re.compile(r"[!-~]{1,8192}")


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    method: Literal["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"] = "GET"
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    body: str | None = None
    body_base64: str | None = None
    follow_redirects: bool = False
    timeout_ms: Annotated[int, Field(ge=1, le=120_000)] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to send: of the guest, or of a redirect.

    Attributes:
        method: One of the six.
        target: Where to.
        headers: The guest's, names in lower case; values may still name secrets.
        body: What to send, empty for nothing.
        follow: Whether redirects are wanted.
        timeout: Seconds the guest gives it.
    """

    method: str
    target: Target
    headers: tuple[tuple[str, str], ...]
    body: bytes
    follow: bool
    timeout: float | None


def parse_asked(request: dict[str, Any], limits: NetworkLimits) -> Asked:
    """Check ``{method, url, headers?, body? | body_base64?, follow_redirects?, timeout_ms?}``.

    Raises:
        HostRefusal: ``invalid_request`` with every problem, or the limit that the request passes.
        NetworkDenied: ``invalid_url``.
    """
    try:
        asked = _Request.model_validate(request)
    except ValidationError as error:
        raise _invalid("; ".join(problems_of(error, _Request))) from None
    if SECRET_MARK in asked.url:
        raise _invalid("url: a secret is named in the value of a header, never in the URL")
    return Asked(
        asked.method,
        parse_url(asked.url),
        _headers(asked.headers, limits),
        _body(asked, limits),
        asked.follow_redirects,
        None if asked.timeout_ms is None else asked.timeout_ms / 1_000,
    )


def _invalid(problem: str) -> HostRefusal:
    return HostRefusal("invalid_request", f"http_request: {problem}")


def _headers(given: dict[str, str], limits: NetworkLimits) -> tuple[tuple[str, str], ...]:
    if len(given) > limits.headers:
        raise _over("http_headers", "headers of a request", limits.headers, len(given))
    headers: dict[str, str] = {}
    for name, value in given.items():
        lower = name.lower()
        if not _TOKEN.fullmatch(name):
            raise _invalid(f"headers: {name!r:.100} is no header name")
        if lower in FORBIDDEN_HEADERS:
            raise _invalid(f"headers: '{lower}' cannot be set by a plugin")
        if lower in headers:
            raise _invalid(f"headers: '{lower}' is there twice")
        if len(name) + len(value) > limits.header_bytes:
            raise _over("http_header_bytes", "bytes of one header", limits.header_bytes, len(name) + len(value))
        if not _VALUE.fullmatch(value):
            raise _invalid(f"headers: the value of '{lower}' holds more than visible ASCII, or begins or ends in space")
        headers[lower] = value
    return tuple(headers.items())


def _body(asked: _Request, limits: NetworkLimits) -> bytes:
    if asked.body is not None and asked.body_base64 is not None:
        raise _invalid("give 'body' or 'body_base64', not both")
    try:
        if asked.body_base64 is not None:
            body = base64.b64decode(asked.body_base64, validate=True)
        else:
            body = (asked.body or "").encode("utf-8")
    except binascii.Error:
        raise _invalid("body_base64: is not base64") from None
    except UnicodeEncodeError:
        raise _invalid("body: holds a lone surrogate; send bytes as body_base64") from None
    if len(body) > limits.request_bytes:
        raise _over("http_request_bytes", "bytes of a request body", limits.request_bytes, len(body))
    return body


def _over(limit: str, what: str, allowed: int, used: int) -> HostRefusal:
    data = {"limit": limit, "allowed": allowed, "used": used}
    return HostRefusal(f"limit_{limit}", f"http_request: at most {allowed} {what}, got {used}", data)


def redirected(asked: Asked, status: int, location: str) -> Asked:
    """The request that an answer with ``status`` and ``location`` asks for, as a browser would make it.

    Across origins credentials and every header that names a secret stay behind, for this hop and all after it.

    Raises:
        NetworkDenied: ``invalid_url`` for a location that cannot be read in one way only.
    """
    if not _VISIBLE.fullmatch(location):
        raise NetworkDenied("invalid_url", "the location of a redirect holds more than visible ASCII")
    try:
        target = parse_url(urljoin(asked.target.url, location))
    except ValueError:
        raise NetworkDenied("invalid_url", "the location of a redirect is no URL") from None
    following = replace(asked, target=target)
    becomes_get = status == 303 and asked.method != "HEAD" or status in {301, 302} and asked.method == "POST"
    if becomes_get:
        kept = tuple(item for item in asked.headers if not item[0].startswith("content-"))
        following = replace(following, method="GET", body=b"", headers=kept)
    if target.origin != asked.target.origin:
        following = replace(following, headers=tuple(filter(_may_cross, following.headers)))
    return following


def _may_cross(header: tuple[str, str]) -> bool:
    return header[0] not in CREDENTIAL_HEADERS and SECRET_MARK not in header[1]
