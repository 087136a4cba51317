"""``check`` asks the module what it says of itself, and finds where the manifest says otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest

from mcp_server.authoring.check import check_plugin
from mcp_server.authoring.check_said import with_what_it_says
from tests.authoring.test_check import PLAIN, TOOL, line_of
from tests.commands import run
from tests.guests import answers, write_plugin
from tests.requirements import requirement

SAME = {"name": "p", "version": "0.1.0", "plugin_type": "Custom", "required_capabilities": [], "functions": ["run"]}


def saying(folder: Path, said: object) -> Path:
    """A plugin with the tool ``run`` whose module says that of itself."""
    guest = answers(json.dumps(said), "metadata", '(func (export "run") (result i32) (i32.const 0))')
    return write_plugin(folder, "p", guest, TOOL.format(schema=PLAIN))


async def said(home: Path, cache: Path) -> list[tuple[str, int]]:
    """Code and line of what the module's own words add."""
    report = await with_what_it_says(check_plugin(home), cache=cache)
    return [(finding.code, finding.line) for finding in report.findings if finding.code.startswith("metadata")]


@requirement("author:check")
@pytest.mark.parametrize(
    ("other", "where"),
    [
        ({"id": "q"}, "id ="),
        ({"name": "Another"}, "name ="),
        ({"version": "0.2.0"}, 'version = "'),
        ({"plugin_type": "DataSource"}, "[plugin]"),
        ({"required_capabilities": ["LLMAccess"]}, "[plugin]"),
        ({"functions": ["run", "fly"]}, "[[tools]]"),
        ({"functions": []}, "[[tools]]"),
        ({"tools": [{"name": "fly"}]}, "[[tools]]"),
    ],
)
async def test_each_difference_is_found_with_its_line(
    tmp_path: Path, cache: Path, other: dict[str, object], where: str
) -> None:
    home = saying(tmp_path, SAME | other)
    line = line_of(home, where) if where != "[plugin]" or "plugin_type" in other else 1
    assert await said(home, cache) == [("metadata_differs", line)]


@requirement("author:check")
async def test_the_same_words_are_no_finding_and_an_answer_that_fails_is_one(tmp_path: Path, cache: Path) -> None:
    assert await said(saying(tmp_path, SAME), cache) == []
    assert await said(saying(tmp_path, {"name": "p"}), cache) == []
    assert [code for code, _ in await said(saying(tmp_path, "p"), cache)] == ["metadata_fails"]


@requirement("author:check")
def test_the_command_asks_the_module_unless_it_must_not_run(tmp_path: Path) -> None:
    home = saying(tmp_path / "here", SAME | {"version": "9.0.0"})
    told = run(tmp_path, "check", home)
    number = line_of(home, 'version = "')
    line = f"{home / 'plugin.toml'}:{number}: warning[metadata_differs]: version is '0.1.0' here"
    assert (told.returncode, line in told.stdout) == (0, True)
    assert run(tmp_path, "check", home, "--strict").returncode == 6
    assert "metadata_differs" not in run(tmp_path, "check", home, "--no-run").stdout


@requirement("author:check")
@pytest.mark.parametrize("plugin", ["hello", "memory-processor", "search"])
def test_the_example_plugins_say_what_their_manifests_say(plugin: str, cache: Path) -> None:
    home = Path(__file__).resolve().parents[2] / "manifests" / plugin
    assert anyio.run(said, home, cache) == []
