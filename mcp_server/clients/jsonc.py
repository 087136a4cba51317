"""Reads JSON with comments and trailing commas, and remembers where everything stands. Writes nothing.

Editors allow both in their files, Python's ``json`` neither; and who wants to change one entry of a file and keep the
rest needs places, which no library for JSON with comments tells.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

__all__ = ["JsoncError", "Member", "Node", "read_jsonc"]

MAX_DEPTH = 200
_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)+", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})*"')
_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|true\b|false\b|null\b")


class JsoncError(Exception):
    """The text is no such document; the message ends with line and column."""


@dataclass(slots=True)
class Node:
    """A value.

    Attributes:
        start: Its first character.
        end: The place behind its last one.
        value: As ``json.loads`` would give it.
        members: Of an object.
        items: Of an array.
    """

    start: int
    end: int
    value: Any
    members: dict[str, Member] = field(default_factory=dict[str, "Member"])
    items: list[Node] = field(default_factory=list["Node"])


@dataclass(slots=True)
class Member:
    """A key and its value; ``comma`` is the place of the comma behind it, or -1."""

    start: int
    node: Node
    comma: int = -1


def read_jsonc(text: str) -> Node:
    """The document ``text``.

    Raises:
        JsoncError: It is none, a key stands twice in one object, or it is nested too deeply.
    """
    reader = _Reader(text)
    root = reader.value(0)
    reader.skip()
    if reader.at != len(text):
        raise reader.error("nothing may follow the document")
    return root


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def error(self, what: str) -> JsoncError:
        line = self.text.count("\n", 0, self.at) + 1
        column = self.at - self.text.rfind("\n", 0, self.at)
        return JsoncError(f"{what}, at line {line}, column {column}")

    def value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH}")
        self.skip()
        match self.text[self.at : self.at + 1]:
            case "{":
                return self._object(depth)
            case "[":
                return self._array(depth)
            case '"':
                return self._token(_STRING, "a text that never ends, or has a character that must be escaped")
            case _:
                return self._token(_PLAIN, "a value is expected")

    def _token(self, pattern: re.Pattern[str], what: str) -> Node:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise self.error(what)
        try:
            value = json.loads(found[0])
        except ValueError:  # more digits than Python reads
            raise self.error("a number that is too long") from None
        start, self.at = self.at, found.end()
        return Node(start, self.at, value)

    def _object(self, depth: int) -> Node:
        node = Node(self.at, self.at, {})
        self.at += 1
        while not self._closed("}"):
            start, key = self.at, self._key()
            if key in node.members:
                raise self.error(f"the key {json.dumps(key)} stands twice in one object")
            member = node.members[key] = Member(start, self.value(depth + 1))
            member.comma = self._comma("}")
            node.value[key] = member.node.value
        node.end = self.at
        return node

    def _key(self) -> str:
        if self.text[self.at : self.at + 1] != '"':
            raise self.error("a key in double quotes is expected")
        key: str = self._token(_STRING, "a key that never ends").value
        self.skip()
        if self.text[self.at : self.at + 1] != ":":
            raise self.error("a colon is expected")
        self.at += 1
        return key

    def _array(self, depth: int) -> Node:
        node = Node(self.at, self.at, [])
        self.at += 1
        while not self._closed("]"):
            node.items.append(self.value(depth + 1))
            node.value.append(node.items[-1].value)
            self._comma("]")
        node.end = self.at
        return node

    def _closed(self, bracket: str) -> bool:
        self.skip()
        if self.text[self.at : self.at + 1] != bracket:
            return False
        self.at += 1
        return True

    def _comma(self, bracket: str) -> int:
        self.skip()
        match self.text[self.at : self.at + 1]:
            case ",":
                self.at += 1
                return self.at - 1
            case found if found == bracket:
                return -1
            case _:
                raise self.error(f"a comma or {bracket} is expected")
