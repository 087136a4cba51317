"""What an operator sets, and which place wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors import SettingsError
from mcp_server.settings import Settings, load_settings, user_folders


def load(folder: Path, text: str = "", environment: dict[str, str] | None = None, **overrides: Any) -> Settings:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environment=environment or {}, overrides=overrides)


def problems(folder: Path, text: str = "", environment: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(folder, text, environment)
    assert caught.value.fix
    return caught.value.message


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(environment={"AGENTMEM_HOME": str(tmp_path)}) == Settings()


def test_the_command_line_beats_the_environment_beats_the_file_beats_the_default(tmp_path: Path) -> None:
    text = "[runtime]\nmax_workers = 3\nidle_seconds = 5\ndrain_seconds = 7\n"
    environment = {"AGENTMEM_RUNTIME__MAX_WORKERS": "4", "AGENTMEM_RUNTIME__IDLE_SECONDS": "6"}
    loaded = load(tmp_path, text, environment, runtime={"max_workers": 5})
    assert loaded.runtime.max_workers == 5
    assert loaded.runtime.idle_seconds == 6
    assert loaded.runtime.drain_seconds == 7
    assert loaded.runtime.max_queued_per_principal == Settings().runtime.max_queued_per_principal


def test_the_users_own_file_is_read_when_none_is_named(tmp_path: Path) -> None:
    environment = {"AGENTMEM_HOME": str(tmp_path)}
    folder = user_folders(environment).config
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[log]\nlevel = "error"\n')
    assert load_settings(environment=environment).log.level == "error"


def test_one_variable_moves_every_folder(tmp_path: Path) -> None:
    folders = user_folders({"AGENTMEM_HOME": str(tmp_path / "home")})
    assert {folders.config, folders.data, folders.cache} == {tmp_path / "home" / n for n in ("config", "data", "cache")}
    assert folders.plugins.is_relative_to(tmp_path / "home")


def test_an_environment_value_is_toml_or_else_text(tmp_path: Path) -> None:
    environment = {
        "AGENTMEM_LOG__FORMAT": "json",
        "AGENTMEM_LOG__LEVEL": '"debug"',
        "AGENTMEM_HOME": "x",
        "OTHER__A": "",
    }
    assert load(tmp_path, "", environment).log.model_dump() == {"format": "json", "level": "debug"}


def test_grants_limits_and_configuration_of_plugins_are_read(tmp_path: Path) -> None:
    text = """
[grants.notes]
capabilities = ["NetworkAccess"]
[plugins.notes]
isolation = "session"
limits.max_memory_mb = 1024
[config.notes]
word = "Hi"
"""
    loaded = load(tmp_path, text)
    assert loaded.grants["notes"].capabilities == ("NetworkAccess",)
    assert loaded.plugins["notes"].limits == {"max_memory_mb": 1_024}
    assert loaded.config == {"notes": {"word": "Hi"}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[runtme]", "runtme: unknown key, did you mean 'runtime'?"),
        ("[runtime]\nmax_worker = 1", "runtime.max_worker: unknown key, did you mean 'max_workers'?"),
        ("[runtime]\nmax_workers = 0", "runtime.max_workers: Input should be greater than or equal to 1 (got 0)"),
        ('[runtime]\nmax_workers = "many"', "runtime.max_workers: Input should be a valid integer"),
        ("[runtime]\nidle_seconds = nan", "runtime.idle_seconds: "),
        ('[log]\nlevel = "loud"', "log.level: 'loud' is not allowed"),
        ("runtime = 5", "runtime: Input should be a valid"),
        (
            '[grants.p]\ncapabilities = ["NetworkAcces"]',
            "'NetworkAcces' is no capability, did you mean 'NetworkAccess'?",
        ),
        ("[grants.p.network]\nmax_response_mb = 13", "grants.p.network.max_response_mb"),
        ("[grants.p.network]\nrequests_per_second = 0", "grants.p.network.requests_per_second"),
        ("[grants.p.filesystem]\nmax_read_mb = 1025", "grants.p.filesystem.max_read_mb"),
        ("[plugins.p.limits]\nmax_memory_mb = 1025\nmax_memory = 1", "max_memory_mb: 1025 is outside 1 … 1024 MiB"),
        ("[plugins.p.limits]\nmax_memory_mb = 1025\nmax_memory = 1", "max_memory: unknown key, did you mean"),
        ("[config.p]\nsince = 2024-01-01", "config.p.since: a date has no form in JSON"),
        ("a = ", "is not TOML"),
        ("a = " + "9" * 5_000, "is not TOML"),
    ],
)
def test_a_wrong_setting_is_told_by_its_key(tmp_path: Path, text: str, told: str) -> None:
    message = problems(tmp_path, text)
    assert told in message
    assert message.startswith(str(tmp_path / "config.toml"))


@pytest.mark.parametrize(
    ("name", "text"),
    [("AGENTMEM_RUNTIME__MAX_WORKERS", "many"), ("AGENTMEM_RUNTME__A", "1"), ("AGENTMEM_LOG__LEVL", "info")],
)
def test_a_wrong_variable_is_told_by_its_name(tmp_path: Path, name: str, text: str) -> None:
    assert name in problems(tmp_path, "", {name: text})


def test_a_variable_for_a_section_that_the_file_made_a_number_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    assert "runtime: " in problems(tmp_path, "runtime = 5", {"AGENTMEM_RUNTIME__MAX_WORKERS": "2"})


@pytest.mark.parametrize("name", ["gone.toml", "folder", "latin.toml"])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.toml").write_bytes(b'a = "\xff"')
    with pytest.raises(SettingsError, match="the configuration file"):
        load_settings(tmp_path / name, environment={})
