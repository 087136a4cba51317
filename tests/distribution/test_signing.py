"""Signatures: the format, what they cover, and what becomes of packages that have the wrong one or none."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.distribution.adding import Added, Allowed, Offer, add_offers
from mcp_server.distribution.errors import RollbackRefused, SignatureProblem
from mcp_server.distribution.fetching import files_of
from mcp_server.distribution.minisign import PublicKey, SecretKey, Signature
from mcp_server.distribution.signing import SIGNATURE_NAME, SUMS_NAME, Trust, signatures_of, signed_files
from mcp_server.errors import AgentMemError
from mcp_server.registry.installed import InstalledPlugins
from tests.distribution.commands import answer, run
from tests.distribution.making import archive, lock_of, refused, versions_of, zip_of
from tests.requirements import requirement

MINISIGN = shutil.which("minisign")
IN_CI = os.environ.get("CI")  # noqa: TID251  # a test's
KEY, OTHER = SecretKey.generate(), SecretKey.generate()
ANN = Trust({"ann": str(KEY.public)})
BOTH = Trust({**ANN.keys, "bob": str(OTHER.public)})

with_minisign = pytest.mark.skipif(MINISIGN is None and not IN_CI, reason="minisign is not installed (Debian has it)")


def offer(stock: Path, version: str = "0.1.0", key: SecretKey | None = KEY) -> Offer:
    files = files_of(archive(stock, "noted", version))
    return Offer(signed_files(files, key, "test") if key else files, "here", "here")


def add(home: Path, offered: Offer, allowed: Allowed) -> Added:
    return add_offers(InstalledPlugins(home / "data"), [offered], allowed)[0]


# --- the format ---------------------------------------------------------------------------------------------------


@requirement("share:sign")
@with_minisign
def test_minisign_checks_what_we_sign_and_we_check_what_it_signs(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"some bytes")
    (tmp_path / "ours.pub").write_text(KEY.public_file())
    (tmp_path / "text.minisig").write_text(str(KEY.sign(b"some bytes", "said along")))
    checked = subprocess.run(["minisign", "-Vm", text, "-p", "ours.pub"], cwd=tmp_path, capture_output=True, text=True)
    assert (checked.returncode, "said along" in checked.stdout) == (0, True), checked.stderr

    made = ["minisign", "-G", "-W", "-p", "theirs.pub", "-s", "theirs.key"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    sign = ["minisign", "-Sm", text, "-s", "theirs.key", "-x", "theirs.minisig", "-t", "of theirs"]
    subprocess.run(sign, cwd=tmp_path, check=True, capture_output=True)
    theirs = PublicKey.parse((tmp_path / "theirs.pub").read_text())
    signature = Signature.parse((tmp_path / "theirs.minisig").read_text())
    theirs.check(b"some bytes", signature)
    with pytest.raises(SignatureProblem):
        theirs.check(b"other bytes", signature)
    secret = SecretKey.parse((tmp_path / "theirs.key").read_text())
    assert (secret.public, signature.comment) == (theirs, "of theirs")

    (tmp_path / "again.key").write_text(secret.file())  # and it takes the keys that we write
    again = ["minisign", "-Sm", text, "-s", "again.key", "-x", "again.minisig"]
    subprocess.run(again, cwd=tmp_path, check=True, capture_output=True)
    theirs.check(b"some bytes", Signature.parse((tmp_path / "again.minisig").read_text()))


@requirement("share:sign")
@with_minisign
def test_a_signature_that_minisign_made_over_the_list_is_put_into_a_package(home: Path, stock: Path) -> None:
    path = archive(stock, "noted")
    (stock / SUMS_NAME).write_bytes(files_of(path)[SUMS_NAME])
    subprocess.run(["minisign", "-G", "-W", "-p", "k.pub", "-s", "k.key"], cwd=stock, check=True, capture_output=True)
    subprocess.run(["minisign", "-Sm", SUMS_NAME, "-s", "k.key"], cwd=stock, check=True, capture_output=True)
    answer(home, "sign", path, "--signature", stock / SIGNATURE_NAME)
    assert answer(home, "verify", path, "--key", stock / "k.pub")["signer"] == "--key"


@requirement("share:sign")
@given(st.binary(max_size=200))
def test_what_was_signed_is_read_back_and_fits_nothing_else(data: bytes) -> None:
    signature = Signature.parse(str(KEY.sign(data, "along")))
    KEY.public.check(data, signature)
    assert SecretKey.parse(KEY.file()) == KEY
    assert PublicKey.parse(str(KEY.public)) == KEY.public
    with pytest.raises(SignatureProblem):
        KEY.public.check(data + b"x", signature)
    with pytest.raises(SignatureProblem):
        OTHER.public.check(data, signature)


@requirement("share:sign")
@given(st.text(max_size=400))
def test_what_is_no_key_and_no_signature_is_said_to_be_none(text: str) -> None:
    for read in (PublicKey.parse, SecretKey.parse, Signature.parse):
        with pytest.raises(SignatureProblem):
            read(text)


def test_the_comment_is_covered_too() -> None:
    text = str(KEY.sign(b"data", "version 2"))
    with pytest.raises(SignatureProblem):
        KEY.public.check(b"data", Signature.parse(text.replace("version 2", "version 3")))


# --- what it covers -----------------------------------------------------------------------------------------------


@requirement("share:signer")
def test_a_change_of_any_file_is_seen_and_so_is_a_file_more_or_less(stock: Path) -> None:
    files = offer(stock).files
    assert [one.signer for one in signatures_of(files, ANN)] == ["ann"]
    for name in files:
        changed = {**files, name: files[name][:-2] + b"~\n"}
        with pytest.raises(SignatureProblem):
            signatures_of(changed, ANN)
        if name != SIGNATURE_NAME:
            with pytest.raises(SignatureProblem):
                signatures_of({other: data for other, data in files.items() if other != name}, ANN)
    with pytest.raises(SignatureProblem):
        signatures_of({**files, "more.json": b"{}"}, ANN)


@requirement("share:signer")
def test_the_signature_of_one_package_does_not_fit_another(stock: Path) -> None:
    one, two = offer(stock).files, offer(stock, "0.2.0").files
    with pytest.raises(SignatureProblem):
        signatures_of({**two, SIGNATURE_NAME: one[SIGNATURE_NAME]}, ANN)


# --- who may sign -------------------------------------------------------------------------------------------------


@requirement("share:signer")
def test_where_a_signature_is_required_none_and_an_unknown_one_are_refused(home: Path, stock: Path) -> None:
    strict = Allowed(ANN, require_signature=True)
    for offered in (offer(stock, key=None), offer(stock, key=OTHER)):
        with pytest.raises(SignatureProblem, match="require_signature"):
            add(home, offered, strict)
    assert lock_of(home) == {}
    assert add(home, offer(stock), strict).origin.signer == "ann"


@requirement("share:signer")
def test_after_a_signed_version_comes_no_other_signer_unless_that_was_said(home: Path, stock: Path) -> None:
    add(home, offer(stock), Allowed(BOTH))
    for key in (None, OTHER, SecretKey.generate()):
        with pytest.raises(SignatureProblem):
            add(home, offer(stock, "0.2.0", key), Allowed(BOTH))
    assert lock_of(home)["noted"]["version"] == "0.1.0"
    assert add(home, offer(stock, "0.2.0", OTHER), Allowed(BOTH, other_signer=True)).origin.signer == "bob"


@requirement("share:signer")
def test_a_key_that_was_replaced_under_its_name_goes_on(home: Path, stock: Path) -> None:
    add(home, offer(stock), Allowed(ANN))
    renewed = Allowed(Trust({"ann": str(OTHER.public)}))
    assert add(home, offer(stock, "0.2.0", OTHER), renewed).origin.key == str(OTHER.public)


@requirement("share:signer")
def test_an_unknown_signature_counts_as_none(home: Path, stock: Path) -> None:
    added = add(home, offer(stock), Allowed(Trust()))
    assert (added.origin.signer, added.signed and added.signed.key_name) == (None, KEY.public.name)


# --- older versions -----------------------------------------------------------------------------------------------


@requirement("share:rollback")
def test_an_older_version_is_refused_also_after_a_removal_unless_it_was_asked_for(home: Path, stock: Path) -> None:
    installed, allowed = InstalledPlugins(home / "data"), Allowed(ANN)
    add(home, offer(stock, "0.10.0"), allowed)
    for older in (offer(stock, "0.9.0"), offer(stock, "0.10.0-rc.1")):
        with pytest.raises(RollbackRefused):
            add(home, older, allowed)
    installed.remove("noted")
    with pytest.raises(RollbackRefused):
        add(home, offer(stock, "0.9.0"), allowed)
    with pytest.raises(AgentMemError):  # nor by leaving the signature out
        add(home, offer(stock, "0.9.0", None), allowed)
    assert add(home, offer(stock, "0.9.0"), Allowed(ANN, downgrade=True)).origin.version == "0.9.0"


# --- the commands -------------------------------------------------------------------------------------------------


@requirement("share:sign")
def test_a_package_is_signed_trusted_verified_and_added_by_its_signer(home: Path, stock: Path) -> None:
    path = archive(stock, "noted")
    unsigned = path.read_bytes()
    key = answer(home, "key", "generate", "ann")
    assert Path(key["secret"]).stat().st_mode & 0o777 == 0o600
    assert refused(home, "verify", path) == (3, "signature_invalid")
    answer(home, "sign", path, "--key", "ann")
    once = path.read_bytes()
    assert once != unsigned
    assert refused(home, "verify", path) == (3, "signature_invalid")  # nobody trusts the key yet
    answer(home, "key", "trust", "ann", key["public"])
    assert answer(home, "verify", path)["signer"] == "ann"
    assert answer(home, "sign", path, "--key", "ann")["key"] == key["key_id"]
    assert path.read_bytes() == once
    assert answer(home, "add", path)["added"][0]["signer"] == "ann"
    assert (lock_of(home)["noted"]["signer"], lock_of(home)["noted"]["key"]) == ("ann", key["key"])
    assert answer(home, "verify", "noted")["signer"] == "ann"  # the installed one
    listed = answer(home, "key", "list")
    assert ([one["name"] for one in listed["trusted"]], listed["own"]) == (["ann"], ["ann"])
    answer(home, "key", "forget", "ann")
    assert refused(home, "verify", path) == (3, "signature_invalid")


@requirement("share:signer")
def test_a_package_that_was_changed_after_it_was_signed_is_refused(home: Path, stock: Path) -> None:
    files = offer(stock).files
    path = stock / "bad.zip"
    for name in ("plugin.toml", "noted.wasm"):
        more = b"\n# changed" if name == "plugin.toml" else b"\0\x02\x01x"  # an empty custom section: still a module
        path.write_bytes(zip_of({**files, name: files[name] + more}))
        assert refused(home, "add", path) == (3, "signature_invalid")
    assert versions_of(home) == {}


def test_a_name_and_a_key_stand_for_each_other_alone(home: Path) -> None:
    assert run(home, "key", "trust", "ann", str(KEY.public)).returncode == 0
    assert refused(home, "key", "trust", "ann", str(OTHER.public)) == (2, "invalid_arguments")
    assert refused(home, "key", "trust", "bob", str(KEY.public)) == (2, "invalid_arguments")
    assert refused(home, "key", "trust", "bob", "RWnonsense") == (3, "signature_invalid")
    assert refused(home, "key", "trust", "../x", str(OTHER.public)) == (2, "invalid_arguments")
    assert run(home, "key", "generate").returncode == 0
    assert refused(home, "key", "generate") == (2, "invalid_arguments")
