"""The line framing on its own: every frame is a message or an answer, however the bytes arrive."""

from __future__ import annotations

import json
import os
import select
import socket
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_server.transport import wire as wire_module
from mcp_server.transport.wire import LineWire

Json = dict[str, Any]
PING: Json = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
BAD_FRAMES: dict[str, tuple[bytes, int, object]] = {
    # name: the frame, the error code, the id of the answer
    "not JSON": (b"hello", -32700, None),
    "cut JSON": (b'{"jsonrpc": "2.0", "id": 1,', -32700, None),
    "bad UTF-8": (b'{"jsonrpc":"2.0","id":1,"method":"p\xff"}', -32700, None),
    "NaN": (b'{"jsonrpc":"2.0","id":1,"method":"p","params":{"a":NaN}}', -32700, None),
    "batch": (b"[]", -32600, None),
    "scalar": (b"5", -32600, None),
    "byte order mark": (b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"p"}', -32700, None),
    "CR as the only separator": (b'{"jsonrpc":"2.0","id":1,"method":"p"}\r{}', -32700, None),
    "lone surrogate": (b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}', -32700, None),
    "5 000 levels": (b'{"jsonrpc":"2.0","id":1,"method":"p","params":' + b"[" * 5_000, -32700, None),
    "100 000 levels": (b"[" * 100_000, -32700, None),
    "10 000 digits": (b'{"jsonrpc":"2.0","id":' + b"1" * 10_000 + b',"method":"p"}', -32700, None),
    "object id": (b'{"jsonrpc":"2.0","id":{},"method":"p"}', -32600, None),
    "list id": (b'{"jsonrpc":"2.0","id":[1],"method":"p"}', -32600, None),
    "null id": (b'{"jsonrpc":"2.0","id":null,"method":"p"}', -32600, None),
    "boolean id": (b'{"jsonrpc":"2.0","id":true,"method":"p"}', -32600, None),
    "fractional id": (b'{"jsonrpc":"2.0","id":1.5,"method":"p"}', -32600, None),
    "id past 64 bits": (b'{"jsonrpc":"2.0","id":9223372036854775808,"method":"p"}', -32600, None),
    "endless id": (b'{"jsonrpc":"2.0","id":"' + b"x" * 257 + b'","method":"p"}', -32600, None),
    "no version": (b'{"id":7,"method":"p"}', -32600, 7),
    "old version": (b'{"jsonrpc":"1.0","id":"a","method":"p"}', -32600, "a"),
    "numeric method": (b'{"jsonrpc":"2.0","id":7,"method":5}', -32600, 7),
    "other case": (b'{"jsonrpc":"2.0","id":7,"Method":"p"}', -32600, 7),
    "list of params": (b'{"jsonrpc":"2.0","id":7,"method":"p","params":[1]}', -32600, 7),
    "text params": (b'{"jsonrpc":"2.0","id":7,"method":"p","params":"x"}', -32600, 7),
    "result and error": (b'{"jsonrpc":"2.0","id":7,"result":{},"error":{}}', -32600, 7),
    "scalar result": (b'{"jsonrpc":"2.0","id":7,"result":5}', -32600, 7),
    "nothing in it": (b'{"jsonrpc":"2.0"}', -32600, None),
}


class Peer:
    """The client's ends of a wire's two pipes, and what the wire said."""

    def __init__(self) -> None:
        self.source, self.feeding = os.pipe()
        self.reading, self.sink = os.pipe()
        self.messages: list[Json] = []
        self.ended = anyio.Event()
        self.wire = LineWire(self.source, self.sink, self.messages.append, self.ended.set)

    async def feed(self, chunks: Iterable[bytes]) -> None:
        """Write each chunk when the last one was read."""
        for chunk in chunks:
            with memoryview(chunk) as left:
                while left:
                    left = left[os.write(self.feeding, left[:65_536]) :]
                    while select.select([self.source], [], [], 0)[0]:
                        await checkpoint()

    async def end(self) -> None:
        os.close(self.feeding)
        with anyio.fail_after(40):
            await self.ended.wait()

    def answers(self) -> list[Json]:
        """What the wire has written."""
        os.close(self.sink)
        with os.fdopen(self.reading, "rb") as file:
            return [json.loads(line) for line in file.read().splitlines()]


@asynccontextmanager
async def peering() -> AsyncGenerator[Peer]:
    peer = Peer()
    peer.wire.start()
    try:
        yield peer
    finally:
        peer.wire.stop_reading()
        for descriptor in (peer.source, peer.feeding, peer.reading, peer.sink):
            try:
                os.close(descriptor)
            except OSError:
                continue  # the test closed it


def line(message: Json) -> bytes:
    return json.dumps(message).encode() + b"\n"


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_a_bad_frame_is_answered_and_the_next_good_one_is_a_message(name: str) -> None:
    frame, code, request_id = BAD_FRAMES[name]
    async with peering() as peer:
        await peer.feed([frame + b"\n", line(PING)])
        await peer.end()
        [answer] = peer.answers()
        assert (answer["error"]["code"], answer["id"]) == (code, request_id)
        assert peer.messages == [PING]


@pytest.mark.parametrize(
    "frame",
    [
        b'{"jsonrpc":"2.0","id":1,"method":"ping"}\r\n',
        b' {"jsonrpc":"2.0","id":1,"method":"ping"} \n',
        b'\n\r\n \n{"jsonrpc":"2.0","id":1,"method":"ping"}\n',
        b'{"jsonrpc":"2.0","id":1,"method":"ping"}',
    ],
)
async def test_line_ends_blanks_and_a_missing_last_newline_do_not_matter(frame: bytes) -> None:
    async with peering() as peer:
        await peer.feed([frame])
        await peer.end()
        assert (peer.messages, peer.answers()) == ([PING], [])


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "id": "", "method": "p"},
        {"jsonrpc": "2.0", "id": -1, "method": "p", "params": {}},
        {"jsonrpc": "2.0", "id": 9223372036854775807, "method": "p"},
        {"jsonrpc": "2.0", "id": "x" * 256, "method": "p"},
        {"jsonrpc": "2.0", "id": 1, "method": "p", "params": None},
        {"jsonrpc": "2.0", "method": "notifications/x", "params": {"a": 10**400}},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "m"}},
        {"jsonrpc": "2.0", "id": 1, "method": "p", "extra": "allowed"},
    ],
)
async def test_every_well_formed_frame_is_a_message(message: Json) -> None:
    async with peering() as peer:
        await peer.feed([line(message)])
        await peer.end()
        assert (peer.messages, peer.answers()) == ([message], [])


async def test_messages_split_at_every_byte_are_the_same_messages() -> None:
    stream = line({**PING, "params": {"ü": "\u2028"}}) + line(PING)
    async with peering() as peer:
        await peer.feed(stream[position : position + 1] for position in range(len(stream)))
        await peer.end()
        assert peer.messages == [{**PING, "params": {"ü": "\u2028"}}, PING]


async def test_many_messages_in_one_write_come_in_order() -> None:
    sent = [{**PING, "id": number} for number in range(1_000)]
    async with peering() as peer:
        await peer.feed([b"".join(map(line, sent))])
        await peer.end()
        assert peer.messages == sent


async def test_a_line_over_the_limit_is_told_once_skipped_and_the_next_one_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire_module, "MAX_LINE", 1_000)
    chunks = [b'{"jsonrpc":"2.0",', *[b" " * 600] * 20, b"}\n", line(PING)]
    async with peering() as peer:
        await peer.feed(chunks)
        await peer.end()
        [answer] = peer.answers()
        assert (answer["id"], answer["error"]["code"]) == (None, -32600)
        assert answer["error"]["message"] == "a message may be 1000 bytes long; the rest of it was skipped"
        assert peer.messages == [PING]


async def test_an_answer_that_cannot_be_json_becomes_an_error_with_its_id() -> None:
    async with peering() as peer:
        peer.wire.write({"jsonrpc": "2.0", "id": 5, "result": {"text": "\ud800"}})
        peer.wire.write({"jsonrpc": "2.0", "id": 6, "result": {"value": object()}})
        assert [(answer["id"], answer["error"]["code"]) for answer in peer.answers()] == [(5, -32603), (6, -32603)]


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
async def test_a_number_that_json_does_not_have_never_reaches_the_wire(number: float) -> None:
    async with peering() as peer:
        peer.wire.write({"jsonrpc": "2.0", "id": 5, "result": {"n": number}})
        [answer] = peer.answers()
        assert answer == {"jsonrpc": "2.0", "id": 5, "result": {"n": None}}


async def test_a_peer_that_does_not_read_makes_writers_wait_and_gets_everything_later() -> None:
    big = {"jsonrpc": "2.0", "id": 1, "result": {"x": "y" * 3_000_000}}
    async with peering() as peer:
        peer.wire.write(big)
        peer.wire.write(PING)
        drained = anyio.Event()
        received = bytearray()

        async def wait() -> None:
            await peer.wire.drain()
            drained.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            assert not drained.is_set()
            with anyio.fail_after(40):
                while received.count(b"\n") < 2:
                    received += os.read(peer.reading, 262_144) if readable(peer.reading) else b""
                    await checkpoint()
                await drained.wait()
        assert [json.loads(part) for part in received.splitlines()] == [big, PING]


async def test_a_peer_that_is_gone_ends_waiting_instead_of_the_server() -> None:
    async with peering() as peer:
        peer.wire.write({"jsonrpc": "2.0", "id": 1, "result": {"x": "y" * 3_000_000}})
        os.close(peer.reading)
        with anyio.fail_after(40):
            await peer.wire.flush()
        peer.wire.write(PING)
        assert peer.wire.broken


async def test_a_regular_file_is_read_like_a_pipe(tmp_path: Path) -> None:
    sent = [{**PING, "id": number} for number in range(500)]
    (tmp_path / "requests").write_bytes(b"".join(map(line, sent)) + b"oops\n")
    messages: list[Json] = []
    ended = anyio.Event()
    with (tmp_path / "requests").open("rb") as source, (tmp_path / "answers").open("w+b") as sink:
        wire = LineWire(source.fileno(), sink.fileno(), messages.append, ended.set)
        wire.start()
        with anyio.fail_after(40):
            await ended.wait()
            await wire.flush()
        assert messages == sent
        assert json.loads((tmp_path / "answers").read_bytes())["error"]["code"] == -32700


async def test_a_socket_carries_the_wire_both_ways() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        messages: list[Json] = []
        ended = anyio.Event()
        wire = LineWire(theirs.fileno(), theirs.fileno(), messages.append, ended.set)
        wire.start()
        ours.sendall(line(PING))
        ours.shutdown(socket.SHUT_WR)
        with anyio.fail_after(40):
            await ended.wait()
        wire.write(PING)
        assert (messages, json.loads(ours.recv(1_000))) == ([PING], PING)


def readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


frames = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([frame for frame, _, _ in BAD_FRAMES.values() if len(frame) < 1_000]),
    st.builds(line, st.fixed_dictionaries({"jsonrpc": st.just("2.0"), "id": st.integers(), "method": st.text()})),
    st.sampled_from([b"\n", b"\r\n", b"{", b"}", b'"']),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(frames, max_size=8), cuts=st.lists(st.integers(0, 400), max_size=12))
async def test_any_bytes_in_any_chunks_give_the_same_messages_and_answers(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    chunks = [stream[start:end] for start, end in zip(edges, edges[1:], strict=False)]
    assert await both_sides([stream]) == await both_sides(chunks)


async def both_sides(chunks: list[bytes]) -> tuple[list[Json], list[Json]]:
    async with peering() as peer:
        await peer.feed(chunks)
        await peer.end()
        return peer.messages, peer.answers()
