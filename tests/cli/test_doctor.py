"""``doctor`` on machines that are well, and on machines with one thing wrong each."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from shlex import quote
from typing import Any

import pytest

from tests.clients.test_commands import run
from tests.guests import ECHO, answers, module, write_plugin
from tests.requirements import requirement

pytestmark = pytest.mark.timeout(180)
"""Each examination starts a worker and compiles; a whole one starts a server too."""
Finding = dict[str, str]


def examined(home: Path, plugins: Path, *words: str | Path) -> tuple[int, dict[str, Any]]:
    """The exit code and the report."""
    result = run(home, "doctor", "--plugins", plugins, *words, "--json")
    assert result.stderr == ""
    return result.returncode, json.loads(result.stdout)


def wrongs(home: Path, plugins: Path, *words: str | Path) -> list[Finding]:
    """What is wrong; each has a fix."""
    code, report = examined(home, plugins, "--quick", *words)
    found = [finding for finding in report["findings"] if finding["status"] == "wrong"]
    assert all(finding["fix"] for finding in found)
    assert (code, report["ok"]) == ((1, False) if found else (0, True))
    return found


def one(findings: list[Finding], check: str) -> Finding:
    (found,) = [finding for finding in findings if finding["check"] == check]
    return found


@requirement("doctor:well")
def test_a_machine_that_is_well_is_told_so_after_a_real_handshake(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    assert run(tmp_path, "install", "cursor", "--plugins", plugins).returncode == 0
    code, report = examined(tmp_path, plugins)
    by_check = {finding["check"]: finding for finding in report["findings"]}
    assert (code, report["ok"]) == (0, True), report
    assert set(by_check) >= {"versions", "folders", "configuration", "walls", "plugins", "clients", "handshake"}
    assert "and it compiles" in by_check["plugins"]["what"]
    assert by_check["handshake"]["what"].startswith("7 tools")
    assert by_check["clients"]["what"] == f"Cursor: 'agentmem' in {tmp_path}/.cursor/mcp.json"
    text = run(tmp_path, "doctor", "--plugins", plugins, "--quick").stdout
    assert "✓ configuration: " in text
    assert text.endswith("nothing is wrong\n")


@requirement("doctor:finds")
@pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
def test_the_walls_that_are_up_are_those_that_a_worker_reports(tmp_path: Path, plugins: Path) -> None:
    walls = one(examined(tmp_path, plugins, "--quick")[1]["findings"], "walls")
    assert "rlimits" in walls["what"]
    assert "no_new_privs" in walls["what"]


@requirement("doctor:finds")
def test_a_plugin_beyond_its_rights_and_one_that_is_broken_are_found(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "net", answers("hi"), '[capabilities]\nrequired = ["NetworkAccess"]')
    write_plugin(plugins, "broken", b"\0asm")
    found = wrongs(tmp_path, plugins)
    assert [finding["what"].split("]")[0] for finding in found] == ["[module_invalid", "[capability_denied"]
    assert "plugin grant net NetworkAccess" in found[1]["fix"]


@requirement("doctor:finds")
def test_a_module_that_the_compiler_refuses_is_found_by_compiling(tmp_path: Path, plugins: Path) -> None:
    write_plugin(
        plugins,
        "echo",
        module('(func (export "run") (result i32) (unreachable)) (func $start unreachable) (start $start)'),
    )
    _, report = examined(tmp_path, plugins)
    found = next(finding for finding in report["findings"] if finding["check"] == "plugins")
    assert (found["status"], found["what"].split("]")[0]) == ("wrong", "[load_failed")


@requirement("doctor:finds")
def test_a_plugin_that_changed_since_its_approval_is_found(tmp_path: Path) -> None:
    mine = tmp_path / "own" / "data" / "plugins"
    write_plugin(mine, "echo", module(ECHO))
    assert run(tmp_path, "plugin", "approve", "echo").returncode == 0
    report = json.loads(run(tmp_path, "doctor", "--quick", "--json").stdout)
    assert one(report["findings"], "approvals")["status"] == "ok"
    write_plugin(mine, "echo", answers("something else"))
    changed = json.loads(run(tmp_path, "doctor", "--quick", "--json").stdout)
    found = [finding for finding in changed["findings"] if finding["check"] == "approvals"]
    assert found[0]["what"].startswith("echo is not what plugins.lock has: changed: wasm")
    assert "plugin approve echo" in found[0]["fix"]
    (tmp_path / "own" / "data" / "plugins.lock").write_text("{}")
    damaged = run(tmp_path, "doctor", "--quick")
    assert damaged.returncode == 1
    assert "lock_damaged" in damaged.stdout


@requirement("doctor:finds")
def test_a_configuration_with_problems_is_found_and_the_rest_still_looked_at(tmp_path: Path, plugins: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[log]\nlevel = "loud"\n')
    (found,) = wrongs(tmp_path, plugins, "--config", config)
    assert "log.level" in found["what"]
    assert found["fix"]


@requirement("doctor:finds")
def test_folders_that_others_may_write_and_files_in_the_place_of_folders_are_found(
    tmp_path: Path, plugins: Path
) -> None:
    own = tmp_path / "own"
    (own / "config").mkdir(parents=True)
    (own / "config" / "config.toml").write_text("")
    (own / "config" / "config.toml").chmod(0o666)
    (own / "data").mkdir(mode=0o777)
    (own / "data").chmod(0o777)
    (own / "state").write_text("")
    found = wrongs(tmp_path, plugins)
    assert {finding["what"].partition(": ")[0] for finding in found} == {"data", "state", f"{own}/config/config.toml"}
    wanted = [quote(f"{own}/data"), quote(f"{own}/config/config.toml")]
    assert {finding["fix"] for finding in found} >= {f"chmod go-w {path}" for path in wanted}


@requirement("doctor:finds")
@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"command": "/no/such/agentmem-mcp", "args": ["serve"]}, "there is no command /no/such/agentmem-mcp"),
        ({"command": "agentmem-mcp", "args": ["serve"]}, "is no absolute path"),
        ({"command": sys.executable, "args": ["-m", "mcp_server", "serve", "--plugins", "/gone"]}, "there is no /gone"),
        ({"command": sys.executable, "args": ["-m", "mcp_server", "serve", "--config", "x"]}, "--config x is no abs"),
    ],
)
def test_an_entry_of_a_client_that_cannot_work_is_found(
    tmp_path: Path, plugins: Path, entry: dict[str, Any], said: str
) -> None:
    (tmp_path / ".cursor").mkdir()
    (tmp_path / ".cursor" / "mcp.json").write_text(json.dumps({"mcpServers": {"mine": entry}}))
    found = wrongs(tmp_path, plugins)
    assert said in found[0]["what"]
    assert "agentmem-mcp install cursor --file" in found[0]["fix"]
    assert "--name mine" in found[0]["fix"]


@requirement("doctor:finds")
def test_a_clients_file_that_is_no_json_or_a_link_is_found(tmp_path: Path, plugins: Path) -> None:
    (tmp_path / ".claude.json").write_text("{")
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini" / "settings.json").symlink_to(tmp_path / "nowhere")
    found = wrongs(tmp_path, plugins)
    assert all(finding["what"].startswith("[client_config]") for finding in found)
    assert any("is no JSON" in finding["what"] for finding in found)
    assert any("is a link" in finding["what"] for finding in found)


@requirement("doctor:finds")
def test_a_port_that_another_program_has_is_told(tmp_path: Path, plugins: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8765))
            taken.listen()
        except OSError:
            pass  # somebody has it already, which is as good
        found = one(examined(tmp_path, plugins, "--quick")[1]["findings"], "ports")
    assert found["status"] == "look"
    assert "cannot be had" in found["what"]


@requirement("doctor:finds")
def test_a_server_that_cannot_start_is_found_by_the_handshake(tmp_path: Path, plugins: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[approval]\nmode = 'never'\n")
    report = examined(tmp_path, plugins, "--config", config)[1]
    found = one(report["findings"], "handshake")
    assert found["status"] == "wrong"
    assert found["fix"].startswith("run `")
