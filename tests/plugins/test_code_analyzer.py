"""The plugin ``code-analyzer``, loaded as a server loads it; its README and odd input are in ``test_every_plugin``."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.code_quality import compare, standard_library
from mcp_server.testing import Plugin, ToolFailed

pytestmark = pytest.mark.plugin("manifests/code-analyzer")

LANGUAGES = ("python", "rust", "javascript", "go")
PIECES = ["(", ")", "{", "}", "[", "]", "<", ">", '"', "'", "`", "#", "/*", "*/", "//", "\\", "\n", "\n    ", " ", ":",
          ";", ",", ".", "=", "=>", "!", "?", "&&", "||", "é", "\0", "\ufeff", "f'", "${", "r#", "1", "x", "if", "else",
          "def f", "class", "fn f", "impl", "match", "use", "unwrap", "import", "from", "func f", "function", "async",
          "lambda", "except", "TODO"]  # fmt: skip


@pytest.mark.timeout(120)
def test_python_is_read_as_pythons_own_parser_reads_it(plugin: Plugin) -> None:
    """A sample; `benchmarks/code_quality.py` reads the whole library."""
    files = standard_library()[::25]
    result = compare(plugin, files)
    assert result.files > len(files) / 2
    assert result.share("functions") >= 0.99
    assert result.share("imports") >= 0.99
    assert result.share("classes") >= 0.99
    assert result.false_errors == []


@pytest.mark.parametrize("code", ["def f(:\n    pass\n", "x = (1,\n", "class:\n", "def f()\n    return 1\n"])
def test_what_python_refuses_is_reported_with_its_place(plugin: Plugin, code: str) -> None:
    errors = plugin.call("analyze_code", code=code, language="python")["syntax_errors"]
    assert errors
    assert errors[0]["line"] in {1, 2}


def test_the_language_is_guessed_from_the_path(plugin: Plugin) -> None:
    for path, language in [("a.py", "python"), ("b/c.rs", "rust"), ("d.mjs", "javascript"), ("e.go", "go")]:
        assert plugin.call("analyze_code", code="", file_path=path)["language"] == language


@pytest.mark.parametrize(
    ("language", "opening", "closing"),
    [
        ("python", "(", ")"),
        ("python", "f(lambda: -", ")"),
        ("python", "not ", ""),
        ("python", "x.y(1)+", ""),
        ("rust", "(", ")"),
        ("rust", "type A = Vec<", ">"),
        ("javascript", "[", "]"),
        ("javascript", "`${", "}`"),
        ("go", "func(){", "}"),
    ],
)
def test_deep_nesting_does_not_overflow_the_stack(plugin: Plugin, language: str, opening: str, closing: str) -> None:
    depth = 2_000
    plugin.call("analyze_code", code=opening * depth + "1" + closing * depth, language=language)


def test_code_over_the_limit_is_refused(plugin: Plugin) -> None:
    with pytest.raises(ToolFailed, match="at most 1000000 are read") as caught:
        plugin.call("analyze_code", code=" " * 1_000_001, language="python")
    assert caught.value.code == "plugin_error"


def test_lists_that_are_too_long_are_cut_and_counted(plugin: Plugin) -> None:
    answer = plugin.call("extract_patterns", code="eval(x)\n" * 7_000, language="python")
    assert answer["counts"] == {"dynamic_code": 7_000}
    assert answer["truncated"] == {"patterns": 7_000}
    assert 1_000 < len(answer["patterns"]) < 7_000


def test_this_projects_own_rust_is_read_without_an_error(plugin: Plugin) -> None:
    for path in sorted(Path("plugins").glob("*/src/*.rs")):
        answer = plugin.call("analyze_code", code=path.read_text("utf-8"), file_path=path.as_posix())
        assert answer["syntax_errors"] == [], path


@settings(max_examples=100, deadline=None)
@given(language=st.sampled_from(LANGUAGES), pieces=st.lists(st.sampled_from(PIECES), max_size=200))
def test_any_text_is_answered(plugin: Plugin, language: str, pieces: list[str]) -> None:
    code = "".join(pieces)
    for tool in ("analyze_code", "extract_patterns", "find_dependencies"):
        assert plugin.call(tool, code=code, language=language)["language"] == language
