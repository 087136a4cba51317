"""Configuration files of clients that cannot, or should not, be changed are left as they are, and say why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcp_server.clients.entry import Entry
from mcp_server.clients.errors import ClientConfigError
from mcp_server.clients.install import installing
from mcp_server.clients.places import CLIENTS
from tests.requirements import requirement

ENTRY = Entry("/opt/agentmem-mcp", ["serve"])
DESKTOP = CLIENTS["claude-desktop"]


def refused(path: Path) -> ClientConfigError:
    with pytest.raises(ClientConfigError) as caught:
        installing(path, DESKTOP, "agentmem", ENTRY).make()
    return caught.value


@requirement("clients:bad-file")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "a key in double quotes is expected, at line 1, column 2"),
        ('{\n "a": 1\n "b": 2}', "a comma or } is expected, at line 3, column 2"),
        ("{'a': 1}", "a key in double quotes"),
        ('{"a": 1} {}', "nothing may follow the document"),
        ('{"a": 1, "a": 2}', 'the key "a" stands twice'),
        ('{"a": "never ends}', "a text that never ends"),
        ('{"a": 01}', "a value is expected"),
        ('{"a": ' + "1" * 5_000 + "}", "a number that is too long"),
        ("[" * 300, "nested deeper than 200"),
        ("<xml/>", "a value is expected, at line 1, column 1"),
        ("[]", "the document is no object"),
        ('{"mcpServers": []}', '"mcpServers" is no object'),
    ],
)
def test_what_is_no_json_is_left_alone_and_the_place_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    error = refused(path)
    assert said in error.message
    assert str(path) in error.message
    assert error.fix
    assert path.read_text() == text
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.json"]


@requirement("clients:bad-file")
def test_what_is_no_utf_8_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes('{"a": "ä"}'.encode("latin-1"))
    assert "is no UTF-8: byte 7" in refused(path).message


@requirement("clients:bad-file")
def test_a_link_is_not_followed_and_the_file_behind_it_is_named(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    path = tmp_path / "config.json"
    path.symlink_to(real)
    error = refused(path)
    assert f"is a link to {real}" in error.message
    assert f"--file {real}" in error.fix
    assert real.read_text() == "{}"
    assert path.is_symlink()


@requirement("clients:bad-file")
def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}")
    path.chmod(0o444)
    error = refused(path)
    assert "is read-only" in error.message
    assert "chmod u+w" in error.fix
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.json"]
    assert path.read_text() == "{}"


@requirement("clients:bad-file")
def test_a_folder_in_its_place_and_a_file_in_the_place_of_its_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    assert "is no plain file" in refused(tmp_path / "config.json").message
    (tmp_path / "file").write_text("")
    assert "cannot be" in refused(tmp_path / "file" / "config.json").message


@requirement("clients:bad-file")
def test_a_file_that_changed_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}")
    change = installing(path, DESKTOP, "agentmem", ENTRY)
    path.write_text('{"theirs": true}')
    with pytest.raises(ClientConfigError, match="was changed by another program"):
        change.make()
    assert path.read_text() == '{"theirs": true}'


@requirement("clients:install")
def test_permissions_byte_order_mark_and_the_old_text_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    old = b'\xef\xbb\xbf{"theirs": true}'
    path.write_bytes(old)
    path.chmod(0o640)
    backup = installing(path, DESKTOP, "agentmem", ENTRY).make()
    assert backup is not None
    assert backup.read_bytes() == old
    assert backup.stat().st_mode & 0o777 == path.stat().st_mode & 0o777 == 0o640
    assert json.loads(path.read_text("utf-8-sig"))["theirs"] is True
    assert path.read_bytes().startswith(b"\xef\xbb\xbf{")
