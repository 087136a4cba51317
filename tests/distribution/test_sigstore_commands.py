"""The commands that sign packages by an identity, trust it, and verify and add what it signed."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.cli.doctor.plugins import configuration
from mcp_server.distribution.fetching import files_of
from mcp_server.distribution.minisign import SecretKey
from mcp_server.distribution.signing import BUNDLE_NAME, EXTRA, SUMS_NAME, signed_files
from mcp_server.settings import load_configuration
from tests.canary import slot
from tests.distribution.commands import answer, run
from tests.distribution.making import archive, configure, lock_of, refused, versions_of, zip_of
from tests.distribution.sigstore_bundles import ANN, bundle_of, raw
from tests.distribution.sigstore_instance import Instance, instance
from tests.distribution.site import site
from tests.distribution.test_registry import registry, with_registry
from tests.requirements import requirement

BOB = "https://github.com/bob/noted/.github/workflows/release.yml@refs/heads/main"
KEY = SecretKey.generate()
AMBIENT = ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME")


@pytest.fixture(scope="module")
def made() -> Generator[Instance]:
    with instance() as running:
        yield running


def package(made: Instance, stock: Path, *, key: bool = False) -> Path:
    """A package that ann signed as who she is, and with a key."""
    path = archive(stock, "noted")
    files = files_of(path)
    if key:
        files = signed_files(files, KEY, "test")
    path.write_bytes(zip_of({**files, BUNDLE_NAME: raw(bundle_of(made, files[SUMS_NAME]))}))
    return path


def sharing(made: Instance, home: Path, more: str = "") -> str:
    """A configuration that believes that instance, and ann."""
    identity = f'[sharing.identities]\nann = {{ identity = "{ANN}", issuer = "{made.origin}" }}\n'
    return f'sigstore_trust = "{made.write(home)}"\n{more}{identity}'


def sign(home: Path, made: Instance, path: Path, *words: str | Path, who: str = ANN) -> dict[str, Any]:
    """What ``sign --sigstore`` says for somebody who has a token."""
    token = {"SIGSTORE_ID_TOKEN": made.token(who)}
    result = run(home, "sign", path, "--sigstore", *words, "--json", environment=token)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@requirement("share:sigstore")
def test_a_package_is_signed_by_an_identity_trusted_verified_and_added(home: Path, made: Instance, stock: Path) -> None:
    path, unsigned = archive(stock, "noted"), archive(stock, "noted").read_bytes()
    configure(home, f'[sharing]\nsigstore_trust = "{made.write(home)}"\n')
    told = sign(home, made, path)
    assert (told["identity"], told["issuer"], path.read_bytes() != unsigned) == (ANN, made.origin, True)
    assert refused(home, "verify", path) == (3, "signature_invalid")  # nobody trusts the identity yet
    who = ("--identity", ANN, "--issuer", made.origin)
    assert answer(home, "verify", path, *who)["signer"] == "--identity"
    assert refused(home, "verify", path, "--identity", BOB, "--issuer", made.origin) == (3, "signature_invalid")
    answer(home, "key", "trust", "ann", *who)
    asked = len(made.asked)
    assert answer(home, "verify", path)["signer"] == "ann"
    assert answer(home, "add", path)["added"][0]["signer"] == "ann"
    assert (lock_of(home)["noted"]["signer"], lock_of(home)["noted"]["key"]) == ("ann", f"{ANN} via {made.origin}")
    assert answer(home, "verify", "noted")["signatures"][0]["key"] == f"{ANN} via {made.origin}"
    assert len(made.asked) == asked  # none of that asks anybody
    assert answer(home, "key", "list")["identities"] == [{"name": "ann", "identity": ANN, "issuer": made.origin}]
    assert f"{ANN} via {made.origin}" in run(home, "key", "list").stdout
    answer(home, "key", "forget", "ann")
    assert answer(home, "key", "list")["identities"] == []
    assert refused(home, "verify", path) == (3, "signature_invalid")


@requirement("share:sigstore")
def test_a_bundle_that_another_tool_made_is_put_in_beside_a_key_and_checked_first(
    home: Path, made: Instance, stock: Path
) -> None:
    path, root = archive(stock, "noted"), made.write(home, whole=False)
    answer(home, "key", "trust", "ann", answer(home, "key", "generate")["public"])
    answer(home, "sign", path)
    sums = files_of(path)[SUMS_NAME]
    bundle = stock / BUNDLE_NAME
    bundle.write_bytes(raw(bundle_of(made, b"something else")))
    before = path.read_bytes()
    assert refused(home, "sign", path, "--signature", bundle, "--sigstore-trust", root) == (3, "signature_invalid")
    bundle.write_bytes(raw(bundle_of(made, sums, BOB)))
    assert refused(home, "sign", path, "--signature", bundle) == (3, "signature_invalid")  # not of the public instance
    assert path.read_bytes() == before
    assert answer(home, "sign", path, "--signature", bundle, "--sigstore-trust", root)["identity"] == BOB
    found = answer(home, "verify", path)
    assert (found["signer"], [one["signer"] for one in found["signatures"]]) == ("ann", ["ann", None])
    assert "whom you do not trust" in run(home, "verify", path).stdout


@requirement("share:sigstore")
def test_a_stranger_is_named_by_add_with_the_next_command(home: Path, made: Instance, stock: Path) -> None:
    told = run(home, "add", package(made, stock)).stdout
    assert f"says that it is signed by {ANN} via {made.origin}, whom you do not trust" in told
    assert f"key trust NAME --identity {ANN} --issuer {made.origin}" in told
    assert (lock_of(home)["noted"]["signer"], versions_of(home)) == (None, {"noted": "0.1.0"})


@requirement("share:sigstore")
def test_an_identity_that_an_index_brings_is_the_same(home: Path, made: Instance, stock: Path) -> None:
    public = stock / "public"
    public.mkdir()
    with site() as served:
        more = f'require_signature = true\n[sharing.indexes]\nmain = "{served.origin}/index.json"\n'
        configure(home, f"{served.settings()}{sharing(made, home, more)}")
        answer(home, "publish", package(made, stock), public)
        served.files = {f"/{one.name}": one.read_bytes() for one in public.iterdir()}
        assert answer(home, "add", "noted")["added"][0]["signer"] == "ann"


@requirement("share:sigstore")
@with_registry
def test_an_identity_that_a_registry_brings_is_the_same(
    home: Path, made: Instance, stock: Path, tmp_path: Path
) -> None:
    with registry(tmp_path / "registry") as host:
        places = f'[sharing]\nranges = ["127.0.0.0/8"]\nplain_http = ["{host}"]\nrequire_signature = true\n'
        configure(home, f"{places}{sharing(made, home)}")
        pinned = answer(home, "publish", package(made, stock, key=True), f"oci://{host}/ann/noted")["pinned"]
        assert answer(home, "add", pinned)["added"][0]["signer"] == "ann"


@requirement("share:sigstore")
def test_what_sigstore_refuses_leaves_the_package_as_it_was(
    home: Path, made: Instance, stock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in AMBIENT:
        monkeypatch.delenv(name, raising=False)
    path, trust = archive(stock, "noted"), made.write(home)
    before = path.read_bytes()
    words = ("sign", path, "--sigstore", "--sigstore-trust")
    assert refused(home, *words, trust) == (4, "signing_failed")  # nobody said who signs
    with instance() as other:
        monkeypatch.setenv("SIGSTORE_ID_TOKEN", other.token(ANN))
    assert refused(home, *words, trust) == (4, "signing_failed")  # a token of another issuer
    gone = stock / "gone.json"
    gone.write_text(trust.read_text().replace(made.origin, other.origin))
    assert refused(home, *words, gone) == (4, "signing_failed")  # its servers are not there
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", slot("identity token"))
    assert refused(home, *words, trust) == (4, "signing_failed")  # no token at all
    assert refused(home, *words, made.write(home, whole=False)) == (3, "signature_invalid")  # no servers in it
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", made.token(ANN))
    made.log.shift = 3_600  # it signs, and what it made would be believed by nobody
    try:
        assert refused(home, *words, trust) == (4, "signing_failed")
    finally:
        made.log.shift = 0
    assert path.read_bytes() == before


@requirement("share:sigstore")
@pytest.mark.parametrize("path", ["/api/v2/signingCert", "/api/v1/log/entries"])
def test_a_server_that_hangs_is_not_waited_for_longer_than_was_said(
    path: str, home: Path, stock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with instance() as slow:
        slow.slow = path
        configure(home, f"[sharing]\ntotal_seconds = 0.5\n{sharing(slow, home)}")
        monkeypatch.setenv("SIGSTORE_ID_TOKEN", slow.token(ANN))
        assert refused(home, "sign", archive(stock, "noted"), "--sigstore") == (4, "signing_failed")


@requirement("share:sigstore")
@pytest.mark.parametrize("answered", [(500, {}), (200, {}), (200, []), (200, "text"), (200, {"one": {"body": "e30="}})])
@pytest.mark.parametrize("path", ["/api/v2/signingCert", "/api/v1/log/entries"])
def test_a_server_that_answers_nonsense_has_not_signed(
    path: str, answered: tuple[int, Any], home: Path, stock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with instance() as strange:
        strange.odd[path] = answered
        configure(home, f"[sharing]\n{sharing(strange, home)}")
        monkeypatch.setenv("SIGSTORE_ID_TOKEN", strange.token(ANN))
        package = archive(stock, "noted")
        before = package.read_bytes()
        assert refused(home, "sign", package, "--sigstore") == (4, "signing_failed")
    assert package.read_bytes() == before


@requirement("share:sigstore")
def test_without_a_token_a_person_signs_in_with_a_browser(home: Path, made: Instance, stock: Path) -> None:
    path, visit = archive(stock, "noted"), "import sys, urllib.request as u; u.urlopen(sys.argv[1]).read()"
    browser = stock / "browser.py"
    browser.write_text(visit)
    opening = f"{shlex.join([sys.executable, str(browser)])} %s"
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home), "BROWSER": opening}  # noqa: TID251  # a test's
    command = [sys.executable, "-m", "mcp_server", "sign", path, "--sigstore", "--sigstore-trust", made.write(home)]
    master, terminal = pty.openpty()
    try:
        done = subprocess.run([*command, "--json"], env=environment, stdin=terminal, capture_output=True, text=True)
    finally:
        os.close(master)
        os.close(terminal)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["identity"] == made.visitor


@requirement("share:sigstore")
def test_without_the_extra_an_identity_is_nobody_and_a_key_is_what_it_was(
    home: Path, made: Instance, stock: Path
) -> None:
    def without(*words: str | Path) -> tuple[int, str]:
        start = "import sys; sys.modules['sigstore'] = None; from mcp_server.__main__ import main; main()"
        environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home)}  # noqa: TID251  # a test's
        done = subprocess.run(
            [sys.executable, "-c", start, *words], cwd=home, env=environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    keys = f'[sharing.keys]\nann = "{KEY.public}"\n'
    configure(home, f"[sharing]\nrequire_signature = true\n{sharing(made, home, keys)}")
    path = package(made, stock)
    for words in (("add", path), ("verify", path), ("sign", path, "--sigstore")):
        code, told = without(*words)
        assert (code, "not installed" in told, "pip install 'agentmem-mcp[sigstore]'" in told) == (3, True, True), told
    assert versions_of(home) == {}
    assert without("add", package(made, stock, key=True))[0] == 0
    assert lock_of(home)["noted"]["key"] == str(KEY.public)


def test_a_name_and_an_identity_stand_for_each_other_alone(home: Path) -> None:
    who = ("--identity", ANN, "--issuer", "https://issuer.example")
    assert run(home, "key", "trust", "ann", *who).returncode == 0
    assert run(home, "key", "trust", "ann", *who).returncode == 0
    assert run(home, "key", "trust", "ann", str(KEY.public)).returncode == 0  # and a key of her own
    for words in (
        ("ann", "--identity", BOB, "--issuer", "https://issuer.example"),
        ("bob", *who),
        ("bob",),
        ("bob", str(KEY.public), *who),
        ("bob", "--identity", BOB),
        ("bob", "--issuer", "https://issuer.example"),
        ("bob", "--identity", "two words", "--issuer", "https://issuer.example"),
        ("bob", "--identity", BOB, "--issuer", "issuer.example"),
        ("../x", "--identity", BOB, "--issuer", "https://issuer.example"),
    ):
        assert refused(home, "key", "trust", *words) == (2, "invalid_arguments"), words
    assert answer(home, "key", "forget", "ann")["changed"] == [
        "- ann in [sharing.keys]",
        "- ann in [sharing.identities]",
    ]


@requirement("share:sigstore")
def test_doctor_tells_when_identities_are_trusted_and_the_extra_is_missing(
    home: Path, made: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(home, f"[sharing]\n{sharing(made, home)}")
    read = load_configuration(home / "config" / "config.toml")
    assert [finding.status for finding in configuration(read)] == ["ok"]
    monkeypatch.setitem(sys.modules, "sigstore", None)
    assert [finding.fix for finding in configuration(read) if finding.status == "wrong"] == [EXTRA]
