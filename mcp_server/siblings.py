"""Managing one of several processes that serve as one: what it is told to do, the others do before their next request.

What is on disk (configuration, approvals, plugins) each reads again; what is not, that a plugin was stopped, started or
restarted, stands on a board. A server of one process has no board, and only does it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import anyio

from mcp_server.errors import AgentMemError, SettingsError
from mcp_server.host import PluginHost
from mcp_server.registry.lifecycle import State
from mcp_server.reloading import Reloader

__all__ = ["Board", "Siblings"]

logger = logging.getLogger(__name__)

FOLLOW_SECONDS = 0.5
"""How soon one process takes over what a command wrote, and, where it has no requests, what another process did."""
_LOOK, _RELOAD = "look", "reload"


class Board(Protocol):
    """Where processes read what the others were told; kept while one of them lives."""

    def number(self) -> int:
        """How much was put there; asked with every request."""
        ...

    def put(self, plugin: str, verb: str) -> tuple[int, int]:
        """Put ``verb`` there for ``plugin``, or for all with an empty one: the number before, and the one now."""
        ...

    def since(self, number: int) -> tuple[int, list[tuple[str, str]]]:
        """The number now, and what came after ``number``, in order: the last verb of each plugin."""
        ...


class Siblings:
    """What the management API asks for, done in every process.

    Args:
        host: Of this process, entered already.
        reloader: As well.
        board: Common to all; None where there is one process.
    """

    def __init__(self, host: PluginHost, reloader: Reloader, board: Board | None = None) -> None:
        self._host, self._reloader, self._board = host, reloader, board
        self._seen = -1

    def stop(self, plugin: str) -> None:
        """As :meth:`PluginHost.stop`."""
        self._host.stop(plugin)
        self._put(plugin, "stop")

    def start(self, plugin: str) -> None:
        """Load a plugin that is stopped or in Error.

        Raises:
            AgentMemError: As :meth:`PluginHost.restart`.
        """
        self._begin(plugin, "start")

    def restart(self, plugin: str) -> None:
        """As :meth:`PluginHost.restart`."""
        self._begin(plugin, "restart")

    def reload(self) -> None:
        """Read configuration and folders again.

        Raises:
            SettingsError: As :meth:`Reloader.again`; nothing has changed anywhere.
        """
        self._reloader.again()
        self._put("", _RELOAD)

    def changed(self) -> None:
        """Something was written that this process has taken up already: a configuration, an approval, a plugin."""
        self._put("", _LOOK)

    def catch_up(self) -> None:
        """Do what the others were told since this was last asked; costs next to nothing when that is nothing."""
        if self._board is None or self._board.number() == self._seen:
            return
        new = self._seen < 0
        self._seen, told = self._board.since(self._seen)
        self._look(again=not new and any(verb == _RELOAD for _, verb in told))
        for plugin, verb in told:
            if plugin and (verb == "stop" or not new):  # whoever has just started has loaded all anew
                self._obey(plugin, verb)

    async def follow(self, files: Sequence[Path]) -> None:
        """Catch up, and look again whenever one of ``files`` or folders was written, until cancelled.

        The time of a folder changes with what is in it, so a plugin that comes or goes is seen; one that is written
        over is what ``--watch`` and SIGHUP are for.
        """
        seen = [_changed_ns(file) for file in files]
        while True:
            await anyio.sleep(FOLLOW_SECONDS)
            self.catch_up()
            now = [_changed_ns(file) for file in files]
            if now != seen:
                seen = now
                self._look()

    def _begin(self, plugin: str, verb: str) -> None:
        self._host.registry.get(plugin)
        try:
            self._host.restart(plugin)
        finally:
            self._put(plugin, verb)  # also when it failed: it is in Error here, and has to be everywhere

    def _put(self, plugin: str, verb: str) -> None:
        if self._board is None:
            return
        before, now = self._board.put(plugin, verb)
        if before == self._seen:
            self._seen = now  # else the others' words between are still to be done, and this one again

    def _look(self, *, again: bool = False) -> None:
        try:
            if again:
                self._reloader.now()
            else:
                self._reloader.look()
        except SettingsError as error:  # a folder was taken away; what is loaded keeps serving
            logger.warning("reload: %s", error.message)

    def _obey(self, plugin: str, verb: str) -> None:
        record = self._host.registry.records.get(plugin)
        if record is None:
            return
        try:
            if verb == "stop" and record.state is not State.STOPPED:
                self._host.stop(plugin)
            elif verb == "restart" or (verb == "start" and not record.serving):
                self._host.restart(plugin)
        except AgentMemError as error:
            logger.warning("plugin %s could not %s as in another process: %s", plugin, verb, error.message)


def _changed_ns(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
