"""What a recipe is, and the steps that recipes share: reading sources, laying them out elsewhere, running commands."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

__all__ = ["PLUGINS", "ROOT", "BuildError", "Recipe", "lay_out", "output_of", "run", "sources_below"]

PLUGINS = Path(__file__).resolve().parents[1]
ROOT = PLUGINS.parent
_PRODUCTS = (".wasm", ".wasm.json", ".md")
_FOREIGN = {"node_modules", "target", "zig-out", ".zig-cache"}


class BuildError(Exception):
    """The build cannot go on; the message says why and what to do."""


class Recipe(Protocol):
    """The way from sources to modules in one language."""

    language: str

    def owns(self, plugin: Path) -> bool:
        """Return whether a folder of ``plugins/`` is a plugin in this language."""
        ...

    def contents(self, plugin: Path) -> dict[str, bytes]:
        """Return all that a plugin's module is made from, by path from the repository's root, or by a word."""
        ...

    def compiler(self) -> str:
        """Return name and version of the compiler, fetching it where that needs no rights.

        Raises:
            BuildError: There is none; the message says what to install.
        """
        ...

    def compile(self, plugins: Sequence[Path], folder: Path) -> dict[str, Path]:
        """Compile plugins below an existing ``folder`` and return the new modules by plugin id.

        Raises:
            BuildError: The compiler failed; it has said why on stderr.
        """
        ...


def sources_below(*folders: Path) -> dict[str, bytes]:
    """Return the files of folders of this repository by their paths in it, less documentation and what was built."""
    found: dict[str, bytes] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            inner = path.relative_to(folder).parts
            if path.is_file() and not path.name.endswith(_PRODUCTS) and not _FOREIGN & set(inner):
                found[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    return found


def lay_out(contents: Mapping[str, bytes], folder: Path) -> None:
    """Write files below ``folder``: a build sees what is in the digest and nothing else, at a path of its own."""
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str | Path]) -> None:
    """Run a command in ``folder`` with more environment variables.

    Raises:
        BuildError: It failed, or cannot be started.
    """
    words = [str(word) for word in command]
    variables = {name: str(value) for name, value in environment.items()}
    try:
        result = subprocess.run(words, cwd=folder, env=os.environ | variables, check=False)  # noqa: TID251 - for compilers
    except OSError as problem:
        raise BuildError(f"`{words[0]}` cannot be started: {problem}.") from problem
    if result.returncode != 0:
        raise BuildError(f"`{' '.join(words[:4])} …` failed; its messages are above.")


def output_of(*command: str | Path) -> str | None:
    """Return what a command prints, or None where it is missing or fails."""
    try:
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return result.stdout.strip() if result.returncode == 0 else None
