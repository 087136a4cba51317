"""Packages signed by an identity: made, trusted, verified and added as those by a key are, and refused as those are."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.distribution.adding import Added, Allowed, Offer, add_offers
from mcp_server.distribution.errors import RollbackRefused, SignatureProblem
from mcp_server.distribution.fetching import files_of
from mcp_server.distribution.minisign import SecretKey
from mcp_server.distribution.signing import (
    BUNDLE_NAME,
    SIGNATURE_NAME,
    SUMS_NAME,
    Trust,
    signatures_of,
    signed_files,
    which_counts,
)
from mcp_server.registry.installed import InstalledPlugins
from mcp_server.settings.sharing import TrustedIdentity
from tests.canary import slot
from tests.distribution.commands import answer, run
from tests.distribution.making import archive, configure, lock_of, refused, versions_of, zip_of
from tests.distribution.sigstore_bundles import ANN, bundle_of, raw
from tests.distribution.sigstore_instance import Instance, instance
from tests.distribution.site import site
from tests.requirements import requirement

BOB = "https://github.com/bob/noted/.github/workflows/release.yml@refs/heads/main"
KEY = SecretKey.generate()
AMBIENT = ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME")


@pytest.fixture(scope="module")
def made() -> Generator[Instance]:
    with instance() as running:
        yield running


@pytest.fixture
def trust(made: Instance, home: Path) -> Trust:
    """Of ann by a key and an identity, and of bob by an identity alone."""
    who = {name: TrustedIdentity(identity=text, issuer=made.origin) for name, text in (("ann", ANN), ("bob", BOB))}
    return Trust({"ann": str(KEY.public)}, who, made.write(home))


def offer(made: Instance, stock: Path, version: str = "0.1.0", who: str | None = ANN, key: bool = False) -> Offer:
    """A package of that version, signed by an identity, a key, both or nobody."""
    files = files_of(archive(stock, "noted", version))
    if key:
        files = signed_files(files, KEY, "test")
    if who:
        files[BUNDLE_NAME] = raw(bundle_of(made, files[SUMS_NAME], who))
    return Offer(files, "here", "here")


def add(home: Path, offered: Offer, allowed: Allowed) -> Added:
    return add_offers(InstalledPlugins(home / "data"), [offered], allowed)[0]


def sign(home: Path, made: Instance, path: Path, *words: str | Path, who: str = ANN) -> dict[str, Any]:
    """What ``sign --sigstore`` says for somebody who has a token."""
    token = {"SIGSTORE_ID_TOKEN": made.token(who)}
    result = run(home, "sign", path, "--sigstore", *words, "--json", environment=token)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


# --- what it covers, and who may sign ---------------------------------------------------------------------------------


@requirement("share:identity")
def test_a_change_of_any_file_is_seen_and_so_is_a_file_more_or_less(made: Instance, stock: Path, trust: Trust) -> None:
    files = offer(made, stock).files
    assert [one.signer for one in signatures_of(files, trust)] == ["ann"]
    for name in files:
        with pytest.raises(SignatureProblem):
            signatures_of({**files, name: files[name][:-2] + b"~\n"}, trust)
        if name != BUNDLE_NAME:
            with pytest.raises(SignatureProblem):
                signatures_of({other: data for other, data in files.items() if other != name}, trust)
    with pytest.raises(SignatureProblem):
        signatures_of({**files, "more.json": b"{}"}, trust)
    with pytest.raises(SignatureProblem):  # the list was written anew, and the signature is of the old one
        other = offer(made, stock, "0.2.0", None).files
        signatures_of({**other, BUNDLE_NAME: files[BUNDLE_NAME]}, trust)


@requirement("share:identity")
def test_where_a_signature_is_required_a_stranger_is_refused_and_named(
    home: Path, made: Instance, stock: Path, trust: Trust
) -> None:
    strict = Allowed(trust, require_signature=True)
    with pytest.raises(SignatureProblem, match="mallory@example.com") as caught:
        add(home, offer(made, stock, who="mallory@example.com"), strict)
    assert f"key trust NAME --identity mallory@example.com --issuer {made.origin}" in caught.value.fix
    assert lock_of(home) == {}
    added = add(home, offer(made, stock), strict)
    assert (added.origin.signer, added.origin.key) == ("ann", f"{ANN} via {made.origin}")


@requirement("share:identity")
def test_what_a_stranger_calls_himself_is_quoted_where_it_may_be_pasted(made: Instance, stock: Path) -> None:
    odd = "x;reboot@example.com"
    (signed,) = signatures_of(offer(made, stock, who=odd).files, Trust())
    assert (signed.signer, f"'{odd}'" in signed.fix, f" {odd}" in signed.fix) == (None, True, False)


@requirement("share:identity")
def test_after_a_signed_version_comes_no_other_signer_and_no_older_one(
    home: Path, made: Instance, stock: Path, trust: Trust
) -> None:
    add(home, offer(made, stock, "0.2.0"), Allowed(trust))
    for who in (None, BOB, "mallory@example.com"):
        with pytest.raises(SignatureProblem):
            add(home, offer(made, stock, "0.3.0", who), Allowed(trust))
    with pytest.raises(RollbackRefused):
        add(home, offer(made, stock, "0.1.0"), Allowed(trust))
    InstalledPlugins(home / "data").remove("noted")
    with pytest.raises(RollbackRefused):
        add(home, offer(made, stock, "0.1.0"), Allowed(trust))
    assert add(home, offer(made, stock, "0.3.0", BOB), Allowed(trust, other_signer=True)).origin.signer == "bob"


@requirement("share:identity")
def test_a_key_and_an_identity_of_one_name_are_one_signer(
    home: Path, made: Instance, stock: Path, trust: Trust
) -> None:
    for version, who, key in (("0.1.0", None, True), ("0.2.0", ANN, False), ("0.3.0", None, True)):
        assert add(home, offer(made, stock, version, who, key), Allowed(trust)).origin.signer == "ann"


@requirement("share:identity")
def test_of_two_signatures_that_of_who_signed_before_counts_and_both_must_fit(
    home: Path, made: Instance, stock: Path, trust: Trust
) -> None:
    add(home, offer(made, stock, "0.1.0", BOB), Allowed(trust))
    both = offer(made, stock, "0.2.0", BOB, key=True)
    assert [one.signer for one in signatures_of(both.files, trust)] == ["ann", "bob"]
    assert add(home, both, Allowed(trust)).origin.signer == "bob"
    other = offer(made, stock, "0.3.0", BOB, key=True)
    for name in (SIGNATURE_NAME, BUNDLE_NAME):  # one of another version beside a good one
        with pytest.raises(SignatureProblem, match="does not fit"):
            add(home, Offer({**other.files, name: both.files[name]}, "here", "here"), Allowed(trust))
    stranger = offer(made, stock, "0.3.0", "mallory@example.com", key=True)
    assert [one.signer for one in signatures_of(stranger.files, trust)] == ["ann", None]
    assert (which_counts(signatures_of(stranger.files, trust)) or pytest.fail()).signer == "ann"


@requirement("share:locked")
def test_a_lock_names_the_identity_that_another_machine_must_find(
    home: Path, made: Instance, stock: Path, trust: Trust, tmp_path: Path
) -> None:
    both = offer(made, stock, "0.1.0", BOB, key=True)
    add(
        home,
        Offer({**both.files}, "here", "here"),
        Allowed(Trust(identities=trust.identities, sigstore=trust.sigstore)),
    )
    other = tmp_path / "other"
    (other / "data").mkdir(parents=True)
    (other / "data" / "plugins.lock").write_bytes((home / "data" / "plugins.lock").read_bytes())
    assert add(other, both, Allowed(trust, locked=True)).origin.signer == "bob"


# --- the commands -----------------------------------------------------------------------------------------------------


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
    path = stock / "strange.zip"
    path.write_bytes(zip_of(offer(made, stock).files))
    told = run(home, "add", path).stdout
    assert f"says that it is signed by {ANN} via {made.origin}, whom you do not trust" in told
    assert f"key trust NAME --identity {ANN} --issuer {made.origin}" in told
    assert (lock_of(home)["noted"]["signer"], versions_of(home)) == (None, {"noted": "0.1.0"})


@requirement("share:sigstore")
def test_an_identity_that_an_index_brings_is_the_same(home: Path, made: Instance, stock: Path) -> None:
    path = archive(stock, "noted")
    sign(home, made, path, "--sigstore-trust", made.write(home))
    public = stock / "public"
    public.mkdir()
    with site() as served:
        more = f'sigstore_trust = "{home / "instance.json"}"\nrequire_signature = true\n'
        tables = f'[sharing.indexes]\nmain = "{served.origin}/index.json"\n[sharing.identities]\n'
        configure(home, f'{served.settings(more)}{tables}ann = {{ identity = "{ANN}", issuer = "{made.origin}" }}\n')
        answer(home, "publish", path, public)
        served.files = {f"/{one.name}": one.read_bytes() for one in public.iterdir()}
        assert answer(home, "add", "noted")["added"][0]["signer"] == "ann"


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
def test_without_a_token_a_person_signs_in_with_a_browser(home: Path, made: Instance, stock: Path) -> None:
    path, visit = archive(stock, "noted"), "import sys, urllib.request as u; u.urlopen(sys.argv[1]).read()"
    browser = stock / "browser.py"
    browser.write_text(visit)
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home), "BROWSER": f"{sys.executable} {browser} %s"}  # noqa: TID251  # a test's
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
    home: Path, made: Instance, stock: Path, trust: Trust
) -> None:
    def without(*words: str | Path) -> tuple[int, str]:
        start = "import sys; sys.modules['sigstore'] = None; from mcp_server.__main__ import main; main()"
        environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home)}  # noqa: TID251  # a test's
        done = subprocess.run(
            [sys.executable, "-c", start, *words], cwd=home, env=environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    configure(
        home,
        f'[sharing]\nrequire_signature = true\nsigstore_trust = "{trust.sigstore}"\n[sharing.keys]\n'
        f'ann = "{KEY.public}"\n[sharing.identities]\nann = {{ identity = "{ANN}", issuer = "{made.origin}" }}\n',
    )
    path = stock / "identity.zip"
    path.write_bytes(zip_of(offer(made, stock).files))
    for words in (("add", path), ("verify", path), ("sign", path, "--sigstore")):
        code, told = without(*words)
        assert (code, "not installed" in told, "pip install 'agentmem-mcp[sigstore]'" in told) == (3, True, True), told
    assert versions_of(home) == {}
    path.write_bytes(zip_of(offer(made, stock, key=True).files))
    assert without("add", path)[0] == 0
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
