"""Five layers, one value: who wins, where it came from, and what is told when one of them is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors import SettingsError
from mcp_server.settings import Configuration, load_configuration
from mcp_server.settings.document import MAX_FILE_BYTES
from mcp_server.settings.shown import shown_values
from tests.requirements import requirement


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load(
    root: Path, *, user: str = "", project: str = "", environment: dict[str, str] | None = None, **overrides: Any
) -> Configuration:
    """Read a user file and a project file below ``root``."""
    write(root / "config" / "config.toml", user)
    write(root / "work" / "agentmem.toml", project)
    variables = {"AGENTMEM_HOME": str(root), **(environment or {})}
    return load_configuration(environment=variables, overrides=overrides, folder=root / "work")


def trusting(root: Path) -> str:
    return f'[trust]\nfolders = ["{root / "work"}"]\n'


@requirement("settings:layers")
@requirement("settings:origin")
def test_each_layer_beats_the_one_below_and_every_value_knows_its_layer(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        user="[runtime]\nmax_workers = 1\nidle_seconds = 1\ndrain_seconds = 1\ncompiled_cache_mb = 1\n",
        project="[runtime]\nmax_workers = 2\nidle_seconds = 2\ndrain_seconds = 2\n",
        environment={"AGENTMEM_RUNTIME__MAX_WORKERS": "3", "AGENTMEM_RUNTIME__IDLE_SECONDS": "3"},
        runtime={"max_workers": 4},
    )
    runtime = found.settings.runtime
    values = (runtime.max_workers, runtime.idle_seconds, runtime.drain_seconds, runtime.compiled_cache_mb)
    assert values == (4, 3, 2, 1)
    origins = {one.key: one.origin for one in shown_values(found)}
    assert origins["runtime.max_workers"] == "command line"
    assert origins["runtime.idle_seconds"] == "AGENTMEM_RUNTIME__IDLE_SECONDS"
    assert origins["runtime.drain_seconds"] == f"{tmp_path / 'work' / 'agentmem.toml'} runtime.drain_seconds"
    assert origins["runtime.compiled_cache_mb"] == f"{tmp_path / 'config' / 'config.toml'} runtime.compiled_cache_mb"
    assert origins["log.level"] == "default"
    assert found.warnings == ()


@requirement("settings:layers")
def test_tables_are_merged_key_by_key_and_lists_replaced_but_denials_add_up(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        user=trusting(tmp_path)
        + '[grants.p]\ncapabilities = ["NetworkAccess"]\ndeny = ["LLMAccess"]\n[grants.p.network]\nallow = ["a.com"]\n'
        + 'deny = ["a.com/x"]\n',
        project='[grants.p]\ncapabilities = ["SearchAccess"]\ndeny = []\n[grants.p.network]\ndeny = ["a.com/y"]\n',
    )
    grant = found.settings.grants["p"]
    assert grant.capabilities == ("SearchAccess",)
    assert grant.deny == ("LLMAccess",)
    assert (grant.network.allow, grant.network.deny) == (("a.com",), ("a.com/x", "a.com/y"))


@requirement("settings:problems")
def test_the_problems_of_every_layer_are_told_at_once_by_file_and_key(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(
            tmp_path,
            user="[runtme]\na = 1\n[log]\nlevel = 'loud'\n",
            project='[grants.p]\ncapabilities = ["Netwrk"]\n',
            environment={"AGENTMEM_LOG__FORMAT": "xml"},
            runtime={"max_workers": 0},
        )
    user, project = tmp_path / "config" / "config.toml", tmp_path / "work" / "agentmem.toml"
    told = caught.value.message
    assert f"{user}: runtme: unknown key, did you mean 'runtime'?" in told
    assert f"{user}: log.level: 'loud' is not allowed" in told
    assert f"{project}: grants.p.capabilities: 'Netwrk' is no capability" in told
    assert "AGENTMEM_LOG__FORMAT: log.format: 'xml' is not allowed" in told
    assert "command line: runtime.max_workers: " in told
    assert str(user) in caught.value.fix
    assert str(project) in caught.value.fix


@requirement("settings:problems")
def test_a_key_with_terminal_codes_is_told_without_them(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, project='["\\u001b[2J"]\na = 1\n')
    assert "\x1b" not in caught.value.message


@requirement("settings:origin")
def test_what_looks_like_a_secret_is_never_shown(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        user='[config.p]\napi_key = "canary-1"\nnested = { password = ["canary-2"] }\nurl = "https://u:canary-3@a.com"\n'
        'header = "Bearer canary-4-canary-4"\nword = "plain"\n'
        '[grants.p.network]\nallow = ["a.com"]\nsecrets = { API_KEY = ["a.com"] }\n',
        environment={"AGENTMEM_SECRET_API_KEY": "canary-5-long", "AGENTMEM_SECRET_A__B": "canary-6"},
    )
    shown = {one.key: one.value for one in shown_values(found)}
    assert "canary" not in str(shown)
    assert shown["config.p.word"] == "plain"
    assert shown["grants.p.network.secrets.API_KEY"] == ["a.com"]


@pytest.mark.parametrize("make", ["pipe", "folder", "huge"])
def test_a_project_file_that_is_no_plain_small_file_is_an_error_and_never_read(tmp_path: Path, make: str) -> None:
    import os  # noqa: PLC0415  # for this one test

    folder = tmp_path / "work"
    folder.mkdir()
    place = folder / "agentmem.toml"
    if make == "pipe":
        os.mkfifo(place)
    elif make == "folder":
        place.mkdir()
    else:
        place.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(SettingsError, match="the configuration file"):
        load_configuration(environment={"AGENTMEM_HOME": str(tmp_path)}, folder=folder)


def test_the_file_after_config_replaces_the_users_and_is_the_users_word(tmp_path: Path) -> None:
    write(tmp_path / "config" / "config.toml", "[log]\nlevel = 'error'\n")
    named = write(tmp_path / "work" / "agentmem.toml", '[grants.p]\ncapabilities = ["LLMAccess"]\n')
    found = load_configuration(named, environment={"AGENTMEM_HOME": str(tmp_path)}, folder=tmp_path / "work")
    assert found.settings.log.level == "info"
    assert found.settings.grants["p"].capabilities == ("LLMAccess",)
    assert found.warnings == ()
