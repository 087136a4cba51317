"""The commands as a shell sees them: output, errors, exit codes."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.guests import ECHO, answers, module, write_plugin
from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]


def run(home: Path, *words: str | Path, cwd: Path | None = None, given: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home)}  # noqa: TID251  # a test's
    command = [sys.executable, "-m", "mcp_server", *words]
    return subprocess.run(command, cwd=cwd or home, env=environment, input=given, capture_output=True, text=True)


def answer(home: Path, *words: str | Path, cwd: Path | None = None) -> dict[str, Any]:
    result = run(home, *words, "--json", cwd=cwd)
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


@pytest.fixture
def echo(plugins: Path) -> Path:
    """A folder with one plugin that answers what it gets."""
    write_plugin(plugins, "echo", module(ECHO))
    return plugins


@requirement("commands:json")
def test_the_lists_are_json_objects_on_request(cache: Path, echo: Path) -> None:
    (plugin,) = answer(cache, "plugin", "list", "--plugins", echo)["plugins"]
    tools = answer(cache, "tool", "list", "--plugins", echo)["tools"]
    (tool,) = [tool for tool in tools if tool["plugin"] != "memory"]  # the server's own
    assert "memory__search" in {tool["name"] for tool in tools}
    assert (plugin["id"], plugin["state"], plugin["tools"]) == ("echo", "Loaded", ["echo__echo"])
    assert (tool["name"], tool["plugin"]) == ("echo__echo", "echo")


@requirement("commands:json")
def test_one_plugin_is_shown_with_rights_limits_and_module(cache: Path, echo: Path) -> None:
    shown = answer(cache, "plugin", "show", "echo", "--plugins", echo)
    assert shown["rights"]["effective"] == []
    assert shown["limits"]["execution_time"] == 5000
    assert shown["module"]["exports"] == ["echo"]


@requirement("commands:json")
def test_the_versions_are_a_json_object(cache: Path) -> None:
    assert {"python", "agentmem-mcp", "mcp", "extism"} <= set(answer(cache, "version"))


@requirement("commands:json")
def test_an_error_is_one_json_object_on_stderr(cache: Path, echo: Path) -> None:
    result = run(cache, "plugin", "show", "ecko", "--plugins", echo, "--json")
    assert (result.returncode, result.stdout) == (2, "")
    assert json.loads(result.stderr)["error"]["code"] == "plugin_not_found"


@requirement("commands:call")
def test_words_are_read_as_the_schema_says(cache: Path, plugins: Path) -> None:
    schema = '{ type = "object", properties = { text = { type = "string" }, count = { type = "integer" } } }'
    write_plugin(plugins, "echo", module(ECHO), f'[[tools]]\nfunction = "echo"\ninput_schema = {schema}')
    result = run(cache, "tool", "call", "echo__echo", "text=1", "count=2", "--plugins", plugins)
    assert json.loads(result.stdout) == {"text": "1", "count": 2}


@requirement("commands:call")
@pytest.mark.parametrize(("word", "given"), [('{"a": [1]}', ""), ("-", '{"a": [1]}')])
def test_arguments_are_read_as_json_from_the_line_or_from_stdin(cache: Path, echo: Path, word: str, given: str) -> None:
    result = run(cache, "tool", "call", "echo__echo", "--input", word, "--plugins", echo, given=given)
    assert (result.returncode, json.loads(result.stdout)) == (0, {"a": [1]})


@requirement("commands:exit-codes")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["tool", "call", "echo__none"], 2, "error[tool_not_found]"),
        (["tool", "call", "echo__echo", "word"], 2, "error[invalid_arguments]"),
        (["tool", "call", "echo__echo", "--input", "[1]"], 2, "error[invalid_arguments]"),
        (["plugin", "show", "none"], 2, "error[plugin_not_found]"),
        (["plugin", "list", "--config", "nowhere.toml"], 2, "error[settings_invalid]"),
        (["plugin", "frobnicate"], 2, "No such command"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_wrong(
    cache: Path, echo: Path, words: list[str], code: int, said: str
) -> None:
    folders = [] if words[1] == "frobnicate" else ["--plugins", echo]
    result = run(cache, *words, *folders)
    assert (result.returncode, result.stdout) == (code, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@requirement("commands:exit-codes")
def test_a_tool_that_fails_exits_with_5(cache: Path, plugins: Path) -> None:
    write_plugin(plugins, "trap", module('(func (export "run") (result i32) unreachable)'))
    result = run(cache, "tool", "call", "trap__run", "--plugins", plugins)
    assert result.returncode == 5
    assert "error[plugin_trapped]" in result.stderr


@requirement("commands:exit-codes")
def test_a_plugin_without_the_right_it_requires_exits_with_its_reason(cache: Path, plugins: Path) -> None:
    write_plugin(plugins, "net", answers("hi"), '[capabilities]\nrequired = ["NetworkAccess"]')
    (plugin,) = answer(cache, "plugin", "list", "--plugins", plugins)["plugins"]
    assert plugin["state"] == "Error"
    assert plugin["reason"].startswith("[capability_denied]")
    assert run(cache, "tool", "call", "net__run", "--plugins", plugins).returncode == 2


@requirement("commands:folders")
def test_folders_of_the_current_directory_come_first(cache: Path, echo: Path) -> None:
    assert [plugin["id"] for plugin in answer(cache, "plugin", "list", cwd=echo.parent)["plugins"]] == ["echo"]


@requirement("commands:folders")
@requirement("commands:home")
def test_the_plugins_of_the_user_come_before_the_examples(tmp_path: Path) -> None:
    examples = answer(tmp_path, "plugin", "list")["plugins"]
    write_plugin(tmp_path / "data" / "plugins", "mine", module(ECHO))
    mine = answer(tmp_path, "plugin", "list")["plugins"]
    shipped = sorted(path.parent.name for path in (ROOT / "manifests").glob("*/plugin.toml"))
    assert [plugin["id"] for plugin in examples] == shipped
    assert [plugin["id"] for plugin in mine] == ["mine"]


@requirement("commands:home")
def test_the_configuration_below_the_home_is_read_and_the_cache_kept_there(tmp_path: Path, echo: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("[plugins.echo]\nlimits = { max_input_bytes = 20 }\n")
    call = ["tool", "call", "echo__echo", "--plugins", echo]
    assert run(tmp_path, *call, "--input", '{"a": 1}').returncode == 0
    assert "error[limit_input_bytes]" in run(tmp_path, *call, "--input", json.dumps({"a": "b" * 20})).stderr
    assert any((tmp_path / "cache").rglob("*.wasm"))


@requirement("commands:home")
def test_the_cache_is_cleared_and_made_again(tmp_path: Path, echo: Path) -> None:
    call = ["tool", "call", "echo__echo", "--plugins", echo]
    assert run(tmp_path, *call).returncode == 0
    fetched = tmp_path / "cache" / "packages"
    (fetched / "parts").mkdir(parents=True)
    (fetched / ("0" * 64)).write_bytes(b"12345")
    with (fetched / "parts" / "halfway").open("ab") as part:  # of a download that goes on
        part.write(b"12")
        part.flush()
        fcntl.flock(part, fcntl.LOCK_EX)
        told = answer(tmp_path, "cache", "info")
        assert (told["packages"], told["package_bytes"]) == (2, 7)
        assert "packages: 2, 0.0 MB" in run(tmp_path, "cache", "info").stdout
        assert answer(tmp_path, "cache", "clear")["freed_bytes"] > 5
        assert [path.name for path in fetched.rglob("*") if path.is_file()] == ["halfway"]
    assert answer(tmp_path, "cache", "clear")["freed_bytes"] == 2
    assert not any(path.is_file() for path in (tmp_path / "cache" / "code").rglob("*"))
    assert run(tmp_path, *call).returncode == 0


@requirement("commands:quick-help")
@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"], ["tool", "call", "--help"]])
def test_help_loads_no_protocol_and_no_engine(words: list[str]) -> None:
    program = (
        "import sys\n"
        "from mcp_server.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'mcp', 'mcp_types', 'extism', 'extism_sys', 'anyio', 'jsonschema_rs', 'rich'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", program, *words]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "LOADED []"


@requirement("hooks:granted")
def test_a_plugin_is_shown_with_its_hooks_and_whether_they_run(cache: Path, echo: Path, tmp_path: Path) -> None:
    hook = '[hooks]\nafter_search = { function = "echo", order = 7 }\n'
    write_plugin(echo, "echo", module(ECHO), hook)
    config = tmp_path / "config.toml"
    config.write_text("[grants.echo]\nhooks = true\n", encoding="utf-8")
    for arguments, runs in (((), False), (("--config", config), True)):
        shown = answer(cache, "plugin", "show", "echo", "--plugins", echo, *arguments)
        facts = {"function": "echo", "order": 7, "budget_ms": 50, "on_failure": "open", "runs": runs}
        assert shown["hooks"] == {"after_search": facts}
        assert any("[grants.echo] hooks = true" in note for note in shown["notes"]) is not runs


@requirement("commands:call")
def test_the_memory_tools_are_called_from_the_shell(cache: Path, tmp_path: Path, echo: Path) -> None:
    added = answer(tmp_path, "tool", "call", "memory__add", "content=the canary sings", "--plugins", echo)
    found = answer(tmp_path, "tool", "call", "memory__search", "query=canary", "--plugins", echo)
    assert added["structured"]["memory"]["id"] == found["structured"]["results"][0]["memory"]["id"]
