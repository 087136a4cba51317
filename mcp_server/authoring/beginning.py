"""``new``: a folder with a plugin that builds and passes its test at once, and with the SDK that it needs in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

import mcp_server
from mcp_server.authoring.errors import FolderTaken
from mcp_server.authoring.languages import LANGUAGES
from mcp_server.errors import InvalidArguments
from mcp_server.manifest.model import PLUGIN_ID
from mcp_server.problems import did_you_mean

__all__ = ["TYPES", "begin_plugin"]

TYPES = ("Custom", "MemoryProcessor", "CodeAnalyzer", "SearchAlgorithm", "DataSource", "Multimodal")
_DESCRIPTIONS = {
    "Custom": "Counts the words of a text",
    "MemoryProcessor": "Tidies memories before they are kept",
    "CodeAnalyzer": "Says which functions and imports source code has",
    "SearchAlgorithm": "Ranks texts by the words that they share with a query",
    "DataSource": "Makes memories of the lines of a table",
    "Multimodal": "Says what kind of file a medium is",
}
_CALLS = {  # a line for the README
    "Custom": 'count text="to be or not to be"',
    "MemoryProcessor": 'process_memory content=" tea  is green "',
    "CodeAnalyzer": 'analyze_code language=python code="import os"',
    "SearchAlgorithm": 'compute_similarity a=tea b="green tea"',
    "DataSource": 'connect table="name, drink"',
    "Multimodal": "process_media media_type=image/png data=iVBORw0KGgo=",
}
_WASI = "\n[runtime]\nwasi = true # Go's runtime imports it, for its clock and random numbers\n"
_RUST_SCHEMAS = 'input_schema = "schemas/count.input.json"\noutput_schema = "schemas/count.output.json"\n'
# A template's name -> that of the file: what tools would take for their own has no dot among the sources.
_NAMES = {"gitignore": ".gitignore", "npmrc": ".npmrc", "cargo": ".cargo"}
_SUFFIX = ".tmpl"
_SDK_LEFT_OUT = shutil.ignore_patterns("tests", "examples", "target", "node_modules", "rustfmt.toml", ".gitattributes")


@dataclass(frozen=True, slots=True)
class _Wanted:
    plugin: str
    language: str
    kind: str
    author: str

    def words(self) -> dict[str, str]:
        """What stands for what in a template."""
        name = self.plugin.replace("-", " ").capitalize()
        schemas = _RUST_SCHEMAS if self.language == "rust" else _read(_templates() / "any" / f"schemas{_SUFFIX}")
        return {
            "id": self.plugin,
            "name": name,
            "author": self.author,
            "description": _DESCRIPTIONS[self.kind],
            "call": _CALLS[self.kind],
            "runtime": _WASI if self.language == "go" else "",
            "schemas": schemas.rstrip("\n"),
        }


def begin_plugin(plugin: str, language: str, kind: str, place: Path, author: str = "") -> Path:
    """Write a new plugin into the folder ``place``, which is not there yet or is empty.

    Args:
        plugin: Its id.
        language: One of :data:`LANGUAGES`.
        kind: One of :data:`TYPES`.
        place: Its folder.
        author: For its manifest.

    Returns:
        ``place``.

    Raises:
        InvalidArguments: One of them is not what it must be.
        FolderTaken: There is something at ``place``.
    """
    wanted = _Wanted(plugin, language, kind, author or "me")
    _check(wanted)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise FolderTaken(f"{place} is there already, and was left as it is", fix="name another folder with --into")
    place.mkdir(parents=True, exist_ok=True)
    words = wanted.words()
    for source in _sources(wanted):
        _write(source, place, words)
    _copy_sdk(language, place / "sdk")
    return place


def _check(wanted: _Wanted) -> None:
    if not re.fullmatch(PLUGIN_ID, wanted.plugin) or (wanted.language == "rust" and not wanted.plugin[0].isalpha()):
        first = ", the first of them a letter" if wanted.language == "rust" else ""
        raise InvalidArguments(
            f"'{wanted.plugin}' is no id: at most 48 of a-z, 0-9 and '-'{first}", fix="agentmem-mcp new my-plugin"
        )
    for word, known in ((wanted.language, tuple(LANGUAGES)), (wanted.kind, TYPES)):
        if word not in known:
            raise InvalidArguments(f"there is no '{word}'{did_you_mean(word, known)}", fix=f"one of {', '.join(known)}")
    if '"' in wanted.author or "\\" in wanted.author or not wanted.author.isprintable():
        raise InvalidArguments("the author's name holds a quote, a backslash or an invisible character", fix="--author")


def _sources(wanted: _Wanted) -> Iterator[Traversable]:
    """The folders of templates, of which the later ones win."""
    if wanted.kind == "Custom":
        yield _templates() / "any"
    else:
        for name in ("README.md", "gitignore"):
            yield _templates() / "any" / f"{name}{_SUFFIX}"
        yield _templates() / "types" / wanted.kind.lower()
    yield _templates() / wanted.language
    own = _templates() / f"{wanted.language}-{wanted.kind.lower()}"
    if own.is_dir():
        yield own


def _templates() -> Traversable:
    return files("mcp_server.authoring") / "templates"


def _read(source: Traversable) -> str:
    return source.read_text(encoding="utf-8")


def _write(source: Traversable, place: Path, words: dict[str, str]) -> None:
    """Write a template, or all of a folder of them, below ``place``."""
    if source.is_file():
        name, text = source.name.removesuffix(_SUFFIX), _read(source)
        if name != "schemas":
            text = Template(text).substitute(words) if source.name.endswith(_SUFFIX) else text
            (place / _NAMES.get(name, name)).write_text(text.rstrip("\n") + "\n", encoding="utf-8")
        return
    for child in source.iterdir():
        below = place / _NAMES.get(child.name, child.name) if child.is_dir() else place
        below.mkdir(exist_ok=True)
        _write(child, below, words)


def _copy_sdk(language: str, place: Path) -> None:
    """Copy the SDK, which is on no registry: a plugin that has it beside it builds on any machine."""
    package = Path(mcp_server.__file__).resolve().parent
    sdk = next(root / "sdk" for root in (package / "examples", package.parent) if (root / "sdk").is_dir())
    shutil.copytree(sdk / ("c" if language == "c" else language), place, ignore=_SDK_LEFT_OUT)
    if language == "go":  # the plugin's own module vouches for what the SDK brings along
        shutil.copyfile(place / "go.sum", place.parent / "go.sum")
    for manifest in place.rglob("Cargo.toml"):  # of this project's workspace no longer
        lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
        manifest.write_text("".join(line for line in lines if not line.startswith("workspace = ")), encoding="utf-8")
