"""The examples in a plugin's README: read, run, compared. The form is in ``docs/testing-plugins.md``."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_server.authoring.failures import ToolFailed
from mcp_server.authoring.matching import like
from mcp_server.authoring.subject import Plugin

__all__ = ["Example", "readme_examples", "readme_options"]

_BLOCK = re.compile(r"^```(\w+) (\w+) ?(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """One call and what the README says it comes to.

    Attributes:
        line: Where the call stands in the file.
        tool: The tool's word.
        arguments: Of the call.
        answer: The JSON value that is promised, where the call succeeds; ``…`` stands for anything.
        error: ``code: text`` that is promised, where it fails.
    """

    line: int
    tool: str
    arguments: dict[str, Any]
    answer: Any = None
    error: str | None = None

    def check(self, plugin: Plugin) -> None:
        """Make the call.

        Raises:
            AssertionError: The README says something else.
        """
        try:
            came, told = plugin.call(self.tool, self.arguments), None
        except ToolFailed as failed:
            came, told = None, " ".join(f"{failed.code}: {failed.text}".split())
        good = like(self.error, told) if self.error is not None else told is None and like(self.answer, came)
        shown = told or json.dumps(came, indent=2, ensure_ascii=False)
        assert good, f"line {self.line}: {self.tool} answers\n{shown}"  # noqa: S101  # it is a test's


def readme_examples(path: str | Path) -> list[Example]:
    """The examples of the file, in their order.

    Raises:
        ValueError: A call without what it comes to, or the other way round; or no JSON where it is promised.
    """
    text = Path(path).read_text(encoding="utf-8")
    blocks = [found for found in _BLOCK.finditer(text) if found[2] in {"call", "answer", "error"}]
    if [block[2] == "call" for block in blocks] != [True, False] * (len(blocks) // 2):
        raise ValueError(f"{path}: a `json call` block must be followed by a `json answer` or a `text error` block")
    return [
        _example(text.count("\n", 0, call.start()) + 1, call, end)
        for call, end in zip(blocks[::2], blocks[1::2], strict=True)
    ]


def readme_options(path: str | Path) -> dict[str, Any]:
    """What the file's block ``toml load`` says: options for ``load_plugin``; empty where there is none."""
    found = [block[4] for block in _BLOCK.finditer(Path(path).read_text(encoding="utf-8")) if block[2] == "load"]
    return tomllib.loads("".join(found))


def _example(line: int, call: re.Match[str], end: re.Match[str]) -> Example:
    arguments = json.loads(call[4])
    if end[2] == "error":
        return Example(line, call[3], arguments, error=" ".join(end[4].split()))
    return Example(line, call[3], arguments, answer=json.loads(end[4]))
