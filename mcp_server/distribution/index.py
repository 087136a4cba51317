"""A static index: one JSON file that says which packages there are, made of a folder of them and served by anything.

It has no times and a fixed order, so that it can be kept in git and changes only where a package does. It is not
trusted: a package is what its digest says, comes from the index's own origin or one that the operator named, and its
manifest must say the same as the index does.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, urljoin, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from mcp_server import __version__
from mcp_server.distribution.downloads import sha256_of
from mcp_server.distribution.errors import DownloadRefused, IndexInvalid, PackageNotFound
from mcp_server.manifest import Manifest
from mcp_server.manifest.host import fits_host
from mcp_server.manifest.model import PLUGIN_ID, SEMVER
from mcp_server.policy.versions import VersionRange, newer
from mcp_server.problems import problems_of
from mcp_server.registry.bundle import unpack
from mcp_server.registry.errors import RequirementConflict
from mcp_server.registry.registration import checked_bundle
from mcp_server.whole_file import replace_file

__all__ = ["INDEX_NAME", "MOST_INDEX_BYTES", "Chosen", "Index", "build_index", "choose", "read_index", "search"]

INDEX_NAME = "index.json"
MOST_INDEX_BYTES = 16 * 1024 * 1024


def _printable(text: str) -> str:
    """Of a stranger's, on its way to a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


Line = Annotated[str, AfterValidator(_printable)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)  # a later index may say more


class Listed(_Part):
    """One version of one plugin."""

    version: str = Field(pattern=SEMVER, max_length=128)
    url: str = Field(min_length=1, max_length=2_048)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=1)
    requires_host: Line | None = None
    requires_plugins: dict[Line, Line] = Field(default_factory=dict)


class Entry(_Part):
    """One plugin, as its newest version describes it."""

    name: Line = Field(max_length=128)
    description: Line = Field(default="", max_length=2_048)
    author: Line = Field(default="", max_length=256)
    type: Line = Field(default="Custom", max_length=64)
    tools: tuple[Line, ...] = ()
    versions: tuple[Listed, ...] = Field(min_length=1)


class Index(_Part):
    """The whole file."""

    index_version: Literal[1]
    plugins: dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Chosen:
    """One version out of an index.

    Attributes:
        plugin: Its id.
        index: The name of the index.
        listed: What it says.
        url: Where the package lies, whole.
    """

    plugin: str
    index: str
    listed: Listed
    url: str


def build_index(folder: Path) -> Path:
    """Write ``index.json`` over the packages (``*.zip``) in ``folder``; its path.

    Raises:
        IndexInvalid: There are none, or two are one version of one plugin.
        AgentMemError: What is wrong with a package.
        OSError: A file cannot be read or written.
    """
    found: dict[str, dict[str, tuple[Manifest, Path]]] = {}
    for path in sorted(folder.glob("*.zip")):
        with tempfile.TemporaryDirectory() as place:
            unpack(path, Path(place))
            manifest = checked_bundle(Path(place), __version__)
        versions = found.setdefault(manifest.plugin.id, {})
        other = versions.get(manifest.plugin.version)
        if other is not None:
            raise IndexInvalid(
                f"{other[1].name} and {path.name} are both '{manifest.plugin.id}' {manifest.plugin.version}",
                fix="keep one of them, or give the newer one a version of its own",
            )
        versions[manifest.plugin.version] = manifest, path
    if not found:
        raise IndexInvalid(
            f"there is no package in {folder}", fix="agentmem-mcp package PLUGIN --output " + str(folder)
        )
    plugins = {plugin: _entry(versions) for plugin, versions in sorted(found.items())}
    text = json.dumps({"index_version": 1, "plugins": plugins}, indent=2, ensure_ascii=False) + "\n"
    replace_file(folder / INDEX_NAME, text.encode("utf-8"), mode=0o644)
    return folder / INDEX_NAME


def _entry(versions: Mapping[str, tuple[Manifest, Path]]) -> dict[str, object]:
    ordered: list[str] = []
    for version in versions:  # the newest first
        place = next((at for at, other in enumerate(ordered) if newer(version, other)), len(ordered))
        ordered.insert(place, version)
    newest = versions[ordered[0]][0]
    about = newest.plugin
    return {
        "name": about.name,
        "description": about.description,
        "author": about.author,
        "type": about.type,
        "tools": [tool.word for tool in newest.tools],
        "versions": [_listed(*versions[version]) for version in ordered],
    }


def _listed(manifest: Manifest, path: Path) -> dict[str, object]:
    data = path.read_bytes()
    listed: dict[str, object] = {
        "version": manifest.plugin.version,
        "url": quote(path.name),
        "sha256": sha256_of(data),
        "size": len(data),
    }
    if manifest.plugin.requires_host:
        listed["requires_host"] = manifest.plugin.requires_host
    if manifest.plugin.requires_plugins:
        listed["requires_plugins"] = dict(manifest.plugin.requires_plugins)
    return listed


def read_index(data: bytes, where: str) -> Index:
    """The index that ``data`` is.

    Raises:
        IndexInvalid: It is none.
    """
    try:
        index = Index.model_validate_json(data)
    except ValidationError as error:
        problems = "; ".join(problems_of(error, Index)[:5])
        raise IndexInvalid(
            f"{where} is no index: {problems}", fix="look at the URL, or tell whoever keeps it"
        ) from None
    odd = [plugin for plugin in index.plugins if not re.fullmatch(PLUGIN_ID, plugin)]
    if odd:
        raise IndexInvalid(f"{where} names {odd[0][:60]!r}, which is no plugin id", fix="tell whoever keeps it")
    return index


def choose(
    plugin: str, wanted: VersionRange, indexes: Mapping[str, tuple[str, Index]], origins: Iterable[str]
) -> Chosen:
    """The newest version of ``plugin`` that fits, from the first index that has the plugin at all.

    Only that one: an index that is named later cannot take over a name by having a higher version of it.

    Args:
        plugin: Its id.
        wanted: Which versions will do.
        indexes: Name -> URL and content, in the operator's order.
        origins: Where packages may lie beside an index's own origin.

    Raises:
        PackageNotFound: No index has it, or none of its versions fits.
        RequirementConflict: All that fit need another host.
        DownloadRefused: The index points to another origin.
    """
    name = next((name for name, (_, index) in indexes.items() if plugin in index.plugins), None)
    if name is None:
        where = f"the indexes {', '.join(indexes)}" if indexes else "any index: none is configured"
        raise PackageNotFound(
            f"there is no plugin '{plugin}' in {where}",
            fix="agentmem-mcp search WORD" if indexes else "[sharing.indexes] NAME = URL in the configuration",
        )
    url, index = indexes[name]
    listed = _newest(plugin, wanted, name, index.plugins[plugin])
    return Chosen(plugin, name, listed, _within(name, url, listed.url, origins))


def _newest(plugin: str, wanted: VersionRange, name: str, entry: Entry) -> Listed:
    """The newest version of ``entry`` that is wanted and works with this host."""
    versions = {listed.version: listed for listed in entry.versions}
    working = (version for version, listed in versions.items() if fits_host(listed.requires_host, __version__))
    newest = wanted.newest(working)
    if newest is not None:
        return versions[newest]
    other = wanted.newest(versions)
    if other is not None:
        raise RequirementConflict(
            f"'{plugin}' {other} of index '{name}' needs a host {versions[other].requires_host}, this is {__version__}",
            fix="update agentmem-mcp, or ask for another version",
        )
    there = ", ".join(list(versions)[:10])
    raise PackageNotFound(
        f"index '{name}' has '{plugin}' in {there}, and none of these is {wanted.text}",
        fix=f"agentmem-mcp add {plugin}@VERSION",
    )


def search(words: Iterable[str], indexes: Mapping[str, tuple[str, Index]]) -> list[tuple[str, str, Entry]]:
    """Name of the index, id and entry of every plugin in which each of ``words`` is found; ids that begin so first."""
    wanted = [word.casefold() for word in words]
    found = [
        (name, plugin, entry)
        for name, (_, index) in indexes.items()
        for plugin, entry in index.plugins.items()
        if all(word in _text(plugin, entry) for word in wanted)
    ]
    return sorted(found, key=lambda one: (not any(one[1].startswith(word) for word in wanted), one[1]))


def _text(plugin: str, entry: Entry) -> str:
    return " ".join((plugin, entry.name, entry.description, entry.author, entry.type, *entry.tools)).casefold()


def _within(name: str, index: str, url: str, origins: Iterable[str]) -> str:
    whole = urljoin(index, url)
    at = {f"{parts.scheme}://{parts.netloc}".lower() for parts in (urlsplit(index), *map(urlsplit, origins))}
    parts = urlsplit(whole)
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    if origin not in at:
        shown = _printable(origin[:200])
        raise DownloadRefused(
            f"index '{name}' points to another origin, {shown}",
            fix=f'if its packages are kept there: [sharing] origins = ["{shown}"] in the configuration',
        )
    return whole
