"""The cursor: numbers, names and counts are read within bounds, or refused with the byte where they stand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.errors import ModuleError
from mcp_server.wasm.reader import Reader, quote

QUICK = settings(deadline=None, max_examples=200, database=None)


def reading(data: bytes) -> Reader:
    return Reader(data, 0, len(data), "the test")


def unsigned(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def signed(value: int) -> bytes:
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value & 0x7F])


@QUICK
@given(st.integers(0, 2**32 - 1))
def test_an_unsigned_number_is_read_back(value: int) -> None:
    reader = reading(unsigned(value))
    assert reader.u32() == value
    assert reader.remaining == 0


@QUICK
@given(st.integers(0, 2**64 - 1))
def test_an_unsigned_long_number_is_read_back(value: int) -> None:
    assert reading(unsigned(value)).u64() == value


@pytest.mark.parametrize(("read", "bits"), [(Reader.s32, 32), (Reader.s33, 33), (Reader.s64, 64)])
@QUICK
@given(st.data())
def test_a_signed_number_is_read_back(read: Callable[[Reader], int], bits: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    assert read(reading(signed(value))) == value


def test_a_padded_number_is_read_because_linkers_leave_room() -> None:
    assert reading(b"\x81\x80\x80\x80\x00").u32() == 1
    assert reading(b"\xff\xff\xff\xff\x7f").s32() == -1


@pytest.mark.parametrize(
    ("read", "data", "problem"),
    [
        (Reader.u32, b"\x80\x80\x80\x80\x80\x00", "longer than 32 bits may be, at byte 0x0"),
        (Reader.u32, b"\xff\xff\xff\xff\x10", "does not fit into 32 bits, at byte 0x0"),
        (Reader.u64, b"\xff" * 9 + b"\x02", "does not fit into 64 bits"),
        (Reader.u64, b"\x80" * 11, "longer than 64 bits may be"),
        (Reader.s32, b"\xff\xff\xff\xff\x0f", "does not fit into 32 bits"),
        (Reader.s32, b"\x80\x80\x80\x80\x70", "does not fit into 32 bits"),
        (Reader.s33, b"\xff\xff\xff\xff\x1f", "does not fit into 33 bits"),
        (Reader.u32, b"\x80\x80", "is cut short: 1 more bytes expected, 0 left, at byte 0x2"),
        (Reader.u8, b"", "is cut short"),
    ],
)
def test_a_number_that_breaks_the_encoding_is_refused(read: Callable[[Reader], int], data: bytes, problem: str) -> None:
    with pytest.raises(ModuleError) as caught:
        read(reading(data))
    assert problem in caught.value.message


def test_a_name_is_strict_utf8() -> None:
    assert reading(b"\x06a\xc3\xa9\xe2\x82").remaining == 6
    assert reading(b"\x03a\xc3\xa9").name(10) == "aé"
    with pytest.raises(ModuleError, match="not UTF-8"):
        reading(b"\x02\xc3\x28").name(10)
    with pytest.raises(ModuleError, match="not UTF-8"):
        reading(b"\x03\xed\xa0\x80").name(10)  # a lone surrogate


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0)])
def test_a_name_with_a_control_character_is_refused_and_escaped_in_the_message(code: int) -> None:
    raw = f"a{chr(code)}b".encode()
    with pytest.raises(ModuleError) as caught:
        reading(bytes([len(raw)]) + raw).name(100)
    assert "control character" in caught.value.message
    assert chr(code) not in caught.value.message


def test_a_name_longer_than_its_limit_is_refused() -> None:
    assert reading(b"\x02ab").name(2) == "ab"
    with pytest.raises(ModuleError, match="3 bytes long, more than 2"):
        reading(b"\x03abc").name(2)


def test_a_name_longer_than_the_range_is_cut_short_whatever_its_limit() -> None:
    for limit in (1, 2**32):
        with pytest.raises(ModuleError, match="cut short"):
            reading(b"\xff\xff\xff\xff\x0fab").name(limit)


def test_a_count_beyond_the_limit_is_refused() -> None:
    assert reading(b"\x02ab").count("things", limit=2) == 2
    with pytest.raises(ModuleError, match="declares 3 things, more than the 2 this host takes"):
        reading(b"\x03abc").count("things", limit=2)


def test_a_count_that_the_bytes_cannot_hold_is_refused_before_anything_is_read() -> None:
    with pytest.raises(ModuleError, match="declares 4294967295 things but is too short to hold them"):
        reading(b"\xff\xff\xff\xff\x0f").count("things", limit=2**32)
    with pytest.raises(ModuleError, match="too short"):
        reading(b"\x02abc").count("things", limit=10, smallest=2)


def test_a_part_ends_where_its_size_says() -> None:
    reader = reading(b"abcdef")
    part = reader.part(2, "a part")
    assert reader.u8() == ord("c")
    assert (part.u8(), part.u8(), part.remaining) == (ord("a"), ord("b"), 0)
    with pytest.raises(ModuleError, match="a part is cut short"):
        part.u32()
    with pytest.raises(ModuleError, match="the test is cut short: 9 more bytes expected, 3 left, at byte 0x3"):
        reader.part(9, "a part")


def test_bytes_left_over_are_refused_where_they_begin() -> None:
    reader = reading(b"abc")
    reader.skip(1)
    with pytest.raises(ModuleError, match="has 2 bytes left over, at byte 0x1"):
        reader.finish()
    reader.skip(2)
    reader.finish()


def test_quoted_text_is_short_and_escaped() -> None:
    assert quote("a\0\n") == r"'a\x00\n'"
    assert len(quote("x" * 1000)) < 70
