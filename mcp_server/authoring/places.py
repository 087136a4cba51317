"""In which line of a file a key stands: of TOML by table and key, of JSON by pointer.

The texts were parsed already and are in order; this only counts lines, and a key that it cannot find stands where the
nearest key above it does.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

__all__ = ["Places", "json_places", "toml_places"]

Path = tuple[str | int, ...]
_KEY = r'(?:[A-Za-z0-9_-]+|"[^"\n]*"|\'[^\'\n]*\')'
_KEYS = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_TABLE = re.compile(rf"\s*(\[\[?)\s*({_KEYS})\s*\]")
_PAIR = re.compile(rf"\s*({_KEYS})\s*=")
_ONE_KEY = re.compile(_KEY)
# What can open or close while a value goes on over lines; a comment ends with its line.
_PART = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}\n]', re.DOTALL
)
_JSON_PART = re.compile(
    r'[\s,:]*(?:(?P<open>[{\[])|(?P<close>[}\]])|(?P<text>"(?:\\.|[^"\\])*")|(?P<word>[^\s,:{}\[\]"]+))'
)


@dataclass(frozen=True, slots=True)
class Places:
    """Lines, counted from 1, by path.

    Attributes:
        lines: Of each key.
        text: All lines of the file.
    """

    lines: dict[Path, int]
    text: tuple[str, ...]

    def line(self, path: Path) -> int:
        """The line of ``path``, or of the nearest key above it; 1 where there is none."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1

    def line_of(self, path: Path, word: str) -> int:
        """The line in which ``word`` stands, from that of ``path`` on; that of ``path`` where it stands in none."""
        first = self.line(path)
        found = (number for number, line in enumerate(self.text[first - 1 :], first) if word in line)
        return next(found, first)


def toml_places(text: str) -> Places:
    """The places of the TOML document ``text``, tables and keys; what is in an inline table stands at its key."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    position, number = 0, 1
    while position < len(text):
        if found := _TABLE.match(text, position):
            table = _entered(_split(found[2]), found[1] == "[[", counts)
            at, end = table, found.end()
        elif found := _PAIR.match(text, position):
            at, end = (*table, *_split(found[1])), _value_end(text, found.end())
        else:
            at, end = (), position
        skipped = text.count("\n", position, found.start(2 if at == table else 1)) if found else 0
        for length in range(1, len(at) + 1):
            lines.setdefault(at[:length], number + skipped)
        line_end = text.find("\n", end)
        line_end = len(text) if line_end < 0 else line_end + 1
        number += text.count("\n", position, line_end)
        position = line_end
    return Places(lines, tuple(text.splitlines()))


def json_places(text: str) -> Places:
    """The places of the JSON document ``text``."""
    walk = _JsonWalk()
    position = 0
    while found := _JSON_PART.match(text, position):
        position = found.end()
        line = text.count("\n", 0, found.start(found.lastgroup or 0)) + 1
        if found["text"]:
            walk.take_text(json.loads(found["text"]), line)
        elif found["open"]:
            walk.enter(found["open"], line)
        elif found["close"]:
            walk.leave()
        else:
            walk.take(line)
    return Places(walk.lines, tuple(text.splitlines()))


@dataclass(slots=True)
class _JsonWalk:
    """Where a walk over a JSON text stands: in which objects and arrays, and behind which key."""

    lines: dict[Path, int] = field(default_factory=dict[Path, int])
    _path: list[str | int] = field(default_factory=list[str | int])
    _kinds: list[str] = field(default_factory=list[str])
    _counts: list[int] = field(default_factory=list[int])
    _key: str | None = None

    def take_text(self, word: str, line: int) -> None:
        if self._kinds and self._kinds[-1] == "{" and self._key is None:
            self._key = word
            self.lines[(*self._path, word)] = line
        else:
            self.take(line)

    def enter(self, kind: str, line: int) -> None:
        nested = bool(self._kinds)
        step = self.take(line)
        if nested:
            self._path.append(step)
        self._kinds.append(kind)
        self._counts.append(0)

    def leave(self) -> None:
        self._kinds.pop()
        self._counts.pop()
        if self._path:
            self._path.pop()

    def take(self, line: int) -> str | int:
        """A value has begun; the step that leads to it."""
        if self._key is not None:
            step, self._key = self._key, None
            return step
        if not self._counts:
            return 0
        step = self._counts[-1]
        self._counts[-1] += 1
        self.lines[(*self._path, step)] = line
        return step


def _split(keys: str) -> tuple[str, ...]:
    return tuple(key.strip("\"'") for key in _ONE_KEY.findall(keys))


def _entered(keys: tuple[str, ...], is_array: bool, counts: dict[Path, int]) -> Path:
    """The path of a table's header, in which the last entry of each array above is meant."""
    path: Path = ()
    for index, key in enumerate(keys):
        path = (*path, key)
        last = index == len(keys) - 1
        if is_array and last:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _value_end(text: str, position: int) -> int:
    """Where the value that begins at ``position`` ends, or its line's comment does."""
    depth = 0
    while found := _PART.search(text, position):
        part = found[0]
        if part == "\n" and depth <= 0:
            return found.start()
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(part, 0)
        position = found.end()
    return len(text)
