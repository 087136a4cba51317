"""A bounds-checked cursor over one range of a module's bytes.

It decodes the binary format's small parts (LEB128 numbers, names, counts) and knows where they stood, so that every
refusal names a byte. It is not a section reader: it does not know what a number means.
"""

from __future__ import annotations

import re

from mcp_server.errors import ModuleError

__all__ = ["Reader", "malformed", "quote", "refused"]

# Unicode category Cc. A NUL that reaches one of libextism's error texts aborts the process, a line break forges lines
# of a backtrace, and an escape sequence speaks to the operator's terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_SHOWN_CHARACTERS = 60


def quote(text: str) -> str:
    """Text from the module, shortened and escaped for an error message."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…")


def malformed(problem: str, at: int) -> ModuleError:
    """The error for bytes that break the binary format."""
    return ModuleError(f"malformed module: {problem}, at byte {at:#x}", fix="rebuild the module or copy it again")


def refused(problem: str, at: int, fix: str = "") -> ModuleError:
    """The error for a well-formed module that this host does not run."""
    return ModuleError(f"{problem}, at byte {at:#x}", fix=fix)


class Reader:
    """The unread rest of one range: ``position`` moves up to ``end`` and never past it.

    Args:
        data: The whole module; positions are offsets into it.
        start: The first byte of the range.
        end: The byte after the range, at most ``len(data)``.
        where: What the range is, for error messages ("the import section").
    """

    __slots__ = ("data", "end", "position", "where")

    def __init__(self, data: bytes, start: int, end: int, where: str) -> None:
        self.data = data
        self.position = start
        self.end = end
        self.where = where

    @property
    def remaining(self) -> int:
        """How many bytes of the range are unread."""
        return self.end - self.position

    def skip(self, size: int) -> int:
        """Pass over `size` bytes and return where they began.

        Raises:
            ModuleError: The range ends first.
        """
        start = self.position
        if size > self.end - start:
            raise malformed(f"{self.where} is cut short: {size} more bytes expected, {self.end - start} left", start)
        self.position = start + size
        return start

    def u8(self) -> int:
        """One byte."""
        return self.data[self.skip(1)]

    def u32(self) -> int:
        """An unsigned LEB128 number of 32 bits, at most five bytes long."""
        at = self.position
        # Most numbers of a module are below 128, and this path is what large name sections spend their time in.
        if at < self.end and self.data[at] < 0x80:
            self.position = at + 1
            return self.data[at]
        return self._unsigned(32)

    def u64(self) -> int:
        """An unsigned LEB128 number of 64 bits, at most ten bytes long."""
        return self._unsigned(64)

    def s32(self) -> int:
        """A signed LEB128 number of 32 bits, at most five bytes long."""
        return self._signed(32)

    def s33(self) -> int:
        """A signed LEB128 number of 33 bits: a type index, or a negative word for an abstract type."""
        return self._signed(33)

    def s64(self) -> int:
        """A signed LEB128 number of 64 bits, at most ten bytes long."""
        return self._signed(64)

    def name(self, limit: int) -> str:
        """A length and that many bytes of strict UTF-8 without control characters.

        Raises:
            ModuleError: The name is cut short, longer than `limit` bytes, not UTF-8 or holds a control character.
        """
        start = self.position
        size = self.u32()
        if size > limit and size <= self.remaining:
            raise refused(f"a name in {self.where} is {size} bytes long, more than {limit}", start)
        begin = self.skip(size)
        try:
            text = self.data[begin : begin + size].decode()
        except UnicodeDecodeError:
            raise malformed(f"a name in {self.where} is not UTF-8", start) from None
        if _CONTROL.search(text):
            raise refused(
                f"a name in {self.where} holds a control character: {quote(text)}", start, "rename it in the source"
            )
        return text

    def count(self, what: str, *, limit: int, smallest: int = 1) -> int:
        """How many entries follow, so that nobody allocates or loops by a number the bytes cannot back.

        Args:
            what: The plural of the entries, for the error message.
            limit: How many this host takes.
            smallest: How many bytes one entry takes at least.

        Raises:
            ModuleError: There are more than `limit`, or more than the rest of the range can hold.
        """
        start = self.position
        number = self.u32()
        if number > limit:
            raise refused(f"{self.where} declares {number} {what}, more than the {limit} this host takes", start)
        if number * smallest > self.remaining:
            raise malformed(f"{self.where} declares {number} {what} but is too short to hold them", start)
        return number

    def part(self, size: int, where: str) -> Reader:
        """Pass over `size` bytes and return a cursor that sees only them."""
        start = self.skip(size)
        return Reader(self.data, start, start + size, where)

    def finish(self) -> None:
        """Raise `ModuleError` when the range has unread bytes."""
        if self.position != self.end:
            raise malformed(f"{self.where} has {self.remaining} bytes left over", self.position)

    def _unsigned(self, bits: int) -> int:
        start = self.position
        value, _ = self._leb128(bits)
        if value >> bits:
            raise malformed(f"a number in {self.where} does not fit into {bits} bits", start)
        return value

    def _signed(self, bits: int) -> int:
        start = self.position
        value, width = self._leb128(bits)
        if value >> (width - 1):
            value -= 1 << width
        if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            raise malformed(f"a number in {self.where} does not fit into {bits} bits", start)
        return value

    def _leb128(self, bits: int) -> tuple[int, int]:
        """The raw groups of seven bits, and how many bits they are together."""
        start = self.position
        value = width = 0
        while width < bits:
            byte = self.u8()
            value |= (byte & 0x7F) << width
            width += 7
            if byte < 0x80:
                return value, width
        raise malformed(f"a number in {self.where} is longer than {bits} bits may be", start)
