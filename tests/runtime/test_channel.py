"""The parent's channel against a worker that does not keep to the protocol: it ends, cleanly, and nothing hangs."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Awaitable, Callable

import anyio.lowlevel
import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.runtime.channel import LoadRefused, Pending, WorkerChannel, WorkerGone
from mcp_server.worker.frames import HEADER, ITEM, TIMES, FrameReader, Kind, Mode, Status, pack_frame
from tests.requirements import requirement

MAX_OUTPUT = 1_000
GOOD = TIMES.pack(1, 2) + b"output"


class Line:
    """A channel, the raw socket of its worker, and what the channel told."""

    def __init__(self) -> None:
        ours, self.worker = socket.socketpair()
        ours.setblocking(False)
        self.worker.setblocking(False)
        self.gone: list[str] = []
        self.asked: list[tuple[int, int, bytes]] = []
        self.held = 0
        self.channel = WorkerChannel(ours, max_output=MAX_OUTPUT, on_host=self._asked, on_gone=self.gone.append)

    def ended(self, pending: Pending) -> None:
        self.held -= 1

    def expired(self, pending: Pending) -> None:
        """No deadline here."""

    def begin(self, *, many: bool = False) -> Pending:
        self.held += 1
        return self.channel.call(0, Mode.CALL, b"input", None, self, many=many)

    def _asked(self, pending: Pending, index: int, serial: int, request: bytes) -> None:
        self.asked.append((index, serial, request))


async def on_a_line(test: Callable[[Line], Awaitable[None]]) -> None:
    line = Line()
    try:
        with anyio.fail_after(40):
            await test(line)
    finally:
        line.worker.close()
        line.channel.close()


async def ends(line: Line, pending: Pending) -> str:
    """Why the channel ended; every call on it must fail, and be given back once."""
    with pytest.raises(WorkerGone):
        await pending.answer
    assert (line.channel.open, len(line.gone), line.held, line.channel.pending) == (False, 1, 0, {})
    return line.gone[0]


PAYLOADS = st.binary(max_size=60)
KINDS = st.sampled_from([Kind.LOADED, Kind.RESULT, Kind.PART, Kind.HOST]) | st.integers(0, 255)


def frame(kind: int, status: int, aux: int, call_id: int, payload: bytes) -> bytes:
    return pack_frame(kind, call_id, payload, status=status, aux=aux)


FRAMES = st.builds(
    frame,
    KINDS,
    st.integers(0, 255),
    st.integers(0, 0xFFFF),
    st.integers(0, 3) | st.integers(0, 2**64 - 1),
    PAYLOADS | st.just(GOOD) | st.just(b"{}") | st.just(ITEM.pack(0, 5) + b"x"),
)


@requirement("frames:hostile")
@settings(deadline=None)
@given(st.lists(FRAMES | st.binary(max_size=100), max_size=8), st.booleans())
def test_whatever_a_worker_sends_each_call_ends_with_an_answer_or_with_worker_gone(
    pieces: list[bytes], many: bool
) -> None:
    async def attack(line: Line) -> None:
        calls = [line.begin(many=many), line.begin()]
        line.worker.setblocking(True)
        for piece in pieces:
            try:
                line.worker.sendall(piece)
            except OSError:  # closed on us: that is one right answer
                break
            await anyio.lowlevel.checkpoint()
        line.worker.close()
        for pending in calls:
            with contextlib.suppress(WorkerGone):
                await pending.answer
        while line.channel.open:
            await anyio.lowlevel.checkpoint()
        assert (line.held, line.channel.pending, len(line.gone)) == (0, {}, 1)
        assert line.channel.loaded.done()
        line.channel.loaded.exception()

    anyio.run(on_a_line, attack)


BREACHES: dict[str, bytes] = {
    "a result of a call that does not run": pack_frame(Kind.RESULT, 99, GOOD),
    "a result without its times": pack_frame(Kind.RESULT, 1, b"short"),
    "a part of a single call": pack_frame(Kind.PART, 1, ITEM.pack(0, 1) + b"x"),
    "a host call of a call that does not run": pack_frame(Kind.HOST, 7, b"{}"),
    "a frame kind of the other direction": pack_frame(Kind.CALL, 1, b""),
    "an unknown kind": pack_frame(200, 1, b""),
    "a payload that is far too long": HEADER.pack(2**31, Kind.RESULT, 0, 0, 1),
    "facts that are no JSON": pack_frame(Kind.LOADED, 0, b"{"),
    "facts that are no object": pack_frame(Kind.LOADED, 0, b"[1]"),
    "facts nested without end": pack_frame(Kind.LOADED, 0, b"[" * 200_000),
    "facts twice": pack_frame(Kind.LOADED, 0, b"{}") * 2,
    "an output over the limit": pack_frame(Kind.RESULT, 1, TIMES.pack(1, 2) + bytes(MAX_OUTPUT + 1)),
}


@requirement("frames:hostile")
@pytest.mark.parametrize("breach", BREACHES)
async def test_a_breach_of_the_protocol_ends_the_channel(breach: str) -> None:
    async def attack(line: Line) -> None:
        pending = line.begin()
        await send(line, BREACHES[breach])
        assert "protocol violation" in await ends(line, pending)

    await on_a_line(attack)


async def send(line: Line, data: bytes) -> None:
    """Send from a thread, as another process would; the channel may close meanwhile."""
    line.worker.setblocking(True)
    with contextlib.suppress(OSError):
        await anyio.to_thread.run_sync(line.worker.sendall, data)


@requirement("frames:exact")
async def test_results_reach_the_calls_they_belong_to_in_any_order() -> None:
    async def run(line: Line) -> None:
        calls = [line.begin() for _ in range(5)]
        await send(line, b"".join(pack_frame(Kind.RESULT, n, TIMES.pack(n, n) + b"%d" % n) for n in (3, 1, 5, 2, 4)))
        assert [await pending.answer for pending in calls] == [(0, b"%d" % n, n, n) for n in range(1, 6)]
        assert line.held == 0

    await on_a_line(run)


@requirement("frames:exact")
async def test_parts_of_a_batch_are_collected_before_its_result() -> None:
    async def run(line: Line) -> None:
        pending = line.begin(many=True)
        items = ITEM.pack(0, 3) + b"one" + ITEM.pack(Status.TRAP, 0)
        await send(line, pack_frame(Kind.PART, 1, items) * 2 + pack_frame(Kind.RESULT, 1, GOOD))
        assert (await pending.answer)[0] == Status.OK
        assert pending.parts == [(0, b"one"), (Status.TRAP, b"")] * 2

    await on_a_line(run)


@requirement("frames:hostile")
async def test_a_part_that_ends_inside_an_item_ends_the_channel() -> None:
    async def attack(line: Line) -> None:
        pending = line.begin(many=True)
        await send(line, pack_frame(Kind.PART, 1, ITEM.pack(0, 5) + b"four"))
        assert "protocol violation" in await ends(line, pending)

    await on_a_line(attack)


@requirement("frames:hostile")
@pytest.mark.parametrize("status", [Status.LOAD_FAILED, 77])
async def test_a_refused_load_keeps_its_status_even_an_unknown_one(status: int) -> None:
    async def run(line: Line) -> None:
        await send(line, pack_frame(Kind.RESULT, 0, TIMES.pack(0, 0) + b"why \xff", status=status))
        with pytest.raises(LoadRefused, match="why \ufffd") as refused:
            await line.channel.loaded
        assert refused.value.status == status

    await on_a_line(run)


@requirement("frames:hostile")
async def test_a_call_on_a_channel_that_has_ended_fails_and_is_given_back() -> None:
    async def run(line: Line) -> None:
        line.worker.close()
        first = line.begin()
        with pytest.raises(WorkerGone):
            await first.answer
        late = line.begin()
        with pytest.raises(WorkerGone):
            await late.answer
        await anyio.lowlevel.checkpoint()
        assert line.held == 0

    await on_a_line(run)


@requirement("frames:exact")
async def test_what_a_slow_worker_cannot_take_at_once_arrives_whole_and_in_order() -> None:
    async def run(line: Line) -> None:
        line.worker.setblocking(True)
        inputs = [bytes([n]) * 300_000 for n in range(20)]
        for data in inputs:
            line.held += 1
            line.channel.call(data[0], Mode.SHARED, data, None, line)
        reader = FrameReader(1_000_000)
        for n, data in enumerate(inputs):
            while (frame := reader.next()) is None:
                reader.feed(await anyio.to_thread.run_sync(line.worker.recv, 65_536))
            assert frame == (Kind.CALL, Mode.SHARED, n, n + 1, data)

    await on_a_line(run)


@requirement("frames:exact")
async def test_a_stop_never_overtakes_the_call_it_stops() -> None:
    async def run(line: Line) -> None:
        calls = [line.begin() for _ in range(3)]  # the later ones are sent together at the end of this turn
        line.channel.stop(calls[2], "cancelled")
        reader = FrameReader(1_000)
        kinds: list[tuple[int, int]] = []
        line.worker.setblocking(True)
        while len(kinds) < 4:
            reader.feed(await anyio.to_thread.run_sync(line.worker.recv, 65_536))
            while (frame := reader.next()) is not None:
                kinds.append((frame[0], frame[3]))
        assert kinds == [(Kind.CALL, 1), (Kind.CALL, 2), (Kind.CALL, 3), (Kind.CANCEL, 3)]
        assert calls[2].stopped == "cancelled"

    await on_a_line(run)
