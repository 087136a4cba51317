"""What a signature of a bundle covers, and whom it is by.

``SHA256SUMS.txt`` names every other file of the bundle with its digest, and that list is signed: by a key, in
``SHA256SUMS.txt.minisig``, by an identity, in ``SHA256SUMS.txt.sigstore.json``, or by both. All of them travel inside
the bundle, so that they come along whatever way it takes and can be checked as long as it is installed; ``sha256sum
-c``, ``minisign -V`` and ``cosign verify-blob`` check them without us. A bundle that is not as listed is refused,
trusted or not.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mcp_server.distribution.errors import SignatureProblem
from mcp_server.distribution.minisign import PublicKey, SecretKey, Signature
from mcp_server.settings.sharing import SharingSettings, TrustedIdentity

__all__ = [
    "BUNDLE_NAME",
    "EXTRA",
    "SIGNATURE_NAME",
    "SUMS_NAME",
    "Signed",
    "Trust",
    "require_listed",
    "signatures_of",
    "signed_files",
    "which_counts",
    "with_sums",
]

SUMS_NAME = "SHA256SUMS.txt"
SIGNATURE_NAME = f"{SUMS_NAME}.minisig"
BUNDLE_NAME = f"{SUMS_NAME}.sigstore.json"
_OWN = frozenset({SUMS_NAME, SIGNATURE_NAME, BUNDLE_NAME})
EXTRA = "pip install 'agentmem-mcp[sigstore]'"
"""What brings the library for signatures by identities."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures count.

    Attributes:
        keys: Name -> public key, as `[sharing] keys` has them.
        identities: Name -> who signs by Sigstore. A name in both is one signer.
        sigstore: The file of an instance; None for the public one.
    """

    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    identities: Mapping[str, TrustedIdentity] = field(default_factory=dict[str, TrustedIdentity])
    sigstore: Path | None = None

    @classmethod
    def of(cls, sharing: SharingSettings) -> Trust:
        """What the operator says."""
        return cls(sharing.keys, sharing.identities, sharing.sigstore_trust)


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature that a bundle has; where its signer is trusted, it fits.

    Attributes:
        signer: The name under which its key or identity is trusted; None when it is not, and then it says nothing.
        key: The public key, or the identity and its issuer; None when it is not trusted.
        key_name: The key's id, or the identity that it claims; empty when that cannot be read.
        comment: What was signed along with it, or where it was logged.
        doubt: Why it says nothing, behind "the package"; empty when its signer is trusted.
        fix: What would let it count.
    """

    signer: str | None
    key: str | None
    key_name: str
    comment: str
    doubt: str = ""
    fix: str = ""


def with_sums(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """``files`` and the list of them, for somebody else to sign."""
    return {**files, SUMS_NAME: _sums_of(files)}


def signed_files(files: Mapping[str, bytes], key: SecretKey, comment: str) -> dict[str, bytes]:
    """``files`` with a signature, in the place of one that they have.

    Args:
        files: Of a bundle.
        key: Signs.
        comment: One line, signed too.
    """
    sums = _sums_of(files)
    return {**files, SUMS_NAME: sums, SIGNATURE_NAME: str(key.sign(sums, comment)).encode()}


def signatures_of(files: Mapping[str, bytes], trust: Trust) -> tuple[Signed, ...]:
    """The signatures that ``files`` have, that of a key first; none when nobody signed them.

    Raises:
        SignatureProblem: The files are not those that are listed, a signature is damaged, or one does not fit the
            trusted key or identity that it names.
    """
    if not _OWN & files.keys():
        return ()
    require_listed(files)
    found: list[Signed] = []
    if SIGNATURE_NAME in files:
        found.append(_by_key(files, trust))
    if BUNDLE_NAME in files:
        found.append(_by_identity(files, trust))
    return tuple(found)


def require_listed(files: Mapping[str, bytes]) -> None:
    """That ``files``, of a bundle with a list or a signature, are those that are listed.

    Raises:
        SignatureProblem: They are not, or there is no list.
    """
    if SUMS_NAME not in files:
        raise SignatureProblem(f"the bundle has a signature and not {SUMS_NAME}, which it signs")
    if files[SUMS_NAME] == _sums_of(files):
        return
    lines = (line.partition("  ") for line in _text(files[SUMS_NAME]).splitlines())
    listed = {name: digest for digest, _, name in lines}
    there = {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name not in _OWN}
    odd = sorted(name for name in listed.keys() | there.keys() if listed.get(name) != there.get(name))
    told = ", ".join(map(repr, odd))[:500]
    raise SignatureProblem(
        f"the files of the bundle are not those that {SUMS_NAME} lists: {told or 'in another form'}",
        fix="get the package again from its author, or sign it again when you are its author",
    )


def which_counts(signatures: Iterable[Signed], signer: str | None = None, key: str | None = None) -> Signed | None:
    """The one of ``signatures`` that counts: of who signed before, else of somebody who is trusted, else any."""
    ordered = sorted(signatures, key=lambda one: one.signer is None)
    for one in ordered:
        if one.signer is not None and (one.signer == signer or one.key == key):
            return one
    return next(iter(ordered), None)


def _by_key(files: Mapping[str, bytes], trust: Trust) -> Signed:
    signature = Signature.parse(_text(files[SIGNATURE_NAME]))
    for name, text in trust.keys.items():
        key = PublicKey.parse(text)
        if key.id == signature.key_id:
            key.check(files[SUMS_NAME], signature)
            return Signed(name, str(key), key.name, signature.comment)
    return Signed(
        None,
        None,
        signature.key_name,
        signature.comment,
        f"is signed with the key {signature.key_name}, which you do not trust",
        "if you know whose key it is: agentmem-mcp key trust NAME RW…",
    )


def _by_identity(files: Mapping[str, bytes], trust: Trust) -> Signed:
    try:
        from mcp_server.distribution.sigstore_bundle import IdentityBundle  # noqa: PLC0415  # an extra, and 0.6 s
    except ImportError:
        return Signed(None, None, "", "", "is signed by Sigstore, whose library is not installed to check it", EXTRA)
    bundle = IdentityBundle.parse(files[BUNDLE_NAME])
    for name, identity in trust.identities.items():
        if bundle.names(identity):
            bundle.check(files[SUMS_NAME], identity, trust.sigstore)
            return Signed(name, str(identity), str(identity), f"entry {bundle.log_index} of the log")
    claimed = bundle.claimed
    words = "--identity … --issuer …"
    if claimed:  # a stranger wrote it, and a person may paste it
        words = shlex.join(["--identity", claimed.identity, "--issuer", claimed.issuer])
    return Signed(
        None,
        None,
        str(claimed or ""),
        "",
        f"says that it is signed by {claimed or 'somebody'}, whom you do not trust",
        f"if you know who that is: agentmem-mcp key trust NAME {words}",
    )


def _sums_of(files: Mapping[str, bytes]) -> bytes:
    """The list of ``files``, in the form of ``sha256sum``."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files) if name not in _OWN)
    return "".join(lines).encode()


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise SignatureProblem(f"{SUMS_NAME} or its signature is not UTF-8", fix="get the package again") from None
