"""Which plugins need an approval before they, or a change of them, run. Compares paths; reads no file.

Governed are the plugins installed in the user's own folder; those that came in through the server wait for a word of
approval from the first. Folders that the operator names, on the command line or
in a program, are that operator's work, unless ``mode`` is ``required`` or the server is ``--locked``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["ApprovalRules", "Launch"]


@dataclass(frozen=True, slots=True)
class Launch:
    """How this process was started, as far as it matters to which plugins may run.

    Attributes:
        strict: Everything is governed, nothing is taken on first use, and nothing may differ.
        locked: Strict, and nothing is served at all unless every plugin is what was approved.
        looking: It runs no plugin: it writes down neither first uses nor an audit log.
        alone: A plugin is tried by its author: nobody asks for the other plugins that it needs.
        options: What follows ``plugin approve ID`` so that the command finds the same plugins and grants.
    """

    strict: bool = False
    locked: bool = False
    looking: bool = False
    alone: bool = False
    options: str = ""

    @property
    def exact(self) -> bool:
        """Whether the lock alone decides."""
        return self.strict or self.locked


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """Who is governed by the lock.

    Attributes:
        mode: As in the settings.
        installed: The user's plugin folder: governed, also when it is named.
        trusted: Folders whose plugins are never asked about.
        launch: How the process was started.
        sent: Where what came in through the server lies: governed in every mode, and never taken on first use.
    """

    mode: Literal["trust-on-first-use", "required", "off"]
    installed: Path
    trusted: tuple[Path, ...] = ()
    launch: Launch = Launch()
    sent: Path | None = None

    def governs(self, files: Iterable[Path]) -> bool:
        """Whether a version made of ``files`` needs an approval; a trusted one lies in trusted folders, all of it."""
        if self.launch.exact:
            return True
        real = [_real(path) for path in files]
        if self._was_sent(real):
            return True
        if self.mode == "off" or all(_below(path, self.trusted) for path in real):
            return False
        return self.mode == "required" or any(_below(path, (self.installed,)) for path in real)

    def first_use_counts(self, files: Iterable[Path]) -> bool:
        """Whether a version made of ``files``, of which nothing was approved so far, is approved by being there."""
        if self.launch.exact or self.mode == "required":
            return False
        return not self._was_sent(map(_real, files))

    def _was_sent(self, real: Iterable[Path]) -> bool:
        sent = self.sent
        return sent is not None and any(_below(path, (sent,)) for path in real)


def _below(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(_real(folder.expanduser())) for folder in folders)


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of symbolic links is a RuntimeError up to Python 3.12
        return path.absolute()
