"""Entries go into and out of files of any form, and all else in them stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.clients.entry import Entry, is_ours
from mcp_server.clients.errors import ClientConfigError
from mcp_server.clients.install import installing, servers_in, uninstalling
from mcp_server.clients.jsonc import JsoncError, read_jsonc
from mcp_server.clients.places import CLIENTS
from mcp_server.clients.splice import put, take
from tests.canary import placed, slot
from tests.requirements import requirement

ENTRY = Entry("/opt/agentmem-mcp", ["serve"])
DESKTOP = CLIENTS["claude-desktop"]
VSCODE = CLIENTS["vscode"]

COMMENTED = """\
{
\t// my servers
\t"inputs": [ {"id": "key", "type": "promptString"}, ],
\t"servers": {
\t\t/* the first */
\t\t"first": { "command": "/bin/first", "env": { "A": "b" } }, // keep me
\t},
\t"last": 1.50
}
"""


def installed(path: Path, text: str, name: str = "agentmem", entry: Entry = ENTRY, client: Any = DESKTOP) -> str:
    path.write_text(text, encoding="utf-8")
    installing(path, client, name, entry).make()
    return path.read_text(encoding="utf-8")


@requirement("clients:kept")
def test_comments_order_numbers_and_trailing_commas_stay(tmp_path: Path) -> None:
    path = tmp_path / "mcp.json"
    after = installed(path, COMMENTED, client=VSCODE)
    assert after == COMMENTED.replace(
        "// keep me\n",
        '// keep me\n\t\t"agentmem": {\n\t\t\t"type": "stdio",\n\t\t\t"command": "/opt/agentmem-mcp",\n'
        '\t\t\t"args": [\n\t\t\t\t"serve"\n\t\t\t]\n\t\t}\n',
    )
    uninstalling(path, VSCODE, "agentmem").make()
    assert path.read_text() == COMMENTED.replace("}, // keep", "} // keep")


@requirement("clients:kept")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{\n  "mcpServers": {\n    "a": 1\n  }\n}\n'),
        ("{}", '{\n  "mcpServers": {\n    "a": 1\n  }\n}'),
        ('{"x":1}', '{"x":1,"mcpServers": {"a": 1}}'),
        ('{"mcpServers": {"b": 2}}', '{"mcpServers": {"b": 2, "a": 1}}'),
        ('{\r\n    "x": 1\r\n}\r\n', '{\r\n    "x": 1,\r\n    "mcpServers": {\r\n        "a": 1\r\n    }\r\n}\r\n'),
        ('{\n  "x": 1 // last\n}', '{\n  "x": 1, // last\n  "mcpServers": {\n    "a": 1\n  }\n}'),
    ],
)
def test_a_member_is_put_in_as_the_document_is_written(before: str, after: str) -> None:
    assert put(before or "{}\n", ("mcpServers", "a"), 1) == after


@requirement("clients:kept")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": 1}', "{}"),
        ('{"a": 1, "b": 2}', '{"b": 2}'),
        ('{"b": 2, "a": 1}', '{"b": 2}'),
        ('{\n  "b": 2,\n  "a": 1\n}', '{\n  "b": 2\n}'),
        ('{\n  "b": 2, // two\n  "a": 1 // one\n}', '{\n  "b": 2 // two\n   // one\n}'),
        ('{"b": 2, // two\n"a": 1}', '{"b": 2 // two\n}'),
        ('{\n  "a": 1,\n  "b": 2,\n}', '{\n  "b": 2,\n}'),
        ('{\n  "b": 2,\n  "a": 1,\n}', '{\n  "b": 2,\n}'),
    ],
)
def test_a_member_is_taken_out_with_its_comma(before: str, after: str) -> None:
    assert take(before, ("a",)) == after
    assert "a" not in read_jsonc(after).value


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text(max_size=6), VALUES, max_size=4)
OTHERS = st.dictionaries(st.text(max_size=6).filter(lambda name: name != "agentmem"), VALUES, max_size=3)


@requirement("clients:kept")
@given(
    document=DOCUMENTS,
    others=OTHERS,
    indent=st.sampled_from([None, 0, 1, 2, 4, "\t"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_stands_in_a_file_is_there_after_install_and_uninstall(
    tmp_path_factory: pytest.TempPathFactory,
    document: dict[str, Any],
    others: dict[str, Any],
    indent: int | str | None,
    newline: str,
) -> None:
    path = tmp_path_factory.mktemp("client") / "config.json"
    whole = {**document, "mcpServers": others}
    path.write_text(json.dumps(whole, indent=indent), encoding="utf-8", newline=newline)
    installing(path, DESKTOP, "agentmem", ENTRY).make()
    wanted = {**whole, "mcpServers": {**others, "agentmem": ENTRY.as_json()}}
    text = path.read_bytes().decode("utf-8")
    assert json.dumps(json.loads(text)) == json.dumps(wanted)
    assert not installing(path, DESKTOP, "agentmem", ENTRY).any
    uninstalling(path, DESKTOP, "agentmem").make()
    assert json.dumps(json.loads(path.read_bytes())) == json.dumps(whole)


@requirement("clients:kept")
@given(text=st.text(alphabet='{}[]",:/*\\ \n01ab.-', max_size=40))
def test_what_python_reads_as_json_is_read_alike_and_no_text_crashes_the_reader(text: str) -> None:
    try:
        found: Any = read_jsonc(text).value
    except JsoncError as error:
        assert "line" in str(error)
        with pytest.raises(ValueError):
            _strict(text)
    else:
        try:
            assert found == _strict(text)
        except ValueError:
            assert any(mark in text for mark in ("//", "/*", ","))


def _strict(text: str) -> Any:
    """As ``json`` reads it, but for keys that stand twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("twice")
        return dict(pairs)

    return json.loads(text, object_pairs_hook=once)


@requirement("clients:install")
def test_an_entry_of_ours_is_brought_up_to_date_and_keeps_what_others_added(tmp_path: Path) -> None:
    old = {"command": "/old/agentmem-mcp", "args": ["serve", "--watch"], "disabled": True, "env": {"A": "1", "B": "2"}}
    path = tmp_path / "config.json"
    after = installed(
        path,
        json.dumps({"mcpServers": {"agentmem": old}}, indent=2),
        entry=Entry("/new/agentmem-mcp", ["serve"], {"B": "3"}),
    )
    assert json.loads(after)["mcpServers"]["agentmem"] == {
        "command": "/new/agentmem-mcp",
        "args": ["serve"],
        "disabled": True,
        "env": {"A": "1", "B": "3"},
    }


@requirement("clients:install")
def test_a_server_of_somebody_else_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    text = '{"mcpServers": {"agentmem": {"command": "/bin/other", "args": ["serve"]}}}'
    path.write_text(text)
    for change in (
        lambda: installing(path, DESKTOP, "agentmem", ENTRY),
        lambda: uninstalling(path, DESKTOP, "agentmem"),
    ):
        with pytest.raises(ClientConfigError) as caught:
            change()
        assert "--name" in caught.value.fix
    assert path.read_text() == text
    assert list(servers_in(path, DESKTOP)) == ["agentmem"]


@requirement("clients:install")
@pytest.mark.parametrize(
    ("entry", "ours"),
    [
        ({"command": "/x/agentmem-mcp", "args": ["serve"]}, True),
        ({"command": "C:\\x\\agentmem-mcp.exe", "args": ["serve", "--watch"]}, True),
        ({"command": "/usr/bin/python3", "args": ["-m", "mcp_server", "serve"]}, True),
        ({"command": "/x/uvx", "args": ["--from", "/src", "agentmem-mcp", "serve"]}, True),
        ({"command": "/x/agentmem-mcp", "args": ["demo"]}, False),
        ({"command": "npx", "args": ["serve", "agentmem-mcp"]}, False),
        ({"url": "http://localhost"}, False),
        ("text", False),
    ],
)
def test_an_entry_of_this_server_is_known_by_its_command(entry: object, ours: bool) -> None:
    assert is_ours(entry) is ours


@requirement("clients:install")
def test_the_shown_difference_hides_the_values_of_others_and_secrets_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    other = {"command": "/bin/other", "env": {"API": slot("client configuration")}}
    mine = {"command": "/x/agentmem-mcp", "args": ["serve"], "env": {"MY_TOKEN": slot("client configuration")}}
    placed(path).write_text(json.dumps({"mcpServers": {"other": other, "agentmem": mine}}, indent=1))
    shown = installing(path, DESKTOP, "agentmem", Entry("/y/agentmem-mcp", ["serve"])).difference
    assert "canary" not in shown
    assert '-   "command": "/x/agentmem-mcp"' in shown
    assert '+   "command": "/y/agentmem-mcp"' in shown
    assert "/bin/other" not in shown
    minified = tmp_path / "minified.json"
    placed(minified).write_text(json.dumps({"mcpServers": {"other": other}}))
    change = installing(minified, DESKTOP, "agentmem", ENTRY)
    assert "canary" not in change.difference
    assert "/opt/agentmem-mcp" in change.difference
