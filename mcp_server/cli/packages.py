"""``package``, ``publish``, ``index build``: what an author does with a plugin that is done."""

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
from mcp_server.distribution.errors import AlreadyPublished, PackageNotFound
from mcp_server.distribution.fetching import files_of
from mcp_server.distribution.index import build_index
from mcp_server.distribution.oci.artifact import artifact_of
from mcp_server.distribution.oci.reference import Reference
from mcp_server.distribution.package import Package, package_of
from mcp_server.distribution.signing import SUMS_NAME, require_listed
from mcp_server.errors import InvalidArguments
from mcp_server.registry.registration import checked_bundle
from mcp_server.whole_file import replace_file

__all__ = ["build", "facts_of", "pack", "package_in", "publish", "write_archive"]


def pack(folder: Path, output: Path, roots: Sequence[Path], how: How) -> None:
    """Write the archive of the plugin in ``folder`` into the folder ``output``, or to that file.

    Raises:
        AgentMemError: What is wrong with the plugin.
    """
    package = package_of(folder, _module_roots(roots))
    path = output / package.file_name if output.is_dir() else output
    archive = package.archive()
    write_archive(path, archive)
    facts, names = facts_of(package), sorted(package.files)
    if how.json:
        print_json(facts | {"path": str(path), "size": len(archive), "files": names})
    elif not how.quiet:
        print(f"{path} ({len(archive):,} bytes)\n  sha256 {facts['sha256']}\n  {', '.join(names)}")
        for name in ("README", "LICENSE"):
            if not any(one.startswith(name) for one in package.files):
                print(f"  note: there is no {name}")


def publish(target: str, place: str, how: How, *, replace: bool) -> None:
    """Send a package to a registry, or into the folder of a static index.

    Raises:
        AgentMemError: It is no package, or the place does not take it.
    """
    package = package_in(Path(target), how.roots)
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
    write_archive(path, archive)
    build_index(folder)
    _tell_published(package, str(path), str(path), how)


def _tell_published(package: Package, place: str, pinned: str, how: How) -> None:
    if how.json:
        print_json(facts_of(package) | {"published": place, "pinned": pinned})
    elif not how.quiet:
        print(f"published {place}\n  others get exactly this with: agentmem-mcp add {pinned}")


def package_in(path: Path, roots: Sequence[Path] = ()) -> Package:
    """The package that ``path`` is; its files are those that it lists.

    Raises:
        AgentMemError: It is none.
    """
    files = files_of(path, _module_roots(roots))
    with tempfile.TemporaryDirectory() as place:
        for name, data in files.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)  # a bundle of somebody else's may have folders
            path.write_bytes(data)
        manifest = checked_bundle(Path(place), __version__)
    if SUMS_NAME in files:
        require_listed(files)
    return Package(manifest, files)


def facts_of(package: Package) -> dict[str, Any]:
    """What commands print about a package."""
    about = package.manifest.plugin
    return {"id": about.id, "version": about.version, "sha256": hashlib.sha256(package.archive()).hexdigest()}


def _module_roots(roots: Sequence[Path]) -> tuple[Path, ...]:
    here = Path("plugins")
    return (*roots, here) if here.is_dir() else tuple(roots)


def write_archive(path: Path, data: bytes) -> None:
    """Replace ``path`` as a whole.

    Raises:
        InvalidArguments: The disk says no.
    """
    try:
        replace_file(path, data, mode=0o644)
    except OSError as error:
        raise InvalidArguments(f"{path} cannot be written: {error.strerror}", fix="name another place") from None
