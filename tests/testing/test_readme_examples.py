"""How the examples of a README are read and compared; a page that lies is found out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcp_server.authoring.matching import like
from mcp_server.testing import Example, Plugin, readme_examples, readme_options

pytestmark = pytest.mark.plugin("manifests/hello")
CALL = '```json call hello\n{"message": "a"}\n```\n'
ANSWER = '```json answer\n{"greeting": "b"}\n```\n'
ERROR = "```text error\nplugin_error: no\n  such thing\n```\n"


def page(folder: Path, text: str) -> Path:
    path = folder / "README.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_examples_are_read_in_their_order(tmp_path: Path) -> None:
    path = page(tmp_path, f"# x\n\n{CALL}\nwords\n\n{ANSWER}\n```sh\nls\n```\n{CALL}{ERROR}")
    assert readme_examples(str(path)) == [
        Example(3, "hello", {"message": "a"}, {"greeting": "b"}),
        Example(16, "hello", {"message": "a"}, error="plugin_error: no such thing"),
    ]
    assert readme_options(path) == {}


def test_options_are_read(tmp_path: Path) -> None:
    path = page(tmp_path, '```toml load\n[grants]\ncapabilities = ["NetworkAccess"]\n```\n')
    assert readme_options(path) == {"grants": {"capabilities": ["NetworkAccess"]}}


@pytest.mark.parametrize("text", [CALL, ANSWER, CALL + CALL + ANSWER, ANSWER + CALL, CALL + ANSWER + ERROR])
def test_a_call_and_what_it_comes_to_stand_together(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="must be followed"):
        readme_examples(page(tmp_path, text))


@pytest.mark.parametrize(
    "example",
    [
        Example(7, "hello", {"message": "a"}, {"greeting": "b"}),
        Example(7, "hello", {"message": "a"}, error="plugin_error: no"),
        Example(7, "hello", {"message": 5}, {"greeting": "Hello, 5!"}),
        Example(7, "hello", {"message": 5}, None),
        Example(7, "hello", {"message": 5}, error="plugin_error: …"),
    ],
)
def test_an_example_that_is_not_true_is_told_with_its_line(plugin: Plugin, example: Example) -> None:
    with pytest.raises(AssertionError, match=r"line 7: hello answers"):
        example.check(plugin)


@pytest.mark.parametrize(
    ("expected", "came", "same"),
    [
        ("…", {"any": 1}, True),
        ("at … o'clock", "at 5 o'clock", True),
        ("at … o'clock", "at 5", False),
        ("a.c", "abc", False),
        ({"a": "…", "…": "…"}, {"a": 1, "b": 2}, True),
        ({"a": "…", "…": "…"}, {"b": 2}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1, "…"], [1, 2], True),
        ([1], [1, 2], False),
        (1, 1.0, True),
        (1, True, False),
        (None, 0, False),
    ],
)
def test_three_dots_stand_for_anything_and_all_else_for_itself(expected: Any, came: Any, same: bool) -> None:
    assert like(expected, came) is same
