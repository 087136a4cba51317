"""Which files a plugin may touch: named roots, what the manifest asks for below them, and what nobody may name.

Values only. A path is the plugin's: ``<root>/<folder>/<file>``, always relative to a root that the operator named.
That it stays below that root on disk, whatever links lie there, is the work of
:mod:`mcp_server.capabilities.filesystem.beneath`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal, NoReturn

from mcp_server.policy.denied import PathDenied
from mcp_server.policy.file_limits import FILE_NUMBERS, FileLimits
from mcp_server.policy.numbers import Bounds, bounds_of

__all__ = [
    "PROJECT_FILE",
    "TEMPORARY_PREFIX",
    "FileGrant",
    "FileLimits",
    "FileRules",
    "Mode",
    "PathDenied",
    "intersect",
    "parse_path",
    "path_problems",
]

Mode = Literal["read", "write"]
Segments = tuple[str, ...]
MAX_PATH_BYTES = 1_024
MAX_NAME_BYTES = 255
MAX_SEGMENTS = 32
TEMPORARY_PREFIX = ".agentmem-"
"""How the files begin that a write makes before it renames them; no plugin may name one."""


PROJECT_FILE = "agentmem.toml"
"""A folder's own configuration of this server. No plugin may write one: where it is trusted, it grants rights."""


def parse_path(text: str) -> Segments:
    """The segments of a plugin's path; none for an empty one, which stands for the list of roots.

    Raises:
        PathDenied: ``invalid_path``.
    """
    if not text:
        return ()
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise _invalid("it holds a lone surrogate") from None
    if size > MAX_PATH_BYTES:
        raise _invalid(f"it is longer than {MAX_PATH_BYTES} bytes")
    if text.startswith("/"):
        raise _invalid("it must begin with the name of a root, not with a slash")
    segments = tuple(text.removesuffix("/").split("/"))
    if len(segments) > MAX_SEGMENTS:
        raise _invalid(f"it has more than {MAX_SEGMENTS} segments")
    for segment in segments:
        _check_segment(segment)
    return segments


def _check_segment(segment: str) -> None:
    if segment in {"", ".", ".."}:
        raise _invalid("it holds an empty segment, '.' or '..'")
    if "\\" in segment or any(unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} for character in segment):
        raise _invalid("it holds a backslash or an invisible character")
    if len(segment.encode("utf-8")) > MAX_NAME_BYTES:
        raise _invalid(f"one of its names is longer than {MAX_NAME_BYTES} bytes")
    if _folded(segment).startswith(TEMPORARY_PREFIX):
        raise _invalid(f"names that begin with {TEMPORARY_PREFIX} are the host's own")


def _invalid(reason: str) -> PathDenied:
    return PathDenied("invalid_path", f"the path is refused: {reason}")


def _folded(segment: str) -> str:
    # Some file systems take upper and lower case, and the composed and decomposed form of a letter, for the same.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", segment).casefold())


@dataclass(frozen=True, slots=True)
class FileGrant:
    """One folder the operator lets a plugin see.

    Attributes:
        name: The root's name in the plugin's paths.
        folder: Where it is on this machine; no message ever holds it.
        mode: ``read``, or ``write``, which includes reading.
        hard_links: Whether files with more than one name may be read. One of the names may lie outside the folder,
            so the default says no; a file that is written or deleted has one name in any case.
    """

    name: str
    folder: str
    mode: Mode = "read"
    hard_links: bool = False


@dataclass(frozen=True, slots=True)
class FileRules:
    """The rules in force for one plugin; without any, nothing is allowed."""

    roots: Mapping[str, FileGrant] = field(default_factory=dict[str, FileGrant])
    ceiling: tuple[tuple[Segments, Mode], ...] = ()
    deny: tuple[Segments, ...] = ()
    bounds: Bounds[FileLimits] = Bounds(FileLimits(), FileLimits())  # frozen

    @property
    def limits(self) -> FileLimits:
        """The numbers in force."""
        return self.bounds.effective

    def judge(self, segments: Segments, mode: Mode) -> FileGrant:
        """The root of a path that may be used in ``mode``.

        Raises:
            PathDenied: Names the bound that said no (root, path, mode, deny or own) and whose it is.
        """
        shown = "/".join(segments)
        root = self.roots.get(segments[0]) if segments else None
        if root is None:
            _refuse("root", shown, f"the grant has no root of that name; it has {', '.join(self.roots) or 'none'}")
        asked = {allowed for prefix, allowed in self.ceiling if segments[: len(prefix)] == prefix}
        if not asked:
            _refuse("path", shown, "the plugin's manifest does not ask for it", owner="manifest")
        if mode == "write" and "write" not in asked:
            _refuse("mode", shown, "the plugin's manifest asks to read it only", owner="manifest")
        if mode == "write" and root.mode != "write":
            _refuse("mode", shown, "the grant is for reading only")
        if any(_covers(pattern, segments) for pattern in self.deny):
            _refuse("deny", shown, "the grant forbids it")
        if mode == "write" and _folded(segments[-1]) == PROJECT_FILE:
            _refuse("own", shown, "it is a configuration file of the host", owner="host")
        return root

    def visible_roots(self) -> list[str]:
        """The roots below which the plugin may use something."""
        return [name for name in self.roots if any(prefix[0] == name for prefix, _ in self.ceiling)]


def _covers(pattern: Segments, segments: Segments) -> bool:
    return len(segments) >= len(pattern) and all(
        fnmatchcase(_folded(segment), wanted) for wanted, segment in zip(pattern, segments, strict=False)
    )


def _refuse(bound: str, shown: str, reason: str, owner: str = "grant") -> NoReturn:
    data = {"capability": "FileSystemAccess", "bound": bound, "owner": owner, "path": shown}
    raise PathDenied("path_denied", f"'{shown}' is not allowed: {reason}", data)


def path_problems(texts: Iterable[str]) -> list[str]:
    """What is wrong with each of ``texts``, for whoever checks a manifest or a configuration."""
    problems: list[str] = []
    for text in texts:
        try:
            if not parse_path(text):
                problems.append("'': a path begins with the name of a root")
        except PathDenied as denied:
            problems.append(f"'{text}': {denied.message}")
    return problems


def intersect(
    asked: Iterable[tuple[str, Mode]],
    granted: Iterable[FileGrant],
    deny: Iterable[str] = (),
    limits: FileLimits | None = None,
    numbers: Mapping[str, float] = MappingProxyType({}),
) -> FileRules:
    """The manifest's ``[filesystem]`` and the operator's roots, side by side; an operation must pass both.

    Args:
        asked: Path and mode of each entry; a path is a root's name, or a folder or file below one.
        granted: The operator's roots.
        deny: Paths that beat every allow, with all below them; ``*`` and ``?`` stand for text within a segment.
        limits: The operator's numbers.
        numbers: The manifest's, by key.

    Raises:
        PathDenied: ``invalid_path``; :func:`path_problems` finds it earlier.
    """
    ceiling: tuple[tuple[Segments, Mode], ...] = tuple(
        (segments, mode) for path, mode in asked if (segments := parse_path(path))
    )
    denied = tuple(tuple(_folded(segment) for segment in parse_path(path)) for path in deny)
    roots = {root.name: root for root in granted}
    bounds = bounds_of(limits or FileLimits(), numbers, FILE_NUMBERS)
    return FileRules(MappingProxyType(roots), ceiling, denied, bounds)
