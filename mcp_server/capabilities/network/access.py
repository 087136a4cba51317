"""``http_request``, top to bottom: count, judge, fill in secrets, send, follow, scrub, answer."""

from __future__ import annotations

import base64
import math
import ssl
import time
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from typing import Any, Protocol

import anyio
import anyio.to_thread
import httpcore2

from mcp_server.capabilities.base import CallContext, HostRefusal
from mcp_server.capabilities.network.addresses import Dialer, Resolver, SystemResolver
from mcp_server.capabilities.network.asked import REDIRECTS, Asked, parse_asked, redirected
from mcp_server.capabilities.network.exchange import Reply, exchange
from mcp_server.capabilities.network.rate import RateLimiter
from mcp_server.capabilities.network.secrets import (
    NoSecrets,
    Scrubber,
    SecretSource,
    usable_secrets,
    with_secrets,
)
from mcp_server.policy.advice import network_fix
from mcp_server.policy.http_limits import HTTP_NUMBERS, MOST_OF_HTTP
from mcp_server.policy.network import NetworkDenied, NetworkRules, Target

__all__ = ["HttpAccess", "HttpUsage"]


class HttpUsage(Protocol):
    """What one call has used of the network; hops of a redirect count as requests."""

    http_requests: int
    http_open: int


class HttpAccess:
    """Answers ``http_request`` for every plugin, each within its own rules.

    Args:
        rules_of: The rules of the plugin that calls.
        usage_of: The counters of the call.
        secrets: Where the values of secrets are.
        own: Host and port pairs this server listens on; read at each request, so it may grow after construction.
        resolver: Turns names into addresses.
        tls: How servers prove who they are; the system's trust store where it is not given.
        clock: Monotonic seconds, those of :attr:`CallContext.deadline`.
    """

    def __init__(
        self,
        rules_of: Callable[[CallContext], NetworkRules],
        usage_of: Callable[[CallContext], HttpUsage],
        *,
        secrets: SecretSource | None = None,
        own: Collection[tuple[str, int]] = (),
        resolver: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules_of = rules_of
        self._usage_of = usage_of
        self._secrets = secrets or NoSecrets()
        self._own = own
        self._resolver = resolver
        self._resolvers: dict[str, SystemResolver] = {}
        self._tls = tls
        self._clock = clock
        self._rate = RateLimiter(clock)

    async def http_request(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        """``{method, url, headers?, body? | body_base64?, follow_redirects?, timeout_ms?}`` → the answer."""
        rules = self._rules_of(context)
        values = usable_secrets(self._secrets, context.plugin, rules)
        scrubber = Scrubber(values)
        try:
            asked = parse_asked(request, rules.limits)
            with _one_more_open(self._usage_of(context), rules.limits.at_once):
                reply, target = await self._within_time(context, asked, rules, values)
        except NetworkDenied as denied:
            refusal = HostRefusal(denied.code, denied.message, denied.data, fix=denied.fix)
            raise scrubber.refusal(refusal) from None
        except HostRefusal as refusal:
            refusal.fix = refusal.fix or _limit_fix(context.plugin, refusal.code, rules)
            raise scrubber.refusal(refusal) from None
        return _shown(reply, target, scrubber)

    async def _within_time(
        self, context: CallContext, asked: Asked, rules: NetworkRules, values: dict[str, str]
    ) -> tuple[Reply, Target]:
        left = max(context.deadline - self._clock(), 0.0)
        seconds = min(left, asked.timeout or math.inf)
        with anyio.move_on_after(seconds):
            return await self._follow(context, asked, rules, values)
        raise HostRefusal(
            "http_timeout",
            f"{asked.method} {asked.target.scheme}://{asked.target.authority}: no whole answer in time",
            {"timeout_ms": round(seconds * 1_000)},
        )

    async def _follow(
        self, context: CallContext, asked: Asked, rules: NetworkRules, values: dict[str, str]
    ) -> tuple[Reply, Target]:
        allowed = rules.limits.redirects if asked.follow else 0
        for hop in range(allowed + 1):
            self._count(context, rules)
            _judge(context.plugin, rules, asked)
            headers = _in_trace(context, with_secrets(context.plugin, asked, rules, values, first=hop == 0))
            reply = await self._send(context.plugin, asked, headers, rules)
            location = reply.header("location") if reply.status in REDIRECTS else None
            if location is None or not asked.follow:
                return reply, asked.target
            asked = redirected(asked, reply.status, location)
        raise HostRefusal(
            "limit_http_redirects",
            f"more than {allowed} redirects, the last one to {asked.target.scheme}://{asked.target.authority}",
            {"limit": "http_redirects", "allowed": allowed},
        )

    def _count(self, context: CallContext, rules: NetworkRules) -> None:
        usage, limits = self._usage_of(context), rules.limits
        usage.http_requests += 1
        if usage.http_requests > limits.requests:
            raise HostRefusal(
                "limit_http_requests",
                f"one call may send {limits.requests} HTTP requests; this was number {usage.http_requests}",
                {"limit": "http_requests", "allowed": limits.requests, "used": usage.http_requests},
            )
        wait = self._rate.take(
            (context.plugin, context.principal), per_second=limits.rate_per_second, burst=limits.burst
        )
        if wait:
            raise HostRefusal(
                "rate_limited",
                f"this plugin may send {limits.rate_per_second:g} HTTP requests a second; try again in {wait:.3f} s",
                {"limit": "http_rate", "retry_after": math.ceil(wait * 1_000) / 1_000},
            )

    async def _send(self, plugin: str, asked: Asked, headers: list[tuple[str, str]], rules: NetworkRules) -> Reply:
        if asked.target.scheme == "https" and self._tls is None:
            self._tls = await anyio.to_thread.run_sync(httpcore2.default_ssl_context)  # reads the trust store: 30 ms
        resolver = self._resolver or self._resolvers.setdefault(plugin, SystemResolver())
        dialer = Dialer(resolver, rules.ranges, self._own, plugin=plugin)
        return await exchange(asked, headers, dialer, self._tls, rules.limits)


_NUMBERS = {number.key: number for number in HTTP_NUMBERS}
_KEYS = {
    "limit_http_requests": "requests_per_call",
    "limit_http_at_once": "requests_at_once",
    "limit_http_request_bytes": "max_request_mb",
    "limit_http_response": "max_response_mb",
    "rate_limited": "requests_per_second",
}
"""Code of a refusal -> the key of the number that was reached."""


def _limit_fix(plugin: str, code: str, rules: NetworkRules) -> str:
    if code not in _KEYS:
        return ""
    return rules.bounds.fix(_NUMBERS[_KEYS[code]], MOST_OF_HTTP, plugin, "network")


def _in_trace(context: CallContext, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """``headers``, with those that say which trace the request is part of; a plugin's own stand."""
    if context.asking is None or not context.rights.sends_trace or "traceparent" in dict(headers):
        return headers
    given = dict(headers)
    return [*headers, *((name, value) for name, value in context.asking.headers().items() if name not in given)]


def _judge(plugin: str, rules: NetworkRules, asked: Asked) -> None:
    method, target = asked.method, asked.target
    try:
        rules.judge(method, target)
    except NetworkDenied as denied:
        rule = rules.denying(method, target)
        denied.fix = network_fix(
            plugin,
            method,
            f"{target.scheme}://{target.authority}",
            target.path,
            bound=str(denied.data["bound"]),
            owner=str(denied.data["owner"]),
            rule=rule.text if rule else "",
        )
        raise


@contextmanager
def _one_more_open(usage: HttpUsage, at_once: int) -> Generator[None]:
    if usage.http_open >= at_once:
        raise HostRefusal(
            "limit_http_at_once",
            f"one call may have {at_once} HTTP requests open at one time",
            {"limit": "http_at_once", "allowed": at_once, "used": usage.http_open + 1},
        )
    usage.http_open += 1
    try:
        yield
    finally:
        usage.http_open -= 1


def _shown(reply: Reply, target: Target, scrubber: Scrubber) -> dict[str, Any]:
    headers: dict[str, str] = {}
    for name, value in reply.headers:
        joint = "\n" if name == "set-cookie" else ", "  # a cookie's date holds a comma
        headers[name] = f"{headers[name]}{joint}{value}" if name in headers else value
    answer: dict[str, Any] = {
        "status": reply.status,
        "headers": {scrubber.text(name): scrubber.text(value) for name, value in headers.items()},
        "url": scrubber.text(target.url),
    }
    body = scrubber.body(reply.body)
    try:
        answer["body"] = body.decode("utf-8")
    except UnicodeDecodeError:
        answer["body_base64"] = base64.b64encode(body).decode("ascii")
    return answer
