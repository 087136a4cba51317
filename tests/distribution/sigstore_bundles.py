"""Bundles of the instance that the tests run, as a signer assembles them and with what no signer would put in."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.distribution.sigstore_instance import Instance

__all__ = ["ANN", "bundle_of", "leaves", "raw"]

ANN = "ann@example.com"


def raw(bundle: dict[str, Any]) -> bytes:
    """As it lies in a file."""
    return json.dumps(bundle).encode()


def bundle_of(made: Instance, data: bytes, who: str = ANN, issuer: str | None = None) -> dict[str, Any]:
    """A bundle over ``data``, from the parts of an instance and without a look at what it says."""
    key = ec.generate_private_key(ec.SECP256R1())
    asked = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, hashes.SHA256())
    certificate = made.authority.issue(asked, who, issuer or made.origin)
    signature = _text(key.sign(data, ec.ECDSA(hashes.SHA256())))
    public = {"content": _text(certificate.public_bytes(Encoding.PEM))}
    digest = hashlib.sha256(data)
    spec = {
        "data": {"hash": {"algorithm": "sha256", "value": digest.hexdigest()}},
        "signature": {"content": signature, "publicKey": public},
    }
    proposed = {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}
    (entry,) = made.log.add(proposed, int(time.time())).values()
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": _text(certificate.public_bytes(Encoding.DER))},
            "tlogEntries": [_logged(entry)],
        },
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": _text(digest.digest())},
            "signature": signature,
        },
    }


def leaves(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each text in a bundle, and the way to it."""
    if isinstance(value, dict):
        for name, part in value.items():  # pyright: ignore[reportUnknownVariableType]  # JSON
            yield from leaves(part, (*way, str(name)))  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for index, part in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            yield from leaves(part, (*way, index))
    else:
        yield way, str(value)


def _logged(entry: dict[str, Any]) -> dict[str, Any]:
    proof = entry["verification"]["inclusionProof"]
    return {
        "logIndex": str(entry["logIndex"]),
        "logId": {"keyId": _text(bytes.fromhex(entry["logID"]))},
        "kindVersion": {"kind": "hashedrekord", "version": "0.0.1"},
        "integratedTime": str(entry["integratedTime"]),
        "inclusionPromise": {"signedEntryTimestamp": entry["verification"]["signedEntryTimestamp"]},
        "inclusionProof": {
            "logIndex": str(proof["logIndex"]),
            "rootHash": _text(bytes.fromhex(proof["rootHash"])),
            "treeSize": str(proof["treeSize"]),
            "hashes": [_text(bytes.fromhex(part)) for part in proof["hashes"]],
            "checkpoint": {"envelope": proof["checkpoint"]},
        },
        "canonicalizedBody": entry["body"],
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
