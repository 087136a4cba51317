"""Packages signed by an identity: whose signature counts, beside keys and after versions before."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

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
from tests.distribution.making import archive, lock_of
from tests.distribution.sigstore_bundles import ANN, bundle_of, raw
from tests.distribution.sigstore_instance import Instance, instance
from tests.requirements import requirement

BOB = "https://github.com/bob/noted/.github/workflows/release.yml@refs/heads/main"
KEY = SecretKey.generate()


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
