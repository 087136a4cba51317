"""From what was asked for to the files of a bundle, from whichever source; what is in them is judged in ``adding``."""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import assert_never

from mcp_server.distribution.adding import Offer
from mcp_server.distribution.asked import Asked, FromIndex, FromPath, FromRegistry, FromUrl, parse_asked
from mcp_server.distribution.downloads import Downloads
from mcp_server.distribution.errors import DownloadFailed, PackageNotFound
from mcp_server.distribution.index import MOST_INDEX_BYTES, Index, choose, read_index
from mcp_server.distribution.oci.client import Registry
from mcp_server.distribution.oci.reference import Reference
from mcp_server.distribution.package import package_of
from mcp_server.distribution.signing import SUMS_NAME
from mcp_server.distribution.web import Web
from mcp_server.registry.archive import files_in
from mcp_server.registry.bundle import MOST_BYTES, take_folder, unpack
from mcp_server.registry.errors import BundleInvalid
from mcp_server.settings.sharing import SharingSettings

__all__ = ["Fetching", "files_of", "read_archive"]

MOST_ARCHIVE_BYTES = MOST_BYTES + 1024 * 1024
"""Its files, and what a zip says about them."""


class Fetching:
    """Gets bundles for one command.

    Args:
        settings: Of ``[sharing]``.
        web: Asks servers.
        downloads: Keeps what they send.
        secret: The value of a secret by its name.
        folder: The working directory.
        roots: Folders in which a plugin's module may lie else.
    """

    def __init__(
        self,
        settings: SharingSettings,
        web: Web,
        downloads: Downloads,
        secret: Callable[[str], str | None],
        folder: Path,
        roots: tuple[Path, ...] = (),
    ) -> None:
        self._settings = settings
        self._web = web
        self._downloads = downloads
        self._secret = secret
        self._folder = folder
        self._roots = roots
        self._indexes: dict[str, tuple[str, Index]] | None = None

    async def offer(self, text: str) -> Offer:
        """What ``text`` asks for.

        Raises:
            AgentMemError: Why it cannot be had.
            OSError: A file of this machine cannot be read.
        """
        return await self._offer(text, parse_asked(text, self._folder))

    async def indexes(self) -> Mapping[str, tuple[str, Index]]:
        """Name -> URL and content of each index that is configured, in the operator's order.

        Raises:
            AgentMemError: One cannot be had, or is none.
        """
        if self._indexes is None:
            found: dict[str, tuple[str, Index]] = {}
            for name, url in self._settings.indexes.items():
                data = await self._downloads.get(url, MOST_INDEX_BYTES, same_origin=True)
                found[name] = url, read_index(data, f"index '{name}'")
            self._indexes = found
        return self._indexes

    def registry(self, reference: Reference, *, pushes: bool = False) -> Registry:
        """The repository of ``reference``."""
        plain = reference.host in self._settings.plain_http
        found = {host: self._secret(name) for host, name in self._settings.credentials.items()}
        credentials = {host: value for host, value in found.items() if value}
        return Registry(self._web, reference, plain=plain, credentials=credentials, pushes=pushes)

    async def _offer(self, text: str, asked: Asked) -> Offer:
        match asked:
            case FromPath(path):
                return Offer(files_of(path, self._roots), str(path.resolve()), str(path.resolve()))
            case FromUrl(url, sha256):
                data = await self._downloads.get(url, MOST_ARCHIVE_BYTES, sha256=sha256)
                return Offer(read_archive(data), url, text)
            case FromRegistry(reference):
                registry = self.registry(Reference.parse(reference))
                pinned, manifest = await registry.manifest(self._downloads)
                return Offer(await registry.files(manifest, self._downloads), str(pinned), text)
            case FromIndex(plugin, wanted):
                chosen = choose(plugin, wanted, await self.indexes(), self._settings.origins)
                sha256 = chosen.listed.sha256
                data = await self._downloads.get(chosen.url, chosen.listed.size, sha256=sha256)
                if len(data) != chosen.listed.size:
                    raise DownloadFailed(f"{chosen.url} is {len(data)} bytes long; its index says {chosen.listed.size}")
                offer = Offer(read_archive(data), f"{chosen.url}#sha256={sha256}", text, plugin=plugin)
                return replace(offer, version=chosen.listed.version)
            case _:
                assert_never(asked)


def files_of(path: Path, roots: tuple[Path, ...] = ()) -> dict[str, bytes]:
    """The files of the package that ``path`` is: an archive, an archive that was unpacked, or a plugin's folder.

    Raises:
        PackageNotFound: There is nothing of that name, or it cannot be read.
        AgentMemError: It is no package.
    """
    try:
        return _files_of(path, roots)
    except OSError as error:  # not there, not to be read, a link where none may be
        raise PackageNotFound(
            f"{path} cannot be read as a package: {error.strerror or error}",
            fix="name a plugin's folder, or an archive of `agentmem-mcp package`",
        ) from None


def _files_of(path: Path, roots: tuple[Path, ...]) -> dict[str, bytes]:
    if path.is_dir() and (path / SUMS_NAME).is_file():
        with tempfile.TemporaryDirectory() as place:
            take_folder(path, Path(place))
            return files_in(Path(place))
    if path.is_dir() or path.suffix == ".toml":
        return package_of(path, roots).files
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > MOST_ARCHIVE_BYTES:
        raise BundleInvalid(
            f"{path.name} is no plain file of at most {MOST_ARCHIVE_BYTES} bytes", fix=f"look at {path}"
        )
    return read_archive(path.read_bytes())


def read_archive(data: bytes) -> dict[str, bytes]:
    """The files in an archive.

    Raises:
        BundleInvalid: It is none that is taken.
        OSError: The disk is full.
    """
    with tempfile.TemporaryDirectory() as place:
        archive, folder = Path(place, "archive"), Path(place, "files")
        archive.write_bytes(data)
        folder.mkdir()
        unpack(archive, folder)
        return files_in(folder)
