"""Packages in OCI registries: a real one from Debian, one that asks for tokens, and some that misbehave."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from mcp_server.distribution.errors import PackageNotFound
from mcp_server.distribution.fetching import files_of
from mcp_server.distribution.oci.artifact import CONFIG_TYPE, MANIFEST_TYPE, WASM_TYPE, artifact_of
from mcp_server.distribution.oci.reference import Reference
from mcp_server.distribution.package import package_of
from tests.canary import slot
from tests.distribution.commands import answer, run
from tests.distribution.making import WASM, archive, configure, lock_of, plugin, refused, versions_of
from tests.distribution.site import Site, redirect, site
from tests.requirements import requirement

REGISTRY = shutil.which("docker-registry")
IN_CI = os.environ.get("CI")  # noqa: TID251  # a test's
with_registry = pytest.mark.skipif(
    REGISTRY is None and not IN_CI, reason="there is no registry (Debian: apt-get install docker-registry)"
)
IMAGE_TYPE = "application/vnd.oci.image.config.v1+json"
PASSWORD = slot("registry password")


@contextmanager
def registry(folder: Path, auth: str = "") -> Generator[str]:
    """A registry that keeps its blobs below ``folder``; its host and port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = int(listening.getsockname()[1])
    host = f"127.0.0.1:{port}"
    folder.mkdir(exist_ok=True)
    settings = folder / "registry.yml"
    settings.write_text(
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/blobs}}}}\nhttp: {{addr: '{host}'}}\n{auth}\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(REGISTRY), "serve", settings], stdout=log, stderr=log)
    try:
        waiting = datetime.now(UTC) + timedelta(seconds=20)
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert datetime.now(UTC) < waiting, (folder / "log").read_text()
        assert process.poll() is None, (folder / "log").read_text()
        yield host
    finally:
        process.terminate()
        process.wait(10)


def opened(home: Path, *hosts: str, more: str = "") -> None:
    configure(home, f'[sharing]\nranges = ["127.0.0.0/8"]\nplain_http = {json.dumps(hosts)}\n{more}\n')


# --- a real registry ----------------------------------------------------------------------------------------------


@requirement("share:registry")
@with_registry
def test_a_package_goes_through_a_registry_and_comes_back_the_same(home: Path, stock: Path, tmp_path: Path) -> None:
    path = archive(stock, "sailor", header='description = "Goes to sea"\nauthor = "Ann"')
    with registry(tmp_path / "registry") as host:
        opened(home, host)
        published = answer(home, "publish", path, f"oci://{host}/me/sailor")
        assert published["published"] == f"oci://{host}/me/sailor:0.1.0"
        added = answer(home, "add", f"oci://{host}/me/sailor:0.1.0")["added"][0]
        assert (added["sha256"], added["source"]) == (published["sha256"], published["pinned"])
        answer(home, "remove", "sailor")
        assert answer(home, "add", published["pinned"])["added"][0]["sha256"] == published["sha256"]
        assert answer(home, "update")["updated"] == []
        assert refused(home, "add", f"oci://{host}/me/sailor:9") == (2, "package_not_found")
        assert refused(home, "add", f"oci://{host}/me/nobody") == (2, "package_not_found")
        assert refused(home, "add", f"oci://{host}/me/sailor@sha256:{'0' * 64}") == (2, "package_not_found")

        answer(home, "publish", path, f"oci://{host}/me/sailor")  # the same once more
        changed = archive(stock, "sailor", more="# another")
        assert refused(home, "publish", changed, f"oci://{host}/me/sailor") == (3, "already_published")
        assert run(home, "publish", changed, f"oci://{host}/me/sailor", "--replace").returncode == 0
        answer(home, "publish", archive(stock, "sailor", "0.2.0"), f"oci://{host}/me/sailor:latest")
        assert answer(home, "add", f"oci://{host}/me/sailor")["added"][0]["version"] == "0.2.0"
        locked = lock_of(home)["sailor"]["source"]
    assert answer(home, "add", locked, "--offline")["added"][0]["version"] == "0.2.0"
    assert refused(home, "add", f"oci://{host}/me/sailor", "--offline") == (4, "download_failed")


@requirement("share:registry")
@with_registry
def test_other_tools_find_a_webassembly_artifact_with_one_module(home: Path, stock: Path, tmp_path: Path) -> None:
    path = archive(stock, "plain")
    with registry(tmp_path / "registry") as host:
        opened(home, host)
        answer(home, "publish", path, f"oci://{host}/plain:v1")
        request = Request(f"http://{host}/v2/plain/manifests/v1", headers={"Accept": MANIFEST_TYPE})
        with urlopen(request) as response:  # noqa: S310  # ours
            assert response.headers["Content-Type"] == MANIFEST_TYPE
            manifest = json.load(response)
        assert (manifest["config"]["mediaType"], manifest["layers"][0]["mediaType"]) == (CONFIG_TYPE, WASM_TYPE)
        assert [layer["mediaType"] for layer in manifest["layers"]].count(WASM_TYPE) == 1
        with urlopen(f"http://{host}/v2/plain/blobs/{manifest['config']['digest']}") as response:
            config = json.load(response)
        assert (config["architecture"], config["os"]) == ("wasm", "wasip1")
        assert config["layerDigests"] == [layer["digest"] for layer in manifest["layers"]]
        with urlopen(f"http://{host}/v2/plain/blobs/{config['layerDigests'][0]}") as response:
            assert response.read() == WASM


class Tokens:
    """A server that gives out tokens which the registry takes, to whoever knows the password."""

    def __init__(self, folder: Path) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tokens")]), datetime.now(UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
        made = made.public_key(self._key.public_key()).not_valid_before(now - timedelta(days=1))
        self._certificate = made.not_valid_after(now + timedelta(days=1)).sign(self._key, hashes.SHA256())
        (folder / "tokens.pem").write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))
        self.bundle = folder / "tokens.pem"
        self.given: list[str | None] = []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = parse_qs(urlsplit(handler.path).query)
        authorization = handler.headers.get("Authorization")
        self.given.append(authorization)
        kind, name, actions = asked["scope"][0].split(":")
        knows = authorization == f"Basic {base64.b64encode(f'ann:{PASSWORD}'.encode()).decode()}"
        access = [{"type": kind, "name": name, "actions": actions.split(",") if knows else ["pull"]}]
        now = datetime.now(UTC)
        claims = {"iss": "tokens", "aud": asked["service"][0], "sub": "ann", "access": access, "jti": "1"}
        claims |= {"iat": now, "nbf": now - timedelta(minutes=1), "exp": now + timedelta(minutes=5)}
        der = self._certificate.public_bytes(serialization.Encoding.DER)
        headers = {"x5c": [base64.b64encode(der).decode()]}
        token = jwt.encode(claims, self._key, algorithm="RS256", headers=headers)
        data = json.dumps({"token": token}).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)


@requirement("share:registry")
@with_registry
def test_a_registry_that_asks_for_a_token_gets_one_and_the_password_goes_where_it_was_named_for(
    home: Path, stock: Path, tmp_path: Path
) -> None:
    path, tokens = archive(stock, "guarded"), Tokens(tmp_path)
    with site() as served:
        realm = f"{served.origin}/token"
        auth = f"auth: {{token: {{realm: '{realm}', service: s, issuer: tokens, rootcertbundle: {tokens.bundle}}}}}"
        with registry(tmp_path / "registry", auth) as host:
            served.odd |= {
                f"/token?scope=repository%3Aguarded%3A{scope}&service=s": tokens.answer
                for scope in ("pull", "pull%2Cpush")
            }
            opened(home, host, served.host)
            place = f"oci://{host}/guarded"
            assert refused(home, "publish", path, place) == (3, "download_refused")
            environment = {"AGENTMEM_SECRET_REGISTRY": f"ann:{PASSWORD}"}
            credentials = f'[sharing.credentials]\n"{host}" = "REGISTRY"'
            opened(home, host, served.host, more=credentials)
            tokens.given.clear()  # the realm is another host, for which nothing was named
            assert run(home, "publish", path, place, environment=environment).returncode == 3
            assert set(tokens.given) == {None}
            opened(home, host, served.host, more=f'{credentials}\n"{served.host}" = "REGISTRY"')
            published = run(home, "publish", path, place, environment=environment)
            assert (published.returncode, published.stderr) == (0, "")
            assert answer(home, "add", f"{place}:0.1.0")["added"][0]["id"] == "guarded"  # which needs no password


# --- registries that misbehave ------------------------------------------------------------------------------------


def served_artifact(served: Site, folder: Path) -> dict[str, object]:
    """Serve the artifact of a plugin as ``oci://…/x``; its manifest."""
    artifact = artifact_of(package_of(folder))
    for blob in (*artifact.blobs, artifact.manifest):
        served.files[f"/v2/x/blobs/{blob.digest}"] = blob.data
    served.files["/v2/x/manifests/latest"] = artifact.manifest.data
    return json.loads(artifact.manifest.data)


@requirement("share:registry")
def test_a_registry_that_lies_about_a_blob_or_a_manifest_is_found_out(home: Path, stock: Path) -> None:
    with site() as served:
        opened(home, served.host, more="idle_seconds = 0.5")
        manifest = served_artifact(served, plugin(stock, "lied-about"))
        place = f"oci://{served.host}/x"
        module = manifest["layers"][0]["digest"]  # type: ignore[index]  # pyright: ignore[reportIndexIssue,reportUnknownVariableType]  # JSON
        blob = f"/v2/x/blobs/{module}"
        good = served.files[blob]
        served.files[blob] = good[:-1] + b"~"
        assert refused(home, "add", place) == (3, "integrity_failed")
        served.files[blob] = good + b"more"
        assert refused(home, "add", place)[1] in ("download_failed", "integrity_failed")
        del served.files[blob]
        assert refused(home, "add", place) == (4, "download_failed")
        served.odd[blob] = served.hang
        assert refused(home, "add", place) == (4, "download_failed")
        served.odd[blob] = redirect("http://169.254.169.254/latest/")
        assert refused(home, "add", place) == (3, "download_refused")
        served.odd[blob] = redirect("https://10.0.0.1/blob")
        assert refused(home, "add", place) == (3, "download_refused")
        digest = "0" * 64
        served.files[f"/v2/x/manifests/sha256:{digest}"] = served.files["/v2/x/manifests/latest"]
        assert refused(home, "add", f"{place}@sha256:{digest}") == (3, "integrity_failed")
        served.odd["/v2/x/manifests/latest"] = served.hang
        assert refused(home, "add", place) == (4, "download_failed")
        assert versions_of(home) == {}


@requirement("share:registry")
@pytest.mark.parametrize(
    "change",
    [
        {"config": {"mediaType": IMAGE_TYPE, "digest": f"sha256:{'0' * 64}", "size": 1}},
        {"layers": []},
        {"layers": [{"mediaType": WASM_TYPE, "digest": f"sha256:{'0' * 64}", "size": 5}]},
        {"layers": [{"mediaType": WASM_TYPE, "digest": "sha256:../../etc/passwd", "size": 5}]},
        {
            "layers": [
                {"mediaType": kind, "digest": f"sha256:{'0' * 64}", "size": 5, "annotations": {
                    "org.opencontainers.image.title": name}}
                for kind, name in ((WASM_TYPE, "../x.wasm"), ("application/toml", "plugin.toml"))
            ]
        },
        {
            "layers": [
                {"mediaType": kind, "digest": f"sha256:{'0' * 64}", "size": 1 << 40, "annotations": {
                    "org.opencontainers.image.title": name}}
                for kind, name in ((WASM_TYPE, "x.wasm"), ("application/toml", "plugin.toml"))
            ]
        },
    ],
    ids=["image", "empty", "untitled", "no digest", "traversal", "large"],
)  # fmt: skip
def test_an_artifact_that_is_no_package_is_refused_before_anything_of_it_is_fetched(
    home: Path, stock: Path, change: dict[str, object]
) -> None:
    with site() as served:
        opened(home, served.host)
        manifest = served_artifact(served, plugin(stock, "odd"))
        served.files["/v2/x/manifests/latest"] = json.dumps({**manifest, **change}).encode()
        code, error = refused(home, "add", f"oci://{served.host}/x")
        assert (code, error in ("index_invalid", "bundle_invalid")) == (6, True)
        assert [path for _, path, _ in served.asked] == ["/v2/x/manifests/latest"]


@requirement("share:places")
@pytest.mark.parametrize(
    "place", ["http://169.254.169.254/put", "https://10.0.0.1/put", "https://files.example.com/put"]
)
def test_a_registry_that_wants_a_package_sent_elsewhere_does_not_get_it(home: Path, stock: Path, place: str) -> None:
    def upload(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(202)
        handler.send_header("Location", place)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with site() as served:
        opened(home, served.host)
        served.odd["POST /v2/x/blobs/uploads/"] = upload
        assert refused(home, "publish", archive(stock, "kept"), f"oci://{served.host}/x") == (3, "download_refused")
        assert [method for method, _, _ in served.asked] == ["HEAD", "HEAD", "POST"]


@requirement("share:places")
@pytest.mark.parametrize(
    "challenge",
    ['Bearer realm="http://169.254.169.254/token"', 'Bearer realm="ftp://x/"', "Bearer", "Negotiate", ""],
)
def test_a_registry_with_an_odd_realm_is_refused(home: Path, challenge: str) -> None:
    def unknown(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(401)
        handler.send_header("WWW-Authenticate", challenge)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with site() as served:
        opened(home, served.host)
        served.odd["/v2/x/manifests/latest"] = unknown
        assert refused(home, "add", f"oci://{served.host}/x") == (3, "download_refused")


@requirement("share:places")
def test_a_registry_without_tls_or_at_a_private_address_is_refused(home: Path, stock: Path) -> None:
    with site() as served:
        served_artifact(served, plugin(stock, "hidden"))
        configure(home, f'[sharing]\nplain_http = ["{served.host}"]\n')
        assert refused(home, "add", f"oci://{served.host}/x") == (3, "download_refused")
        configure(home, '[sharing]\nranges = ["127.0.0.0/8"]\n')
        assert refused(home, "add", f"oci://{served.host}/x") == (4, "download_failed")  # it is spoken to in TLS
        assert served.asked == []


@pytest.mark.parametrize(
    "text", ["", "hello", "ghcr.io", "ghcr.io/", "ghcr.io/Me/x", "ghcr.io/x:", "x/y@sha256:12", "a/../b"]
)
def test_what_is_no_reference_is_said_to_be_none(text: str) -> None:
    with pytest.raises(PackageNotFound):
        Reference.parse(text)


def test_a_reference_is_read_with_port_tag_and_digest() -> None:
    read = Reference.parse(f"Registry.local:5000/a/b-c_d:v1.0@sha256:{'a' * 64}")
    assert (read.host, read.repository, read.tag, read.wanted) == (
        "registry.local:5000",
        "a/b-c_d",
        "v1.0",
        f"sha256:{'a' * 64}",
    )
    assert str(read.pinned("b" * 64)) == f"oci://registry.local:5000/a/b-c_d@sha256:{'b' * 64}"


@requirement("share:registry")
def test_the_same_package_is_the_same_artifact(stock: Path) -> None:
    one, two = (package_of(plugin(stock / place, "twin")) for place in ("here", "there"))
    assert artifact_of(one).manifest.digest == artifact_of(two).manifest.digest
    assert files_of(stock / "here" / "twin") == one.files
