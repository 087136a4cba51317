"""The frame protocol: any cutting of a byte stream gives the same frames, and no bytes give anything but FrameError."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.worker.frames import HEADER, FrameError, FrameReader, pack_frame
from tests.requirements import requirement

Frame = tuple[int, int, int, int, bytes]
BYTE, SHORT, LONG = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 2**64 - 1)
FRAMES = st.lists(st.tuples(BYTE, BYTE, SHORT, LONG, st.binary(max_size=200)), max_size=12)
MOST = 200


def packed(frames: list[Frame]) -> bytes:
    return b"".join(
        pack_frame(kind, call_id, payload, status=status, aux=aux) for kind, status, aux, call_id, payload in frames
    )


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(stream), *(place % (len(stream) + 1) for place in cuts)})
    return [stream[start:end] for start, end in zip(places, places[1:], strict=False)]


def taken(reader: FrameReader) -> list[Frame]:
    frames: list[Frame] = []
    while (frame := reader.next()) is not None:
        frames.append(frame)
    return frames


@requirement("frames:exact")
@given(FRAMES, st.lists(st.integers(0, 10_000), max_size=20), st.booleans())
def test_however_the_stream_is_cut_the_frames_are_the_same(frames: list[Frame], cuts: list[int], eager: bool) -> None:
    reader = FrameReader(MOST)
    found: list[Frame] = []
    for piece in cut(packed(frames), cuts):
        reader.feed(piece)
        if eager:
            found += taken(reader)
    found += taken(reader)
    assert found == frames


@requirement("frames:exact")
@given(FRAMES)
def test_a_stream_that_comes_byte_by_byte_gives_each_frame_at_its_last_byte(frames: list[Frame]) -> None:
    reader = FrameReader(MOST)
    for frame in frames:
        stream = packed([frame])
        for byte in stream[:-1]:
            reader.feed(bytes([byte]))
            assert reader.next() is None
        reader.feed(stream[-1:])
        assert reader.next() == frame


@requirement("frames:hostile")
@given(st.lists(st.binary(max_size=400), max_size=12))
def test_no_bytes_raise_anything_but_a_frame_error(pieces: list[bytes]) -> None:
    reader = FrameReader(MOST)
    size = 0
    try:
        for piece in pieces:
            reader.feed(piece)
            size += sum(len(frame[4]) + HEADER.size for frame in taken(reader))
    except FrameError:
        return
    assert size <= sum(map(len, pieces))


@requirement("frames:hostile")
@given(st.integers(MOST + 1, 2**32 - 1), BYTE, BYTE, SHORT, LONG)
def test_a_frame_that_announces_too_much_is_refused_at_its_header(
    length: int, kind: int, status: int, aux: int, call_id: int
) -> None:
    reader = FrameReader(MOST)
    reader.feed(HEADER.pack(length, kind, status, aux, call_id))
    with pytest.raises(FrameError, match=f"announces {length} bytes; at most {MOST}"):
        reader.next()
