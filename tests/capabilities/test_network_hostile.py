"""Servers, name servers and redirects that mean harm: each costs one refusal, in time and in bounds."""

from __future__ import annotations

import datetime
import ipaddress
import itertools
import socket
import ssl
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mcp_server.capabilities.base import HostRefusal
from mcp_server.capabilities.network.addresses import SystemResolver, address_kind
from mcp_server.capabilities.network.rate import MOST_KEPT, RateLimiter
from mcp_server.policy.network import NetworkLimits
from tests.canary import slot
from tests.capabilities.test_network_site import (
    Caller,
    Names,
    Seen,
    context_of,
    plain,
    rules_for,
    secrets_of,
    site,
)

CANARY = slot("network secret")


def to(location: str, status: str = "302 Found") -> bytes:
    return plain(status=status, location=location)


async def test_a_redirect_is_handed_over_and_not_followed_by_default() -> None:
    async with site(lambda seen: to("/b")) as server:
        answer = await Caller(rules_for("http://site.test:*"))(f"http://site.test:{server.port}/a")
    assert (answer["status"], answer["headers"]["location"]) == (302, "/b")
    assert [seen.path for seen in server.seen] == ["/a"]


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        ("301 Moved", "POST", "GET"),
        ("302 Found", "POST", "GET"),
        ("302 Found", "PUT", "PUT"),
        ("303 See Other", "PUT", "GET"),
        ("303 See Other", "HEAD", "HEAD"),
        ("307 Temporary", "POST", "POST"),
        ("308 Permanent", "POST", "POST"),
    ],
)
async def test_a_redirect_that_is_followed_keeps_or_changes_the_method_as_browsers_do(
    status: str, method: str, then: str
) -> None:
    async with site(lambda seen: to("/b?c=1#d", status) if seen.path == "/a" else plain()) as server:
        answer = await Caller(rules_for("http://site.test:*"))(
            f"http://site.test:{server.port}/a",
            method,
            body="data",
            headers={"Content-Type": "text/plain"},
            follow_redirects=True,
        )
    second = server.seen[1]
    assert (second.method, second.path) == (then, "/b?c=1")
    assert (second.body, "content-type" in second.headers) == ((b"", False) if then != method else (b"data", True))
    assert answer["url"] == f"http://site.test:{server.port}/b?c=1"


async def test_three_redirects_are_followed_and_the_fourth_is_refused() -> None:
    def hop(seen: Seen) -> bytes:
        left = int(seen.path[1:])
        return to(f"/{left - 1}") if left else plain(b"end")

    async with site(hop) as server:
        caller = Caller(rules_for("http://site.test:*"))
        assert (await caller(f"http://site.test:{server.port}/3", follow_redirects=True))["body"] == "end"
        refusal = await caller.refusal(f"http://site.test:{server.port}/4", follow_redirects=True)
    assert refusal.code == "limit_http_redirects"
    assert caller.used.http_requests == 8


async def test_a_redirect_to_itself_ends() -> None:
    async with site(lambda seen: to(seen.path)) as server:
        refusal = await Caller(rules_for("http://site.test:*")).refusal(
            f"http://site.test:{server.port}/", follow_redirects=True
        )
    assert refusal.code == "limit_http_redirects"
    assert server.connections == 4


@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://evil.test/", "network_denied"),
        ("//evil.test/", "network_denied"),
        ("http://169.254.169.254/latest/meta-data", "network_denied"),
        ("http://metadata.site.test/", "network_denied"),
        ("http://private.site.test/", "network_denied"),
        ("http://[::1]/", "network_denied"),
        ("http://2130706433/", "invalid_url"),
        ("http://0x7f.1/", "invalid_url"),
        ("http://site.test@evil.test/", "invalid_url"),
        ("http:\\\\evil.test/", "invalid_url"),
        ("http://site.test/a b", "invalid_url"),
        ("http://\u00e9.test/", "invalid_url"),
        ("http://[/", "invalid_url"),
        ("file:///etc/passwd", "invalid_url"),
        ("gopher://site.test/", "invalid_url"),
        ("", "invalid_url"),
        ("/v1/%2e%2e/secret", "invalid_url"),
    ],
)
async def test_a_redirect_is_checked_like_a_request(status: str, location: str, code: str) -> None:
    names = Names(metadata_site_test=["169.254.169.254"], private_site_test=["127.0.0.1", "10.0.0.7"])
    async with site(lambda seen: to(location, status)) as server:
        caller = Caller(rules_for("http://site.test:*", "http://*.site.test:*", "http://*:80/latest/*"), names=names)
        refusal = await caller.refusal(f"http://site.test:{server.port}/", follow_redirects=True)
    assert refusal.code == code
    assert server.connections == 1


async def test_credentials_and_secrets_stay_behind_when_a_redirect_crosses_origins() -> None:
    def answer(seen: Seen) -> bytes:
        if seen.path == "/first":
            return to("/second", "307 T")
        if seen.path == "/second":
            return to(f"http://other.test:{server.port}/third", "307 T")
        return to(f"http://site.test:{server.port}/fourth", "307 T") if seen.path == "/third" else plain()

    async with site(answer) as server:
        rules = rules_for("http://*:*", secrets={"KEY": ("http://*:*",)})
        headers = {"Authorization": "mine", "Cookie": "c=1", "X-Key": "k={{secret:KEY}}", "X-Plain": "1"}
        await Caller(rules, secrets=secrets_of(KEY=CANARY))(
            f"http://site.test:{server.port}/first", "POST", headers=headers, follow_redirects=True
        )
    private = {"authorization", "cookie", "x-key"}
    assert [private & seen.headers.keys() for seen in server.seen] == [private, private, set(), set()]
    assert [seen.headers["x-plain"] for seen in server.seen] == ["1"] * 4
    assert [seen.headers.get("x-key") for seen in server.seen[:2]] == [f"k={CANARY}"] * 2


async def test_a_secret_stays_behind_when_a_redirect_leaves_the_path_it_is_bound_to() -> None:
    async with site(lambda seen: to("/other") if seen.path == "/v1/a" else plain()) as server:
        rules = rules_for("http://*:*", secrets={"KEY": ("http://site.test:*/v1/*",)})
        await Caller(rules, secrets=secrets_of(KEY=CANARY))(
            f"http://site.test:{server.port}/v1/a", headers={"X-Key": "{{secret:KEY}}"}, follow_redirects=True
        )
    assert [seen.headers.get("x-key") for seen in server.seen] == [CANARY, None]


async def test_a_secret_that_a_redirect_would_carry_away_is_in_no_refusal() -> None:
    async with site(lambda seen: to(f"http://{CANARY}.evil.test/")) as server:
        rules = rules_for("http://site.test:*", secrets={"KEY": ("http://site.test:*",)})
        refusal = await Caller(rules, secrets=secrets_of(KEY=CANARY.upper())).refusal(
            f"http://site.test:{server.port}/", headers={"X-Key": "{{secret:KEY}}"}, follow_redirects=True
        )
    assert refusal.code == "network_denied"
    assert CANARY not in repr((refusal.message, refusal.data)).lower()
    assert "[secret KEY]" in refusal.message


class Alternating(Names):
    """A name server that answers with a good address and an inner one in turn."""

    def __init__(self, *answers: Sequence[str]) -> None:
        super().__init__()
        self.turns = itertools.cycle(answers)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return next(self.turns)


async def test_a_name_that_changes_its_address_reaches_the_inner_host_in_none_of_a_thousand_tries() -> None:
    inner, outer = "127.0.0.66", "127.0.0.1"  # stand-ins: the range opens the second alone
    hits: list[int] = []

    async def caught(stream: anyio.abc.ByteStream) -> None:
        hits.append(1)
        await stream.aclose()

    names = Alternating([outer], [inner], [outer, inner], [inner, outer], [outer], [f"::ffff:{inner}"])
    limits = NetworkLimits(requests=2_000, burst=2_000)
    caller = Caller(rules_for("http://*:*", ranges=(f"{outer}/32",), limits=limits), names=names)
    outcomes = {"outer": 0, "loopback": 0}
    async with (
        site(lambda seen: plain(b"outer")) as server,
        await anyio.create_tcp_listener(local_host=inner, local_port=server.port) as trap,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(trap.serve, caught)
        for _ in range(1_000):
            try:
                outcomes[(await caller(f"http://turning.test:{server.port}/"))["body"]] += 1
            except HostRefusal as refusal:
                outcomes[refusal.data["kind"]] += 1
        tasks.cancel_scope.cancel()
    assert hits == []
    assert outcomes == {"outer": 333, "loopback": 667}
    assert len(names.asked) == 1_000  # one look-up per connection: what was judged is what was dialled


async def bomb() -> AsyncIterator[bytes]:
    """Ten gigabytes of zeros, were anybody to unpack them all."""
    yield b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n"
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    zeros = bytes(1024 * 1024)
    for _ in range(10_240):
        if piece := packer.compress(zeros):
            yield piece
    yield packer.flush()


async def endless() -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    while True:
        yield bytes(65_536)


async def empty_members() -> AsyncIterator[bytes]:
    """Gzip that unpacks to nothing, for ever."""
    yield b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n"
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    empty = packer.flush()
    while True:
        yield empty * 3_000


@pytest.mark.parametrize("server_of", [bomb, endless])
async def test_an_answer_without_end_stops_at_the_cap(server_of: Callable[[], AsyncIterator[bytes]]) -> None:
    async with site(lambda seen: server_of()) as server:
        refusal = await Caller(rules_for("http://site.test:*")).refusal(f"http://site.test:{server.port}/")
    assert (refusal.code, refusal.data["allowed"]) == ("limit_http_response", 4 * 1024 * 1024)


async def test_an_answer_that_unpacks_to_nothing_for_ever_is_left() -> None:
    async with site(lambda seen: empty_members()) as server:
        refusal = await Caller(rules_for("http://site.test:*")).refusal(f"http://site.test:{server.port}/")
    assert (refusal.code, refusal.data["reason"]) == ("http_failed", "decode")


@pytest.mark.parametrize(("size", "code"), [(999, ""), (1_000, ""), (1_001, "limit_http_response")])
@pytest.mark.parametrize("packed", [False, True])
async def test_the_cap_counts_decoded_bytes_to_the_very_last(size: int, code: str, packed: bool) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    body, headers = bytes(size), {}
    if packed:
        body, headers = packer.compress(body) + packer.flush(), {"content_encoding": "gzip"}
    async with site(lambda seen: plain(body, **headers)) as server:
        caller = Caller(rules_for("http://site.test:*", limits=NetworkLimits(response_bytes=1_000)))
        url = f"http://site.test:{server.port}/"
        if code:
            assert (await caller.refusal(url)).code == code
        else:
            assert len((await caller(url))["body"]) == size


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", "protocol"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "protocol"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "protocol"),
        (b"", "protocol"),
        (plain(b"no gzip", content_encoding="gzip"), "decode"),
        (plain(b"\x1f\x8b\x08\0", content_encoding="gzip"), "decode"),
    ],
)
async def test_an_answer_that_is_no_http_is_a_failure_not_a_fault(answer: bytes, reason: str) -> None:
    async with site(lambda seen: answer) as server:
        refusal = await Caller(rules_for("http://site.test:*")).refusal(f"http://site.test:{server.port}/")
    assert (refusal.code, refusal.data["reason"]) == ("http_failed", reason)


@pytest.mark.parametrize(
    ("count", "length", "code"),
    [(63, 10, ""), (64, 10, "limit_http_headers"), (1, 8_190, ""), (1, 8_192, "limit_http_headers")],
)
async def test_the_headers_of_an_answer_have_a_cap(count: int, length: int, code: str) -> None:
    async with site(lambda seen: plain(b"", **{f"x{number}": "v" * length for number in range(count)})) as server:
        caller = Caller(rules_for("http://site.test:*"))
        url = f"http://site.test:{server.port}/"
        if code:
            assert (await caller.refusal(url)).code == code
        else:
            assert len((await caller(url))["headers"]) == count + 1


async def test_headers_without_end_stop() -> None:
    async def headers() -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n"
        for number in itertools.count():
            yield f"x{number}: {'v' * 1_000}\r\n".encode()

    async with site(lambda seen: headers()) as server:
        refusal = await Caller(rules_for("http://site.test:*")).refusal(f"http://site.test:{server.port}/")
    assert refusal.data["reason"] == "protocol"


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n"])
async def test_a_server_that_drips_is_left_when_the_time_is_over(head: bytes) -> None:
    gone = anyio.Event()

    async def dripping() -> AsyncIterator[bytes]:
        try:
            yield head
            for byte in itertools.cycle(b"x-a: b\r\n"):
                await anyio.sleep(1)
                yield bytes([byte])
        finally:
            gone.set()

    async with site(lambda seen: dripping()) as server:
        caller = Caller(rules_for("http://site.test:*"))
        caller.context.deadline = time.monotonic() + 0.2
        refusal = await caller.refusal(f"http://site.test:{server.port}/", timeout_ms=60_000)
    assert (refusal.code, refusal.data["timeout_ms"] <= 200) == ("http_timeout", True)
    assert caller.used.http_open == 0


async def test_the_plugin_may_shorten_its_time_and_a_call_that_is_over_sends_nothing() -> None:
    never = anyio.Event()

    async def silent() -> AsyncIterator[bytes]:
        await never.wait()
        yield b""

    async with site(lambda seen: silent()) as server:
        caller = Caller(rules_for("http://site.test:*"))
        url = f"http://site.test:{server.port}/"
        assert (await caller.refusal(url, timeout_ms=50)).data == {"timeout_ms": 50}
        caller.context = context_of(seconds=-1)
        assert (await caller.refusal(url)).code == "http_timeout"
    assert server.connections == 1


async def test_a_name_server_that_never_answers_costs_the_time_and_no_more() -> None:
    class Silent(Names):
        async def __call__(self, host: str, port: int) -> Sequence[str]:
            await anyio.sleep_forever()
            return ()

    refusal = await Caller(rules_for("http://site.test:*"), names=Silent()).refusal("http://site.test/", timeout_ms=50)
    assert refusal.code == "http_timeout"


async def test_a_withdrawn_request_closes_its_connection() -> None:
    arrived, gone = anyio.Event(), anyio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        arrived.set()
        try:
            while True:
                yield b"HTTP/1.1 200 OK\r\n\r\n"
                await anyio.sleep(0.01)
        finally:
            gone.set()

    async with site(lambda seen: waiting()) as server:
        caller = Caller(rules_for("http://site.test:*"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caller, f"http://site.test:{server.port}/")
            with anyio.fail_after(40):
                await arrived.wait()
            tasks.cancel_scope.cancel()
        assert caller.used.http_open == 0
        with anyio.fail_after(40):
            while not server.lost:
                await anyio.lowlevel.checkpoint()


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext, list[str]]:
    """A server's context for ``name``, a client's that trusts it, and the names clients asked the server for."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pem)
    asked: list[str] = []
    server.sni_callback = lambda _socket, wanted, _context: asked.append(wanted or "")
    return server, ssl.create_default_context(cafile=pem), asked


async def test_the_judged_address_is_dialled_with_the_names_host_header_and_certificate(tmp_path: Path) -> None:
    server_tls, client_tls, asked = certificate(tmp_path, "site.test")
    async with site(lambda seen: plain(b"safe"), server_tls) as server:
        caller = Caller(rules_for("https://*:*"), tls=client_tls)
        answer = await caller(f"https://site.test:{server.port}/")
        refusal = await caller.refusal(f"https://other.test:{server.port}/")
    assert answer["body"] == "safe"
    assert asked == ["site.test", "other.test"]
    assert server.seen[0].headers["host"] == f"site.test:{server.port}"
    assert (refusal.code, refusal.data["reason"]) == ("http_failed", "tls")
    assert "not valid for 'other.test'" in refusal.message


async def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    server_tls, _, _ = certificate(tmp_path, "site.test")
    async with site(lambda seen: plain(b"safe"), server_tls) as server:
        refusal = await Caller(rules_for("https://*:*")).refusal(f"https://site.test:{server.port}/")
    assert refusal.data["reason"] == "tls"
    assert server.seen == []


async def test_a_handshake_that_never_ends_is_left_with_its_connection_closed() -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        closed = anyio.Event()

        async def mute(stream: anyio.abc.ByteStream) -> None:
            async with stream:
                try:
                    while True:
                        await stream.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    closed.set()

        tasks.start_soon(listener.serve, mute)
        port: int = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610  # not Django's
        refusal = await Caller(rules_for("https://*:*")).refusal(f"https://site.test:{port}/", timeout_ms=500)
        with anyio.fail_after(40):
            await closed.wait()
        assert refusal.code == "http_timeout"
        tasks.cancel_scope.cancel()


async def test_the_systems_resolver_gives_addresses_and_says_so_when_there_are_none() -> None:
    resolver = SystemResolver()
    assert "127.0.0.1" in await resolver("localhost", 80)
    with pytest.raises(OSError, match=r"."):
        await resolver("a.name.that.is.invalid", 80)


@pytest.mark.parametrize(
    ("address", "ranges", "kind"),
    [
        ("10.1.2.3", ("10.0.0.0/8",), ""),
        ("10.1.2.3", ("11.0.0.0/8",), "private"),
        ("169.254.1.1", ("169.254.0.0/16",), ""),
        ("169.254.169.254", ("169.254.0.0/16", "0.0.0.0/0"), "metadata"),
        ("169.254.169.254", ("169.254.169.254/32",), ""),
        ("168.63.129.16", (), "metadata"),
        ("fd00:ec2::254", ("fc00::/7",), "metadata"),
        ("fd00::1", ("fc00::/7",), ""),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), "v4-mapped"),
        ("::ffff:10.1.2.3", ("::ffff:0:0/96",), "private"),
        ("::ffff:10.1.2.3", ("::ffff:0:0/96", "10.0.0.0/8"), ""),
        ("::ffff:169.254.169.254", ("::/0", "0.0.0.0/0"), "metadata"),
        ("64:ff9b::808:808", ("64:ff9b::/96",), ""),
        ("64:ff9b::a00:1", ("64:ff9b::/96",), "private"),
        ("2002:a00:1::1", ("2002::/16",), "private"),
        ("8.8.8.8", (), ""),
        ("2606:4700::1111", (), ""),
        ("2001:4860:4860::8888", (), ""),
    ],
)
def test_a_range_opens_what_it_names_and_a_metadata_service_only_by_its_very_address(
    address: str, ranges: tuple[str, ...], kind: str
) -> None:
    assert address_kind(ipaddress.ip_address(address), map(ipaddress.ip_network, ranges)) == kind


async def test_a_secret_in_the_host_of_too_many_redirects_is_in_no_refusal() -> None:
    async with site(lambda seen: to(f"http://{CANARY}.site.test:{server.port}/")) as server:
        rules = rules_for("http://*.site.test:*", secrets={"KEY": ("http://*.site.test:*",)})
        refusal = await Caller(rules, secrets=secrets_of(KEY=CANARY)).refusal(
            f"http://a.site.test:{server.port}/", headers={"X-Key": "{{secret:KEY}}"}, follow_redirects=True
        )
    assert refusal.code == "limit_http_redirects"
    assert "[secret KEY].site.test" in refusal.message
    assert CANARY not in refusal.message


async def test_a_secret_that_is_granted_and_never_set_is_unavailable_without_a_source() -> None:
    rules = rules_for("http://site.test", secrets={"KEY": ("http://site.test",)})
    refusal = await Caller(rules).refusal("http://site.test/", headers={"X-Key": "{{secret:KEY}}"})
    assert refusal.code == "secret_unavailable"


def outer_address() -> str:
    """This machine's address on the way to the world; a datagram socket that is connected sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(probe.getsockname()[0])


async def test_a_server_on_every_address_is_refused_by_each_of_them_and_other_ports_are_not() -> None:
    outer = outer_address()
    rules = rules_for("http://*:*", ranges=("0.0.0.0/0", "::/0"))
    async with site(lambda seen: plain(b"other")) as server:
        own = {("0.0.0.0", 9), ("named.test", 10), ("127.0.0.1", 11)}  # noqa: S104  # what a server may be bound to
        caller = Caller(rules, own=own, names=Names(mapped_test=[f"::ffff:{outer}"], far_test=["192.0.2.1"]))
        for host in (outer, "mapped.test", "127.8.8.8"):
            assert (await caller.refusal(f"http://{host}:9/")).data["kind"] == "own"
            assert (await caller.refusal(f"http://{host}:10/")).data["kind"] == "own"
        for host in ("0.0.0.0", "[::]", "[::ffff:0.0.0.0]", "[::ffff:127.0.0.1]"):  # noqa: S104
            assert (await caller.refusal(f"http://{host}:11/")).data["kind"] == "own"
        assert (await caller(f"http://127.0.0.1:{server.port}/"))["body"] == "other"
        assert (await caller.refusal("http://far.test:9/", timeout_ms=100)).code in {"http_timeout", "http_failed"}


@pytest.mark.parametrize("address", ["::ffff:0:7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::"])
def test_an_address_that_carries_an_inner_one_is_named_after_it(address: str) -> None:
    everything = [ipaddress.ip_network("::/0")]
    assert address_kind(ipaddress.ip_address(address), everything) == "loopback"


async def test_look_ups_that_were_given_up_still_count(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go = threading.Semaphore(0), threading.Event()

    def slow(*_: object, **__: object) -> list[object]:
        asked.release()
        go.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    resolver = SystemResolver(at_once=2)
    for _ in range(2):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(resolver, "slow.test", 80)
            await anyio.to_thread.run_sync(asked.acquire)
            tasks.cancel_scope.cancel()
    with pytest.raises(OSError, match="too many"):
        await resolver("slow.test", 80)
    go.set()


def test_callers_beyond_count_are_forgotten_by_the_rate() -> None:
    rate = RateLimiter(lambda: 0.0)
    assert rate.take("first", per_second=1, burst=1) == 0
    assert rate.take("first", per_second=1, burst=1) == 1
    for number in range(MOST_KEPT):
        rate.take(number, per_second=1, burst=1)
    assert rate.take("first", per_second=1, burst=1) == 0
