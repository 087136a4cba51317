"""Looks at the configuration and the plugin folders again while a server runs, and says what came of it.

A configuration that is broken changes nothing. Rights are frozen per loaded version, so a changed grant makes a new
version of its plugin; calls that run end on the old one, within the drain time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from mcp_server.errors import SettingsError
from mcp_server.host import PluginHost
from mcp_server.settings import Configuration

__all__ = ["Reloader"]

logger = logging.getLogger(__name__)

SERVER_SECTIONS = ("runtime", "log", "llm", "memory", "approval", "audit", "secrets", "http")
"""Sections that are read when a server starts and never again."""


class Reloader:
    """What SIGHUP, ``--watch`` and the management API ask for.

    Args:
        host: Takes over what changed.
        read: Reads the configuration anew; None where there is none to read.
        first: What the host was started with.
    """

    def __init__(
        self, host: PluginHost, read: Callable[[], Configuration] | None, first: Configuration | None = None
    ) -> None:
        self._host = host
        self._read = read
        self._current = first
        self._broken: tuple[object, ...] = ()

    @property
    def file(self) -> Path | None:
        """The operator's own configuration file; None where there is none to read."""
        return self._current.files[0].path if self._current is not None else None

    @property
    def files(self) -> list[Path]:
        """Every configuration file that counts, whether it is there or not."""
        return [file.path for file in self._current.files] if self._current is not None else []

    def warn(self) -> None:
        """Say what of the configuration in force is ignored."""
        for warning in self._current.warnings if self._current else ():
            logger.warning("%s", warning)

    def again(self) -> set[str]:
        """Read everything again; the ids of plugins that changed.

        Raises:
            SettingsError: The configuration is broken, or a plugin folder is missing; nothing has changed.
        """
        return self._take(self._read()) if self._read is not None else self._host.reload()

    def now(self) -> None:
        """Read everything again, and say in the log what came of it."""
        try:
            changed = self.again()
        except SettingsError as error:  # what is loaded keeps serving, under the configuration it has
            logger.warning("reload: %s; fix: %s", error.message, error.fix)
        else:
            logger.info("reloaded: %s", ", ".join(sorted(changed)) or "nothing changed")

    def look(self) -> None:
        """Read the configuration if a file of it changed, and look at the folders.

        Raises:
            SettingsError: A plugin folder is missing or unreadable.
        """
        if self._read is not None and self._current is not None and self._touched(self._current):
            self.now()
        else:
            self._host.reload()

    def _touched(self, current: Configuration) -> bool:
        """Whether a file is another one than what was read, and than what was found broken."""
        seen = tuple(file.now() for file in current.files)
        if seen == tuple(file.stamp for file in current.files) or seen == self._broken:
            return False
        self._broken = seen  # until it is taken
        return True

    def _take(self, fresh: Configuration) -> set[str]:
        old, self._current, self._broken = self._current, fresh, ()
        if old is None or old.warnings != fresh.warnings:
            self.warn()
        for section in SERVER_SECTIONS:
            if getattr(fresh.settings, section) != getattr(self._host.settings, section):
                logger.warning("[%s] has changed; that takes effect when the server starts again", section)
        kept = {section: getattr(self._host.settings, section) for section in SERVER_SECTIONS}
        self._host.settings = fresh.settings.model_copy(update=kept)
        self._host.fleet.start_soon(self._host.fetch_secrets)
        return self._host.reload()
