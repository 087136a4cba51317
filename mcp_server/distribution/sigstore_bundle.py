"""Signatures by an identity: Sigstore's bundles, read and checked without the network, and made with it.

The one module that knows the library, which is an extra: who imports this one looks whether it can be. Which identity
is trusted, and which file of a package a bundle signs, is not known here.
https://docs.sigstore.dev/about/bundle/
"""

from __future__ import annotations

import json
import struct
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from sigstore.errors import Error, VerificationError
from sigstore.models import Bundle, ClientTrustConfig, TrustedRoot
from sigstore.oidc import IdentityToken, Issuer, detect_credential
from sigstore.sign import SigningContext
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity, VerificationPolicy

from mcp_server.distribution.errors import SignatureProblem, SigningFailed
from mcp_server.settings.sharing import TrustedIdentity

__all__ = ["MOST_BUNDLE_BYTES", "IdentityBundle", "sign_as_identity"]

MOST_BUNDLE_BYTES = 128 * 1024
"""Ten times what the public instance makes."""
_PUBLIC_GOOD = "https://tuf-repo-cdn.sigstore.dev"
_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_ODD = (
    Error,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    OSError,
    struct.error,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)
"""What the library raises on bytes that nobody made who meant well: it has no common base."""


class _Anybody:
    """Whoever it is, as long as the instance vouches for it; the library's own says so in the log each time."""

    def verify(self, cert: x509.Certificate) -> None:
        """Takes every certificate."""


@dataclass(frozen=True, slots=True)
class IdentityBundle:
    """A bundle as it was read. Nothing in it is true before :meth:`check` has passed."""

    bundle: Bundle

    @classmethod
    def parse(cls, data: bytes) -> IdentityBundle:
        """From its JSON.

        Raises:
            SignatureProblem: It is none, or not whole.
        """
        if len(data) > MOST_BUNDLE_BYTES:
            raise SignatureProblem(
                f"the bundle of Sigstore has {len(data):,} bytes; at most {MOST_BUNDLE_BYTES:,} are read",
                fix="get the package again from its author",
            )
        try:
            return cls(Bundle.from_json(data))
        except _ODD as error:
            raise SignatureProblem(
                f"this is no bundle of Sigstore that is whole: {_first_line(error)}",
                fix="sign the package again; cosign writes such a bundle with --new-bundle-format",
            ) from None

    @property
    def claimed(self) -> TrustedIdentity | None:
        """Whose it says that it is; None where that is nothing that could be trusted by its name."""
        try:
            extensions = self.bundle.signing_certificate.extensions
            names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            issuer = extensions.get_extension_for_oid(_ISSUER).value.public_bytes()
            found = [*names.get_values_for_type(x509.RFC822Name)]
            found += names.get_values_for_type(x509.UniformResourceIdentifier)
            told = TrustedIdentity(identity=found[0], issuer=issuer.decode("utf-8"))
        except _ODD:
            return None
        return told if str(told).isascii() and str(told).isprintable() else None

    @property
    def log_index(self) -> int:
        """Its place in the log."""
        return int(self.bundle.log_entry._inner.log_index)  # pyright: ignore[reportPrivateUsage]  # no other way to it

    def names(self, identity: TrustedIdentity) -> bool:
        """Whether its certificate is for ``identity``, if it is good at all.

        Raises:
            SignatureProblem: Its certificate is none that signs.
        """
        try:
            _policy(identity).verify(self.bundle.signing_certificate)
        except VerificationError:
            return False
        except _ODD as error:
            raise SignatureProblem(
                f"the certificate in the bundle of Sigstore is damaged: {_first_line(error)}",
                fix="get the package again from its author",
            ) from None
        return True

    def check(self, data: bytes, identity: TrustedIdentity | None, trust: Path | None) -> None:
        """That it signs ``data``, was in the log while its certificate was good, and is of ``identity``. Asks nobody.

        Args:
            data: What was signed.
            identity: Whose signature it must be; None for anybody's.
            trust: The file with the instance's certificates and keys; None for the public instance's.

        Raises:
            SignatureProblem: It does not, was not, or is of somebody else.
        """
        root = _root_in(trust)
        try:
            Verifier(trusted_root=root).verify_artifact(data, self.bundle, _policy(identity))
        except _ODD as error:
            whose = f" of {identity}" if identity else ""
            raise SignatureProblem(
                f"the bundle of Sigstore{whose} does not fit: {_first_line(error)}",
                fix="get the package again from its author; if it was signed by another instance of Sigstore than the "
                "public one, name that one's file: [sharing] sigstore_trust",
            ) from None


def sign_as_identity(data: bytes, token: str | None, trust: Path | None, *, may_ask: bool) -> bytes:
    """A bundle over ``data``, made with the servers of an instance. They publish who signs, and the digest.

    Args:
        data: What is signed.
        token: What an issuer says about who signs; without one, that of the CI that this runs in.
        trust: The client trust configuration of an instance; None for the public one.
        may_ask: Whether a browser may be opened where there is no token.

    Raises:
        SigningFailed: There is no token, or a server said no.
        SignatureProblem: The file of the instance cannot be used, or what its servers made does not fit it.
    """
    config = _config_in(trust)
    with _asking("Sigstore did not sign"):
        config = config or ClientTrustConfig.production()
        root, given = config.trusted_root, token or detect_credential()
        if not given and not may_ask:
            raise SigningFailed(
                "nobody has said who signs: there is no identity token, and no terminal to ask at",
                fix="put one into SIGSTORE_ID_TOKEN, or run this where a browser can be opened",
            )
        who = IdentityToken(given) if given else Issuer(config.signing_config.get_oidc_url()).identity_token()
        with SigningContext.from_trust_config(config).signer(who) as signer:
            made = signer.sign_artifact(data)
        Verifier(trusted_root=root).verify_artifact(data, made, _Anybody())
        return made.to_json().encode("utf-8")


@contextmanager
def _asking(what: str) -> Generator[None]:
    try:
        yield
    except Exception as error:
        # Some of its errors have no common base, and are defined where nobody else may import from.
        if not isinstance(error, _ODD) and not type(error).__module__.startswith(("sigstore.", "id.")):
            raise
        raise SigningFailed(
            f"{what}: {_first_line(error)}",
            fix="look whether its servers can be reached, and whether the token is one for Sigstore and still good",
        ) from None


def _policy(identity: TrustedIdentity | None) -> VerificationPolicy:
    return Identity(identity=identity.identity, issuer=identity.issuer) if identity else _Anybody()


def _config_in(file: Path | None) -> ClientTrustConfig | None:
    if file is None:
        return None
    text, kind = _read(file)
    if "clienttrustconfig" not in kind:
        raise SignatureProblem(
            f"{file} says whom to believe, and not which servers to ask for a signature",
            fix="name a client trust configuration, with the servers in it",
        )
    return _parsed(file, text)


def _public_root() -> TrustedRoot:
    """What the public instance is believed by: the library's own copy, and none of a cache that others could write."""
    with resources.as_file(resources.files("sigstore").joinpath("_store", quote(_PUBLIC_GOOD, safe=""))) as store:
        return TrustedRoot.from_file(str(store / "trusted_root.json"))


def _root_in(file: Path | None) -> TrustedRoot:
    if file is None:
        return _public_root()
    text, kind = _read(file)
    if "clienttrustconfig" in kind:
        return _parsed(file, text).trusted_root
    try:
        return TrustedRoot.from_file(str(file.expanduser()))
    except _ODD as error:
        raise _unusable(file, error) from None


def _parsed(file: Path, text: str) -> ClientTrustConfig:
    try:
        return ClientTrustConfig.from_json(text)
    except _ODD as error:
        raise _unusable(file, error) from None


def _read(file: Path) -> tuple[str, str]:
    """A file, and what it says that it is."""
    try:
        text = file.expanduser().read_text(encoding="utf-8")
        return text, str(json.loads(text)["mediaType"])
    except (*_ODD, RecursionError) as error:
        raise _unusable(file, error) from None


def _unusable(file: Path, error: BaseException) -> SignatureProblem:
    return SignatureProblem(
        f"the file of a Sigstore instance cannot be used: {_first_line(error)}",
        fix=f"look at {file}: it must be a trusted root or a client trust configuration, in JSON",
    )


def _first_line(error: BaseException) -> str:
    """What the library said, as far as a person reads it; it may repeat what a stranger wrote."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)  # and not where on the disk
    text = next(iter(said.splitlines()), "") or type(error).__name__
    return "".join(mark if mark.isprintable() else "?" for mark in text)[:200]
