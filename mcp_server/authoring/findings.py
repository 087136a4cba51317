"""What a check finds: an error that keeps a plugin from working, or a warning, each with its file and line."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from mcp_server.authoring.places import Places

__all__ = ["Finding", "Findings", "key_path"]

Level = Literal["error", "warning"]
_STEP = re.compile(r"\[(\d+)\]|[^.\[\]]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or that the author may not have meant.

    Attributes:
        level: ``error``: a server or a client refuses it; ``warning``: it works, and somebody is worse off.
        code: Stable, for programs and for ``--ignore``.
        message: What is wrong.
        fix: What to write instead.
        file: Where it stands.
        line: Counted from 1.
    """

    level: Level
    code: str
    message: str
    fix: str
    file: str
    line: int

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(slots=True)
class Findings:
    """What was found so far in one file's terms.

    Attributes:
        file: The manifest.
        places: Its lines.
        found: In the order of the checks.
    """

    file: Path
    places: Places
    found: list[Finding] = field(default_factory=list[Finding])

    def error(self, code: str, message: str, fix: str, key: tuple[str | int, ...] = (), word: str = "") -> None:
        """Add what a server or a client refuses; it stands at ``key``, or where ``word`` follows it."""
        self._add("error", code, message, fix, key, word)

    def warning(self, code: str, message: str, fix: str, key: tuple[str | int, ...] = (), word: str = "") -> None:
        """Add what works and is not good."""
        self._add("warning", code, message, fix, key, word)

    def elsewhere(self, file: Path, places: Places) -> Findings:
        """The same list in terms of another file."""
        return Findings(file, places, self.found)

    def _add(self, level: Level, code: str, message: str, fix: str, key: tuple[str | int, ...], word: str) -> None:
        line = self.places.line_of(key, word) if word else self.places.line(key)
        self.found.append(Finding(level, code, message, fix, str(self.file), line))


def key_path(key: str) -> tuple[str | int, ...]:
    """``tools[0].input_schema`` as ``("tools", 0, "input_schema")``."""
    return tuple(int(found[1]) if found[1] else found[0] for found in _STEP.finditer(key))
