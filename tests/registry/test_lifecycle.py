"""The table of states: every pair of states is either a move or an error that names both."""

from __future__ import annotations

import itertools

import pytest

from mcp_server.errors import LifecycleError
from mcp_server.registry.lifecycle import State, advance

R, L, D, N, S, E, U = (
    State.REGISTERED,
    State.LOADING,
    State.LOADED,
    State.RUNNING,
    State.STOPPED,
    State.ERROR,
    State.UNREGISTERED,
)
MOVES = {
    (R, L), (R, E), (R, U),
    (L, D), (L, E), (L, U),
    (D, N), (D, S), (D, L), (D, E), (D, U),
    (N, D), (N, S), (N, L), (N, E), (N, U),
    (S, L), (S, E), (S, U),
    (E, L), (E, S), (E, U),
}  # fmt: skip


@pytest.mark.parametrize(("current", "to"), sorted(MOVES))
def test_a_move_of_the_table_gives_the_new_state(current: State, to: State) -> None:
    assert advance("p", current, to) is to


@pytest.mark.parametrize(("current", "to"), sorted(set(itertools.product(State, State)) - MOVES))
def test_any_other_move_names_both_states_and_what_is_possible(current: State, to: State) -> None:
    with pytest.raises(LifecycleError) as caught:
        advance("p", current, to)
    assert caught.value.message.startswith(f"plugin 'p' is {current} and cannot become {to}; from {current} it can")
    assert caught.value.data == {"plugin": "p", "from": current, "to": to}
    possible = sorted(later for earlier, later in MOVES if earlier is current)
    assert caught.value.message.endswith(", ".join(possible) or "nothing, it is final")


def test_unregistered_is_final_and_error_can_be_reached_from_every_other_state() -> None:
    assert not [later for earlier, later in MOVES if earlier is U]
    assert {earlier for earlier, later in MOVES if later is E} == set(State) - {E, U}
