"""Configuration and grants as a shell sees them: real commands on real files."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.canary import placed, slot
from tests.cli.test_commands import answer, run
from tests.guests import ECHO, answers, module, write_plugin
from tests.requirements import requirement


@requirement("settings:origin")
def test_config_show_prints_every_value_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    placed(tmp_path / "config" / "config.toml").write_text(
        f'[runtime]\nidle_seconds = 5\n[config.p]\napi_token = "{slot("config value")}"\nword = "Hi"\n'
    )
    (tmp_path / "agentmem.toml").write_text('[log]\nlevel = "error"\n')
    shown = answer(tmp_path, "config", "show", "--origin", "--set", "runtime.max_workers=3")["values"]
    values = {entry["key"]: (entry["value"], entry["origin"]) for entry in shown}
    assert values["runtime.max_workers"] == (3, "command line")
    assert values["runtime.idle_seconds"] == (5, f"{tmp_path}/config/config.toml runtime.idle_seconds")
    assert values["log.level"] == ("error", f"{tmp_path}/agentmem.toml log.level")
    assert values["log.format"] == ("text", "default")
    assert values["config.p.word"][0] == "Hi"
    assert "canary" not in json.dumps(shown)
    assert set(answer(tmp_path, "config", "show")["values"][0]) == {"key", "value"}
    text = run(tmp_path, "config", "show", "--origin").stdout
    assert "canary" not in text
    assert text.splitlines()[0].split() == ["KEY", "VALUE", "ORIGIN"]


@requirement("settings:origin")
def test_config_path_prints_the_files_also_when_one_is_broken(tmp_path: Path) -> None:
    user, project = answer(tmp_path, "config", "path")["files"]
    assert (user["file"], user["found"]) == (f"{tmp_path}/config/config.toml", "no")
    assert (project["file"], project["found"]) == (f"{tmp_path}/agentmem.toml", "no")
    (tmp_path / "agentmem.toml").write_text("broken")
    assert answer(tmp_path, "config", "path")["files"][1]["found"] == "yes"
    assert run(tmp_path, "config", "show").returncode == 2


@requirement("settings:stranger")
def test_a_strangers_file_is_warned_about_until_the_folder_is_trusted(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "net", answers("hi"), '[capabilities]\nrequired = ["NetworkAccess"]')
    (plugins.parent / "agentmem.toml").write_text('[grants.net]\ncapabilities = ["NetworkAccess"]\n')
    before = run(tmp_path / "home", "plugin", "list", "--json", cwd=plugins.parent)
    assert json.loads(before.stdout)["plugins"][0]["state"] == "Error"
    assert before.stderr.startswith(f"warning: {plugins.parent}/agentmem.toml: ignored, because")
    assert "grants.net.capabilities" in before.stderr
    trusted = run(tmp_path / "home", "config", "trust", cwd=plugins.parent)
    assert trusted.stdout.startswith(f"{tmp_path}/home/config/config.toml: + {plugins.parent} in folders of [trust]")
    assert answer(tmp_path / "home", "plugin", "list", cwd=plugins.parent)["plugins"][0]["state"] == "Loaded"
    assert "nothing to change" in run(tmp_path / "home", "config", "trust", cwd=plugins.parent).stdout


@requirement("grants:edit")
@requirement("grants:side-by-side")
def test_what_is_asked_granted_and_in_force_is_shown_before_and_after_a_grant(tmp_path: Path, plugins: Path) -> None:
    write_plugin(
        plugins,
        "net",
        answers("hi"),
        '[capabilities]\nrequired = ["NetworkAccess"]\noptional = ["FileSystemAccess"]\n'
        '[network]\nallow = ["https://api.example.com/v1/*", "https://b.com/*"]\n'
        '[filesystem]\nallow = [{ path = "notes/today", mode = "write" }]\n',
    )
    show = ("plugin", "show", "net", "--plugins", plugins)
    before = answer(tmp_path, *show)
    assert "`agentmem-mcp plugin grant net NetworkAccess`" in before["fix"]
    assert before["rights"]["required"] == ["NetworkAccess"]
    assert before["rights"]["effective"] == []
    assert before["rights"]["network"]["requested"] == ["https://api.example.com/v1/*", "https://b.com/*"]
    granted = run(
        tmp_path,
        *("plugin", "grant", "net", "--host", "GET,POST https://*.example.com/*", "--folder", f"notes={plugins}"),
    )
    assert (granted.returncode, granted.stderr) == (0, "")
    assert "+ NetworkAccess in capabilities of [grants.net]" in granted.stdout
    after = answer(tmp_path, *show)["rights"]
    assert after["effective"] == ["FileSystemAccess", "NetworkAccess"]
    assert after["network"]["granted"] == ["GET,POST https://*.example.com/*"]
    assert after["network"]["effective"] == ["GET,POST https://api.example.com/v1/*"]
    assert after["filesystem"]["granted"] == [{"name": "notes", "folder": str(plugins), "mode": "read"}]
    assert after["filesystem"]["effective"] == [{"path": "notes/today", "mode": "read"}]
    text = run(tmp_path, *show).stdout
    assert "URLS REQUESTED" in text
    assert "FILES REQUESTED" in text


@requirement("grants:side-by-side")
def test_the_numbers_of_requests_and_files_are_shown_from_both_sides(tmp_path: Path, plugins: Path) -> None:
    write_plugin(
        plugins,
        "net",
        answers("hi"),
        '[capabilities]\nrequired = ["NetworkAccess", "FileSystemAccess"]\n'
        '[network]\nallow = ["https://b.com/*"]\nrequests_per_second = 0.5\nmax_response_mb = 12\n'
        "[filesystem]\nmax_write_mb = 1\n",
    )
    show = ("plugin", "show", "net", "--plugins", plugins)
    run(tmp_path, "plugin", "grant", "net", "NetworkAccess", "FileSystemAccess")
    run(tmp_path, "config", "set", "grants.net.network.requests_per_call=7")
    rights = answer(tmp_path, *show)["rights"]
    http, files = rights["network"]["limits"], rights["filesystem"]["limits"]
    assert http["requests_per_second"] == {"requested": 0.5, "granted": 20.0, "effective": 0.5}
    assert http["max_response_mb"] == {"requested": 12, "granted": 4, "effective": 4}
    assert http["requests_per_call"] == {"requested": None, "granted": 7, "effective": 7}
    assert files["max_write_mb"] == {"requested": 1, "granted": 10, "effective": 1}
    rows = [line.split() for line in run(tmp_path, *show).stdout.splitlines()]
    assert ["REQUESTS", "REQUESTED", "GRANTED", "EFFECTIVE"] in rows
    assert ["requests_per_second", "0.5", "20", "0.5"] in rows
    assert ["requests_per_call", "-", "7", "7"] in rows
    assert ["operations_per_call", "-", "1000", "1000"] in rows


@requirement("grants:side-by-side")
def test_the_grants_in_force_are_listed_with_their_files(tmp_path: Path) -> None:
    assert "nothing is granted" in run(tmp_path, "plugin", "grants").stdout
    run(tmp_path, "plugin", "grant", "a", "LLMAccess", "--quota-mb", "7")
    run(tmp_path, "plugin", "grant", "b", "MemoryAccess", "--deny")
    grants = answer(tmp_path, "plugin", "grants")["grants"]
    assert grants["a"]["capabilities"] == ["LLMAccess", "StorageAccess"]
    assert grants["a"]["storage"] == {"quota_mb": 7}
    assert grants["a"]["origin"] == [f"{tmp_path}/config/config.toml"]
    assert grants["b"]["deny"] == ["MemoryAccess"]
    assert list(answer(tmp_path, "plugin", "grants", "b")["grants"]) == ["b"]
    assert "stores 7 MiB" in run(tmp_path, "plugin", "grants").stdout


MODELS = """
[llm.providers.here]
dialect = "extractive"
[llm.aliases.fast]
provider = "here"
"""


@requirement("grants:edit")
@requirement("grants:side-by-side")
@pytest.mark.timeout(120)  # many commands, each a process of its own
def test_models_hooks_and_whose_memories_are_granted_and_shown_like_every_right(tmp_path: Path, plugins: Path) -> None:
    asks = '[capabilities]\noptional = ["LLMAccess", "MemoryAccess"]\n[hooks]\nbefore_add = "run"\n'
    write_plugin(plugins, "guard", answers("null"), asks)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(MODELS)
    show = ("plugin", "show", "guard", "--plugins", plugins)
    before = answer(tmp_path, *show)
    assert any("`agentmem-mcp plugin grant guard --hooks`" in note for note in before["notes"])
    assert before["rights"]["llm"]["effective"] == []
    assert (before["rights"]["hooks"], before["rights"]["memories"], before["asks_user"]) == (False, "own", "no")

    granted = run(tmp_path, "plugin", "grant", "guard", "--hooks", "--model", "fast")
    assert (granted.returncode, granted.stderr) == (0, "")
    assert "+ hooks = true in [grants.guard]" in granted.stdout
    assert "+ fast in aliases of [grants.guard.llm]" in granted.stdout
    more = ("grants.guard.llm.tokens_per_day=5000", "grants.guard.memories=principal", "grants.guard.ask=true")
    run(tmp_path, "config", "set", *more)

    after = answer(tmp_path, *show)
    assert after["rights"]["effective"] == ["LLMAccess", "MemoryAccess"]
    llm = after["rights"]["llm"]
    assert (llm["granted"], llm["effective"], llm["tokens_per_day"]) == (["fast"], ["fast"], 5_000)
    assert (after["rights"]["hooks"], after["rights"]["memories"], after["asks_user"]) == (True, "principal", "ask")
    text = run(tmp_path, *show).stdout
    for told in ("model: fast", "5000 tokens a day", "hooks: run", "memories: those of whoever calls"):
        assert told in text
    values = {one["key"]: one["value"] for one in answer(tmp_path, "config", "show")["values"]}
    assert (values["grants.guard.llm.tokens_per_day"], values["llm.aliases.fast.max_tokens"]) == (5_000, 1_024)
    assert values["llm.providers.here.token_limit"] == "max_tokens"
    listed = run(tmp_path, "plugin", "grants").stdout
    for told in ("models fast", "5000 tokens a day", "hooks", "memories of the principal", "asks the user"):
        assert told in listed

    revoked = run(tmp_path, "plugin", "revoke", "guard").stdout
    assert "- hooks of [grants.guard]" in revoked
    assert "- aliases of [grants.guard.llm]" in revoked
    assert answer(tmp_path, *show)["rights"]["llm"]["granted"] == []


@requirement("audit:decisions")
@pytest.mark.timeout(120)  # many commands, each a process of its own
def test_every_change_of_a_grant_is_on_record_and_nothing_else(tmp_path: Path) -> None:
    run(tmp_path, "plugin", "grant", "p", "StorageAccess", "--quota-mb", "7")
    run(tmp_path, "plugin", "grant", "p", "StorageAccess", "--quota-mb", "7")
    run(tmp_path, "plugin", "grant", "p", "MemoryAccess", "--deny")
    run(tmp_path, "config", "set", "grants.p.ask=true", "log.level=info")
    run(tmp_path, "config", "unset", "grants.p.ask")
    run(tmp_path, "plugin", "revoke", "p", "StorageAccess")
    rows = [(row["function"], row["plugin"], row["target"]) for row in answer(tmp_path, "audit", "show")["rows"]]
    told = "+ StorageAccess in capabilities of [grants.p]; + quota_mb = 7 in [grants.p.storage]"
    assert rows[:3] == [
        ("grant", "p", told),
        ("deny", "p", "+ MemoryAccess in deny of [grants.p]"),
        ("config", "p", "+ grants.p.ask = true"),
    ]
    assert rows[3] == ("config", "p", "- grants.p.ask")
    assert (rows[4][0], len(rows)) == ("revoke", 5)
    assert run(tmp_path, "audit", "verify").returncode == 0


@requirement("grants:edit")
def test_the_project_file_is_written_on_request_and_its_trust_asked_for(tmp_path: Path) -> None:
    made = run(tmp_path, "plugin", "grant", "p", "LLMAccess", "--project")
    assert made.stdout.startswith(f"{tmp_path}/agentmem.toml:")
    assert f"agentmem-mcp config trust {shlex.quote(str(tmp_path))}" in made.stderr
    assert not (tmp_path / "config").exists()


@requirement("grants:edit")
def test_what_a_revoke_or_a_grant_cannot_reach_is_said(tmp_path: Path) -> None:
    run(tmp_path, "config", "trust")
    run(tmp_path, "plugin", "grant", "p", "LLMAccess", "--project")
    run(tmp_path, "plugin", "grant", "p", "SearchAccess", "--project", "--deny")
    assert "note: LLMAccess is still granted: " in run(tmp_path, "plugin", "revoke", "p", "LLMAccess").stderr
    assert "note: SearchAccess stays denied" in run(tmp_path, "plugin", "grant", "p", "SearchAccess").stderr
    assert "--deny` withholds it" in run(tmp_path, "plugin", "revoke", "p", "MemoryAccess").stderr


@requirement("grants:refuse")
@requirement("commands:exit-codes")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["p"], "nothing to grant"),
        (["p", "NetworkAcces"], "'NetworkAcces' is no capability, did you mean 'NetworkAccess'?"),
        (["P!", "LLMAccess"], "'P!' is no plugin id"),
        (["p", "--host", "https://a.com/?q"], "a path pattern holds no query"),
        (["p", "--range", "10.0.0.1/8"], "has host bits set"),
        (["p", "--folder", "notes"], "is not NAME=PATH[:read|write]"),
        (["p", "--folder", "no tes=/"], "--folder no tes=/: name: "),
        (["p", "--folder", "notes=/no/such/folder"], "there is no folder /no/such/folder"),
        (["p", "--secret", "KEY"], "is not NAME=PATTERN"),
        (["p", "--quota-mb", "0"], "grants.p.storage.quota_mb"),
        (["p", "--deny", "--model", "fast"], "--deny goes with capabilities and --host only"),
        (["p", "--deny", "--hooks"], "--deny goes with capabilities and --host only"),
        (["p", "--deny", "--range", "10.0.0.0/8"], "--deny goes with capabilities and --host only"),
        (["p", "LLMAccess", "--project", "--config", "x.toml"], "--project and --config name two files"),
    ],
)
def test_a_wrong_grant_writes_nothing_and_exits_with_2(tmp_path: Path, words: list[str], said: str) -> None:
    result = run(tmp_path, "plugin", "grant", *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert not list(tmp_path.rglob("*.toml"))


@requirement("settings:layers")
@pytest.mark.parametrize("word", ["runtime.max_workers", "runtime=1", "log.level=loud", "a.b=1", ".x=1"])
def test_a_wrong_set_is_told(tmp_path: Path, word: str) -> None:
    result = run(tmp_path, "config", "show", "--set", word)
    assert result.returncode == 2
    assert "error[settings_invalid]" in result.stderr


@requirement("refusals:operator")
def test_the_list_names_the_fix_of_each_plugin_that_is_held_back(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "net", answers("hi"), '[capabilities]\nrequired = ["NetworkAccess"]')
    write_plugin(plugins, "echo", module(ECHO), '[capabilities]\noptional = ["LLMAccess"]')
    text = run(tmp_path, "plugin", "list", "--plugins", plugins).stdout
    assert "fix for net: run `agentmem-mcp plugin grant net NetworkAccess`" in text
    notes = answer(tmp_path, "plugin", "show", "echo", "--plugins", plugins)["notes"]
    assert "`agentmem-mcp plugin grant echo LLMAccess`" in notes[0]
