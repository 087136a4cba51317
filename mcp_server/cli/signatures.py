"""``sign`` and ``verify``: a signature is put into a package, by a key or an identity, and whose it has is said."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from mcp_server.cli.adding import How
from mcp_server.cli.output import print_json
from mcp_server.cli.packages import facts_of, package_in, write_archive
from mcp_server.cli.serve import load
from mcp_server.distribution.errors import SignatureProblem, SigningFailed
from mcp_server.distribution.keys import identity_of, public_key_in, read_secret
from mcp_server.distribution.minisign import Signature
from mcp_server.distribution.package import Package
from mcp_server.distribution.signing import (
    BUNDLE_NAME,
    EXTRA,
    SIGNATURE_NAME,
    SUMS_NAME,
    Trust,
    signatures_of,
    signed_files,
    which_counts,
    with_sums,
)
from mcp_server.errors import InvalidArguments
from mcp_server.settings import user_folders
from mcp_server.settings.variables import identity_token

__all__ = ["By", "Whose", "sign", "verify"]


@dataclass(frozen=True, slots=True)
class By:
    """What makes the signature: a key, Sigstore, or somebody else who made it into a file already."""

    key: str | None = None
    sigstore: bool = False
    signature: Path | None = None
    trust: Path | None = None


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose signature a package must have, in place of all that are trusted."""

    key: str | None = None
    identity: str | None = None
    issuer: str | None = None
    trust: Path | None = None


def sign(archive: Path, by: By, how: How) -> None:
    """Put a signature into ``archive``, beside one of the other kind, in the place of one of its own.

    Raises:
        AgentMemError: It is no package, there is no such key, or nobody signed.
    """
    if sum((by.key is not None, by.sigstore, by.signature is not None)) > 1:
        raise InvalidArguments(
            "--key, --sigstore and --signature are three ways to sign", fix="say one, and sign again for the other"
        )
    package = package_in(archive)
    given = by.signature.read_bytes() if by.signature else b""
    if by.sigstore or given.lstrip()[:1] == b"{":
        files, facts = _by_identity(package, given, by, how)
    else:
        files, facts = _by_key(package, given, by)
    signed = Package(package.manifest, files)
    write_archive(archive, signed.archive())
    if how.json:
        print_json(facts_of(signed) | {"path": str(archive)} | facts)
    elif not how.quiet:
        told = f"with the key {facts['key']}" if "key" in facts else f"as {facts['identity']} via {facts['issuer']}"
        print(f"{archive} is signed {told}\n  sha256 {facts_of(signed)['sha256']}")


def verify(target: str, whose: Whose, how: How) -> None:
    """Check everything about a package, or an installed plugin, and whose signature it has.

    Raises:
        SignatureProblem: It has none that is trusted.
        AgentMemError: What else is wrong with it.
    """
    installed = user_folders().plugins / target
    package = package_in(installed if installed.is_symlink() else Path(target))
    found = signatures_of(package.files, _trust(whose, how))
    counts, about = which_counts(found), package.manifest.plugin
    if counts is None or counts.signer is None:
        what = counts.doubt if counts else "is not signed"
        fix = counts.fix if counts else "ask its author for a signed one"
        raise SignatureProblem(f"'{about.id}' {about.version} {what}; its files are whole", fix=fix)
    if how.json:
        signer = {"signer": counts.signer, "key": counts.key, "comment": counts.comment}
        print_json(facts_of(package) | signer | {"signatures": [asdict(one) for one in found]})
    elif not how.quiet:
        for one in found:
            told = one.doubt or f"is signed by {one.signer} ({one.key_name}): {one.comment}"
            print(f"{about.id} {about.version} {told}")


def _by_key(package: Package, given: bytes, by: By) -> tuple[dict[str, bytes], dict[str, str]]:
    if by.signature is None:
        about, key = package.manifest.plugin, read_secret(user_folders().config / "keys", by.key or "default")
        files = signed_files(package.files, key, f"plugin {about.id} {about.version}")
    else:
        Signature.parse(given.decode("utf-8", errors="replace"))
        files = {**with_sums(package.files), SIGNATURE_NAME: given}
    return files, {"key": Signature.parse(files[SIGNATURE_NAME].decode()).key_name}


def _by_identity(package: Package, given: bytes, by: By, how: How) -> tuple[dict[str, bytes], dict[str, str]]:
    try:
        from mcp_server.distribution.sigstore_bundle import IdentityBundle, sign_as_identity
    except ImportError:
        raise SignatureProblem("the library of Sigstore is not installed", fix=EXTRA) from None
    sharing = load(how.config).settings.sharing
    trust = by.trust or sharing.sigstore_trust
    files = with_sums(package.files)
    if by.sigstore:
        terminal = sys.stdin is not None and sys.stdin.isatty()
        with _at_most(sharing.total_seconds):
            given = sign_as_identity(files[SUMS_NAME], identity_token(), trust, may_ask=terminal)
    bundle = IdentityBundle.parse(given)
    bundle.check(files[SUMS_NAME], None, trust)
    claimed = bundle.claimed
    if claimed is None:
        raise SignatureProblem(
            "the bundle is of an identity that nobody could trust by its name", fix="sign with another identity"
        )
    return {**files, BUNDLE_NAME: given}, {**claimed.model_dump(), "entry": str(bundle.log_index)}


def _trust(whose: Whose, how: How) -> Trust:
    if whose.key and (whose.identity or whose.issuer):
        raise InvalidArguments("--key and --identity are two kinds of signature", fix="say one of them")
    if whose.key:
        return Trust(keys={"--key": str(public_key_in(whose.key))})
    own = Trust.of(load(how.config).settings.sharing)
    root = whose.trust or own.sigstore
    if whose.identity or whose.issuer:
        return Trust(identities={"--identity": identity_of(whose.identity, whose.issuer)}, sigstore=root)
    return Trust(own.keys, own.identities, root)


@contextmanager
def _at_most(seconds: float) -> Generator[None]:
    """The library waits for its servers for ever, and has no way to be told otherwise."""

    def over(number: int, frame: object) -> None:
        del number, frame
        raise TimeoutError(f"it was not done after {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except TimeoutError as error:
        raise SigningFailed(f"Sigstore did not sign: {error}", fix="again, or look whether it is well") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
