"""A transparency log of Rekor's first version, in memory: entries, inclusion proofs, signed heads. Keeps nothing.

https://www.rfc-editor.org/rfc/rfc6962#section-2.1 and https://github.com/transparency-dev/formats/tree/main/log
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

__all__ = ["Log", "key_id", "public_bytes"]

ORIGIN = "log.example"


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half, as trusted roots hold it."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    """What logs call a key by."""
    return hashlib.sha256(public_bytes(key)).digest()


class Log:
    """Entries in the order in which they came.

    Attributes:
        shift: Seconds by which its clock goes wrong.
    """

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.shift = 0
        self._leaves: list[bytes] = []

    def add(self, proposed: dict[str, Any], now: int) -> dict[str, Any]:
        """Take an entry; what Rekor answers."""
        body = _canonical(proposed)
        self._leaves.append(hashlib.sha256(b"\0" + body).digest())
        index, size = len(self._leaves) - 1, len(self._leaves)
        root = _root(self._leaves)
        entry: dict[str, Any] = {
            "body": base64.b64encode(body).decode(),
            "integratedTime": now + self.shift,
            "logID": key_id(self.key).hex(),
            "logIndex": index,
        }
        promise = self._signed(_canonical(entry))
        proof: dict[str, Any] = {
            "checkpoint": self._checkpoint(size, root),
            "hashes": [part.hex() for part in _proof(index, self._leaves)],
            "logIndex": index,
            "rootHash": root.hex(),
            "treeSize": size,
        }
        verification = {"signedEntryTimestamp": base64.b64encode(promise).decode(), "inclusionProof": proof}
        return {self._leaves[-1].hex(): {**entry, "verification": verification}}

    def _checkpoint(self, size: int, root: bytes) -> str:
        note = f"{ORIGIN}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(key_id(self.key)[:4] + self._signed(note.encode())).decode()
        return f"{note}\n\N{EM DASH} {ORIGIN} {signature}\n"

    def _signed(self, data: bytes) -> bytes:
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))


def _canonical(value: dict[str, Any]) -> bytes:
    """RFC 8785, for the plain ASCII that stands in entries."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    left = _split(len(leaves))
    return hashlib.sha256(b"\1" + _root(leaves[:left]) + _root(leaves[left:])).digest()


def _proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The hashes beside the way from a leaf up to the root."""
    if len(leaves) == 1:
        return []
    left = _split(len(leaves))
    if index < left:
        return [*_proof(index, leaves[:left]), _root(leaves[left:])]
    return [*_proof(index - left, leaves[left:]), _root(leaves[:left])]


def _split(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1
