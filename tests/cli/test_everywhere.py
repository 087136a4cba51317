"""What holds for every command: help with an example, quiet, no colours, completion."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer import Context
from typer.core import TyperGroup

from mcp_server.cli.examples import EXAMPLES, PROGRAM
from mcp_server.cli.main import app, main
from mcp_server.cli.verbs.author import VERBS
from tests.commands import answer, run
from tests.docs.test_pages import commands
from tests.guests import ECHO, module, write_plugin
from tests.requirements import requirement

ROOT = typer.main.get_command(app)
NAMES = [name.removeprefix(f"{PROGRAM} ") for name, _ in commands(ROOT)]


@requirement("commands:help")
@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_every_command_says_what_it_does_and_shows_an_example(name: str) -> None:
    command = dict(commands(ROOT))[f"{PROGRAM} {name}"]
    text = command.get_help(Context(command, info_name=f"{PROGRAM} {name}"))
    assert command.help
    assert f"{PROGRAM} {name}" in text.partition("Example:")[2]
    undescribed = [p.name for p in command.params if not getattr(p, "hidden", False) and not getattr(p, "help", "")]
    assert undescribed == []


@requirement("commands:help")
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_a_line_that_the_command_takes(name: str) -> None:
    words = shlex.split(EXAMPLES[name])
    group = ROOT
    while isinstance(group, TyperGroup) and words[0] in group.commands:
        group = group.commands[words.pop(0)]
    assert not isinstance(group, TyperGroup)
    group.make_context(name, words)  # raises where an option or an argument is none


@requirement("commands:quiet")
@pytest.mark.parametrize("words", [("--quiet", "config", "set"), ("config", "-q", "set"), ("config", "set", "--quiet")])
def test_quiet_leaves_out_what_is_no_result_wherever_it_stands(tmp_path: Path, words: tuple[str, ...]) -> None:
    loud = run(tmp_path, "config", "set", "log.level=debug")
    quiet = run(tmp_path, *words, "log.level=info")
    assert "log.level" in loud.stdout
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert answer(tmp_path, "config", "show", "--quiet")["values"]
    assert run(tmp_path, "config", "set", "log.level=loud", "-q").stderr.startswith("error[settings_invalid]")


@requirement("commands:quiet")
@pytest.mark.parametrize("name", NAMES)
def test_quiet_is_taken_by_every_command_in_each_place(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = name.split()
    for line in (["-q", *words], [*words, "--quiet"], [*words[:-1], "-q", words[-1]]):
        said: list[str] = []

        def be_quiet(said: list[str] = said) -> None:
            said.append(name)

        monkeypatch.setattr("mcp_server.cli.main.be_quiet", be_quiet)
        monkeypatch.setattr("sys.argv", [PROGRAM, *line, "--help"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert (ended.value.code, said) == (0, [name])


@requirement("commands:quiet")
def test_the_verbs_of_authors_say_that_they_take_quiet() -> None:
    printing = {name for name in NAMES if name in VERBS}
    quiet = {
        name
        for name in printing
        if "--quiet" in {o for p in dict(commands(ROOT))[f"{PROGRAM} {name}"].params for o in p.opts}
    }
    assert quiet == printing


@requirement("commands:quiet")
def test_what_follows_two_dashes_is_left_as_it_is(tmp_path: Path) -> None:
    assert run(tmp_path, "memory", "add", "--", "--quiet").returncode == 0
    assert "--quiet" in run(tmp_path, "memory", "search", "quiet").stdout


@requirement("commands:no-colour")
@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}])
@pytest.mark.parametrize("words", [("--help",), ("plugin", "list"), ("plugin", "show", "echo"), ("plugin", "nothing")])
def test_no_command_colours_a_terminal(
    tmp_path: Path, plugins: Path, words: tuple[str, ...], variables: dict[str, str]
) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    reader, terminal = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(tmp_path), "TERM": "xterm-256color", **variables}  # noqa: TID251  # a test's
    command = [sys.executable, "-m", "mcp_server", *words]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        try:
            while part := os.read(reader, 65_536):
                shown += part
        except OSError:  # the terminal is gone with its last writer
            pass
        process.wait()
    os.close(reader)
    assert shown
    assert b"\x1b" not in shown


def completed(home: Path, line: str) -> list[str]:
    """What bash would offer at the end of ``line``."""
    program = Path(sys.executable).with_name(PROGRAM)
    variables = {
        "_AGENTMEM_MCP_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
    }
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home), **variables}  # noqa: TID251  # a test's
    result = subprocess.run([program], cwd=home, env=environment, capture_output=True, text=True)
    assert result.stderr == ""
    return result.stdout.split()


@requirement("commands:completion")
def test_plugins_tools_and_clients_are_completed(tmp_path: Path, plugins: Path) -> None:
    tools = '[[tools]]\nfunction = "echo"\ndescription = "Says it again"'
    write_plugin(plugins, "echo", module(ECHO), tools)
    write_plugin(plugins, "other", b"no module")
    (plugins / "broken").mkdir()
    (plugins / "broken" / "plugin.toml").write_text("no toml")
    assert completed(tmp_path, "agentmem-mcp plugin show ec") == ["echo"]
    assert completed(tmp_path, "agentmem-mcp plugin disable o") == ["other"]
    assert completed(tmp_path, "agentmem-mcp tool call e") == ["echo__echo"]
    assert completed(tmp_path, "agentmem-mcp install cl") == ["claude-desktop", "claude-code"]
    assert "doctor" in completed(tmp_path, "agentmem-mcp do")


@requirement("commands:completion")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_script_of_each_shell_is_printed(tmp_path: Path, shell: str) -> None:
    result = run(tmp_path, "completion", shell)
    assert result.returncode == 0
    assert "_AGENTMEM_MCP_COMPLETE" in result.stdout
    assert run(tmp_path, "completion", "tcsh").returncode == 2


NO_JSON = {"serve", "demo", "completion", "server-json"}
"""What prints no facts: servers and scripts; and what prints a document that others read."""


@requirement("commands:json")
@pytest.mark.parametrize("name", [name for name in NAMES if name not in NO_JSON])
def test_every_command_that_tells_facts_tells_them_as_json_too(name: str) -> None:
    options = {option for parameter in dict(commands(ROOT))[f"{PROGRAM} {name}"].params for option in parameter.opts}
    assert "--json" in options


@requirement("commands:json")
def test_what_was_changed_is_one_json_object(tmp_path: Path) -> None:
    file = f"{tmp_path}/config/config.toml"
    granted = answer(tmp_path, "plugin", "grant", "p", "LLMAccess")
    assert granted == {"file": file, "changed": ["+ LLMAccess in capabilities of [grants.p]"]}
    assert answer(tmp_path, "plugin", "revoke", "p")["changed"] == ["- LLMAccess in capabilities of [grants.p]"]
    trusted = answer(tmp_path, "config", "trust")
    assert (trusted["file"], trusted["trusted"]) == (file, str(tmp_path))
