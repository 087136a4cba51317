"""``package``, ``sign``, ``verify``, ``publish``, ``index build``: what an author does with a plugin that is done."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio

from mcp_server import __version__
from mcp_server.cli.adding import How, fetching_with
from mcp_server.cli.output import print_json
from mcp_server.cli.serve import load
from mcp_server.distribution.errors import AlreadyPublished, PackageNotFound, SignatureProblem
from mcp_server.distribution.fetching import files_of
from mcp_server.distribution.index import build_index
from mcp_server.distribution.keys import public_key_in, read_secret
from mcp_server.distribution.minisign import Signature
from mcp_server.distribution.oci.artifact import artifact_of
from mcp_server.distribution.oci.reference import Reference
from mcp_server.distribution.package import Package, package_of
from mcp_server.distribution.signing import SIGNATURE_NAME, SUMS_NAME, signed_files, signer_of, with_sums
from mcp_server.errors import InvalidArguments
from mcp_server.registry.registration import checked_bundle
from mcp_server.settings import user_folders
from mcp_server.whole_file import replace_file

__all__ = ["build", "pack", "publish", "sign", "verify"]


def pack(folder: Path, output: Path, roots: Sequence[Path], how: How) -> None:
    """Write the archive of the plugin in ``folder`` into the folder ``output``, or to that file.

    Raises:
        AgentMemError: What is wrong with the plugin.
    """
    package = package_of(folder, _module_roots(roots))
    path = output / package.file_name if output.is_dir() else output
    archive = package.archive()
    _write(path, archive)
    facts, names = _facts(package), sorted(package.files)
    if how.json:
        print_json(facts | {"path": str(path), "size": len(archive), "files": names})
    elif not how.quiet:
        print(f"{path} ({len(archive):,} bytes)\n  sha256 {facts['sha256']}\n  {', '.join(names)}")
        for name in ("README", "LICENSE"):
            if not any(one.startswith(name) for one in package.files):
                print(f"  note: there is no {name}")


def sign(archive: Path, key: str, signature: Path | None, how: How) -> None:
    """Put a signature into ``archive``: one made with ``key``, or one that minisign made over its list of files.

    Raises:
        AgentMemError: It is no package, or there is no such key.
    """
    package = _package_in(archive)
    about = package.manifest.plugin
    if signature is None:
        files = signed_files(package.files, read_secret(_key_folder(), key), f"plugin {about.id} {about.version}")
    else:
        given = signature.read_bytes()
        Signature.parse(given.decode("utf-8", errors="replace"))
        files = {**with_sums(package.files), SIGNATURE_NAME: given}
    signed = Package(package.manifest, files)
    _write(archive, signed.archive())
    made = Signature.parse(files[SIGNATURE_NAME].decode())
    if how.json:
        print_json(_facts(signed) | {"path": str(archive), "key": made.key_name})
    elif not how.quiet:
        print(f"{archive} is signed with the key {made.key_name}\n  sha256 {_facts(signed)['sha256']}")


def verify(target: str, key: str | None, how: How) -> None:
    """Check everything about a package, or an installed plugin, and whose signature it has.

    Raises:
        SignatureProblem: It has none that is trusted.
        AgentMemError: What else is wrong with it.
    """
    installed = user_folders().plugins / target
    package = _package_in(installed if installed.is_symlink() else Path(target))
    keys = {"--key": str(public_key_in(key))} if key else load(how.config).settings.sharing.keys
    signed = signer_of(package.files, keys)
    about = package.manifest.plugin
    if signed is None or signed.signer is None:
        what = f"has a signature of the key {signed.key_name}, which you do not trust" if signed else "is not signed"
        raise SignatureProblem(
            f"'{about.id}' {about.version} {what}; its files are whole",
            fix="agentmem-mcp key trust NAME RW…, once you know whose key it is",
        )
    if how.json:
        print_json(_facts(package) | {"signer": signed.signer, "key": signed.key, "comment": signed.comment})
    elif not how.quiet:
        print(f"{about.id} {about.version} is signed by {signed.signer} ({signed.key_name}): {signed.comment}")


def publish(target: str, place: str, how: How, *, replace: bool) -> None:
    """Send a package to a registry, or into the folder of a static index.

    Raises:
        AgentMemError: It is no package, or the place does not take it.
    """
    package = _package_in(Path(target), how.roots)
    if not place.startswith("oci://"):
        _publish_to_folder(package, Path(place), how, replace=replace)
        return
    reference = Reference.parse(place.removeprefix("oci://"))
    if reference.digest:
        raise PackageNotFound("what is published gets its digest by that", fix="name a tag, or none")
    if not reference.tag:  # '+' is in a version and in no tag
        reference = Reference(
            reference.host, reference.repository, package.manifest.plugin.version.replace("+", "_"), ""
        )
    artifact = artifact_of(package)

    async def run() -> None:
        async with fetching_with(load(how.config).settings, how) as fetching:
            registry = fetching.registry(reference, pushes=True)
            other = "" if replace else await registry.has_other(artifact)
            if other:
                raise AlreadyPublished(
                    f"{reference} is another package already ({other})",
                    fix="give the new one a version of its own, or say --replace",
                )
            await registry.push(artifact)

    anyio.run(run)
    digest = artifact.manifest.digest.removeprefix("sha256:")
    _tell_published(package, str(reference), str(reference.pinned(digest)), how)


def build(folder: Path, how: How) -> None:
    """Write the index of the packages in ``folder``.

    Raises:
        AgentMemError: What is wrong with one of them.
    """
    path = build_index(folder)
    if how.json:
        print_json({"path": str(path)})
    elif not how.quiet:
        print(f"{path}\n  serve this folder over https, and name it: [sharing.indexes] NAME = URL of the file")


def _publish_to_folder(package: Package, folder: Path, how: How, *, replace: bool) -> None:
    if not folder.is_dir():
        raise PackageNotFound(f"there is no folder {folder}", fix="make it, or write oci://HOST/REPOSITORY")
    path, archive = folder / package.file_name, package.archive()
    if path.exists() and path.read_bytes() != archive and not replace:
        raise AlreadyPublished(
            f"{path} is another package already", fix="give the new one a version of its own, or say --replace"
        )
    _write(path, archive)
    build_index(folder)
    _tell_published(package, str(path), str(path), how)


def _tell_published(package: Package, place: str, pinned: str, how: How) -> None:
    if how.json:
        print_json(_facts(package) | {"published": place, "pinned": pinned})
    elif not how.quiet:
        print(f"published {place}\n  others get exactly this with: agentmem-mcp add {pinned}")


def _package_in(path: Path, roots: Sequence[Path] = ()) -> Package:
    files = files_of(path, _module_roots(roots))
    with tempfile.TemporaryDirectory() as place:
        for name, data in files.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)  # a bundle of somebody else's may have folders
            path.write_bytes(data)
        manifest = checked_bundle(Path(place), __version__)
    if SUMS_NAME in files:
        signer_of(files, {})  # that they are the files which are listed
    return Package(manifest, files)


def _facts(package: Package) -> dict[str, Any]:
    about = package.manifest.plugin
    return {"id": about.id, "version": about.version, "sha256": hashlib.sha256(package.archive()).hexdigest()}


def _module_roots(roots: Sequence[Path]) -> tuple[Path, ...]:
    here = Path("plugins")
    return (*roots, here) if here.is_dir() else tuple(roots)


def _key_folder() -> Path:
    return user_folders().config / "keys"


def _write(path: Path, data: bytes) -> None:
    try:
        replace_file(path, data, mode=0o644)
    except OSError as error:
        raise InvalidArguments(f"{path} cannot be written: {error.strerror}", fix="name another place") from None
