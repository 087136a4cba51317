"""Bundles of Sigstore: what is taken as a signature of an identity, and everything that is not."""

from __future__ import annotations

import base64
import copy
import json
import socket
from collections.abc import Callable, Generator
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_server.distribution.errors import SignatureProblem
from mcp_server.distribution.sigstore_bundle import MOST_BUNDLE_BYTES, IdentityBundle
from mcp_server.settings.sharing import TrustedIdentity
from tests.distribution.sigstore_bundles import ANN, bundle_of, leaves, raw
from tests.distribution.sigstore_instance import Instance, instance
from tests.requirements import requirement

DATA = b"0" * 64 + b"  plugin.toml\n"
PUBLISHED = Path(__file__).parent / "published"
STORES = Path(str(resources.files("sigstore").joinpath("_store")))
STAGING = STORES / quote("https://tuf-repo-cdn.sigstage.dev", safe="") / "trusted_root.json"


@pytest.fixture(scope="module")
def made() -> Generator[Instance]:
    with instance() as running:
        for number in range(5):  # so that a proof has a way to go
            bundle_of(running, bytes([number]))
        yield running


@pytest.fixture
def trust(made: Instance, tmp_path: Path) -> Path:
    return made.write(tmp_path)


def ann(made: Instance) -> TrustedIdentity:
    return TrustedIdentity(identity=ANN, issuer=made.origin)


def refused(data: bytes, who: TrustedIdentity, trust: Path, signed: bytes = DATA) -> str:
    """Why ``data`` is not a signature of ``who`` over ``signed``."""
    with pytest.raises(SignatureProblem) as caught:
        bundle = IdentityBundle.parse(data)
        if not bundle.names(who):
            raise SignatureProblem("of somebody else")
        bundle.check(signed, who, trust)
    return caught.value.message


def forbid_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object, **named: object) -> None:
        raise AssertionError(f"the network is asked: {given} {named}")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@requirement("share:identity")
def test_a_bundle_is_checked_against_a_root_or_a_whole_configuration_without_a_network(
    made: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = IdentityBundle.parse(raw(bundle_of(made, DATA)))
    asked = len(made.asked)
    forbid_network(monkeypatch)
    for whole in (True, False):
        bundle.check(DATA, ann(made), made.write(tmp_path, whole=whole))
    assert (bundle.claimed, bundle.names(ann(made)), len(made.asked)) == (ann(made), True, asked)


@requirement("share:identity")
def test_an_identity_is_that_very_one_as_that_very_issuer_vouched_for_it(made: Instance, trust: Path) -> None:
    bundle = raw(bundle_of(made, DATA))
    for identity in ("Ann@example.com", "ann@example.com.evil.example", "ann@example", "mann@example.com", ".*"):
        assert refused(bundle, TrustedIdentity(identity=identity, issuer=made.origin), trust) == "of somebody else"
    for issuer in (f"{made.origin}/", "https://accounts.google.com", made.origin.upper().replace("HTTP", "http")[:-1]):
        assert refused(bundle, TrustedIdentity(identity=ANN, issuer=issuer), trust) == "of somebody else"
    with pytest.raises(SignatureProblem):  # nor where nobody looked before
        IdentityBundle.parse(bundle).check(DATA, TrustedIdentity(identity="bob@example.com", issuer=made.origin), trust)


@requirement("share:identity")
def test_a_workflow_is_an_identity_too(made: Instance, trust: Path) -> None:
    who = "https://github.com/ann/plugin/.github/workflows/release.yml@refs/tags/v1"
    bundle = IdentityBundle.parse(raw(bundle_of(made, DATA, who)))
    assert bundle.claimed == TrustedIdentity(identity=who, issuer=made.origin)
    bundle.check(DATA, bundle.claimed, trust)


@requirement("share:identity")
def test_a_bundle_fits_nothing_but_what_was_signed(made: Instance, trust: Path) -> None:
    assert "does not fit" in refused(raw(bundle_of(made, DATA)), ann(made), trust, DATA + b"\n")
    silent = bundle_of(made, DATA)
    del silent["messageSignature"]["messageDigest"]  # which is a hint, and no more
    assert "does not fit" in refused(raw(silent), ann(made), trust, b"other")


@requirement("share:identity")
def test_a_change_of_any_part_of_a_bundle_is_seen(made: Instance, trust: Path) -> None:
    bundle = bundle_of(made, DATA)
    IdentityBundle.parse(raw(bundle)).check(DATA, ann(made), trust)
    ways = [way for way, _ in leaves(bundle)]
    assert len(ways) > 15
    for way, text in leaves(bundle):
        changed = copy.deepcopy(bundle)
        place: Any = changed
        for step in way[:-1]:
            place = place[step]
        middle = len(text) // 2
        place[way[-1]] = text[:middle] + ("1" if text[middle] != "1" else "2") + text[middle + 1 :]
        assert refused(raw(changed), ann(made), trust), way


def _late(made: Instance) -> dict[str, Any]:
    made.log.shift = 3_600
    try:
        return bundle_of(made, DATA)
    finally:
        made.log.shift = 0


def _early(made: Instance) -> dict[str, Any]:
    made.log.shift = -3_600
    try:
        return bundle_of(made, DATA)
    finally:
        made.log.shift = 0


def _unlogged_certificate(made: Instance) -> dict[str, Any]:
    made.authority.logs_certificates = False
    try:
        return bundle_of(made, DATA)
    finally:
        made.authority.logs_certificates = True


def _without(made: Instance, name: str) -> dict[str, Any]:
    bundle = bundle_of(made, DATA)
    del bundle["verificationMaterial"]["tlogEntries"][0][name]
    return bundle


def _of_another_entry(made: Instance) -> dict[str, Any]:
    bundle, other = bundle_of(made, DATA), bundle_of(made, DATA)
    bundle["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]
    return bundle


ODD: dict[str, tuple[Callable[[Instance], dict[str, Any]], str]] = {
    "logged after the certificate ended": (_late, "certificate"),
    "logged before the certificate began": (_early, "certificate"),
    "a certificate that is in no log": (_unlogged_certificate, "timestamp"),
    "no proof of the log": (lambda made: _without(made, "inclusionProof"), "inclusion proof"),
    "no promise, and so no time": (lambda made: _without(made, "inclusionPromise"), "inclusion promise"),
    "no time": (lambda made: _without(made, "integratedTime"), "time"),
    "no entry": (lambda made: _without(made, "canonicalizedBody"), "canonicalizedBody"),
    "the entry of another signature": (_of_another_entry, "inconsistent"),
}


@requirement("share:identity")
@pytest.mark.parametrize("odd", ODD)
def test_a_bundle_that_proves_too_little_is_refused(odd: str, made: Instance, trust: Path) -> None:
    make, why = ODD[odd]
    message = refused(raw(make(made)), ann(made), trust)
    assert why.lower() in message.lower() or "is no bundle" in message, message


@requirement("share:identity")
@pytest.mark.parametrize("part", ["certificateAuthorities", "ctlogs", "tlogs"])
def test_each_part_of_another_instance_is_foreign(part: str, made: Instance, trust: Path) -> None:
    bundle = raw(bundle_of(made, DATA))
    own = json.loads(trust.read_text())
    with instance() as other:
        foreign = json.loads(other.write(trust.parent, whole=False).read_text())
    own["trustedRoot"][part] = foreign[part]
    trust.write_text(json.dumps(own))
    assert "does not fit" in refused(bundle, ann(made), trust)


@requirement("share:identity")
def test_the_public_instance_has_signed_nothing_of_ours(made: Instance) -> None:
    with pytest.raises(SignatureProblem, match="does not fit"):
        IdentityBundle.parse(raw(bundle_of(made, DATA))).check(DATA, ann(made), None)


@requirement("share:identity")
def test_what_is_no_bundle_is_said_to_be_none(made: Instance) -> None:
    whole = raw(bundle_of(made, DATA))
    for data in (b"", b"{}", b"[]", b"null", b"\xff\xfe", b"untrusted comment: x\n", b'{"a":' * 20_000, whole + whole):
        with pytest.raises(SignatureProblem, match="no bundle"):
            IdentityBundle.parse(data)
    for end in range(0, len(whole), 97):
        with pytest.raises(SignatureProblem, match="no bundle"):
            IdentityBundle.parse(whole[:end])
    padded = whole + b" " * (MOST_BUNDLE_BYTES - len(whole))
    IdentityBundle.parse(padded)
    with pytest.raises(SignatureProblem, match="at most"):
        IdentityBundle.parse(padded + b" ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3)
)


@requirement("share:identity")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(data=st.data())
def test_whatever_stands_in_a_bundle_the_answer_is_a_refusal(data: st.DataObject, made: Instance, trust: Path) -> None:
    bundle = bundle_of(made, DATA)
    every = list(leaves(bundle))
    way, text = every[data.draw(st.integers(0, 15)) % len(every)]
    place: Any = bundle
    for step in way[:-1]:
        place = place[step]
    new = data.draw(JSON | st.binary(max_size=60).map(lambda part: base64.b64encode(part).decode()))
    place[way[-1]] = new
    if str(new) != text:
        assert refused(raw(bundle), ann(made), trust)


@requirement("share:identity")
@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"mediaType": 5}', '{"mediaType": "clienttrustconfig"}', "[" * 9_999]
)
def test_a_file_that_is_no_instance_of_sigstore_trusts_nobody(text: str, made: Instance, tmp_path: Path) -> None:
    file = tmp_path / "trust.json"
    file.write_text(text)
    bundle = IdentityBundle.parse(raw(bundle_of(made, DATA)))
    for path in (file, tmp_path / "missing.json"):
        with pytest.raises(SignatureProblem, match="cannot be used"):
            bundle.check(DATA, ann(made), path)


@requirement("share:identity")
@pytest.mark.parametrize(("name", "trust"), [("cosign-v3-blob", None), ("staging-rekor-v2", STAGING)])
def test_what_others_signed_with_real_instances_is_believed_offline(
    name: str, trust: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """See ``published/README.md``: authority, logs and times are those that the library believes."""
    text, bundle = published(name)
    forbid_network(monkeypatch)
    signer = bundle.claimed
    assert signer is not None and signer.issuer == "https://github.com/login/oauth"
    bundle.check(text, signer, trust)
    with pytest.raises(SignatureProblem, match="does not fit"):
        bundle.check(text + b"\n", signer, trust)
    with pytest.raises(SignatureProblem, match="does not fit"):
        bundle.check(text, TrustedIdentity(identity=signer.identity, issuer="https://accounts.google.com"), trust)
    with pytest.raises(SignatureProblem, match="does not fit"):  # the one instance does not believe the other
        bundle.check(text, signer, STAGING if trust is None else None)


@requirement("share:identity")
def test_where_an_authority_says_the_time_it_must_be_that_very_answer() -> None:
    text, bundle = published("staging-rekor-v2")
    changed: dict[str, Any] = json.loads(bundle.bundle.to_json())
    times = changed["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    raw_time = bytearray(base64.b64decode(times[0]["signedTimestamp"]))
    raw_time[-1] ^= 1
    times[0]["signedTimestamp"] = base64.b64encode(raw_time).decode()
    with pytest.raises(SignatureProblem):
        IdentityBundle.parse(raw(changed)).check(text, None, STAGING)


def published(name: str) -> tuple[bytes, IdentityBundle]:
    text = PUBLISHED / f"{name}.txt"
    (bundle,) = PUBLISHED.glob(f"{name}.*sigstore.json")
    return text.read_bytes(), IdentityBundle.parse(bundle.read_bytes())
