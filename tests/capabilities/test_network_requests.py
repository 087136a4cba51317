"""``http_request`` within its rules: what is sent, what comes back, which bound says no."""

from __future__ import annotations

import base64
import gzip
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from mcp_server.capabilities.network.rate import RateLimiter
from mcp_server.policy.network import METHODS, NetworkLimits
from tests.capabilities.test_network_site import Caller, Names, plain, rules_for, secrets_of, site

CANARY = "canary-5f1d/8+a=7e"


@pytest.mark.parametrize("method", METHODS)
async def test_each_method_reaches_the_server_and_its_answer_the_plugin(method: str) -> None:
    async with site(lambda seen: plain(b"" if seen.method == "HEAD" else seen.body, etag='"1"')) as server:
        answer = await Caller(rules_for("http://site.test:*"))(
            f"http://site.test:{server.port}/a?b=c", method, body="", headers={"X-Own": "1"}
        )
    assert (server.seen[0].method, server.seen[0].path) == (method, "/a?b=c")
    assert server.seen[0].headers["x-own"] == "1"
    assert answer == {
        "status": 200,
        "headers": {"content-length": "0", "etag": '"1"'},
        "body": "",
        "url": f"http://site.test:{server.port}/a?b=c",
    }


async def test_bytes_go_out_and_come_back_as_base64() -> None:
    data = bytes(range(256))
    async with site(lambda seen: plain(seen.body)) as server:
        answer = await Caller(rules_for("http://site.test:*"))(
            f"http://site.test:{server.port}/", "PUT", body_base64=base64.b64encode(data).decode()
        )
    assert base64.b64decode(answer["body_base64"]) == data
    assert "body" not in answer


async def test_repeated_headers_are_joined_and_cookies_stay_apart() -> None:
    lines = [
        "HTTP/1.1 200 OK",
        "via: a",
        "via: b",
        "set-cookie: c=1; expires=x, y",
        "set-cookie: d=2",
        "content-length: 0",
    ]
    raw = "\r\n".join([*lines, "", ""]).encode()
    async with site(lambda seen: raw) as server:
        answer = await Caller(rules_for("http://site.test:*"))(f"http://site.test:{server.port}/")
    assert answer["headers"]["via"] == "a, b"
    assert answer["headers"]["set-cookie"] == "c=1; expires=x, y\nd=2"


async def test_no_cookie_is_kept_between_requests() -> None:
    async with site(lambda seen: plain(set_cookie="id=1")) as server:
        caller = Caller(rules_for("http://site.test:*"))
        await caller(f"http://site.test:{server.port}/")
        await caller(f"http://site.test:{server.port}/")
    assert "cookie" not in server.seen[1].headers


async def test_gzip_is_unpacked_with_its_headers_taken_away() -> None:
    packed = gzip.compress(b"first ") + gzip.compress(b"second") + b"\0\0"
    async with site(lambda seen: plain(packed, content_encoding="gzip")) as server:
        answer = await Caller(rules_for("http://site.test:*"))(f"http://site.test:{server.port}/")
    assert answer["body"] == "first second"
    assert "content-encoding" not in answer["headers"]
    assert server.seen[0].headers["accept-encoding"] == "gzip"


async def test_an_encoding_nobody_asked_for_is_handed_on_as_it_is() -> None:
    async with site(lambda seen: plain(b"\xff\xfe", content_encoding="br")) as server:
        answer = await Caller(rules_for("http://site.test:*"))(f"http://site.test:{server.port}/")
    assert answer["headers"]["content-encoding"] == "br"
    assert answer["body_base64"] == "//4="


@pytest.mark.parametrize(
    ("url", "method", "bound"),
    [
        ("http://other.test:{port}/v1/a", "GET", "host"),
        ("http://127.0.0.1:{port}/v1/a", "GET", "host"),
        ("https://site.test:{port}/v1/a", "GET", "scheme"),
        ("http://site.test/v1/a", "GET", "port"),
        ("http://site.test:{port}/v1/a", "DELETE", "method"),
        ("http://site.test:{port}/v2/a", "GET", "path"),
        ("http://site.test:{port}/V1/a", "GET", "path"),
        ("http://site.test:{port}/v1/private/a", "GET", "deny"),
        ("http://site.test:{port}/v1//PRIVATE/a", "GET", "deny"),
        ("http://site.test:{port}/v1/pri%76ate", "GET", "deny"),
    ],
)
async def test_a_request_out_of_bounds_is_refused_with_the_bound_and_nothing_is_sent(
    url: str, method: str, bound: str
) -> None:
    async with site(lambda seen: plain()) as server:
        rules = rules_for(f"GET,POST http://site.test:{server.port}/v1/*", deny=("site.test/v1/private",))
        caller = Caller(rules)
        refusal = await caller.refusal(url.format(port=server.port), method)
    assert (refusal.code, refusal.data["bound"]) == ("network_denied", bound)
    assert (server.connections, caller.names.asked) == (0, [])


async def test_the_manifest_bounds_what_the_grant_opens_and_the_reverse() -> None:
    from_manifest = rules_for("http://site.test:*", allow=())
    from_grant = rules_for(allow=("http://site.test:*",))
    for rules, owner in ((from_manifest, "the grant"), (from_grant, "the plugin's manifest")):
        refusal = await Caller(rules).refusal("http://site.test/")
        assert refusal.message == f"GET http://site.test is not allowed: {owner} allows no such host"


async def test_loopback_is_refused_while_no_range_is_opened() -> None:
    async with site(lambda seen: plain()) as server:
        caller = Caller(rules_for("http://*:*", ranges=()))
        for host in ("site.test", "127.0.0.1", "127.9.9.9"):
            refusal = await caller.refusal(f"http://{host}:{server.port}/")
            assert (refusal.code, refusal.data["kind"]) == ("network_denied", "loopback")
    assert server.connections == 0


@pytest.mark.parametrize("own", ["127.0.0.1", "0.0.0.0", "::", "site.test"])  # noqa: S104  # what a server may be bound to
@pytest.mark.parametrize("url", ["http://site.test:{port}/mcp", "http://127.0.0.1:{port}/mcp"])
async def test_the_servers_own_address_is_refused_though_its_range_is_open(own: str, url: str) -> None:
    async with site(lambda seen: plain()) as server:
        listening: set[tuple[str, int]] = set()
        caller = Caller(rules_for("http://*:*"), own=listening)
        assert (await caller(url.format(port=server.port)))["status"] == 200
        listening.add((own, server.port))
        refusal = await caller.refusal(url.format(port=server.port))
    assert refusal.data["kind"] == "own"
    assert server.connections == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"method": "TRACE"}, "method"),
        ({"method": "get"}, "method"),
        ({"method": "CONNECT"}, "method"),
        ({"url": 1}, "url"),
        ({"url": "http://site.test/{{secret:KEY}}"}, "header"),
        ({"header": {}}, "did you mean 'headers'"),
        ({"headers": []}, "headers"),
        ({"headers": {"a": 1}}, "headers.a"),
        ({"headers": {"a b": "1"}}, "no header name"),
        ({"headers": {"": "1"}}, "no header name"),
        ({"headers": {"ä": "1"}}, "no header name"),
        ({"headers": {"a": "1\r\nhost: evil"}}, "visible ASCII"),
        ({"headers": {"a": "\u00e4"}}, "visible ASCII"),
        ({"headers": {"a": " 1"}}, "visible ASCII"),
        ({"headers": {"a": "1", "A": "2"}}, "twice"),
        ({"headers": {"Host": "evil"}}, "cannot be set"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "cannot be set"),
        ({"headers": {"X-HTTP-Method-Override": "DELETE"}}, "cannot be set"),
        ({"headers": {"a": "{{secret:}}"}}, "{{secret:NAME}}"),
        ({"headers": {"a": "{{secret:a b}}"}}, "{{secret:NAME}}"),
        ({"body": "a", "body_base64": "YQ=="}, "not both"),
        ({"body_base64": "a"}, "not base64"),
        ({"body": "\ud800"}, "surrogate"),
        ({"follow_redirects": 1}, "follow_redirects"),
        ({"timeout_ms": 0}, "timeout_ms"),
        ({"timeout_ms": 1.5}, "timeout_ms"),
    ],
)
async def test_a_malformed_request_is_told_what_is_wrong(more: dict[str, Any], said: str) -> None:
    caller = Caller(rules_for("http://site.test"))
    refusal = await caller.refusal(**{"url": "http://site.test/", **more})
    assert refusal.code == "invalid_request"
    assert said in refusal.message
    assert caller.names.asked == []


@pytest.mark.parametrize(
    ("more", "limit"),
    [
        ({"body": "123456789"}, "limit_http_request_bytes"),
        ({"headers": {"a": "b" * 40}}, "limit_http_header_bytes"),
        ({"headers": {"a": "1", "b": "2", "c": "3", "d": "4"}}, "limit_http_headers"),
    ],
)
async def test_a_request_just_past_a_limit_is_refused(more: dict[str, Any], limit: str) -> None:
    limits = NetworkLimits(request_bytes=8, headers=3, header_bytes=40)
    refusal = await Caller(rules_for("http://site.test", limits=limits)).refusal("http://site.test/", "POST", **more)
    assert refusal.code == limit


async def test_a_request_at_its_limits_is_sent() -> None:
    async with site(lambda seen: plain()) as server:
        limits = NetworkLimits(request_bytes=8, headers=3, header_bytes=40)
        caller = Caller(rules_for("http://site.test:*", limits=limits))
        headers = {"a": "b" * 39, "b": "2", "c": "3"}
        await caller(f"http://site.test:{server.port}/", "POST", body="12345678", headers=headers)
    assert server.seen[0].body == b"12345678"


async def test_the_hundred_and_first_request_of_a_call_is_refused() -> None:
    async with site(lambda seen: plain()) as server:
        caller = Caller(rules_for("http://site.test:*"))
        for _ in range(100):
            await caller(f"http://site.test:{server.port}/")
        refusal = await caller.refusal(f"http://site.test:{server.port}/")
    assert (refusal.code, refusal.data["used"]) == ("limit_http_requests", 101)
    assert server.connections == 100


async def test_the_seventh_request_at_one_time_is_refused() -> None:
    arrived, go = anyio.Semaphore(0), anyio.Event()

    async def late() -> AsyncIterator[bytes]:
        arrived.release()
        await go.wait()
        yield plain()

    async with site(lambda seen: late()) as server, anyio.create_task_group() as tasks:
        caller = Caller(rules_for("http://site.test:*"))
        url = f"http://site.test:{server.port}/"
        for _ in range(6):
            tasks.start_soon(caller, url)
        with anyio.fail_after(40):
            for _ in range(6):
                await arrived.acquire()
        refusal = await caller.refusal(url)
        assert refusal.code == "limit_http_at_once"
        assert caller.used.http_open == 6
        go.set()


async def test_the_rate_is_a_plugins_own_and_says_when_to_come_back() -> None:
    now = [0.0]
    async with site(lambda seen: plain()) as server:
        limits = NetworkLimits(rate_per_second=4, burst=2)
        caller = Caller(rules_for("http://site.test:*", limits=limits), clock=lambda: now[0])
        url = f"http://site.test:{server.port}/"
        await caller(url)
        await caller(url)
        refusal = await caller.refusal(url)
        assert (refusal.code, refusal.data["retry_after"]) == ("rate_limited", 0.25)
        now[0] += 0.25
        await caller(url)
        caller.context.plugin = "another"
        await caller(url)


def test_a_bucket_fills_up_to_its_burst_and_no_further() -> None:
    now = [0.0]
    rate = RateLimiter(lambda: now[0])
    assert rate.take("a", per_second=1, burst=2) == 0
    now[0] = 1_000.0
    assert [rate.take("a", per_second=1, burst=2) for _ in range(3)] == [0, 0, 1]


async def test_a_secret_is_put_in_for_its_host_and_scrubbed_from_what_is_echoed() -> None:
    spellings = [CANARY, CANARY.upper(), base64.b64encode(f"user:{CANARY}".encode()).decode(), CANARY.encode().hex()]
    async with site(
        lambda seen: plain(" ".join([*spellings[::2], spellings[3]]).encode(), x_echo=spellings[1])
    ) as server:
        rules = rules_for("http://*:*", secrets={"KEY": (f"http://site.test:{server.port}/v1/*",)})
        caller = Caller(rules, secrets=secrets_of(KEY=CANARY))
        answer = await caller(
            f"http://site.test:{server.port}/v1/a", headers={"Authorization": "Bearer {{secret:KEY}}"}
        )
    assert server.seen[0].headers["authorization"] == f"Bearer {CANARY}"
    shown = repr(answer).lower()
    assert answer["headers"]["x-echo"] == "[secret KEY]"
    assert all(spelling.lower() not in shown for spelling in spellings)
    assert CANARY[:6] not in answer["body"]


@pytest.mark.parametrize(
    ("url", "name", "code"),
    [
        ("http://site.test:{port}/v2", "KEY", "secret_denied"),
        ("http://other.test:{port}/v1/a", "KEY", "secret_denied"),
        ("http://site.test:{port}/v1/a", "OTHER", "secret_denied"),
        ("http://site.test:{port}/v1/a", "UNSET", "secret_unavailable"),
        ("http://site.test:{port}/v1/a", "SHORT", "secret_unavailable"),
        ("http://site.test:{port}/v1/a", "BROKEN", "secret_unavailable"),
    ],
)
async def test_a_secret_goes_nowhere_else(url: str, name: str, code: str) -> None:
    async with site(lambda seen: plain()) as server:
        bound = (f"http://site.test:{server.port}/v1/*",)
        rules = rules_for("http://*:*", secrets=dict.fromkeys(("KEY", "UNSET", "SHORT", "BROKEN"), bound))
        source = secrets_of(KEY=CANARY, OTHER=CANARY, SHORT="1234567", BROKEN=f"{CANARY}\r\nx: y")
        refusal = await Caller(rules, secrets=source).refusal(
            url.format(port=server.port), headers={"a": f"{{{{secret:{name}}}}}"}
        )
    assert refusal.code == code
    assert server.connections == 0
    assert CANARY not in repr((refusal.message, refusal.data))


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with site(lambda seen: plain(b"direct")) as server, site(lambda seen: plain(b"proxy")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        answer = await Caller(rules_for("http://site.test:*"))(f"http://site.test:{server.port}/")
    assert (answer["body"], proxy.connections) == ("direct", 0)


async def test_a_host_without_an_address_and_a_closed_port_are_failures_not_faults() -> None:
    async with site(lambda seen: plain()) as server:
        closed = server.port
    caller = Caller(rules_for("http://*:*"), names=Names(nobody_test=()))
    unknown = await caller.refusal("http://nobody.test/")
    refused = await caller.refusal(f"http://site.test:{closed}/")
    assert (unknown.code, unknown.data) == ("http_failed", {"reason": "resolve"})
    assert (refused.code, refused.data) == ("http_failed", {"reason": "connect"})
    assert "127.0.0.1" not in refused.message


async def test_every_address_of_a_name_is_tried_until_one_answers() -> None:
    async with site(lambda seen: plain(b"here")) as server:
        names = Names(site_test=["127.0.0.2", "127.0.0.1"])
        answer = await Caller(rules_for("http://*:*"), names=names)(f"http://site.test:{server.port}/")
    assert answer["body"] == "here"
