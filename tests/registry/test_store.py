"""Records across scans: what is new, changed, broken, claimed twice or gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_server.errors import LifecycleError, PluginNotFound, PluginUnavailable
from mcp_server.host import PluginHost
from mcp_server.registry.lifecycle import State
from tests.conftest import plugin_tools
from tests.guests import ECHO, answers, module, wat, write_plugin
from tests.registry.conftest import WELL


def states(host: PluginHost) -> dict[str, State]:
    return {record.id: record.state for record in host.list_plugins()}


def reason(host: PluginHost, plugin: str) -> str:
    error = host.registry.get(plugin).error
    assert error is not None
    return f"{error.error_code}: {error.message}"


def exporting(*names: str) -> bytes:
    return wat("(module " + " ".join(f'(func (export "{name}"))' for name in names) + ")")


async def test_a_scan_tells_what_is_new_changed_and_gone_and_nothing_when_nothing_is(
    host: PluginHost, plugins: Path
) -> None:
    write_plugin(plugins, "a", WELL)
    home = write_plugin(plugins, "b", WELL)
    write_plugin(plugins, "c", b"")
    assert host.reload() == {"a", "b", "c"}
    assert host.reload() == set()
    write_plugin(plugins, "a", answers("new"))
    for file in home.iterdir():
        file.unlink()
    assert host.reload() == {"a", "b"}
    assert states(host) == {"a": State.LOADED, "c": State.ERROR}
    with pytest.raises(PluginNotFound, match="there is no plugin 'b'; known: a, c"):
        host.registry.get("b")


async def test_a_changed_plugin_that_does_not_load_keeps_its_old_version_and_says_why(
    host: PluginHost, plugins: Path
) -> None:
    write_plugin(plugins, "a", WELL)
    host.reload()
    write_plugin(plugins, "a", WELL, header='autor = "me"')
    assert host.reload() == {"a"}
    assert states(host) == {"a": State.LOADED}
    assert "unknown key, did you mean 'author'?" in reason(host, "a")
    assert await host.call("a", "echo", {"still": "here"}) == {"still": "here"}
    assert host.reload() == set()
    write_plugin(plugins, "a", WELL)
    host.reload()
    assert host.registry.get("a").error is None


async def test_a_plugin_that_was_broken_serves_when_it_is_mended(host: PluginHost, plugins: Path) -> None:
    write_plugin(plugins, "a", WELL[:20])
    host.reload()
    with pytest.raises(PluginUnavailable, match="plugin 'a' is Error: malformed module"):
        await host.call("a", "echo", {})
    write_plugin(plugins, "a", WELL)
    assert host.reload() == {"a"}
    assert await host.call("a", "echo", {"n": 1}) == {"n": 1}


async def test_each_further_claim_of_an_id_keeps_its_number_over_scans(host: PluginHost, plugins: Path) -> None:
    for folder in ("one", "three", "two"):
        home = plugins / folder
        write_plugin(plugins, "same", WELL).rename(home)
    host.reload()
    assert {record.id: record.path.parent.name for record in host.list_plugins()} == {
        "same": "one",
        "same#2": "three",
        "same#3": "two",
    }
    assert host.reload() == set()
    for file in (plugins / "three").iterdir():
        file.unlink()
    assert host.reload() == {"same#2"}
    assert states(host) == {"same": State.LOADED, "same#3": State.ERROR}


async def test_the_second_claimant_takes_an_id_over_when_the_first_is_gone(host: PluginHost, plugins: Path) -> None:
    for folder in ("one", "two"):
        write_plugin(plugins, "same", WELL).rename(plugins / folder)
    host.reload()
    for file in (plugins / "one").iterdir():
        file.unlink()
    host.reload()
    assert states(host) == {"same": State.LOADED}
    assert host.registry.get("same").path.parent.name == "two"
    (plugins / "two" / "plugin.toml").write_text("broken")
    host.reload()
    assert states(host) == {"same": State.LOADED}  # the old version, known by its path
    assert "is not TOML" in reason(host, "same")


async def test_a_broken_manifest_never_takes_the_id_of_a_good_plugin(host: PluginHost, plugins: Path) -> None:
    write_plugin(plugins, "same", WELL).rename(plugins / "zzz")
    (plugins / "same").mkdir()
    (plugins / "same" / "plugin.toml").write_text("broken")
    host.reload()
    assert states(host) == {"same": State.LOADED, "same#2": State.ERROR}
    assert host.registry.get("same").path.parent.name == "zzz"
    assert "is not TOML" in reason(host, "same#2")
    assert plugin_tools(host) == ["same__echo"]
    assert host.reload() == set()


async def test_a_module_is_not_offered_alone_when_a_manifest_claims_it_or_is_too_broken_to_tell(
    host: PluginHost, plugins: Path
) -> None:
    write_plugin(plugins, "claims", WELL, header='wasm = "../shared.wasm"')
    (plugins / "shared.wasm").write_bytes(WELL)
    write_plugin(plugins, "broken", WELL, header="???")
    (plugins / "alone").mkdir()
    (plugins / "alone" / "alone.wasm").write_bytes(WELL)
    (plugins / "alone.wasm").write_bytes(WELL)
    host.reload()
    assert states(host) == {
        "claims": State.LOADED,
        "broken": State.ERROR,
        "alone": State.LOADED,
        "alone#2": State.ERROR,
    }


async def test_a_loop_of_links_or_an_odd_file_stops_nothing(host: PluginHost, plugins: Path) -> None:
    (plugins / "loop.wasm").symlink_to(plugins / "loop.wasm")
    (plugins / "gone.wasm").symlink_to(plugins / "nowhere.wasm")
    (plugins / "folder.wasm").mkdir()
    (plugins / "plugin.toml").mkdir()
    (plugins / "odd").mkdir()
    (plugins / "odd" / "plugin.toml").symlink_to(plugins / "odd" / "plugin.toml")
    (plugins / "Ж.wasm").write_bytes(WELL)
    write_plugin(plugins, "well", WELL)
    host.reload()
    assert states(host) == {"well": State.LOADED, "Ж": State.ERROR}
    assert "rename it" in reason(host, "Ж")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("a.b", "a b"), "the exports 'a.b' and 'a b' of plugin 'p' would both be shown as 'a_b'"),
        (("Run", "run"), "the exports 'Run' and 'run' of plugin 'p' would both be shown as 'run'"),
        (("",), "plugin 'p' exports a function without a name"),
        (("n" * 62,), "at most 64 characters, this has 65"),
        (("n" * 300,), "at most 64 characters, this has 303"),
    ],
)
async def test_exports_that_cannot_be_tool_names_hold_back_that_module_alone(
    host: PluginHost, plugins: Path, names: tuple[str, ...], says: str
) -> None:
    (plugins / "p.wasm").write_bytes(exporting(*names))
    (plugins / "well.wasm").write_bytes(WELL)
    host.reload()
    assert states(host) == {"p": State.ERROR, "well": State.LOADED}
    assert reason(host, "p").startswith("name_collision: ")
    assert says in reason(host, "p")
    assert plugin_tools(host) == ["well__echo"]


async def test_exports_get_usable_tool_names_and_toolchain_names_are_left_out(host: PluginHost, plugins: Path) -> None:
    (plugins / "p.wasm").write_bytes(exporting("do.it", "größe", "metadata", "_start", "malloc", "__x", "start"))
    host.reload()
    assert plugin_tools(host) == ["p__do_it", "p__gr__e"]
    assert host.catalog.tools["p__gr__e"].function == "größe"


async def test_a_stopped_plugin_stays_stopped_until_it_is_restarted(host: PluginHost, plugins: Path) -> None:
    write_plugin(plugins, "a", WELL)
    host.reload()
    host.registry.stop("a")
    assert host.reload() == set()
    with pytest.raises(PluginUnavailable, match="plugin 'a' is Stopped"):
        await host.call("a", "echo", {})
    host.registry.restart("a")
    assert await host.call("a", "echo", {"n": 1}) == {"n": 1}


async def test_a_plugin_that_serves_cannot_be_restarted_and_goes_on(host: PluginHost, plugins: Path) -> None:
    write_plugin(plugins, "a", WELL)
    host.reload()
    runner = host.registry.get("a").runner
    with pytest.raises(LifecycleError):
        host.registry.restart("a")
    assert host.registry.get("a").runner is runner
    assert await host.call("a", "echo", {"n": 1}) == {"n": 1}


async def test_a_restart_that_fails_leaves_the_plugin_in_error_with_the_reason(host: PluginHost, plugins: Path) -> None:
    write_plugin(plugins, "a", WELL)
    host.reload()
    host.registry.stop("a")
    write_plugin(plugins, "a", b"")
    with pytest.raises(Exception, match="the file is empty"):
        host.registry.restart("a")
    assert states(host) == {"a": State.ERROR}
    write_plugin(plugins, "a", module(ECHO))
    host.registry.restart("a")
    assert states(host) == {"a": State.LOADED}
