"""A static index: made of a folder, served by anything, searched, added from, and not believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_server.distribution.errors import IndexInvalid
from mcp_server.distribution.index import build_index, read_index
from tests.distribution.commands import answer, run
from tests.distribution.making import archive, configure, lock_of, plugin, refused, versions_of
from tests.distribution.site import Site, redirect, site
from tests.requirements import requirement


def served_at(served: Site, stock: Path) -> None:
    """Serve the files of ``stock`` as they are now."""
    served.files = {f"/{path.name}": path.read_bytes() for path in stock.iterdir() if path.is_file()}


def indexed(home: Path, served: Site, more: str = "", **also: str) -> None:
    names = {"main": f"{served.origin}/index.json", **also}
    listed = "\n".join(f'{name} = "{url}"' for name, url in names.items())
    configure(home, served.settings(f"{more}\n[sharing.indexes]\n{listed}"))


@requirement("share:index")
def test_an_index_says_what_is_in_the_packages_and_changes_only_with_them(stock: Path, home: Path) -> None:
    for version in ("0.9.0", "0.10.0", "0.10.0-rc.1"):
        archive(stock, "counted", version)
    archive(stock, "needy", header='requires_host = ">=0.1"\nrequires_plugins = { counted = "^0.9" }')
    path = Path(answer(home, "index", "build", stock)["path"])
    first = path.read_bytes()
    read: dict[str, Any] = json.loads(first)
    assert [one["version"] for one in read["plugins"]["counted"]["versions"]] == ["0.10.0", "0.10.0-rc.1", "0.9.0"]
    assert read["plugins"]["needy"]["versions"][0]["requires_plugins"] == {"counted": "^0.9"}
    assert read["plugins"]["needy"]["versions"][0]["requires_host"] == ">=0.1"
    build_index(stock)
    assert path.read_bytes() == first
    (stock / "again.zip").write_bytes((stock / "counted-0.9.0.zip").read_bytes())
    with pytest.raises(IndexInvalid, match="both 'counted' 0.9.0"):
        build_index(stock)
    with pytest.raises(IndexInvalid, match="no package"):
        build_index(home)


@requirement("share:index")
def test_plugins_are_searched_for_and_added_in_the_version_that_is_wanted_and_updated(home: Path, stock: Path) -> None:
    for version in ("0.1.0", "0.1.5", "0.2.0", "0.3.0-rc.1"):
        archive(stock, "counted", version, header='description = "Counts sheep"')
    archive(stock, "other")
    build_index(stock)
    with site() as served:
        served_at(served, stock)
        indexed(home, served)
        found = answer(home, "search", "SHEEP")["plugins"]
        assert [(one["id"], one["version"], one["index"]) for one in found] == [("counted", "0.3.0-rc.1", "main")]
        assert {one["id"] for one in answer(home, "search")["plugins"]} == {"counted", "other"}
        assert answer(home, "search", "sheep", "other")["plugins"] == []
        added = answer(home, "add", "counted@~0.1")["added"][0]
        assert (added["version"], lock_of(home)["counted"]["follows"]) == ("0.1.5", "counted@~0.1")
        assert refused(home, "add", "counted@^7") == (2, "package_not_found")
        assert refused(home, "add", "unheard-of") == (2, "package_not_found")
        assert answer(home, "update")["updated"] == []
        archive(stock, "counted", "0.1.9")
        build_index(stock)
        served_at(served, stock)
        assert answer(home, "update")["updated"][0]["version"] == "0.1.9"
        assert answer(home, "add", "counted")["added"][0]["version"] == "0.2.0"
    assert answer(home, "search", "sheep", "--offline")["plugins"][0]["id"] == "counted"
    answer(home, "remove", "counted")
    assert answer(home, "add", "counted", "--offline")["added"][0]["version"] == "0.2.0"


@requirement("share:index")
def test_a_plugin_is_published_into_the_folder_of_an_index_and_not_over_another(home: Path, stock: Path) -> None:
    folder = plugin(stock / "sources", "public")
    answer(home, "publish", folder, stock)
    assert set(json.loads((stock / "index.json").read_text())["plugins"]) == {"public"}
    answer(home, "publish", folder, stock)
    plugin(stock / "sources", "public", more="# changed")
    assert refused(home, "publish", folder, stock) == (3, "already_published")
    assert run(home, "publish", folder, stock, "--replace").returncode == 0


@requirement("share:places")
def test_an_index_points_to_its_own_origin_or_one_that_was_named(home: Path, stock: Path) -> None:
    archive(stock, "moved")
    build_index(stock)
    with site() as served, site() as files:
        served_at(files, stock)
        index = json.loads((stock / "index.json").read_text())
        index["plugins"]["moved"]["versions"][0]["url"] = f"{files.origin}/moved-0.1.0.zip"
        served.files["/index.json"] = json.dumps(index).encode()
        indexed(home, served)
        assert refused(home, "add", "moved") == (3, "download_refused")
        assert files.asked == []
        text = (
            (home / "config" / "config.toml")
            .read_text()
            .replace(f'["{served.host}"]', f'["{served.host}", "{files.host}"]')
        )
        configure(home, text.replace("[sharing]\n", f'[sharing]\norigins = ["{files.origin}"]\n'))
        assert answer(home, "add", "moved")["added"][0]["id"] == "moved"
        for url in ("file:///etc/passwd", "http://169.254.169.254/x", "//10.0.0.1/x"):
            index["plugins"]["moved"]["versions"][0]["url"] = url
            served.files["/index.json"] = json.dumps(index).encode()
            assert refused(home, "add", "moved") == (3, "download_refused")
        served.odd["/index.json"] = redirect(f"{files.origin}/index.json")
        assert refused(home, "add", "moved") == (3, "download_refused")


@requirement("share:index")
def test_an_index_that_lies_about_a_package_is_found_out(home: Path, stock: Path) -> None:
    archive(stock, "honest")
    archive(stock, "honest", "0.2.0")
    build_index(stock)
    good = json.loads((stock / "index.json").read_text())
    with site() as served:
        served_at(served, stock)
        indexed(home, served)

        def lie(plugin: str = "honest", **changed: object) -> tuple[int, str]:
            index = json.loads(json.dumps(good))
            index["plugins"]["honest"]["versions"][0] |= changed
            index["plugins"] = {plugin: index["plugins"]["honest"]}
            served.files["/index.json"] = json.dumps(index).encode()
            return refused(home, "add", plugin)

        assert lie(sha256="0" * 64) == (3, "integrity_failed")
        assert lie(size=10) == (4, "download_failed")
        assert lie(size=1_000_000) == (4, "download_failed")
        assert lie(version="9.0.0") == (6, "index_invalid")
        assert lie("another") == (6, "index_invalid")
        assert lie(url="") == (6, "index_invalid")
        assert lie("../up") == (2, "package_not_found")
        for text in (
            "",
            "[]",
            "{}",
            '{"index_version": 2, "plugins": {}}',
            '{"index_version": 1, "plugins": {"A b": 1}}',
        ):
            served.files["/index.json"] = text.encode()
            assert refused(home, "add", "honest") == (6, "index_invalid")
    assert versions_of(home) == {}


@requirement("share:requires")
def test_a_version_for_another_host_is_passed_over_and_named_when_there_is_no_other(home: Path, stock: Path) -> None:
    archive(stock, "hosted")
    archive(stock, "hosted", "0.2.0")
    build_index(stock)
    index = json.loads((stock / "index.json").read_text())
    index["plugins"]["hosted"]["versions"][0]["requires_host"] = ">=99"
    with site() as served:
        served_at(served, stock)
        indexed(home, served)
        served.files["/index.json"] = json.dumps(index).encode()
        assert answer(home, "add", "hosted")["added"][0]["version"] == "0.1.0"
        assert refused(home, "add", "hosted@0.2.0") == (6, "requirement_conflict")


@requirement("share:index")
def test_a_name_belongs_to_the_first_index_that_has_it(home: Path, stock: Path) -> None:
    archive(stock, "mine")
    build_index(stock)
    with site() as served:
        served_at(served, stock)
        newer = stock / "newer"
        newer.mkdir()
        archive(newer, "mine", "9.0.0")
        build_index(newer)
        served.files |= {f"/newer/{path.name}": path.read_bytes() for path in newer.iterdir() if path.is_file()}
        indexed(home, served, later=f"{served.origin}/newer/index.json")
        assert answer(home, "add", "mine")["added"][0]["version"] == "0.1.0"
        assert refused(home, "add", "mine@^9") == (2, "package_not_found")


@requirement("share:index")
def test_what_an_index_says_reaches_no_terminal_as_a_command_to_it() -> None:
    entry = {"name": "x\x1b[2J\u202e", "versions": [{"version": "1.0.0", "url": "x", "sha256": "0" * 64, "size": 1}]}
    read = read_index(json.dumps({"index_version": 1, "plugins": {"x": entry}}).encode(), "here")
    assert read.plugins["x"].name == "x\ufffd[2J\ufffd"


def test_keys_that_a_later_index_has_are_passed_over() -> None:
    text = '{"index_version": 1, "made_by": "x", "plugins": {}}'
    assert read_index(text.encode(), "here").plugins == {}
