"""``dev``: build, load and try a plugin again whenever one of its files is saved, until it is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
from watchfiles import Change, awatch  # pyright: ignore[reportUnknownVariableType]  # trio is not installed

from mcp_server.authoring.building import Built, build_plugin
from mcp_server.authoring.cases import FOLDER, read_cases
from mcp_server.authoring.check import Report, check_plugin, manifest_at
from mcp_server.authoring.errors import BuildFailed
from mcp_server.authoring.golden import Outcome, run_cases
from mcp_server.authoring.languages import language_of
from mcp_server.errors import AgentMemError

__all__ = ["Round", "develop"]

DEBOUNCE_MS = 200
_ALWAYS = (".toml", ".json")
_PRODUCTS = frozenset({"target", "node_modules", ".zig-cache"})


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one save.

    Attributes:
        built: The new module; None where there are no sources, or it could not be made.
        outcomes: Of the golden cases.
        report: What ``check`` has to say.
        problem: Why the round went no further.
    """

    built: Built | None = None
    outcomes: tuple[Outcome, ...] = ()
    report: Report | None = None
    problem: AgentMemError | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "module_bytes": self.built.size if self.built is not None else None,
            "build_seconds": round(self.built.seconds, 2) if self.built is not None else None,
            "cases": [outcome.as_dict() for outcome in self.outcomes],
            "findings": [finding.as_dict() for finding in self.report.findings] if self.report is not None else [],
            "error": self.problem.as_dict(for_operator=True) if self.problem is not None else None,
        }


async def develop(folder: Path, told: Callable[[Round], None], *, cache: Path | None = None) -> None:
    """Go on until cancelled.

    Args:
        folder: The plugin's.
        told: Is told of each round, the first of which begins at once.
        cache: For compiled code; the user's cache folder when omitted.

    Raises:
        SettingsError: There is no manifest in ``folder``.
    """
    manifest_at(folder)
    told(await _round(folder, cache))
    async for _ in awatch(folder, watch_filter=_concerns(folder), debounce=DEBOUNCE_MS, step=20):
        told(await _round(folder, cache))


async def _round(folder: Path, cache: Path | None) -> Round:
    built: Built | None = None
    report: Report | None = None
    try:
        if _has_sources(folder):
            built = await anyio.to_thread.run_sync(build_plugin, folder)
        report = check_plugin(folder)
        cases = read_cases(folder) if any((folder / FOLDER).glob("*.toml")) else []
        return Round(built, tuple(await run_cases(folder, cases, cache=cache)), report)
    except AgentMemError as error:
        return Round(built, (), report, error)


def _has_sources(folder: Path) -> bool:
    try:
        language_of(folder)
    except BuildFailed:
        return False
    return True


def _concerns(folder: Path) -> Callable[[Change, str], bool]:
    """Sources, manifest, schemas and cases; the module itself only where somebody else makes it."""
    endings = (*_ALWAYS, *(language_of(folder).sources if _has_sources(folder) else (".wasm",)))
    root = folder.resolve()

    def concerns(change: Change, path: str) -> bool:
        del change
        parts = Path(path).relative_to(root).parts if Path(path).is_relative_to(root) else Path(path).parts
        made = any(part in _PRODUCTS or part.startswith(".") for part in parts)
        return path.endswith(endings) and not made

    return concerns
