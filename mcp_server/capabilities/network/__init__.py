"""NetworkAccess: ``http_request``. What may be asked is in ``policy.network``; what is dialled, sent and told is here.

The way of a request: ``asked`` checks it, ``access`` counts and judges it, ``secrets`` fills it in, ``exchange`` sends
it to an address that ``addresses`` judged, and reads the answer.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Collection

from mcp_server.capabilities.base import CallContext, HostFunction
from mcp_server.capabilities.network.access import HttpAccess, HttpUsage
from mcp_server.capabilities.network.addresses import Resolver
from mcp_server.capabilities.network.secrets import SecretSource
from mcp_server.policy.network import NetworkRules

__all__ = ["HttpUsage", "Resolver", "SecretSource", "network_functions"]


def network_functions(
    rules_of: Callable[[CallContext], NetworkRules],
    usage_of: Callable[[CallContext], HttpUsage],
    *,
    secrets: SecretSource | None = None,
    own: Collection[tuple[str, int]] = (),
    resolver: Resolver | None = None,
    tls: ssl.SSLContext | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[HostFunction, ...]:
    """The host functions of NetworkAccess; the arguments are those of :class:`.access.HttpAccess`."""
    access = HttpAccess(rules_of, usage_of, secrets=secrets, own=own, resolver=resolver, tls=tls, clock=clock)
    return (HostFunction("http_request", access.http_request, waits=True),)
