"""A real HTTP server on loopback for the tests of ``http_request``, a caller, and a control that they work."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
from anyio.abc import ByteStream
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSListener

from mcp_server.capabilities.base import CallContext, HostRefusal
from mcp_server.capabilities.network import SecretSource, network_functions
from mcp_server.policy.limits import Limits
from mcp_server.policy.network import NetworkGrant, NetworkLimits, NetworkRules, intersect
from mcp_server.policy.rights import decide_rights

LOOPBACK = ("127.0.0.0/8",)


@dataclass(frozen=True)
class Seen:
    """A request as the server read it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Seen], bytes | AsyncIterator[bytes]]


@dataclass
class Site:
    """The server: what it answers, what it was asked."""

    answer: Answer
    port: int = 0
    seen: list[Seen] = field(default_factory=list[Seen])
    connections: int = 0
    lost: int = 0
    changed: anyio.Event = field(default_factory=anyio.Event)

    async def until(self, *, seen: int = 0, lost: int = 0) -> None:
        """Wait for so many requests, and for so many callers that went away before their answer."""
        with anyio.fail_after(20):
            while len(self.seen) < seen or self.lost < lost:
                await self.changed.wait()

    def _tell(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()

    async def serve(self, stream: ByteStream) -> None:
        self.connections += 1
        async with stream:
            try:
                request = await _read(stream)
                self.seen.append(request)
                self._tell()
                answer = self.answer(request)
                if isinstance(answer, bytes):
                    await stream.send(answer)
                else:
                    async for part in answer:
                        await stream.send(part)
            except (anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead):
                self.lost += 1
                self._tell()


async def _read(stream: ByteStream) -> Seen:
    buffered = BufferedByteReceiveStream(stream)
    head = (await buffered.receive_until(b"\r\n\r\n", 65_536)).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
    body = await buffered.receive_exactly(int(headers.get("content-length", "0")))
    return Seen(method, path, headers, body)


@asynccontextmanager
async def site(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Site]:
    """A server that gives ``answer`` to every request, on a free port of 127.0.0.1; with TLS where it is given."""
    server = Site(answer)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        server.port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610  # not Django's
        tasks.start_soon(
            (TLSListener(listener, tls, standard_compatible=False) if tls else listener).serve, server.serve
        )
        yield server
        tasks.cancel_scope.cancel()


def plain(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Names:
    """A name server: every name is 127.0.0.1, or what the test says; counts what it was asked."""

    def __init__(self, **known: Sequence[str]) -> None:
        self.known = known
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.known.get(host.replace(".", "_"), ["127.0.0.1"])


@dataclass
class Used:
    http_requests: int = 0
    http_open: int = 0


def context_of(plugin: str = "caller", *, seconds: float = 10.0, principal: str = "local") -> CallContext:
    return CallContext(
        plugin=plugin,
        principal=principal,
        session="s",
        call_id="c1",
        rights=decide_rights(["NetworkAccess"], [], ["NetworkAccess"]),
        limits=Limits(),
        config={},
        depth=0,
        deadline=time.monotonic() + seconds,
        log=lambda line: None,
    )


def rules_for(*allow: str, limits: NetworkLimits | None = None, **grant: Any) -> NetworkRules:
    """Rules whose manifest and grant both allow ``allow``, with loopback opened."""
    granted = replace(NetworkGrant(allow, ranges=LOOPBACK), **grant)
    return intersect(allow, granted, limits)


class Caller:
    """A plugin's side of ``http_request``."""

    def __init__(self, rules: NetworkRules, *, names: Names | None = None, **options: Any) -> None:
        self.used = Used()
        self.names = names or Names()
        self.context = context_of()
        (function,) = network_functions(lambda _: rules, lambda _: self.used, resolver=self.names, **options)
        self._answer: Callable[[CallContext, dict[str, Any]], Awaitable[Any]] = function.answer

    async def __call__(self, url: str, method: str = "GET", **more: Any) -> dict[str, Any]:
        with anyio.fail_after(20):
            return await self._answer(self.context, {"method": method, "url": url, **more})

    async def refusal(self, url: str, method: str = "GET", **more: Any) -> HostRefusal:
        """The refusal that this request gets; an answer is a failure of the test."""
        try:
            answer = await self(url, method, **more)
        except HostRefusal as refusal:
            return refusal
        raise AssertionError(f"answered {answer}")


def secrets_of(**values: str) -> SecretSource:
    return lambda plugin, name: values.get(name)


async def test_the_server_of_these_tests_answers_a_request() -> None:
    async with site(lambda seen: plain(seen.method.encode() + seen.body)) as server:
        answer = await Caller(rules_for("http://site.test:*"))(f"http://site.test:{server.port}/", "POST", body=" hi")
    assert answer["body"] == "POST hi"
    assert server.seen[0].headers["host"] == f"site.test:{server.port}"
