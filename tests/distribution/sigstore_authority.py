"""A certificate authority like Fulcio, and the log of its certificates: who has a token gets ten minutes as that one.

https://github.com/sigstore/fulcio/blob/main/docs/certificate-specification.md and
https://www.rfc-editor.org/rfc/rfc6962#section-3
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.distribution.sigstore_log import key_id

__all__ = ["Authority"]

LIFETIME = timedelta(minutes=10)
ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
TIMESTAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority.example")])


class Authority:
    """One authority with a root of its own.

    Attributes:
        logs_certificates: Whether it puts them into its log, and their timestamps into them.
    """

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.log_key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._root()
        self.logs_certificates = True

    def issue(self, request: x509.CertificateSigningRequest, identity: str, issuer: str) -> x509.Certificate:
        """The certificate of who showed a token of ``issuer`` about ``identity``."""
        now = datetime.now(UTC).replace(microsecond=0)
        name = x509.UniformResourceIdentifier(identity) if "://" in identity else x509.RFC822Name(identity)
        code_signing = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        by = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = (
            x509.CertificateBuilder(issuer_name=NAME, subject_name=x509.Name([]), public_key=request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(seconds=5))
            .not_valid_after(now + LIFETIME)
            .add_extension(_usage(signs="data"), critical=True)
            .add_extension(code_signing, critical=False)
            .add_extension(by, critical=False)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(x509.UnrecognizedExtension(ISSUER, issuer.encode()), critical=False)
        )
        if self.logs_certificates:
            before = builder.sign(self.key, hashes.SHA256()).tbs_certificate_bytes
            builder = builder.add_extension(self._timestamp(before, now), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def chain(self, certificate: x509.Certificate) -> Sequence[str]:
        """It and its root, as PEM."""
        return [one.public_bytes(Encoding.PEM).decode() for one in (certificate, self.root)]

    def _timestamp(self, before: bytes, now: datetime) -> x509.UnrecognizedExtension:
        """The promise of the log, over the certificate without it, as an extension."""
        milliseconds = int(now.timestamp()) * 1000
        entry = key_id(self.key) + len(before).to_bytes(3, "big") + before
        data = struct.pack("!BBQH", 0, 0, milliseconds, 1) + entry + struct.pack("!H", 0)
        signature = self.log_key.sign(data, ec.ECDSA(hashes.SHA256()))
        promise = b"\0" + key_id(self.log_key) + struct.pack("!QH", milliseconds, 0)
        promise += struct.pack("!BBH", 4, 3, len(signature)) + signature  # SHA-256 with ECDSA
        listed = struct.pack("!HH", len(promise) + 2, len(promise)) + promise
        return x509.UnrecognizedExtension(TIMESTAMPS, b"\x04" + _length(len(listed)) + listed)  # an OCTET STRING

    def _root(self) -> x509.Certificate:
        now, public = datetime.now(UTC), self.key.public_key()
        return (
            x509.CertificateBuilder(issuer_name=NAME, subject_name=NAME, public_key=public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs="certificates"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self.key, hashes.SHA256())
        )


def _usage(*, signs: str) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs == "data",
        key_cert_sign=signs == "certificates",
        crl_sign=signs == "certificates",
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _length(count: int) -> bytes:
    """Of DER."""
    if count < 128:
        return bytes([count])
    return bytes([0x81, count]) if count < 256 else b"\x82" + count.to_bytes(2, "big")
