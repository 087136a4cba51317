"""The states of a plugin and the only moves between them."""

from __future__ import annotations

from enum import StrEnum

from mcp_server.errors import LifecycleError

__all__ = ["TRANSITIONS", "State", "advance"]


class State(StrEnum):
    """Where a plugin stands; the words are shown to people and clients as they are."""

    REGISTERED = "Registered"  # found, nothing read yet
    LOADING = "Loading"  # manifest and module are being read and checked
    LOADED = "Loaded"  # its tools are shown; no worker runs
    RUNNING = "Running"  # a worker has been started for it
    STOPPED = "Stopped"  # its tools answer that it is stopped
    ERROR = "Error"  # held back, with a reason
    UNREGISTERED = "Unregistered"  # gone for good; its id is free


_ANYTIME = frozenset({State.ERROR, State.UNREGISTERED})
TRANSITIONS: dict[State, frozenset[State]] = {
    State.REGISTERED: frozenset({State.LOADING}) | _ANYTIME,
    State.LOADING: frozenset({State.LOADED}) | _ANYTIME,
    State.LOADED: frozenset({State.RUNNING, State.STOPPED, State.LOADING}) | _ANYTIME,
    State.RUNNING: frozenset({State.LOADED, State.STOPPED, State.LOADING}) | _ANYTIME,
    State.STOPPED: frozenset({State.LOADING}) | _ANYTIME,
    State.ERROR: frozenset({State.LOADING, State.STOPPED, State.UNREGISTERED}),
    State.UNREGISTERED: frozenset(),
}


def advance(plugin: str, current: State, to: State) -> State:
    """The new state.

    Raises:
        LifecycleError: Names both states and what would be possible.
    """
    if to not in TRANSITIONS[current]:
        possible = ", ".join(sorted(TRANSITIONS[current])) or "nothing, it is final"
        raise LifecycleError(
            f"plugin '{plugin}' is {current} and cannot become {to}; from {current} it can become: {possible}",
            data={"plugin": plugin, "from": current, "to": to},
        )
    return to
