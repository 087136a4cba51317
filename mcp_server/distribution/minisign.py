"""Keys and signatures in the format of minisign, so that `minisign -V` checks what we sign and we check what it signs.

Ed25519 over the BLAKE2b-512 of the data (its "ED" form), and once more over that signature with the trusted comment.
Reads and writes texts; which key is trusted, and where keys lie, is not known here.
https://jedisct1.github.io/minisign/
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mcp_server.distribution.errors import SignatureProblem

__all__ = ["PublicKey", "SecretKey", "Signature"]

_ALGORITHM, _HASHED, _NO_PASSWORD, _CHECKSUM = b"Ed", b"ED", b"\0\0", b"B2"
_KEY_ID, _SEED, _PUBLIC = 8, 32, 32
_SECRET_HEAD = 2 + 2 + 2 + 32 + 8 + 8
_COMMENT, _TRUSTED = "untrusted comment: ", "trusted comment: "


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key that signatures are checked with."""

    id: bytes
    point: bytes

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """From its one line, or from the file that minisign writes.

        Raises:
            SignatureProblem: It is none.
        """
        raw = _decoded(_last_line(text), "the public key")
        if len(raw) != 2 + _KEY_ID + _PUBLIC or raw[:2] != _ALGORITHM:
            raise SignatureProblem("this is no public key of minisign", fix="it is one line of 56 characters: RW…")
        return cls(raw[2:10], raw[10:])

    def __str__(self) -> str:
        return base64.b64encode(_ALGORITHM + self.id + self.point).decode()

    @property
    def name(self) -> str:
        """Its id as minisign prints it."""
        return f"{int.from_bytes(self.id, 'little'):016X}"

    def check(self, data: bytes, signature: Signature) -> None:
        """Raises SignatureProblem: ``signature`` is not one of this key over ``data``, or its comment was changed."""
        key = Ed25519PublicKey.from_public_bytes(self.point)
        try:
            key.verify(signature.value, hashlib.blake2b(data).digest())
            key.verify(signature.whole, signature.value + signature.comment.encode())
        except InvalidSignature:
            raise SignatureProblem(
                f"the signature does not fit: what was signed with the key {self.name} are other bytes",
                fix="get the package again from its author; do not install this one",
            ) from None


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature: who made it, over the data, and over itself with its comment."""

    key_id: bytes
    value: bytes
    comment: str
    whole: bytes

    @classmethod
    def parse(cls, text: str) -> Signature:
        """From the four lines that minisign writes.

        Raises:
            SignatureProblem: They are none.
        """
        lines = text.splitlines()
        if len(lines) != 4 or not lines[0].startswith(_COMMENT) or not lines[2].startswith(_TRUSTED):
            raise SignatureProblem("the signature has not the four lines of minisign", fix="sign the package again")
        raw, whole = _decoded(lines[1], "the signature"), _decoded(lines[3], "the signature")
        if raw[:2] != _HASHED or len(raw) != 2 + _KEY_ID + 64 or len(whole) != 64:
            raise SignatureProblem(
                "the signature is none of minisign's hashed form", fix="sign it with minisign >= 0.10"
            )
        return cls(raw[2:10], raw[10:], lines[2].removeprefix(_TRUSTED), whole)

    def __str__(self) -> str:
        value = base64.b64encode(_HASHED + self.key_id + self.value).decode()
        whole = base64.b64encode(self.whole).decode()
        return f"{_COMMENT}signature of agentmem-mcp\n{value}\n{_TRUSTED}{self.comment}\n{whole}\n"

    @property
    def key_name(self) -> str:
        """The id of the key that it says it was made with."""
        return f"{int.from_bytes(self.key_id, 'little'):016X}"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One key that signs. Kept without a password, as by `minisign -G -W`: its file is to be kept as one."""

    id: bytes
    seed: bytes

    @classmethod
    def generate(cls) -> SecretKey:
        """A new key."""
        return cls(os.urandom(_KEY_ID), os.urandom(_SEED))

    @classmethod
    def parse(cls, text: str) -> SecretKey:
        """From the file that minisign writes.

        Raises:
            SignatureProblem: It is none, or has a password.
        """
        raw = _decoded(_last_line(text), "the secret key")
        if len(raw) != _SECRET_HEAD + _KEY_ID + _SEED + _PUBLIC + 32 or raw[:2] != _ALGORITHM:
            raise SignatureProblem("this is no secret key of minisign", fix="agentmem-mcp key generate")
        if raw[2:4] != _NO_PASSWORD:
            raise SignatureProblem(
                "this secret key has a password, which only minisign itself asks for",
                fix="minisign -Sm SHA256SUMS.txt, then agentmem-mcp sign ARCHIVE --signature SHA256SUMS.txt.minisig",
            )
        body = raw[_SECRET_HEAD:]
        return cls(body[:_KEY_ID], body[_KEY_ID : _KEY_ID + _SEED])

    @property
    def public(self) -> PublicKey:
        """The other half."""
        point = (
            Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        )
        return PublicKey(self.id, point)

    def file(self) -> str:
        """What goes into the key's file."""
        public = self.public
        both = self.seed + public.point
        checksum = hashlib.blake2b(_ALGORITHM + self.id + both, digest_size=32).digest()
        head = _ALGORITHM + _NO_PASSWORD + _CHECKSUM + b"\0" * (_SECRET_HEAD - 6)
        text = base64.b64encode(head + self.id + both + checksum).decode()
        return f"{_COMMENT}minisign secret key {public.name}\n{text}\n"

    def public_file(self) -> str:
        """What goes into the file that others get."""
        return f"{_COMMENT}minisign public key {self.public.name}\n{self.public}\n"

    def sign(self, data: bytes, comment: str) -> Signature:
        """The signature over ``data`` and ``comment``, one line; the same every time."""
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        value = key.sign(hashlib.blake2b(data).digest())
        return Signature(self.id, value, comment, key.sign(value + comment.encode()))


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(_COMMENT)]
    return lines[-1] if lines else ""


def _decoded(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureProblem(f"{what} is no base64", fix="get it again, whole") from None
