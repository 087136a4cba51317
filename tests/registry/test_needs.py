"""A plugin that needs another one, or another server, is served beside it and held back without it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mcp_server import __version__
from mcp_server.authoring.loading import open_plugin
from mcp_server.host import PluginHost
from mcp_server.registry.errors import RequirementConflict
from mcp_server.registry.lifecycle import State
from tests import commands
from tests.conftest import plugin_tools
from tests.guests import answers, write_plugin
from tests.registry.conftest import WELL
from tests.requirements import requirement


def put(folder: Path, plugin: str, version: str = "0.1.0", **needs: str) -> Path:
    """A plugin of that version that needs others."""
    wanted = ", ".join(f'{name} = "{text}"' for name, text in needs.items())
    home = write_plugin(folder, plugin, WELL, header=f"requires_plugins = {{ {wanted} }}")
    manifest = home / "plugin.toml"
    manifest.write_text(manifest.read_text().replace('version = "0.1.0"', f'version = "{version}"'))
    return home


def told(host: PluginHost, plugin: str) -> str:
    """Code and message, if the plugin is held back or kept from a newer version."""
    error = host.registry.get(plugin).error
    return f"{error.error_code}: {error.message}" if error else ""


def served(host: PluginHost) -> dict[str, str]:
    return {
        record.id: record.version.source.manifest.plugin.version
        for record in host.list_plugins()
        if record.serving and record.version
    }


@requirement("needs:held-back")
async def test_a_plugin_is_held_back_until_the_one_it_needs_arrives(host: PluginHost, plugins: Path) -> None:
    put(plugins, "top", base="^1")
    host.reload()
    assert plugin_tools(host) == []
    assert told(host, "top") == "requirement_conflict: plugin 'top' 0.1.0 needs 'base' ^1, which is not there"
    assert host.registry.get("top").error.fix == "agentmem-mcp add 'base@^1'"  # type: ignore[union-attr]
    assert host.reload() == set()  # it is said once
    put(plugins, "base", "0.9.0")
    host.reload()
    assert told(host, "top").endswith("needs 'base' ^1, and 0.9.0 is there")
    put(plugins, "base", "1.2.0")
    assert host.reload() == {"base", "top"}
    assert (served(host), told(host, "top")) == ({"base": "1.2.0", "top": "0.1.0"}, "")
    assert await host.call("top", "echo", {"n": 1}) == {"n": 1}
    shutil.rmtree(plugins / "base")
    assert host.reload() == {"base", "top"}
    assert plugin_tools(host) == []


@requirement("needs:held-back")
async def test_a_newer_version_that_lacks_something_leaves_the_old_one_serving(host: PluginHost, plugins: Path) -> None:
    put(plugins, "top")
    host.reload()
    put(plugins, "top", "0.2.0", base="*")
    host.reload()
    assert served(host) == {"top": "0.1.0"}
    assert told(host, "top") == "requirement_conflict: plugin 'top' 0.2.0 needs 'base' *, which is not there"
    put(plugins, "base")
    host.reload()
    assert served(host) == {"top": "0.2.0", "base": "0.1.0"}


@requirement("needs:held-back")
async def test_what_needs_a_plugin_that_is_itself_held_back_says_so(host: PluginHost, plugins: Path) -> None:
    put(plugins, "first", second="*")
    put(plugins, "second", third="*")
    home = put(plugins, "third")
    (home / "third.wasm").write_bytes(b"no module")
    host.reload()
    assert (
        told(host, "first") == "requirement_conflict: plugin 'first' 0.1.0 needs 'second' *, which is held back itself"
    )
    error = host.registry.get("first").error
    assert error is not None
    assert error.fix == "agentmem-mcp plugin show second"
    assert host.reload() == set()
    (home / "third.wasm").write_bytes(WELL)
    assert host.reload() == {"first", "second", "third"}
    assert set(served(host)) == {"first", "second", "third"}


@requirement("needs:held-back")
async def test_plugins_that_need_each_other_are_served_together_or_not_at_all(host: PluginHost, plugins: Path) -> None:
    put(plugins, "one", two="^0.1")
    home = put(plugins, "two", one="^0.1")
    host.reload()
    assert set(served(host)) == {"one", "two"}
    (home / "two.wasm").unlink()
    shutil.rmtree(home)
    host.reload()
    assert served(host) == {}
    put(plugins, "two", one="^0.1").joinpath("two.wasm").write_bytes(b"no module")
    host.reload()
    assert served(host) == {}
    assert host.reload() == set()  # neither comes and goes
    put(plugins, "two", one="^0.1")
    host.reload()
    assert set(served(host)) == {"one", "two"}


@requirement("needs:held-back")
async def test_a_plugin_that_is_stopped_takes_those_that_need_it_along_and_brings_them_back(
    host: PluginHost, plugins: Path
) -> None:
    put(plugins, "base")
    put(plugins, "middle", base="*", top="*")
    put(plugins, "top", middle="*")
    host.reload()
    assert len(plugin_tools(host)) == 3
    host.stop("base")
    assert plugin_tools(host) == []
    assert told(host, "top").endswith("needs 'middle' *, which is held back itself")
    with pytest.raises(RequirementConflict, match="needs 'base'"):
        host.restart("middle")
    host.restart("base")
    assert len(plugin_tools(host)) == 3
    assert await host.call("top", "echo", {}) == {}


@requirement("needs:held-back")
async def test_what_needs_a_plugin_whose_names_collide_is_held_back_with_it(host: PluginHost, plugins: Path) -> None:
    tool = '[[tools]]\nfunction = "run"\nname = "{}"'
    write_plugin(plugins, "base", answers("x"), f"{tool.format('same')}\n{tool.format('same')}")
    put(plugins, "top", base="*")
    host.reload()
    assert host.registry.get("base").error is not None
    assert plugin_tools(host) == []


@requirement("needs:host")
async def test_a_plugin_for_another_server_says_which_it_needs_and_which_this_is(
    host: PluginHost, plugins: Path
) -> None:
    write_plugin(plugins, "new", WELL, header='requires_host = ">=99"')
    host.reload()
    assert (
        told(host, "new")
        == f"requirement_conflict: plugin 'new' 0.1.0 needs agentmem-mcp >=99, and this is {__version__}"
    )
    error = host.registry.get("new").error
    assert error is not None
    assert error.fix == f"take a version of agentmem-mcp that is >=99, or a version of the plugin for {__version__}"
    assert host.registry.get("new").state is State.ERROR


@requirement("needs:held-back")
def test_list_and_doctor_say_who_misses_whom(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    put(folder, "top", base="^1")
    listed = commands.answer(tmp_path, "plugin", "list", "--plugins", folder)["plugins"][0]
    assert (listed["state"], listed["fix"]) == ("Error", "agentmem-mcp add 'base@^1'")
    assert listed["reason"] == "[requirement_conflict] plugin 'top' 0.1.0 needs 'base' ^1, which is not there"
    result = commands.run(tmp_path, "doctor", "--plugins", folder)
    assert result.returncode != 0
    assert "plugin 'top' 0.1.0 needs 'base' ^1, which is not there" in result.stdout
    assert "agentmem-mcp add 'base@^1'" in result.stdout


@requirement("needs:alone")
def test_an_author_tries_a_plugin_without_those_that_it_needs(tmp_path: Path) -> None:
    home = put(tmp_path, "top", base="^1")
    with open_plugin(home, cache=tmp_path / "cache") as plugin:
        assert plugin.tools
