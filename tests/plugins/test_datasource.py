"""The plugin ``datasource``, loaded as a server loads it, over real files; what is on the network is beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.testing import Plugin, ToolFailed, open_plugin, readme_examples, readme_options
from mcp_server.testing.fixtures import LoadPlugin
from tests.requirements import requirement

PIECES = [
    '"',
    ",",
    "\n",
    "\r\n",
    "---\n",
    "# ",
    "## a\n",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "!!str ",
    "|\n",
    "> ",
    "`",
    "\t",
    "1",
]
ANY_FILE = st.binary(max_size=200) | st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map(
    lambda pieces: "".join(pieces).encode()
)
ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "manifests/datasource"
PEOPLE = 'name,"drink, hot",bio\nAda,tea,"Wrote\nprograms"\nBob,coffee\nÜte,maté,\n'
GUIDE = """---
title: Tea guide
tags: [tea, green]
---

Before all.

# Brewing

Boil **water**.

## Green tea

- 80 degrees

```sh
# no heading
```
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def plugin(data: Path, load_plugin: LoadPlugin) -> Plugin:
    return load_plugin("manifests/datasource", grants=grants(data))


@pytest.fixture
def write(data: Path) -> Callable[[str, str | bytes], dict[str, Any]]:
    """Put a file below the root ``data``, and describe it as a source."""

    def put(name: str, content: str | bytes) -> dict[str, Any]:
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return {"kind": "file", "path": f"data/{name}"}

    return put


Write = Callable[[str, str | bytes], dict[str, Any]]


def grants(folder: Path) -> dict[str, Any]:
    roots = [{"name": "data", "folder": str(folder), "mode": "read"}]
    return {"capabilities": ["FileSystemAccess"], "filesystem": {"roots": roots}}


def in_steps(plugin: Plugin, source: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """All records, fetched by steps of ``limit``."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = plugin.call("fetch_data", source=source, limit=limit, cursor=cursor)
        items += answer["items"]
        cursor = answer["cursor"]
        if cursor is None:
            return items


def test_records_of_csv_have_the_columns_as_fields(plugin: Plugin, write: Write) -> None:
    answer = plugin.call("fetch_data", source=write("people.csv", PEOPLE))
    assert answer["items"] == [
        {
            "position": "data/people.csv: record 1",
            "data": {"name": "Ada", "drink, hot": "tea", "bio": "Wrote\nprograms"},
        },
        {"position": "data/people.csv: record 3", "data": {"name": "Üte", "drink, hot": "maté", "bio": ""}},
    ]
    assert answer["problems"] == [
        {"position": "data/people.csv: record 2", "reason": "It has 2 fields, and there are 3 columns."}
    ]
    assert (answer["cursor"], answer["stopped"]) == (None, None)


def test_csv_may_have_other_delimiters_and_no_header(plugin: Plugin, write: Write) -> None:
    source = write("plain.csv", "\ufeff1;a\n2;b\n") | {"delimiter": ";", "columns": ["id", "letter"]}
    assert [item["data"] for item in plugin.call("fetch_data", source=source)["items"]] == [
        {"id": "1", "letter": "a"},
        {"id": "2", "letter": "b"},
    ]
    tabs = plugin.call("fetch_data", source=write("tabs.tsv", "id\tletter\n1\ta\n"))
    assert tabs["items"][0]["data"] == {"id": "1", "letter": "a"}


def test_lines_that_are_no_json_spoil_no_other(plugin: Plugin, write: Write) -> None:
    source = write("log.jsonl", b'{"a": 1}\n\n[2]\n{oops\n' + b'"' + b"x" * 1_048_576 + b'"\n\xff\n{"a": 3}')
    answer = plugin.call("fetch_data", source=source)
    assert [(item["position"], item["data"]) for item in answer["items"]] == [
        ("data/log.jsonl: line 1", {"a": 1}),
        ("data/log.jsonl: line 3", {"value": [2]}),
        ("data/log.jsonl: line 7", {"a": 3}),
    ]
    reasons = [(problem["position"][-6:], problem["reason"][:24]) for problem in answer["problems"]]
    assert reasons == [
        ("line 4", "It is no JSON: key must "),
        ("line 5", "It has more than 1048576"),
        ("line 6", "It is no JSON: expected "),
    ]


def test_markdown_comes_by_its_headings_with_its_front_matter(plugin: Plugin, write: Write) -> None:
    answer = plugin.call("fetch_data", source=write("guide.md", GUIDE))
    told = [(item["data"]["headings"], item["data"]["text"]) for item in answer["items"]]
    assert told == [
        ([], "Before all."),
        (["Brewing"], "Boil **water**."),
        (["Brewing", "Green tea"], "- 80 degrees\n\n```sh\n# no heading\n```"),
    ]
    assert answer["items"][2]["data"]["front_matter"] == {"title": "Tea guide", "tags": ["tea", "green"]}


def test_a_folder_is_all_its_files_in_their_order(plugin: Plugin, write: Write) -> None:
    write("vault/b.md", "# B\n\nSecond.\n")
    write("vault/a/one.md", "First.\n")
    write("vault/c.jsonl", '{"text": "Third."}\n')
    write("vault/picture.png", b"\x89PNG")
    source = {"kind": "file", "path": "data/vault"}
    for limit in (1, 2, 50):
        texts = [item["data"]["text"] for item in in_steps(plugin, source, limit)]
        assert texts == ["First.", "Second.", "Third."]
    assert [item["data"]["text"] for item in in_steps(plugin, source | {"format": "markdown"}, 50)] == texts[:2]
    assert plugin.call("connect", source=source)["files"] == 3


@pytest.mark.parametrize("name", ["many.csv", "many.jsonl", "many.md"])
def test_every_record_comes_once_however_small_the_steps(plugin: Plugin, write: Write, name: str) -> None:
    numbers = [f"{number} ü" for number in range(1, 24)]
    content = {
        "many.csv": "id\n" + "".join(f'"{number}"\n' for number in numbers),
        "many.jsonl": "".join(json.dumps({"id": number}, ensure_ascii=False) + "\n" for number in numbers),
        "many.md": "".join(f"# {number}\n\ntext\n\n" for number in numbers),
    }[name]
    source = write(name, content)
    key = "title" if name == "many.md" else "id"
    for limit in (1, 5, 23, 100):
        assert [item["data"][key] for item in in_steps(plugin, source, limit)] == numbers


def test_files_longer_than_one_reading_are_read_on(plugin: Plugin, write: Write) -> None:
    line = "ü" * 999
    source = write("long.csv", "id,text\n" + "".join(f"{number},{line}\n" for number in range(700)))
    items = in_steps(plugin, source, 200)
    assert [item["data"]["id"] for item in items] == [str(number) for number in range(700)]
    assert {item["data"]["text"] for item in items} == {line}


def test_an_answer_stops_before_it_is_too_long(plugin: Plugin, write: Write) -> None:
    lines = "".join(json.dumps({"id": number, "text": "x" * 100_000}) + "\n" for number in range(8))
    source = write("wide.jsonl", lines + json.dumps({"id": 8, "text": "x" * 600_000}) + "\n")
    first = plugin.call("fetch_data", source=source)
    assert [item["data"]["id"] for item in first["items"]] == [0, 1, 2, 3, 4]
    assert "More than 524288 bytes do not go into one answer" in first["stopped"]
    rest = plugin.call("fetch_data", source=source, cursor=first["cursor"])
    assert [item["data"]["id"] for item in rest["items"]] == [5, 6, 7]
    assert rest["problems"][0]["reason"].startswith("It has 600")


def test_a_file_of_a_folder_that_cannot_be_read_hides_no_other(data: Path, write: Write) -> None:
    write("mixed/a.md", "First.\n")
    write("mixed/b.md", "x" * 524_289)
    write("mixed/c.md", "---\na: &x [1]\nb: *x\n---\n\nText.\n")
    write("mixed/d.md", b"\xff\xfe")
    write("mixed/e.md", "Denied.\n")
    write("mixed/f.md", "Last.\n")
    rights = grants(data)
    rights["filesystem"]["deny"] = ["data/mixed/e.md"]
    with open_plugin(MANIFEST, modules=ROOT / "plugins", grants=rights) as plugin:
        answer = plugin.call("fetch_data", source={"kind": "file", "path": "data/mixed"})
    assert [item["data"]["text"] for item in answer["items"]] == ["First.", "Last."]
    assert [(problem["position"], problem["reason"].split(";")[0]) for problem in answer["problems"][:3]] == [
        ("data/mixed/b.md", "data/mixed/b.md has 524289 bytes"),
        ("data/mixed/c.md: front matter", "It is no YAML that can be read: it holds an alias (*), which is not read."),
        ("data/mixed/d.md", "It is not UTF-8."),
    ]


@pytest.mark.parametrize(
    "unit", ["# A\n\nText *with* words.\n\n", "a\n\n", "- x\n", "[", "> ", "*a ", "|a|\n|-|\n|b|\n\n"]
)
def test_the_longest_documents_are_within_the_limits(plugin: Plugin, write: Write, unit: str) -> None:
    source = write("longest.md", unit * (524_288 // len(unit)))
    answer = plugin.call("fetch_data", source=source, limit=1)
    assert len(answer["items"]) + len(answer["problems"]) <= 1


@pytest.mark.parametrize("line", ["1\n", '{"a":1}\n', "x\n", "\n", "[[1]]\n"])
def test_files_of_many_records_are_counted_within_the_limits(plugin: Plugin, write: Write, line: str) -> None:
    for name in ("dense.jsonl", "dense.csv"):
        answer = plugin.call("connect", source=write(name, line * (1_000_000 // len(line))))
        assert (answer["count_is"] == "at_least") is (answer["count"] == 50_001)


def test_a_file_that_changed_is_not_read_on(plugin: Plugin, write: Write) -> None:
    source = write("changing.csv", "id\n1\n2\n3\n")
    cursor = plugin.call("fetch_data", source=source, limit=1)["cursor"]
    write("changing.csv", "id\n1\n2\n3\n4\n")
    with pytest.raises(ToolFailed, match="changed since the cursor was given"):
        plugin.call("fetch_data", source=source, cursor=cursor)


def test_a_cursor_leads_to_no_other_source(plugin: Plugin, write: Write) -> None:
    cursor = plugin.call("fetch_data", source=write("one.csv", "id\n1\n2\n"), limit=1)["cursor"]
    with pytest.raises(ToolFailed, match="another source"):
        plugin.call("fetch_data", source=write("two.csv", "id\n1\n2\n"), cursor=cursor)
    with pytest.raises(ToolFailed, match="none that this plugin gave"):
        plugin.call("fetch_data", source=write("one.csv", "id\n1\n2\n"), cursor="AAAA")


def test_connecting_tells_columns_count_and_the_first_record(plugin: Plugin, write: Write) -> None:
    assert plugin.call("connect", source=write("people.csv", PEOPLE)) == {
        "source": "data/people.csv",
        "columns": ["bio", "drink, hot", "name"],
        "count": 3,
        "count_is": "exact",
        "sample": {
            "position": "data/people.csv: record 1",
            "data": {"name": "Ada", "drink, hot": "tea", "bio": "Wrote\nprograms"},
        },
        "problems": [{"position": "data/people.csv: record 2", "reason": "It has 2 fields, and there are 3 columns."}],
    }
    empty = plugin.call("connect", source=write("empty.csv", ""))
    assert (empty["count"], empty["columns"], empty["sample"]) == (0, [], None)


def test_a_mapping_makes_the_memory_that_it_says(plugin: Plugin) -> None:
    mapping = {
        "content": "{{name}} likes {{drink.name}}",
        "memory_type": "episodic",
        "metadata": {"age": "{{age}}", "from": "crm"},
    }
    data = {"name": "Ada", "age": 36, "drink": {"name": "tea"}}
    answer = plugin.call("transform_data", data=data, mapping=mapping, source="crm.csv", position="record 1")
    assert answer == {
        "content": "Ada likes tea",
        "memory_type": "episodic",
        "metadata": {"age": 36, "from": "crm", "source": "crm.csv", "position": "record 1"},
    }
    assert plugin.memories == []


def test_records_become_memories_once(plugin: Plugin, write: Write) -> None:
    source = write("people.csv", PEOPLE + "Cyd,,\nCyd,,\n")
    mapping = {"content": "{{name}} drinks {{drink, hot}}", "metadata": {"who": "{{name}}"}}
    arguments: dict[str, Any] = {"source": source, "mapping": mapping, "agent_id": "importer"}
    answer = plugin.call("fetch_and_transform", **arguments)
    counts = {name: answer[name] for name in ("fetched", "added", "duplicates", "failed", "cursor", "stopped")}
    assert counts == {"fetched": 5, "added": 3, "duplicates": 1, "failed": 1, "cursor": None, "stopped": None}
    assert answer["problems"][0]["position"] == "data/people.csv: record 2"
    assert [memory["content"] for memory in plugin.memories] == ["Cyd drinks", "Üte drinks maté", "Ada drinks tea"]
    assert plugin.memories[2]["metadata"] == {
        "who": "Ada",
        "source": "data/people.csv",
        "position": "data/people.csv: record 1",
    }
    assert {memory["agent_id"] for memory in plugin.memories} == {"importer"}
    again = plugin.call("fetch_and_transform", **arguments)
    assert (again["added"], again["duplicates"], again["failed"]) == (0, 4, 1)


def test_notes_become_memories_that_can_be_found(plugin: Plugin, write: Write) -> None:
    plugin.call("fetch_and_transform", source=write("guide.md", GUIDE))
    contents = [memory["content"] for memory in plugin.memories]
    assert "Brewing › Green tea\n\n- 80 degrees\n\n```sh\n# no heading\n```" in contents
    assert plugin.memories[0]["metadata"]["front_matter"] == {"title": "Tea guide", "tags": ["tea", "green"]}


def test_what_no_memory_holds_fails_alone(plugin: Plugin, write: Write) -> None:
    lines = [{"text": "fine"}, {"text": " "}, {"text": "x" * 70_000}, {"text": "a\0b"}, {"text": "fine too"}]
    source = write("odd.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    answer = plugin.call("fetch_and_transform", source=source)
    assert (answer["added"], answer["failed"]) == (2, 3)
    assert [problem["reason"][:20] for problem in answer["problems"]] == [
        "There is nothing to ",
        "Its content would ha",
        "Its content holds th",
    ]
    too_much = {"metadata": {str(number): "{{text}}" for number in range(400)}}
    source = write("long.jsonl", json.dumps({"text": "x" * 100}))
    refused = plugin.call("fetch_and_transform", source=source, mapping=too_much)
    assert (refused["added"], refused["failed"]) == (0, 1)


def test_a_limit_of_the_host_ends_it_with_a_cursor_to_go_on(data: Path, write: Write) -> None:
    source = write("limits.csv", "id\n" + "".join(f"{number}\n" for number in range(30)))
    with open_plugin(MANIFEST, modules=ROOT / "plugins", grants=grants(data), limits={"max_host_calls": 15}) as plugin:
        cursor: str | None = None
        steps: list[tuple[int, bool]] = []
        while not steps or cursor is not None:
            answer = plugin.call("fetch_and_transform", source=source, cursor=cursor)
            steps.append((answer["fetched"], answer["stopped"] is not None))
            cursor = answer["cursor"]
        assert sum(count for count, _ in steps) == 30
        assert len(steps) > 2
        assert [stopped for _, stopped in steps] == [True] * (len(steps) - 1) + [False]
        assert sorted(int(memory["content"].removeprefix("id: ")) for memory in plugin.memories) == list(range(30))


def test_sources_can_be_named_and_all_others_be_forbidden(data: Path, write: Write, load_plugin: LoadPlugin) -> None:
    source = write("people.csv", PEOPLE)
    config = {"sources": {"people": source}, "inline_sources": False}
    plugin = load_plugin("manifests/datasource", grants=grants(data), config=config)
    assert len(plugin.call("fetch_data", source="people")["items"]) == 2
    with pytest.raises(ToolFailed, match="Only sources that the operator has set can be used: people"):
        plugin.call("fetch_data", source=source)
    with pytest.raises(ToolFailed, match='No source is called "persons". There is: people'):
        plugin.call("fetch_data", source="persons")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"kind": "file", "path": "data/missing.csv"}, "missing.csv"),
        ({"kind": "file", "path": "notes/a.md"}, "notes"),
        ({"kind": "file", "path": "data/../x.csv"}, "'..'"),
        ({"kind": "file", "path": "data/people.csv", "delimiter": "é"}, "cannot be used"),
        ({"kind": "http", "url": "https://x.example/", "headers": {"Authorization": "Bearer abc"}}, "{{secret:NAME}}"),
        ({"kind": "http", "url": "https://x.example/"}, "NetworkAccess, which is not granted"),
    ],
)
def test_what_cannot_be_read_is_said(plugin: Plugin, source: dict[str, Any], told: str) -> None:
    for tool in ("connect", "fetch_data", "fetch_and_transform"):
        with pytest.raises(ToolFailed) as caught:
            plugin.call(tool, source=source)
        assert caught.value.code == "plugin_error"
        assert told in caught.value.text


@requirement("plugins:no-panics")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["any.csv", "any.jsonl", "any.md"])
def test_whatever_a_file_holds_is_read_or_refused(plugin: Plugin, write: Write, name: str) -> None:
    @settings(max_examples=100, deadline=None, database=None)
    @given(content=ANY_FILE, front=st.booleans())
    def check(content: bytes, front: bool) -> None:
        source = write(name, b"---\n" + content + b"\n---\n\nText.\n" if front else content)
        whole = plugin.call("fetch_data", source=source, limit=500)
        assert in_steps(plugin, source, 3) == whole["items"]
        stored = plugin.call("fetch_and_transform", source=source, limit=500)
        told = len(whole["items"]) + len(whole["problems"])
        assert stored["fetched"] == told == stored["added"] + stored["duplicates"] + stored["failed"]

    check()


def test_a_source_that_is_described_wrongly_is_told_what_is_wrong(plugin: Plugin) -> None:
    for source, told in [
        ({"kind": "file"}, "missing field `path`"),
        ({"kind": "ftp"}, "unknown variant `ftp`, expected one of `file`, `http`, `postgrest`, `libsql`"),
        ({"kind": "file", "path": "a", "fomat": "csv"}, "unknown field `fomat`"),
        (5, "expected the name of a source, or an object that describes one"),
    ]:
        with pytest.raises(ToolFailed) as caught:
            plugin.call_raw("connect", json.dumps({"source": source}).encode())
        assert caught.value.code == "plugin_error"
        assert told in caught.value.text


def test_the_readme_is_true(load_plugin: LoadPlugin, tmp_path_factory: pytest.TempPathFactory) -> None:
    page = ROOT / "plugins/datasource/README.md"
    folder = tmp_path_factory.mktemp("readme")
    (folder / "drinks.csv").write_text("name,drink\nAda,green tea\nBob,coffee\n", "utf-8")
    plugin = load_plugin("manifests/datasource", grants=grants(folder), **readme_options(page))
    for example in readme_examples(page):
        example.check(plugin)
