"""One plugin as the server knows it: its state, the version that serves, and why it is held back if it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mcp_server.errors import AgentMemError
from mcp_server.registry.approval import Verdict
from mcp_server.registry.errors import PluginDisabled
from mcp_server.registry.lifecycle import State, advance
from mcp_server.registry.stamps import Stamp, files_of, stamp
from mcp_server.registry.version import PluginVersion
from mcp_server.runtime.runner import PluginRunner

__all__ = ["PluginRecord"]


@dataclass(slots=True)
class PluginRecord:
    """Mutable, and mutated by the registry alone.

    Attributes:
        id: Its id, or a guess from the file name when the manifest cannot be read.
        path: The ``plugin.toml``, or the lone ``.wasm``.
        state: Where it stands.
        version: The version whose tools are shown; kept when a newer one fails to load.
        runner: The workers of that version.
        error: Why it is in Error, or why the newest version was not taken.
        notes: Things a person should know that are no errors.
        approval: What was found out about the newest version; None while nothing could be read.
        newest: The version on disk where it is not the one that serves, for lack of an approval.
        stamp: Of the files the serving version was made of, taken before they were read.
    """

    id: str
    path: Path
    state: State = State.REGISTERED
    version: PluginVersion | None = None
    runner: PluginRunner | None = None
    error: AgentMemError | None = None
    notes: tuple[str, ...] = ()
    approval: Verdict | None = None
    newest: PluginVersion | None = None
    stamp: Stamp | None = None

    def move(self, to: State) -> None:
        """Change the state along the table.

        Raises:
            LifecycleError: The table has no such move.
        """
        self.state = advance(self.id, self.state, to)

    def fail(self, error: AgentMemError) -> None:
        """Hold the plugin back; its tools are gone until it loads again."""
        self.error = error
        if self.state is not State.ERROR:
            self.move(State.ERROR)

    @property
    def untouched(self) -> bool:
        """Whether it serves and its files are still those of the serving version."""
        if self.version is None or self.stamp is None or self.error is not None or not self.serving:
            return False
        return self.stamp == stamp(files_of(self.version.source))

    @property
    def serving(self) -> bool:
        """Whether its tools are shown."""
        return self.version is not None and self.runner is not None and self.state in (State.LOADED, State.RUNNING)

    @property
    def shown_state(self) -> State:
        """Running while a worker lives: workers come and go by themselves, so it is asked, not stored."""
        if self.state is State.ERROR and isinstance(self.error, PluginDisabled):
            return State.STOPPED  # nothing is wrong with it
        if self.state is State.LOADED and self.runner is not None and self.runner.workers:
            return State.RUNNING
        return self.state
