"""Files from servers that are good, and from servers that break off, lie, hang or lead elsewhere."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mcp_server.distribution.downloads import Downloads
from mcp_server.distribution.errors import DownloadFailed, DownloadRefused
from mcp_server.distribution.web import Web
from mcp_server.errors import IntegrityError
from mcp_server.settings.sharing import SharingSettings
from tests.distribution.commands import answer
from tests.distribution.making import archive, configure, refused, versions_of
from tests.distribution.site import Site, redirect, site
from tests.requirements import requirement

DATA = bytes(range(256)) * 4_000
SHA256 = hashlib.sha256(DATA).hexdigest()
MOST = 4_000_000


def opened(*sites: Site, **more: object) -> SharingSettings:
    """Settings that let somebody come to ``sites``."""
    hosts = [one.host for one in sites if one.origin.startswith("http:")]
    return SharingSettings.model_validate({"ranges": ["127.0.0.0/8"], "plain_http": hosts, **more})


@asynccontextmanager
async def downloads(
    folder: Path, settings: SharingSettings, *, offline: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Downloads]:
    async with Web(settings, tls=tls) as web:
        yield Downloads(folder, web, offline=offline)


@requirement("share:download")
async def test_a_file_is_fetched_once_and_found_again_without_a_network(tmp_path: Path) -> None:
    with site() as served:
        served.files["/x.zip"] = DATA
        url = f"{served.origin}/x.zip"
        seen: list[int] = []
        async with Web(opened(served)) as web:
            shown = Downloads(tmp_path, web, progress=lambda name, done, total: seen.append(done))
            assert await shown.get(url, MOST) == DATA
        assert (seen[-1], seen) == (len(DATA), sorted(seen))
        async with downloads(tmp_path, opened(served)) as again:
            assert await again.get(url, MOST) == DATA
            assert await again.get(url, MOST, sha256=SHA256) == DATA  # which asks nobody
        assert [headers.get("if-none-match") is None for _, _, headers in served.asked] == [True, False]
    async with downloads(tmp_path, opened(), offline=True) as offline:
        assert await offline.get(url, MOST) == DATA
        with pytest.raises(DownloadFailed, match="--offline"):
            await offline.get(f"{url}2", MOST)
        (tmp_path / "packages" / SHA256).write_bytes(b"spoilt")
        with pytest.raises(DownloadFailed, match="--offline"):
            await offline.get(url, MOST)


@requirement("share:download")
async def test_what_broke_off_goes_on_where_it_was(tmp_path: Path) -> None:
    with site() as served:
        served.files["/x.zip"] = DATA
        served.cut["/x.zip"] = 300_000
        async with downloads(tmp_path, opened(served)) as got:
            assert await got.get(f"{served.origin}/x.zip", MOST, sha256=SHA256) == DATA
        first, second = (headers for _, _, headers in served.asked)
        assert "range" not in first
        there = int(second["range"][6:-1])
        assert 0 < there <= 300_000
        assert served.sent[1] == len(DATA) - there


@requirement("share:download")
async def test_a_part_of_an_older_file_is_not_joined_to_a_newer_one(tmp_path: Path) -> None:
    def gone(handler: BaseHTTPRequestHandler) -> None:
        handler.send_error(503)

    with site() as served:
        served.files["/x.zip"] = b"old" * 200_000
        served.cut["/x.zip"] = 300_000
        url = f"{served.origin}/x.zip"
        async with downloads(tmp_path, opened(served)) as got:
            served.cut["/x.zip"] = 0
            with pytest.raises(DownloadFailed):
                await got.get(url, MOST)
            served.cut["/x.zip"] = 300_000
            served.odd = {}
            served.files["/x.zip"] = DATA
            assert await got.get(url, MOST) == DATA
            served.odd["/x.zip"] = gone
            with pytest.raises(DownloadFailed, match="503"):
                await got.get(url, MOST)


@requirement("share:download")
async def test_a_file_that_stays_short_is_an_error_and_nothing_is_kept_as_whole(tmp_path: Path) -> None:
    def short(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x" * 10)
        handler.close_connection = True

    with site() as served:
        served.odd["/x.zip"] = short
        async with downloads(tmp_path, opened(served)) as got:
            with pytest.raises(DownloadFailed, match="before the end"):
                await got.get(f"{served.origin}/x.zip", MOST)
    assert [path.name for path in (tmp_path / "packages").iterdir() if path.is_file()] == []


@requirement("share:download")
async def test_other_bytes_than_the_digest_says_are_refused_and_not_kept(tmp_path: Path) -> None:
    with site() as served:
        served.files["/x.zip"] = DATA[:-1] + b"!"
        async with downloads(tmp_path, opened(served)) as got:
            for _ in range(2):
                with pytest.raises(IntegrityError, match=SHA256):
                    await got.get(f"{served.origin}/x.zip", MOST, sha256=SHA256)
            served.files["/x.zip"] = DATA
            assert await got.get(f"{served.origin}/x.zip", MOST, sha256=SHA256) == DATA


@requirement("share:download")
async def test_too_much_is_refused_announced_or_not_and_so_is_what_must_be_unpacked(tmp_path: Path) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        try:
            while True:
                handler.wfile.write(b"0" * 65_536)
        except OSError:
            return

    def packed(handler: BaseHTTPRequestHandler) -> None:
        data = gzip.compress(b"0" * 50_000_000)
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    with site() as served:
        served.files["/x.zip"] = DATA
        served.odd |= {"/endless": endless, "/packed": packed}
        for path, told in (("/x.zip", "bytes long"), ("/endless", "longer than"), ("/packed", "encoding")):
            async with downloads(tmp_path, opened(served)) as got:
                with pytest.raises(DownloadFailed, match=told):
                    await got.get(f"{served.origin}{path}", 1_000)


@requirement("share:places")
async def test_private_addresses_plain_http_and_other_schemes_are_refused_also_after_a_redirect(tmp_path: Path) -> None:
    with site() as served, site() as hidden:
        hidden.files["/x"] = DATA
        closed = SharingSettings(plain_http=(served.host,))
        async with downloads(tmp_path, closed) as got:
            with pytest.raises(DownloadRefused, match="loopback"):
                await got.get(f"{served.origin}/x", MOST)
        assert served.asked == []
        served.odd |= {
            "/metadata": redirect("http://169.254.169.254/latest/meta-data/"),
            "/private": redirect("https://10.0.0.1/x"),
            "/plain": redirect(f"{hidden.origin}/x"),
            "/file": redirect("file:///etc/passwd"),
            "/user": redirect("https://user:secret@example.com/"),
        }
        async with downloads(tmp_path, opened(served)) as got:
            for path in served.odd:
                with pytest.raises(DownloadRefused):
                    await got.get(f"{served.origin}{path}", MOST)
            for url in ("ftp://example.com/x", "https://[::1]/x", "https://0x7f.1/", "https://localhost:1/"):
                with pytest.raises((DownloadRefused, DownloadFailed)):
                    await got.get(url, MOST)
        assert hidden.asked == []


@requirement("share:places")
async def test_redirects_are_followed_where_they_may_go_and_end_somewhere(tmp_path: Path) -> None:
    with site() as served, site() as other:
        other.files["/x"] = DATA
        served.odd |= {"/there": redirect(f"{other.origin}/x"), "/round": redirect("/round")}
        async with downloads(tmp_path, opened(served, other)) as got:
            headers = {"authorization": "Bearer t"}
            assert await got.get(f"{served.origin}/there", MOST, headers=headers) == DATA
            assert "authorization" in served.asked[0][2]
            assert "authorization" not in other.asked[0][2]
            with pytest.raises(DownloadRefused, match="another origin"):
                await got.get(f"{served.origin}/there", MOST, same_origin=True)
            with pytest.raises(DownloadFailed, match="redirects"):
                await got.get(f"{served.origin}/round", MOST)


@requirement("share:download")
async def test_two_processes_do_not_write_into_one_part(tmp_path: Path) -> None:
    with site() as served:
        served.files["/x"] = DATA
        url = f"{served.origin}/x"
        part = tmp_path / "packages" / "parts" / hashlib.sha256(url.encode()).hexdigest()
        part.parent.mkdir(parents=True)
        with part.open("wb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            async with downloads(tmp_path, opened(served)) as got:
                with pytest.raises(DownloadFailed, match="another process"):
                    await got.get(url, MOST)
        async with downloads(tmp_path, opened(served)) as got:
            assert await got.get(url, MOST) == DATA


@requirement("share:download")
async def test_a_server_that_hangs_is_given_up(tmp_path: Path) -> None:
    with site() as served:
        served.odd["/x"] = served.hang
        async with downloads(tmp_path, opened(served, idle_seconds=0.2)) as got:
            with pytest.raises(DownloadFailed, match=r"nothing came for 0\.2 seconds"):
                await got.get(f"{served.origin}/x", MOST)


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The contexts of a server at 127.0.0.1 and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *private) + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())


@requirement("share:places")
async def test_over_https_a_server_must_prove_who_it_is(tmp_path: Path) -> None:
    server, client = certificate(tmp_path)
    with site(server) as served:
        served.files["/x"] = DATA
        async with downloads(tmp_path, opened(served), tls=client) as got:
            assert await got.get(f"{served.origin}/x", MOST) == DATA
        async with downloads(tmp_path / "other", opened(served)) as got:
            with pytest.raises(DownloadFailed, match="TLS"):
                await got.get(f"{served.origin}/x", MOST)


@requirement("share:download")
def test_a_package_is_added_from_a_url_with_its_digest(home: Path, stock: Path) -> None:
    path = archive(stock, "remote")
    with site() as served:
        served.files["/remote.zip"] = path.read_bytes()
        url = f"{served.origin}/remote.zip"
        assert refused(home, "add", url) == (3, "download_refused")
        configure(home, served.settings())
        assert refused(home, "add", f"{url}#sha256={'0' * 64}") == (3, "integrity_failed")
        assert versions_of(home) == {}
        pinned = f"{url}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}"
        assert answer(home, "add", pinned)["added"][0]["version"] == "0.1.0"
        answer(home, "add", url)
        served.files["/remote.zip"] = archive(stock, "remote", "0.2.0").read_bytes()
        assert answer(home, "update")["updated"][0]["version"] == "0.2.0"
    assert answer(home, "add", url, "--offline")["added"][0]["version"] == "0.2.0"
    assert refused(home, "add", url) == (4, "download_failed")
