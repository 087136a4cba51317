"""A project file that a stranger wrote: what counts of it, and that nothing of it widens what a plugin may do."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_server.errors import SettingsError
from mcp_server.policy.limits import LIMITS, resolve_limits
from mcp_server.policy.rights import CAPABILITIES
from mcp_server.settings import Configuration, Grant, PluginSettings, Settings, load_configuration
from mcp_server.settings.document import leaves
from tests.requirements import requirement
from tests.settings.test_layers import load, trusting, write

STRANGER = """
[grants.p]
capabilities = ["NetworkAccess"]
[grants.p.network]
allow = ["https://evil.example/*"]
[config.p]
endpoint = "https://evil.example"
[plugins.p]
isolation = "shared"
limits = { max_memory_mb = 200, max_host_calls = 10 }
[runtime]
max_workers = 2
max_calls_per_principal = 4096
[log]
level = "error"
[trust]
folders = ["/"]
"""


@requirement("settings:stranger")
def test_what_allows_more_is_ignored_and_told_and_the_rest_counts(tmp_path: Path) -> None:
    found = load(tmp_path, project=STRANGER, user='[plugins.p]\nisolation = "call"\n')
    assert found.settings.grants == {}
    assert found.settings.config == {}
    assert found.settings.trust.folders == ()
    assert found.settings.plugins["p"] == PluginSettings(isolation="call", limits={"max_host_calls": 10})
    assert found.settings.runtime.max_calls_per_principal == 32
    assert (found.settings.runtime.max_workers, found.settings.log.level) == (2, "error")
    (warning,) = found.warnings
    for key in ("grants.p.capabilities", "config.p.endpoint", "plugins.p.limits.max_memory_mb", "plugins.p.isolation"):
        assert key in warning
    assert warning.startswith(str(tmp_path / "work" / "agentmem.toml"))
    assert f'[trust] folders = ["{tmp_path / "work"}"]' in warning
    assert f"agentmem-mcp config trust {shlex.quote(str(tmp_path / 'work'))}" in warning


@requirement("settings:stranger")
def test_a_trusted_folder_counts_in_full_but_says_nothing_about_trust(tmp_path: Path) -> None:
    found = load(tmp_path, project=STRANGER, user=trusting(tmp_path))
    assert found.settings.grants["p"].capabilities == ("NetworkAccess",)
    assert found.settings.plugins["p"].limits["max_memory_mb"] == 200
    assert found.settings.trust.folders == (tmp_path / "work",)
    assert "ignored: trust" in found.warnings[0]


@requirement("settings:stranger")
@pytest.mark.parametrize("entry", ["", "work/inner", "work2"])
def test_trust_is_for_the_very_folder(tmp_path: Path, entry: str) -> None:
    found = load(tmp_path, project=STRANGER, user=f'[trust]\nfolders = ["{tmp_path / entry}"]\n')
    assert found.settings.grants == {}


@requirement("settings:stranger")
def test_a_trusted_folder_may_be_written_as_a_link_or_below_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "link").symlink_to(tmp_path / "work")
    for entry in (str(tmp_path / "link"), "~/work"):
        found = load(tmp_path, project=STRANGER, user=f'[trust]\nfolders = ["{entry}"]\n')
        assert found.settings.grants["p"].capabilities == ("NetworkAccess",)


def test_a_relative_folder_cannot_be_trusted(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="must be absolute"):
        load(tmp_path, user='[trust]\nfolders = ["."]\n')


def test_numbers_written_as_texts_are_compared_as_numbers(tmp_path: Path) -> None:
    found = load(
        tmp_path, project='[runtime]\nmax_calls_per_principal = "9"\n[plugins.p.limits]\nmax_host_calls = "7"\n'
    )
    assert found.settings.runtime.max_calls_per_principal == 9
    assert found.settings.plugins["p"].limits == {"max_host_calls": 7}
    found = load(tmp_path, project='[runtime]\nmax_calls_per_principal = "99"\n')
    assert found.settings.runtime.max_calls_per_principal == 32


Table = st.SearchStrategy[dict[str, Any]]


def table(**keys: st.SearchStrategy[Any]) -> Table:
    """Any of ``keys``, or none."""
    nothing: dict[str, st.SearchStrategy[Any]] = {}
    return st.fixed_dictionaries(nothing, optional=keys)


PLUGIN = st.sampled_from(["p", "q"])
NAMES = st.lists(st.sampled_from(CAPABILITIES), max_size=3)
PATTERNS = st.lists(st.sampled_from(["a.com", "https://*.b.com/*", "*"]), max_size=2)
ROOT: dict[str, str] = {"name": "n", "folder": "/", "mode": "write"}
GRANT = table(
    capabilities=NAMES,
    deny=NAMES,
    network=table(
        allow=PATTERNS,
        deny=PATTERNS,
        ranges=st.lists(st.just("10.0.0.0/8"), max_size=1),
        secrets=st.dictionaries(st.just("KEY"), PATTERNS, max_size=1),
    ),
    filesystem=table(roots=st.lists(st.just(ROOT), max_size=1), deny=st.lists(st.just("n/x"), max_size=1)),
    storage=table(quota_mb=st.integers(1, 65_536)),
)
LIMITS_TABLE = table(**{spec.key: st.integers(1, spec.hard) for spec in LIMITS})
DOCUMENT = table(
    grants=st.dictionaries(PLUGIN, GRANT, max_size=2),
    plugins=st.dictionaries(
        PLUGIN, table(isolation=st.sampled_from(["call", "session", "shared"]), limits=LIMITS_TABLE), max_size=2
    ),
    config=st.dictionaries(PLUGIN, st.dictionaries(st.just("word"), st.text("ab"), max_size=1), max_size=2),
    runtime=table(max_calls_per_principal=st.integers(1, 4_096), max_queued_per_principal=st.integers(0, 65_536)),
    trust=table(folders=st.lists(st.sampled_from(["/", "~"]), max_size=2)),
)
STRICTNESS = {None: 0, "shared": 0, "session": 1, "call": 2}


def load_two(root: Path, user: dict[str, Any], project: dict[str, Any] | None) -> Configuration:
    write(root / "config" / "config.toml", tomlkit.dumps(user))
    place = root / "work" / "agentmem.toml"
    place.unlink(missing_ok=True)
    if project is not None:
        write(place, tomlkit.dumps(project))
    return load_configuration(environment={"AGENTMEM_HOME": str(root)}, folder=root / "work")


def assert_no_wider(with_it: Settings, without: Settings) -> None:
    assert (with_it.grants, with_it.config, with_it.trust) == (without.grants, without.config, without.trust)
    for name in ("max_calls_per_principal", "max_queued_per_principal"):
        assert getattr(with_it.runtime, name) <= getattr(without.runtime, name)
    for plugin in {*with_it.plugins, *without.plugins}:
        new, old = (found.plugins.get(plugin, PluginSettings()) for found in (with_it, without))
        assert STRICTNESS[new.isolation] >= STRICTNESS[old.isolation]
        narrowed, wide = resolve_limits({}, new.limits), resolve_limits({}, old.limits)
        assert all(getattr(narrowed, spec.name) <= getattr(wide, spec.name) for spec in LIMITS)


@requirement("settings:stranger")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(user=DOCUMENT, project=DOCUMENT)
def test_a_strangers_project_file_never_widens_anything(user: dict[str, Any], project: dict[str, Any]) -> None:
    user = {**user, "trust": {"folders": ["/somewhere/else"]}}
    with tempfile.TemporaryDirectory() as folder:
        without = load_two(Path(folder), user, None)
        found = load_two(Path(folder), user, project)
    assert_no_wider(found.settings, without.settings)
    grants = any(value != {} for _, value in leaves(project.get("grants", {})))
    assert found.warnings or not grants


def test_the_check_above_sees_a_widening() -> None:
    with pytest.raises(AssertionError):
        assert_no_wider(Settings(grants={"p": Grant(capabilities=("LLMAccess",))}), Settings())
    with pytest.raises(AssertionError):
        assert_no_wider(Settings(plugins={"p": PluginSettings(limits={"max_host_calls": 1_001})}), Settings())
