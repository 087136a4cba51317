"""What a signature of a bundle covers, and whom it is by.

``SHA256SUMS.txt`` names every other file of the bundle with its digest, and ``SHA256SUMS.txt.minisig`` signs it. Both
travel inside the bundle, so that they come along whatever way it takes and can be checked as long as it is installed;
``sha256sum -c`` and ``minisign -V`` check them without us. A bundle that is not as listed is refused, trusted or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from mcp_server.distribution.errors import SignatureProblem
from mcp_server.distribution.minisign import PublicKey, SecretKey, Signature

__all__ = ["SIGNATURE_NAME", "SUMS_NAME", "Signed", "TrustedKeys", "signed_files", "signer_of", "with_sums"]

SUMS_NAME = "SHA256SUMS.txt"
SIGNATURE_NAME = f"{SUMS_NAME}.minisig"
_OWN = frozenset({SUMS_NAME, SIGNATURE_NAME})
TrustedKeys = Mapping[str, str]
"""Name -> public key, as `[sharing] keys` has them."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Whose signature a bundle has; it fits.

    Attributes:
        signer: The name under which the key is trusted; None when it is not, and nobody can say whether it fits.
        key: The public key; None when it is not known.
        key_name: Its id.
        comment: What was signed along with it.
    """

    signer: str | None
    key: str | None
    key_name: str
    comment: str


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


def signer_of(files: Mapping[str, bytes], trusted: TrustedKeys) -> Signed | None:
    """Who signed ``files``; None when nobody did.

    Raises:
        SignatureProblem: The files are not those that are listed, the signature is damaged, or does not fit the
            trusted key that it names.
    """
    if not _OWN & files.keys():
        return None
    _require_listed(files)
    if SIGNATURE_NAME not in files:
        return None
    signature = Signature.parse(_text(files[SIGNATURE_NAME]))
    for name, text in trusted.items():
        key = PublicKey.parse(text)
        if key.id == signature.key_id:
            key.check(files[SUMS_NAME], signature)
            return Signed(name, str(key), key.name, signature.comment)
    return Signed(None, None, signature.key_name, signature.comment)


def _sums_of(files: Mapping[str, bytes]) -> bytes:
    """The list of ``files``, in the form of ``sha256sum``."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files) if name not in _OWN)
    return "".join(lines).encode()


def _require_listed(files: Mapping[str, bytes]) -> None:
    if SUMS_NAME not in files:
        raise SignatureProblem(f"the bundle has {SIGNATURE_NAME} and not {SUMS_NAME}, which it signs")
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


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise SignatureProblem(f"{SUMS_NAME} or its signature is not UTF-8", fix="get the package again") from None
