"""The numbers of a plugin's HTTP requests: what holds where nobody says otherwise, and the most an operator may set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from mcp_server.policy.numbers import Number

__all__ = [
    "HTTP_NUMBERS",
    "MOST_OF_HTTP",
    "AtOnce",
    "BodyMegabytes",
    "Burst",
    "NetworkLimits",
    "PerSecond",
    "Requests",
]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class NetworkLimits:
    """The numbers of one plugin's requests: per call, per response, and per second."""

    requests: int = 100
    at_once: int = 6
    request_bytes: int = 4 * MIB
    response_bytes: int = 4 * MIB
    headers: int = 64
    header_bytes: int = 8_192
    redirects: int = 3
    rate_per_second: float = 20.0
    burst: int = 100


MOST_OF_HTTP = NetworkLimits(
    requests=10_000,
    at_once=64,
    request_bytes=12 * MIB,
    response_bytes=12 * MIB,
    rate_per_second=1_000.0,
    burst=10_000,
)
"""What an operator may raise them to. Of an answer as JSON a byte takes six at most, and 80 MiB go to a worker."""

HTTP_NUMBERS = (
    Number("requests_per_call", "requests"),
    Number("requests_at_once", "at_once"),
    Number("requests_per_second", "rate_per_second"),
    Number("burst", "burst"),
    Number("max_request_mb", "request_bytes", MIB),
    Number("max_response_mb", "response_bytes", MIB),
)
"""Those that a manifest and an operator may set."""

Requests = Annotated[int, Field(ge=1, le=MOST_OF_HTTP.requests)]
AtOnce = Annotated[int, Field(ge=1, le=MOST_OF_HTTP.at_once)]
PerSecond = Annotated[float, Field(gt=0, le=MOST_OF_HTTP.rate_per_second)]
Burst = Annotated[int, Field(ge=1, le=MOST_OF_HTTP.burst)]
BodyMegabytes = Annotated[int, Field(ge=1, le=MOST_OF_HTTP.response_bytes // MIB)]
