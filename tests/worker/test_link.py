"""The worker's end of the channel: what a thread that begins to lead finds and does."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from mcp_server.worker.frames import Kind, Mode, pack_frame
from mcp_server.worker.link import Link


@pytest.fixture
def ends() -> Iterator[tuple[Link, socket.socket]]:
    ours, parents = socket.socketpair()
    with ours, parents:
        parents.setblocking(False)
        yield Link(ours), parents


def test_a_new_leader_sends_the_answers_that_the_last_one_had_queued(ends: tuple[Link, socket.socket]) -> None:
    link, parent = ends
    parent.send(pack_frame(Kind.CALL, 1, b"", status=Mode.CALL) + pack_frame(Kind.CALL, 2, b"", status=Mode.CALL))
    assert link.next()[3] == 1
    link.queue(b"answer")  # call 2 is read and not begun, so nothing waits and nothing is flushed
    link.take_over()
    assert parent.recv(100) == b"answer"


def test_a_new_leader_sees_cancels_behind_calls_that_nobody_began(ends: tuple[Link, socket.socket]) -> None:
    link, parent = ends
    seen: list[int] = []
    link.cancelled = seen.append
    parent.send(pack_frame(Kind.CALL, 1, b"", status=Mode.CALL))
    assert link.next()[3] == 1
    parent.send(pack_frame(Kind.CALL, 2, b"", status=Mode.CALL) + pack_frame(Kind.CANCEL, 1))
    link.take_over()
    assert seen == [1]
    assert link.withdraw(2)


def test_taking_over_does_not_wait_for_anything(ends: tuple[Link, socket.socket]) -> None:
    link, parent = ends
    link.take_over()
    with pytest.raises(BlockingIOError):
        parent.recv(1)
