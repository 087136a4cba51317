"""Granting and revoking in a file that a person wrote: what changes, what stays, and what is left alone."""

from __future__ import annotations

import stat
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_server.errors import SettingsError
from mcp_server.policy.rights import CAPABILITIES
from mcp_server.settings import FolderSection, load_settings
from mcp_server.settings.document import Document
from mcp_server.settings.edit import edit_file
from mcp_server.settings.grants import Wanted, grant, revoke
from tests.requirements import requirement
from tests.settings.test_trust import DOCUMENT

MINE = """\
# my server
[log]
level = "error" # quiet

[grants.courier] # it sends
capabilities = [
  "LLMAccess", # since spring
]

# the rest
[runtime]
max_workers = 2
"""


def granted(path: Path, plugin: str, **wanted: Any) -> list[str]:
    return edit_file(path, lambda document: grant(document, plugin, Wanted(**wanted)))


def revoked(path: Path, plugin: str, *names: str) -> list[str]:
    return edit_file(path, lambda document: revoke(document, plugin, names))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(MINE, encoding="utf-8")
    return path


@requirement("grants:edit")
def test_a_grant_keeps_comments_and_order_and_every_other_line(mine: Path) -> None:
    said = granted(mine, "courier", hosts=("https://api.example.com/*",))
    assert said == [
        "+ NetworkAccess in capabilities of [grants.courier]",
        "+ https://api.example.com/* in allow of [grants.courier.network]",
    ]
    text = mine.read_text()
    for line in MINE.splitlines():
        assert line in text.splitlines()
    assert text.index("# my server") < text.index("[grants.courier]") < text.index("# the rest")
    found = load_settings(mine, environment={}).grants["courier"]
    assert found.capabilities == ("LLMAccess", "NetworkAccess")
    assert found.network.allow == ("https://api.example.com/*",)


@requirement("grants:edit")
def test_a_second_time_changes_nothing_not_even_the_file(mine: Path) -> None:
    wanted: dict[str, Any] = {
        "capabilities": ("StorageAccess",),
        "hosts": ("a.com",),
        "ranges": ("10.0.0.0/8",),
        "secrets": {"KEY": ("a.com",)},
        "folders": (FolderSection(name="n", folder=Path("/tmp"), mode="write"),),  # noqa: S108  # never written to
        "quota_mb": 5,
    }
    assert granted(mine, "courier", **wanted)
    before = mine.stat()
    assert granted(mine, "courier", **wanted) == []
    assert (mine.stat().st_mtime_ns, mine.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert revoked(mine, "courier")
    assert revoked(mine, "courier") == []
    assert revoked(mine, "nobody") == []


@requirement("grants:edit")
def test_what_is_missing_is_made_for_its_owner_alone_and_what_is_there_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    granted(path, "p", capabilities=("LLMAccess",))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o640)
    granted(path, "p", capabilities=("SearchAccess",))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(path.parent.iterdir()) == [path]


@requirement("grants:edit")
def test_a_file_that_is_a_link_stays_one(tmp_path: Path, mine: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(mine)
    granted(link, "p", capabilities=("LLMAccess",))
    assert link.is_symlink()
    assert "[grants.p]" in mine.read_text()


@requirement("grants:edit")
def test_a_denial_is_taken_back_by_a_grant_and_outlives_a_revoke(mine: Path) -> None:
    granted(mine, "p", capabilities=("MemoryAccess",), hosts=("a.com/x",), deny=True)
    assert load_settings(mine, environment={}).grants["p"].deny == ("MemoryAccess",)
    assert revoked(mine, "p") == []
    assert "- MemoryAccess in deny of [grants.p]" in granted(mine, "p", capabilities=("MemoryAccess",))
    found = load_settings(mine, environment={}).grants["p"]
    assert (found.deny, found.network.deny) == ((), ("a.com/x",))


@requirement("grants:edit")
def test_a_revoked_capability_takes_its_details_along_and_no_others(mine: Path) -> None:
    folder = FolderSection(name="n", folder=Path("/srv"))
    granted(mine, "p", hosts=("a.com",), secrets={"KEY": ("a.com",)}, folders=(folder,), quota_mb=5)
    revoked(mine, "p", "NetworkAccess")
    found = load_settings(mine, environment={}).grants["p"]
    assert found.capabilities == ("FileSystemAccess", "StorageAccess")
    assert (found.network.allow, found.network.secrets) == ((), {})
    assert (found.filesystem.roots, found.storage.quota_mb) == ((folder,), 5)


@requirement("grants:edit")
@pytest.mark.parametrize("names", [(), ("MemoryAccess",)])
def test_hooks_and_shared_memories_are_revoked_with_the_access_to_memories(mine: Path, names: tuple[str, ...]) -> None:
    mine.write_text('[grants.p]\nhooks = true\nmemories = "principal"\n', encoding="utf-8")
    assert revoked(mine, "p", "NetworkAccess") == []
    assert revoked(mine, "p", *names) == ["- hooks of [grants.p]", "- memories of [grants.p]"]
    found = load_settings(mine, environment={}).grants["p"]
    assert (found.hooks, found.memories) == (False, "own")


@requirement("grants:edit")
def test_a_folder_of_the_same_name_is_replaced(mine: Path) -> None:
    granted(mine, "p", folders=(FolderSection(name="n", folder=Path("/a")),))
    said = granted(mine, "p", folders=(FolderSection(name="n", folder=Path("/b"), mode="write"),))
    assert said == ["~ n = /b (write) in roots of [grants.p.filesystem]"]
    (root,) = load_settings(mine, environment={}).grants["p"].filesystem.roots
    assert (root.folder, root.mode) == (Path("/b"), "write")


@requirement("grants:refuse")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[log\nlevel = 1\n", "line 1"),
        ("[runtme]\n", "runtme: unknown key, did you mean 'runtime'?"),
        ("[grants]\np = 5\n", "grants.p: "),
    ],
)
def test_a_file_that_is_not_in_order_is_left_as_it_is(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        granted(path, "p", capabilities=("LLMAccess",))
    assert told in caught.value.message
    assert str(path) in caught.value.message
    assert path.read_text() == text


@requirement("grants:refuse")
def test_a_change_that_would_break_the_file_is_not_made(mine: Path) -> None:
    with pytest.raises(SettingsError, match="after this change it would not be in order: grants.p.network"):
        granted(mine, "p", hosts=("https://a.com/?q",))
    assert mine.read_text() == MINE


@requirement("grants:refuse")
def test_a_change_that_text_and_data_do_not_take_alike_is_not_made(mine: Path) -> None:
    names = iter(("first", "second"))

    def change(document: Document) -> list[str]:
        document["config"] = {"p": {"word": next(names)}}
        return ["+ word"]

    with pytest.raises(SettingsError, match="cannot be changed safely"):
        edit_file(mine, change)
    assert mine.read_text() == MINE


@requirement("grants:edit")
def test_of_grants_made_at_the_same_time_none_is_lost(mine: Path) -> None:
    plugins = [f"p{number}" for number in range(24)]

    def one_more(plugin: str) -> list[str]:
        return granted(mine, plugin, capabilities=("LLMAccess",))

    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(one_more, plugins))
    assert all(said)
    assert set(load_settings(mine, environment={}).grants) == {"courier", *plugins}


@requirement("grants:refuse")
def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        granted(tmp_path / "file" / "config.toml", "p", capabilities=("LLMAccess",))


@requirement("grants:edit")
@pytest.mark.parametrize(
    "text",
    [
        "grants = { p = { capabilities = [] } }\n",
        "grants.p.capabilities = []\n",
        '[grants]\np = { network = { allow = ["b.com"] } }\n',
        '[grants.a]\ncapabilities = []\n[log]\nlevel = "info"\n[grants.p.network]\nallow = []\n[grants.z]\n',
        '[[grants.p.filesystem.roots]]\nname = "m"\nfolder = "/m"\n',
    ],
)
def test_every_way_to_write_a_table_can_be_changed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    granted(
        path, "p", capabilities=("LLMAccess",), hosts=("a.com",), folders=(FolderSection(name="n", folder=Path("/n")),)
    )
    found = load_settings(path, environment={}).grants["p"]
    assert found.capabilities == ("LLMAccess", "NetworkAccess", "FileSystemAccess")
    assert found.network.allow[-1] == "a.com"
    assert found.filesystem.roots[-1].name == "n"


@requirement("grants:edit")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=DOCUMENT, names=st.lists(st.sampled_from(CAPABILITIES), min_size=1, max_size=3, unique=True))
def test_a_grant_and_its_revocation_touch_one_plugin_only(
    tmp_path: Path, before: dict[str, Any], names: list[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(tomlkit.dumps(before))
    granted(path, "p", capabilities=tuple(names))
    after = tomllib.loads(path.read_text())
    assert set(names) <= set(after["grants"]["p"]["capabilities"])
    assert not set(names) & set(after["grants"]["p"].get("deny", []))
    revoked(path, "p")
    last = tomllib.loads(path.read_text())
    assert last["grants"].pop("p")["capabilities"] == []
    rest = {**before, "grants": {name: held for name, held in before.get("grants", {}).items() if name != "p"}}
    assert last == rest
