"""What `add`, `update` and `remove` do to a home, and what they refuse."""

from __future__ import annotations

import os
import shutil
import struct
import zipfile
from pathlib import Path

import pytest

from mcp_server.distribution.adding import Allowed, Offer, add_offers, remove_plugins
from mcp_server.distribution.fetching import files_of
from mcp_server.distribution.signing import Trust
from mcp_server.errors import AgentMemError
from mcp_server.manifest import Manifest, load_manifest
from mcp_server.registry.errors import RequirementConflict
from mcp_server.registry.installed import InstalledPlugins
from tests import commands
from tests.distribution.commands import answer, run
from tests.distribution.making import WASM, archive, lock_of, plugin, refused, versions_of, zip_of
from tests.requirements import requirement

WANTS = (
    '[capabilities]\nrequired = ["NetworkAccess", "LoggingAccess"]\n[network]\nallow = ["https://api.example.com/*"]'
)
MANIFEST = 'manifest_version = 1\n[plugin]\nid = "bad"\nname = "bad"\nversion = "0.1.0"\n'
GOOD: dict[str, bytes | str] = {"plugin.toml": MANIFEST, "bad.wasm": WASM}


@requirement("share:add")
def test_an_added_plugin_says_what_it_asks_for_and_runs_only_when_that_is_granted_and_approved(
    home: Path, stock: Path
) -> None:
    added = commands.answer(home, "add", archive(stock, "asker", more=WANTS))["added"][0]
    assert added["requests"]["required"] == ["LoggingAccess", "NetworkAccess"]
    assert added["requests"]["network"] == ["https://api.example.com/*"]
    grant, approve = added["next"]
    assert grant == "agentmem-mcp plugin grant asker NetworkAccess --host 'https://api.example.com/*'"
    assert approve == "agentmem-mcp plugin approve asker"
    listed = commands.answer(home, "plugin", "list")["plugins"][0]
    assert (listed["state"], listed["reason"].partition("]")[0]) == ("Error", "[capability_denied")
    assert commands.run(home, *grant.replace("'", "").split()[1:]).returncode == 0
    assert commands.answer(home, "plugin", "list")["plugins"][0]["approval"] == "unapproved"
    assert commands.run(home, "tool", "call", "asker__echo").returncode != 0
    assert commands.run(home, *approve.split()[1:]).returncode == 0
    assert commands.run(home, "tool", "call", "asker__echo", "--input", '{"a": 1}').stdout.strip() == '{"a":1}'


@requirement("share:add")
def test_a_folder_and_its_archive_become_the_same_and_are_updated_and_removed(home: Path, stock: Path) -> None:
    folder = plugin(stock, "same")
    first = answer(home, "add", folder)["added"][0]
    made = answer(home, "package", folder, "--output", stock)
    assert first["sha256"] == made["sha256"] == lock_of(home)["same"]["sha256"]
    assert answer(home, "add", made["path"])["added"][0]["unchanged"]
    answer(home, "add", folder)
    assert answer(home, "update")["updated"] == []
    plugin(stock, "same", "0.2.0")
    updated = answer(home, "update", "same")["updated"][0]
    assert (updated["before"], updated["version"]) == ("0.1.0", "0.2.0")
    assert versions_of(home) == {"same": "0.2.0"}
    assert answer(home, "remove", "same") == {"removed": ["same"]}
    assert versions_of(home) == {}
    assert list((home / "data" / "bundles").iterdir()) == []
    assert refused(home, "remove", "same") == (3, "not_installed")
    assert refused(home, "update", "same") == (3, "not_installed")


def test_quiet_says_nothing_when_all_is_well(home: Path, stock: Path) -> None:
    for words in (("add", archive(stock, "hush")), ("update",), ("remove", "hush")):
        done = run(home, *words, "--quiet")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "word", ["nothing-here.zip", "./nothing", "ftp://example.com/x.zip", "Upper", "x@latest", "file:///etc/passwd", ""]
)
def test_what_is_no_source_is_said_to_be_none(home: Path, word: str) -> None:
    assert refused(home, "add", word) == (2, "package_not_found")


def test_an_id_without_an_index_says_that_none_is_configured(home: Path) -> None:
    assert refused(home, "add", "hello@^1") == (2, "package_not_found")
    assert refused(home, "search", "hello") == (2, "invalid_arguments")
    assert refused(home, "add") == (2, "invalid_arguments")


# --- archives that are none ---------------------------------------------------------------------------------------


def twice() -> bytes:
    """One name two times, which a dictionary cannot say."""
    data = zip_of({**GOOD, "plugin.tomm": MANIFEST})
    return data.replace(b"plugin.tomm", b"plugin.toml")


def understated() -> bytes:
    """An entry that says it is one byte long and is more."""
    data = bytearray(zip_of(GOOD))
    place = data.rindex(b"PK\x01\x02") + 24
    data[place : place + 4] = struct.pack("<L", 1)
    return bytes(data)


HOSTILE: dict[str, bytes] = {
    "traversal": zip_of({**GOOD, "../../evil.json": "{}"}),
    "absolute": zip_of({**GOOD, "/etc/evil.json": "{}"}),
    "deep folder": zip_of({**GOOD, "a/b/c/d/x.json": "{}"}),
    "hidden folder": zip_of({**GOOD, ".git/x.json": "{}"}),
    "backslash": zip_of({**GOOD, "..\\evil.json": "{}"}),
    "link": zip_of({**GOOD, "x.json": "/etc/passwd"}, links=("x.json",)),
    "bomb": zip_of({**GOOD, "x.json": b"0" * 20_000_000}),
    "understated": understated(),
    "twice": twice(),
    "twice by case": zip_of({**GOOD, "PLUGIN.json": "{}", "plugin.JSON": "{}", "Plugin.json": "{}"}),
    "hidden": zip_of({**GOOD, ".env.json": "{}"}),
    "program": zip_of({**GOOD, "run.sh": "#!/bin/sh"}),
    "no manifest": zip_of({"bad.wasm": WASM}),
    "no module": zip_of({"plugin.toml": MANIFEST}),
    "no wasm": zip_of({**GOOD, "bad.wasm": b"MZ"}),
    "another function": zip_of({**GOOD, "plugin.toml": f'{MANIFEST}[[tools]]\nfunction = "nope"\n'}),
    "another digest": zip_of({**GOOD, "plugin.toml": f'{MANIFEST}sha256 = "{"0" * 64}"\n'}),
    "another module": zip_of({**GOOD, "plugin.toml": f'{MANIFEST}wasm = "../../../bad.wasm"\n'}),
    "another host": zip_of({**GOOD, "plugin.toml": f'{MANIFEST}requires_host = ">=99"\n'}),
    "cut": zip_of(GOOD)[:-30],
    "no zip": b"not a zip at all" * 20,
    "empty": b"",
}


@requirement("share:hostile")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_by_name_and_nothing_of_it_stays(home: Path, stock: Path, name: str) -> None:
    path = stock / "bad.zip"
    path.write_bytes(HOSTILE[name])
    installed = InstalledPlugins(home / "data")
    with pytest.raises(AgentMemError) as caught:
        add_offers(installed, [Offer(files_of(path), "here", "here")], Allowed(Trust()))
    known = ("bundle_invalid", "manifest_invalid", "module_invalid", "integrity_failed", "requirement_conflict")
    assert caught.value.error_code in known
    assert (lock_of(home), caught.value.exit_code in (3, 6)) == ({}, True)
    assert [path.name for path in stock.rglob("*")] == ["bad.zip"]
    assert [path for path in home.rglob("*") if path.is_file()] == []


@requirement("share:hostile")
def test_a_folder_with_a_link_in_it_is_refused(home: Path, stock: Path) -> None:
    made = archive(stock, "linked")
    folder = stock / "unpacked"
    with zipfile.ZipFile(made) as opened:
        opened.extractall(folder)
    (folder / "secret.json").symlink_to("/etc/passwd")
    assert refused(home, "add", folder) == (6, "bundle_invalid")
    (folder / "secret.json").unlink()
    os.mkfifo(folder / "secret.json")
    assert refused(home, "add", folder) == (6, "bundle_invalid")


def test_a_package_whose_schemas_lie_in_a_folder_is_read_and_added(home: Path, stock: Path) -> None:
    tool = '[[tools]]\nfunction = "echo"\ninput_schema = "schemas/in.json"\n'
    files = {**GOOD, "plugin.toml": MANIFEST + tool, "schemas/in.json": '{"type": "object"}'}
    path = stock / "foldered.zip"
    path.write_bytes(zip_of(files))
    assert refused(home, "verify", path)[1] == "signature_invalid"  # it was read whole before that
    assert answer(home, "add", path)["added"][0]["version"] == "0.1.0"


# --- what plugins need of each other ------------------------------------------------------------------------------


def needs(**wanted: str) -> str:
    return "requires_plugins = {" + ", ".join(f'{name} = "{text}"' for name, text in wanted.items()) + "}"


def offer(stock: Path, name: str, version: str = "0.1.0", **wanted: str) -> Offer:
    return Offer(files_of(archive(stock, name, version, header=needs(**wanted))), "here", "here")


@requirement("share:requires")
def test_a_plugin_without_the_one_it_needs_is_refused_and_both_together_are_not(home: Path, stock: Path) -> None:
    installed, allowed = InstalledPlugins(home / "data"), Allowed(Trust())
    top, base = offer(stock, "top", base="^1"), offer(stock, "base", "1.2.0")
    with pytest.raises(RequirementConflict) as caught:
        add_offers(installed, [top], allowed)
    assert caught.value.message == "plugin 'top' 0.1.0 needs 'base' ^1, which is not installed"
    assert caught.value.fix.endswith("agentmem-mcp add 'base@^1'")
    add_offers(installed, [top, base], allowed)
    with pytest.raises(RequirementConflict, match=r"needs 'base' \^1, and 2\.0\.0 is there"):
        add_offers(installed, [offer(stock, "base", "2.0.0")], allowed)
    with pytest.raises(RequirementConflict):
        remove_plugins(installed, ["base"])
    assert {name: one.version for name, one in installed.origins().items()} == {"top": "0.1.0", "base": "1.2.0"}
    add_offers(installed, [offer(stock, "base", "2.0.0"), offer(stock, "top", "0.2.0", base=">=2,<3")], allowed)
    remove_plugins(installed, ["base", "top"])
    assert installed.origins() == {}


@requirement("share:requires")
def test_a_conflict_that_was_there_before_does_not_stand_in_the_way(home: Path, stock: Path) -> None:
    installed, allowed = InstalledPlugins(home / "data"), Allowed(Trust())
    add_offers(installed, [offer(stock, "top", base="^1"), offer(stock, "base", "1.0.0")], allowed)
    (installed.folder / "base").unlink()  # by hand
    add_offers(installed, [offer(stock, "else")], allowed)
    assert (installed.folder / "else").is_symlink()


@requirement("share:requires")
def test_what_a_manifest_requires_is_the_same_after_it_was_kept_as_json(stock: Path) -> None:
    folder = plugin(stock, "kept", header=needs(base="^1", more=">=2,<3"))
    read = load_manifest(folder / "plugin.toml", host_version="0.1.0").manifest
    assert read.plugin.requires_plugins == (("base", "^1"), ("more", ">=2,<3"))
    assert Manifest.model_validate_json(read.model_dump_json()) == read


@requirement("share:requires")
def test_a_requirement_that_cannot_be_read_is_a_problem_of_the_manifest(home: Path, stock: Path) -> None:
    folder = plugin(stock, "odd", header=needs(base="newest"))
    assert refused(home, "add", folder) == (6, "manifest_invalid")


# --- the lock -----------------------------------------------------------------------------------------------------


@requirement("share:locked")
def test_another_home_gets_exactly_what_the_lock_of_the_first_one_says(home: Path, stock: Path) -> None:
    one, two = archive(stock, "one"), plugin(stock, "two")
    answer(home, "add", one, two)
    other = home.with_name("other")
    (other / "data").mkdir(parents=True)
    shutil.copy(home / "data" / "plugins.lock", other / "data")
    added = answer(other, "add", "--locked")["added"]
    assert {(a["id"], a["sha256"]) for a in added} == {(name, o["sha256"]) for name, o in lock_of(home).items()}
    assert versions_of(other) == versions_of(home)
    assert refused(other, "add", archive(stock, "three"), "--locked") == (3, "lock_drift")
    plugin(stock, "two", "0.1.0", more="# another comment")
    assert refused(home, "add", two, "--locked") == (3, "lock_drift")
    assert refused(other, "add", "--locked") == (3, "lock_drift")
    assert versions_of(other) == versions_of(home)


@requirement("share:locked")
def test_a_damaged_lock_stops_every_change(home: Path, stock: Path) -> None:
    path = archive(stock, "one")
    answer(home, "add", path)
    (home / "data" / "plugins.lock").write_text("{")
    for words in (("add", path), ("remove", "one"), ("update",)):
        assert refused(home, *words)[1] == "lock_damaged"
    assert (home / "data" / "plugins" / "one").is_symlink()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_says_so(home: Path, stock: Path) -> None:
    (home / "data").mkdir()
    (home / "data").chmod(0o500)
    assert refused(home, "add", archive(stock, "one")) == (4, "install_failed")
