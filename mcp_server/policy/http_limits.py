"""The numbers of a plugin's HTTP requests: what holds where nobody says otherwise, and the most an operator may set."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MOST_OF_HTTP", "NetworkLimits"]

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
