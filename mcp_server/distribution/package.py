"""A plugin folder as the files of one package: flat, with everything the manifest refers to, and nothing else.

Files keep their bytes. Only where the manifest names a module or a schema in another folder are those few paths
changed, by an editor that leaves the rest of the text as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mcp_server import __version__
from mcp_server.distribution.sbom import SBOM_NAME, sbom_of
from mcp_server.distribution.signing import BUNDLE_NAME, SIGNATURE_NAME, SUMS_NAME, with_sums
from mcp_server.manifest import Manifest, load_manifest
from mcp_server.manifest.load import MANIFEST_NAME, LoadedManifest
from mcp_server.registry.archive import archive_of
from mcp_server.registry.bundle import MOST_BYTES
from mcp_server.registry.bundle_names import check_names
from mcp_server.registry.errors import BundleInvalid
from mcp_server.registry.registration import check_version

__all__ = ["Package", "package_of"]

_TEXTS = (("README.md", "README.txt", "README"), ("LICENSE", "LICENSE.md", "LICENSE.txt"), ("NOTICE",))


@dataclass(frozen=True, slots=True)
class Package:
    """The files of a package, by name, and the manifest among them."""

    manifest: Manifest
    files: dict[str, bytes]

    @property
    def file_name(self) -> str:
        """What its archive is called."""
        return f"{self.manifest.plugin.id}-{self.manifest.plugin.version}.zip"

    def archive(self) -> bytes:
        """The archive: the same files are the same bytes."""
        return archive_of(self.files)


def package_of(folder: Path, roots: Sequence[Path] = ()) -> Package:
    """The package of the plugin whose ``plugin.toml`` lies in ``folder``, or is that file.

    Args:
        folder: Of the plugin.
        roots: Where its module may lie else, as ``<id>/<id>.wasm``.

    Raises:
        ManifestError: Its manifest has problems, or does not fit the module.
        BundleInvalid: It cannot be made into one flat archive.
        AgentMemError: Its module is refused.
        OSError: A file cannot be read.
    """
    path = folder if folder.is_file() else folder / MANIFEST_NAME
    source = load_manifest(path, roots=roots, host_version=__version__)
    check_version(source)
    files = _declared(source)
    for names in _TEXTS:
        files |= _first_of(names, (path.parent, source.wasm.parent))
    own = path.parent / SBOM_NAME
    if own.is_file():
        files[SBOM_NAME] = own.read_bytes()
    else:
        lock = path.parent / "Cargo.lock"
        files[SBOM_NAME] = sbom_of(source.manifest, files, lock.read_bytes() if lock.is_file() else None)
    files = with_sums(files)
    check_names(files)
    if sum(map(len, files.values())) > MOST_BYTES:
        raise BundleInvalid(f"the package is larger than {MOST_BYTES} bytes", fix="build a smaller module")
    return Package(source.manifest, files)


def _declared(source: LoadedManifest) -> dict[str, bytes]:
    """The manifest and what it names, each under a name without a folder."""
    about = source.manifest.plugin
    files = {f"{about.id}.wasm": source.wasm.read_bytes()}
    renamed: dict[str, str] = {}
    for name in _schema_names(source.manifest):
        flat = PurePosixPath(name).name
        if flat in files or flat in (MANIFEST_NAME, SBOM_NAME, SUMS_NAME, SIGNATURE_NAME, BUNDLE_NAME):
            flat = "-".join(PurePosixPath(name).parts)
        if flat in files:
            raise BundleInvalid(f"two schemas would be called {flat!r} in the package", fix="rename one of them")
        files[flat] = (source.path.parent / name).read_bytes()
        if flat != name:
            renamed[name] = flat
    text = source.path.read_bytes()
    stated = about.wasm not in (None, f"{about.id}.wasm")
    files[MANIFEST_NAME] = _edited(text, about.id if stated else None, renamed) if stated or renamed else text
    return files


def _schema_names(manifest: Manifest) -> list[str]:
    stated = [schema for tool in manifest.tools for schema in (tool.input_schema, tool.output_schema)]
    return list(dict.fromkeys(name for name in (manifest.config_schema, *stated) if isinstance(name, str)))


def _edited(text: bytes, plugin: str | None, renamed: dict[str, str]) -> bytes:
    import tomlkit  # noqa: PLC0415  # 40 ms that only a manifest with other paths has to spend

    document: Any = tomlkit.parse(text.decode("utf-8"))
    if plugin is not None:
        document["plugin"]["wasm"] = f"{plugin}.wasm"
    tables = [(document, "config_schema")]
    tables += [(tool, key) for tool in document.get("tools", ()) for key in ("input_schema", "output_schema")]
    for table, key in tables:
        if isinstance(table.get(key), str) and str(table[key]) in renamed:
            table[key] = renamed[str(table[key])]
    return document.as_string().encode("utf-8")


def _first_of(names: Sequence[str], folders: Sequence[Path]) -> dict[str, bytes]:
    for folder in folders:
        for name in names:
            if (folder / name).is_file():
                return {name: (folder / name).read_bytes()}
    return {}
