"""What a language of plugins is to ``build``: it knows its folders, and makes a module with its own tool."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from mcp_server.authoring.errors import BuildFailed, ToolchainMissing
from mcp_server.settings.variables import environment_of

__all__ = ["Language", "output_of", "run"]


class Language(Protocol):
    """One of them.

    Attributes:
        name: As ``new --lang`` takes it.
        sources: Endings of the files that a module is made from; ``dev`` looks at them.
    """

    @property
    def name(self) -> str: ...

    @property
    def sources(self) -> tuple[str, ...]: ...

    def owns(self, folder: Path) -> bool:
        """Whether ``folder`` holds a plugin in this language."""
        ...

    def build(self, folder: Path, module: Path) -> str:
        """Make a module of the sources in ``folder`` and put it at ``module``, which is not there yet.

        Returns:
            Name and version of what made it.

        Raises:
            ToolchainMissing: A program is not there.
            BuildFailed: It refused the sources, and said why on stderr.
        """
        ...


def run(command: Sequence[str | Path], folder: Path, more: Mapping[str, str | Path] | None = None) -> bytes:
    """Run a compiler in ``folder``, with ``more`` variables; what it writes to stderr is seen, its stdout is given.

    Raises:
        ToolchainMissing: It cannot be started.
        BuildFailed: It ended with another status than 0.
    """
    words = [str(word) for word in command]
    variables = {**environment_of(None), **{name: str(value) for name, value in (more or {}).items()}}
    try:
        done = subprocess.run(words, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=sys.stderr, check=False)  # noqa: S603  # a compiler, on the author's own sources
    except OSError as error:
        raise ToolchainMissing(f"{words[0]} cannot be started: {error.strerror}", fix=f"look at {words[0]}") from None
    if done.returncode:
        raise BuildFailed(
            f"{' '.join(words[:3])} … ended with status {done.returncode} in {folder}",
            fix="correct what it says above; the module from before is unchanged",
        )
    return done.stdout


def output_of(*command: str | Path) -> str | None:
    """What a command prints, or None where it is missing or fails."""
    try:
        words = [str(word) for word in command]
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603  # as above
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
