"""Takes a bundle that was sent, holds it against every check of manifest and module, and installs it.

Approves and grants nothing: a plugin that wants rights it has not been given is installed, and then held back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from mcp_server.errors import ConfigInvalid, InvalidArguments, ManifestError, NameCollision
from mcp_server.manifest import Manifest
from mcp_server.manifest.host import HostUnfit
from mcp_server.manifest.load import LoadedManifest
from mcp_server.policy.rights import CAPABILITIES
from mcp_server.registry.archive import archive_digest
from mcp_server.registry.bundle import files_below, take_folder, unpack
from mcp_server.registry.bundle_names import check_names
from mcp_server.registry.discovery import MANIFEST_NAME, Found
from mcp_server.registry.installed import Arrival, InstalledPlugins
from mcp_server.registry.lockfile import Origin
from mcp_server.registry.version import OperatorWord, read_manifest, read_version

__all__ = ["Registration", "check_version", "checked_bundle", "origin_of"]
_EVERYTHING = OperatorWord(granted=frozenset(CAPABILITIES))
"""What a bundle is checked under: whether it may do what it asks for is decided when it is loaded."""
Originating = Callable[[Path, Manifest], Origin]


class Registration:
    """Installs bundles.

    Args:
        installed: Where.
        host_version: For ``requires_host``.
        roots: Folders that a plugin may be registered from by its path.
    """

    def __init__(self, installed: InstalledPlugins, host_version: str, roots: Sequence[Path] = ()) -> None:
        self.installed, self._host_version, self._roots = installed, host_version, tuple(roots)

    def from_archive(self, archive: Path, staged: Path) -> None:
        """Unpack a zip into the staging folder.

        Raises:
            BundleInvalid: See :func:`unpack`.
            OSError: It cannot be done.
        """
        unpack(archive, staged)

    def from_path(self, text: str, staged: Path) -> None:
        """Copy a bundle of this machine, a folder or a zip, into the staging folder.

        Raises:
            InvalidArguments: It lies in no folder that the operator allows, or is not there.
            BundleInvalid: It is no bundle.
            OSError: It cannot be read or written.
        """
        path = self._allowed(text)
        if path.is_dir():
            take_folder(path, staged)
        else:
            unpack(path, staged)

    def install(self, staged: Path, taken: Collection[str], origin: Originating | None = None) -> str:
        """Check the files in ``staged`` as loading would, and install them; the plugin's id.

        Args:
            staged: Of :meth:`InstalledPlugins.staging`.
            taken: Ids of plugins that were not installed here.
            origin: Says what is written down of it, given the folder and the manifest; or raises why it is not taken.

        Raises:
            BundleInvalid: Its files are not those of a bundle.
            ManifestError: Its manifest has problems.
            NameCollision: Another plugin has its id.
            AgentMemError: Its module is refused, or ``origin`` raised it.
            OSError: It cannot be written; nothing has changed.
        """
        manifest = checked_bundle(staged, self._host_version)
        plugin = manifest.plugin.id
        if plugin in taken:
            raise NameCollision(
                f"there is a plugin '{plugin}' already, in a folder of the operator's",
                fix="give one of the two another id",
                data={"plugin": plugin},
            )
        told = origin(staged, manifest) if origin else origin_of(staged, manifest, "sent to the management API")
        self.installed.change({plugin: Arrival(staged, told)})
        return plugin

    def _allowed(self, text: str) -> Path:
        """The real path of ``text``; one answer for all that may not be looked at, so that nothing can be probed."""
        refused = InvalidArguments(
            f"{text[:200]!r} is no bundle in a folder that the operator lets plugins be registered from",
            fix="name the folder under [http] plugin_roots",
        )
        if "\0" in text or not text.startswith("/"):
            raise refused
        try:
            path = Path(text).resolve(strict=True)
            roots = [root.expanduser().resolve() for root in self._roots]
        except (OSError, RuntimeError):
            raise refused from None
        if not any(path.is_relative_to(root) for root in roots) or not (path.is_dir() or path.is_file()):
            raise refused
        return path


def checked_bundle(staged: Path, host_version: str) -> Manifest:
    """The manifest of the files in ``staged``, once they are held against all that loading would check.

    Raises:
        BundleInvalid: They are not those of a bundle.
        ManifestError: Its manifest has problems.
        HostUnfit: It is for another version of the host.
        AgentMemError: Its module is refused.
        OSError: One cannot be read.
    """
    check_names(files_below(staged))
    try:
        source = read_manifest(Found(staged / MANIFEST_NAME, "manifest"), (), host_version)
        check_version(source)
    except HostUnfit:
        raise
    except ManifestError as error:  # where it was unpacked is nobody's business
        problems = [problem.replace(f"{staged}/", "") for problem in error.problems]
        raise ManifestError(MANIFEST_NAME, problems) from None
    return source.manifest


def check_version(source: LoadedManifest) -> None:
    """Hold a module against its manifest as if all were granted that it asks for.

    Raises:
        AgentMemError: What is wrong with it.
    """
    with suppress(ConfigInvalid):  # the operator's values are still missing
        read_version(source, _EVERYTHING)


def origin_of(
    staged: Path,
    manifest: Manifest,
    source: str,
    *,
    follows: str = "",
    signer: str | None = None,
    key: str | None = None,
) -> Origin:
    """What is written down about a bundle from ``source``.

    Raises:
        OSError: A file of it cannot be read.
    """
    return Origin(
        source=source,
        follows=follows,
        version=manifest.plugin.version,
        sha256=archive_digest(staged),
        bundle="0" * 64,
        signer=signer,
        key=key,
        installed_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
