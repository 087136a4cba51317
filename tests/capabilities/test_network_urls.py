"""Spellings of URLs: each is read in one way only, or refused; none reaches a host that nobody allowed."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.capabilities.base import HostRefusal
from mcp_server.capabilities.network.addresses import Dialer
from mcp_server.capabilities.network.urls import parse_url
from mcp_server.policy.network import NetworkDenied, Target

# Hosts that every browser, or some library, takes for 127.0.0.1, 10.0.0.1, 169.254.169.254 or another inner address.
INNER_HOSTS = """
127.0.0.1 127.0.0.2 127.1.1.1 127.255.255.254 127.1 127.0.1 127.0.0.01 127.00.0.1 0127.0.0.1 0177.0.0.1 0177.0.0.01
0x7f.0.0.1 0x7f.1 0x7f000001 0X7F000001 0x7F.0x0.0x0.0x1 2130706433 02130706433 017700000001 0x7f.0.1 127.0x1
127.0.0.0x1 127.0.0.1. 127.0.0.1.. 0 0.0 0.0.0 0.0.0.0 0.0.0.1 00000 0x0 0x 00.0x0.0 256.256.256.256 127.0.0.256
127.0.0.-1 127.0.0.1.1 1.1.1 1.1 1 1.2.3.4.5 0x100000000 4294967296 4294967295 3232235521 0xc0a80001 192.168.257
192.168.0.0x1 10.1 012.1 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255 100.64.0.1
100.127.255.255 100.100.100.200 169.254.169.254 169.254.170.2 169.254.0.1 169.254.255.255 0xa9fea9fe 2852039166
0251.0376.0251.0376 169.254.43518 169.0xfea9fe 168.63.129.16 192.0.0.192 192.0.0.1 192.0.0.170 192.0.2.1
192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
255.255.255.254 [::] [::1] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::01] [::0001] [0::1]
[::127.0.0.1] [::7f00:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1] [::FFFF:127.0.0.1]
[::ffff:0:127.0.0.1] [::ffff:10.0.0.1] [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [::ffff:8.8.8.8] [::8.8.8.8]
[::ffff:0:8.8.8.8] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::a9fe:a9fe] [64:ff9b::8.8.8.8] [64:ff9b:1::1]
[64:ff9b:1::127.0.0.1] [2002:7f00:1::] [2002:7f00:0001::1] [2002:a9fe:a9fe::1] [2002:0a00:0001::1]
[2002:808:808::1] [2001::1] [2001:0:7f00:1::1] [fe80::1] [fe80::] [febf::1] [fec0::1] [fc00::1] [fd00::1]
[fd00:ec2::254] [fd20:ce::254] [fdff:ffff::1] [ff02::1] [ff0e::1] [100::1] [2001:db8::1] [2001:10::1] [2001:20::1]
[3fff::1] [5f00::1] [4000::1] [8000::1] [2620:4f:8000::1] [fe80::1%25eth0] [fe80::1%eth0] [::1%25lo] [::1%1] [::1%]
[::1 ] [ ::1] [::1]] [[::1]] [::1 ::1 [] [:] [:::] [::g] [1::2::3] [127.0.0.1] [localhost] [0x7f.1] [v1.x]
[::ffff:127.1] [::ffff:0x7f.0.0.1] [::ffff:127.0.0.01] １２７.0.0.1 127。0。0。1 ①②⑦.0.0.1 ⑯⑨。②⑤④。⑯⑨｡②⑤④ 127．0．0．1
127｡0｡0｡1 １ ⓛⓞⓒⓐⓛⓗⓞⓢⓣ ｌｏｃａｌｈｏｓｔ ℓocalhost localhost LOCALHOST LocalHost localhost. localhost.. .localhost
localhost.localdomain ip6-localhost foo.localhost metadata metadata.google.internal metadata.google.internal.
instance-data kubernetes.default.svc intranet host.docker.internal
""".split()  # noqa: SIM905  # a table, not a list

# Whole URLs that two parsers read differently, or that no request can be made of.
ODD_URLS = [
    "",
    "/",
    "//good.example/",
    "good.example",
    "https:",
    "https:/",
    "https://",
    "https:///",
    "https:///path",
    "https://?",
    "https://#",
    "https:good.example",
    "https:/good.example",
    "https:\\\\good.example",
    "https:/\\good.example",
    "https://good.example\\@evil.example/",
    "https://good.example\\.evil.example/",
    "https://evil.example\\good.example/",
    "https://good.example/\\evil.example",
    "https://good.example/a\\..\\b",
    "https://user@good.example/",
    "https://user:word@good.example/",
    "https://:@good.example/",
    "https://@good.example/",
    "https://good.example@evil.example/",
    "https://good.example:443@evil.example/",
    "https://good.example%40evil.example/",
    "https://good.example%2f@evil.example/",
    "https://evil.example%2fgood.example/",
    "https://good.example%00.evil.example/",
    "https://good%2eexample/",
    "https://%67ood.example/",
    "https://good.example:/",
    "https://good.example:0/",
    "https://good.example:00443/",
    "https://good.example:+443/",
    "https://good.example:-1/",
    "https://good.example: 443/",
    "https://good.example:443 /",
    "https://good.example:65536/",
    "https://good.example:99999999999/",
    "https://good.example:0x1bb/",
    "https://good.example:４４３/",
    "https://good.example:443:443/",
    "https://good.example:https/",
    "https://good.example:4_43/",
    "https://.good.example/",
    "https://good.example./",
    "https://good..example/",
    "https://./",
    "https://../",
    "https://-good.example/",
    "https://good-.example/",
    "https://good.-example/",
    "https://go od.example/",
    "https://good,example/",
    "https://good.example,evil.example/",
    "https://good.example;evil.example/",
    "https://good!.example/",
    "https://*.example/",
    "https://$host/",
    "https://{host}/",
    "https://<host>/",
    'https://"good".example/',
    "https://good.example|evil.example/",
    "https://" + "a" * 64 + ".example/",
    "https://" + ".".join(["a" * 60] * 5) + "/",
    "https://good.example/" + "a" * 9_000,
    "https://xn--/",
    "https://xn--a/",
    "https://xn--good-.example/",
    "https://xn--999999999.example/",
    "https://xn--80ak6aa92e999.example/",
    "https://ab--cd.example/",
    "https://good\u00ad.example/",
    "https://go\u200bod.example/",
    "https://go\u200dod.example/",
    "https://\u202egood.example/",
    "https://good\u2024example/",
    "https://good\u3002example/",
    "https://good\uff0eexample/",
    "https://good\uff61example/",
    "https://good\uff0fevil.example/",
    "https://good\u2044evil.example/",
    "https://good\u2100.example/",
    "https://good\uff03.example/",
    "https://good\uff20evil.example/",
    "https://\u212aelvin.example/",
    "https://GOOD\u0130.example/",
    "https://\u00c4rger.example/",
    "https://e\u0301t\u00e9.example/",
    "https://\u2665.example/",
    "https://\U0001f600.example/",
    "https://good.example/\ud800",
    "https://\udcff.example/",
    " https://good.example/",
    "https://good.example/ ",
    "\thttps://good.example/",
    "https://good.example/\n",
    "https://good.example\n/",
    "ht\ntps://good.example/",
    "https://good.example/a b",
    "https://good.example/a\tb",
    "https://good.example/a\r\nHost: evil.example",
    "https://good.example/\x00",
    "https://good.example/\x7f",
    "https://good.example/\x85",
    "https://good.example/\u2028",
    "https://good.example/\u00a0",
    "https://good.example/\ufeff",
    "https://good.example/?a b",
    "https://good.example/?\x00",
    "https://good.example/%",
    "https://good.example/%2",
    "https://good.example/%zz",
    "https://good.example/%u0041",
    "https://good.example/?%",
    "https://good.example/%00",
    "https://good.example/%0d%0aHost:%20evil.example",
    "https://good.example/%0a",
    "https://good.example/%250a",
    "https://good.example/.",
    "https://good.example/..",
    "https://good.example/../secret",
    "https://good.example/a/../secret",
    "https://good.example/a/./secret",
    "https://good.example/a/%2e%2e/secret",
    "https://good.example/a/.%2e/secret",
    "https://good.example/a/%2E./secret",
    "https://good.example/a/%252e%252e/secret",
    "https://good.example/a/..%2fsecret",
    "https://good.example/a%2f..%2fsecret",
    "https://good.example/a/..%5csecret",
    "https://good.example/a%5c..%5csecret",
    "https://good.example/a/..;/secret",
    "https://good.example/a/..;x=1/secret",
    "https://good.example/a/%2e%2e;/secret",
    "https://good.example/%25252e",
    "https://good.example/%2525252e",
    "http:good.example",
    "httpss://good.example/",
    "HTTPS//good.example/",
    "ftp://good.example/",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "gopher://good.example:70/_",
    "dict://good.example:11211/",
    "ldap://good.example/",
    "ws://good.example/",
    "wss://good.example/",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "jar:https://good.example!/",
    "unix:///run/docker.sock",
    "http+unix://%2frun%2fdocker.sock/",
    "tftp://good.example/",
    "view-source:https://good.example/",
    "blob:https://good.example/",
    "about:blank",
    "://good.example/",
    "1https://good.example/",
    "https+x://good.example/",
]


async def inner_names(host: str, port: int) -> list[str]:
    """A name server that knows every name, as an inner host."""
    return ["127.0.0.1"]


async def refusal_of(url: str) -> str:
    """The code that stops a request to ``url`` before a connection is opened, under rules that allow every host."""
    try:
        target = parse_url(url)
        with anyio.fail_after(40):
            await Dialer(inner_names, ()).connect_tcp(target.host, target.port)
    except (NetworkDenied, HostRefusal) as refused:
        return refused.code
    return "connected"


def test_the_tables_hold_more_than_two_hundred_spellings() -> None:
    assert len(set(INNER_HOSTS)) + len(set(ODD_URLS)) >= 300


@pytest.mark.parametrize("host", dict.fromkeys(INNER_HOSTS))
@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_no_spelling_of_an_inner_host_is_connected_to(scheme: str, host: str) -> None:
    assert await refusal_of(f"{scheme}://{host}/") in {"invalid_url", "network_denied"}
    assert await refusal_of(f"{scheme}://{host}:8080/") in {"invalid_url", "network_denied"}


@pytest.mark.parametrize("url", ODD_URLS)
def test_an_odd_url_is_refused_not_repaired(url: str) -> None:
    with pytest.raises(NetworkDenied) as refused:
        parse_url(url)
    assert refused.value.code == "invalid_url"


@pytest.mark.parametrize(
    ("url", "host", "port", "sent"),
    [
        ("https://good.example", "good.example", 443, "/"),
        ("HTTPS://GOOD.Example/Path", "good.example", 443, "/Path"),
        ("http://good.example:8080/a/b?c=d&e=f#part", "good.example", 8080, "/a/b?c=d&e=f"),
        ("https://good.example?q=1", "good.example", 443, "/?q=1"),
        ("https://good.example/a%20b?c=%7B1%7D", "good.example", 443, "/a%20b?c=%7B1%7D"),
        ('https://good.example/é?q={"a":1}', "good.example", 443, "/%C3%A9?q=%7B%22a%22:1%7D"),
        ("https://good.example/?next=https://evil.example/@x", "good.example", 443, "/?next=https://evil.example/@x"),
        ("https://good.example/?a=../..", "good.example", 443, "/?a=../.."),
        ("https://good.example/projects/group%2Fname", "good.example", 443, "/projects/group%2Fname"),
        ("https://good.example/a//b;v=1/", "good.example", 443, "/a//b;v=1/"),
        ("https://good.example/...", "good.example", 443, "/..."),
        ("https://bücher.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://my_service/", "my_service", 443, "/"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/"),
        ("https://[2606:4700:0::1111]:8443/", "2606:4700::1111", 8443, "/"),
        ("https://1password.example/", "1password.example", 443, "/"),
        ("https://0x7f.example/", "0x7f.example", 443, "/"),
    ],
)
def test_a_plain_url_is_taken_apart_and_put_together(url: str, host: str, port: int, sent: str) -> None:
    target = parse_url(url)
    assert (target.host, target.port, target.path + target.query) == (host, port, sent)
    assert parse_url(target.url) == target


def test_a_homograph_is_another_host_in_its_ascii_form() -> None:
    assert parse_url("https://аpple.example/").host == "xn--pple-43d.example"  # Cyrillic а


@given(st.text(max_size=60))
@settings(max_examples=2_000, deadline=None)
def test_any_text_is_refused_or_read_the_same_way_twice(text: str) -> None:
    for url in (text, f"https://{text}", f"https://good.example/{text}"):
        try:
            target = parse_url(url)
        except NetworkDenied:
            continue
        assert isinstance(target, Target)
        assert parse_url(target.url) == target
        assert target.url.isascii()
        assert target.url.isprintable()
        if url.startswith("https://good.example/"):
            assert target.host == "good.example"
