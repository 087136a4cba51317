"""The plugin ``text-toolbox``, held against Python's standard library."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import subprocess
import tomllib
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.testing import Plugin, ToolFailed

pytestmark = pytest.mark.plugin("manifests/text-toolbox")
LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "d"]), max_size=12).map("".join)
PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\u2028\u2029"), max_size=12)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | PLAIN
    | st.integers(-(10**14), 10**14).map(lambda parts: parts / 1000 + 0.5)
)
DATA = st.dictionaries(
    PLAIN,
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3), max_leaves=8
    ),
    max_size=4,
)


@settings(max_examples=30, deadline=None)
@given(before=LINES, after=LINES)
def test_a_diff_is_one_that_git_applies(
    plugin: Plugin, tmp_path_factory: pytest.TempPathFactory, before: str, after: str
) -> None:
    answer = plugin.call("diff", before=before, after=after, context=1)
    assert answer["identical"] == (before == after)
    folder = tmp_path_factory.mktemp("diff")
    (folder / "text").write_text(before, encoding="utf-8")
    if before == after:
        return
    command = ["git", "apply", "--unidiff-zero", "-"]
    subprocess.run(command, cwd=folder, input=answer["diff"].encode(), check=True, capture_output=True)
    assert read(folder / "text") == after


def read(path: Path) -> str:
    """The text of a file, which git removes when nothing is left in it."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


@settings(max_examples=60, deadline=None)
@given(before=st.text(alphabet="ab ,\n", max_size=30), after=st.text(alphabet="ab ,\n", max_size=30))
def test_both_texts_can_be_read_from_a_diff_by_word(plugin: Plugin, before: str, after: str) -> None:
    told = plugin.call("diff", before=before, after=after, by="word")["diff"] or before
    old, new = r"\[-(.*?)-\]", r"\{\+(.*?)\+\}"
    assert re.sub(old, r"\1", re.sub(new, "", told, flags=re.DOTALL), flags=re.DOTALL) == before
    assert re.sub(new, r"\1", re.sub(old, "", told, flags=re.DOTALL), flags=re.DOTALL) == after


@settings(max_examples=40, deadline=None)
@given(
    text=st.text(alphabet="ab1 ü\n", max_size=60),
    pattern=st.sampled_from([r"[ab]+", r"(?P<x>a)(b)?", r"\b\d", r"ü|\d$"]),
)
def test_matches_are_those_of_python(plugin: Plugin, text: str, pattern: str) -> None:
    found = plugin.call("regex_find", pattern=pattern, text=text, multi_line=True)["matches"]
    expected = list(re.finditer(pattern, text, re.MULTILINE))
    assert [(one["text"], one["start"], one["end"]) for one in found] == [(m[0], *m.span()) for m in expected]
    assert [one["groups"] for one in found] == [list(m.groups()) for m in expected]
    assert [one["line"] for one in found] == [text.count("\n", 0, m.start()) + 1 for m in expected]
    replaced = plugin.call("regex_replace", pattern=pattern, text=text, replacement="<$0>", multi_line=True)
    assert replaced == {
        "text": re.sub(pattern, lambda m: f"<{m[0]}>", text, flags=re.MULTILINE),
        "replacements": len(expected),
    }


def test_a_pattern_that_hangs_others_is_answered(plugin: Plugin) -> None:
    assert plugin.call("regex_find", pattern="^(a|a|aa)+$", text="a" * 50_000 + "!")["count"] == 0


@pytest.mark.parametrize("to", ["yaml", "json"])
@settings(max_examples=50, deadline=None)
@given(data=DATA)
def test_data_comes_back_from_another_format(plugin: Plugin, to: str, data: dict[str, Any]) -> None:
    there = plugin.call("convert_data", text=json.dumps(data), **{"from": "json", "to": to})["text"]
    back = plugin.call("convert_data", text=there, **{"from": to, "to": "json"})["text"]
    assert json.loads(back) == data
    assert list(json.loads(back)) == list(data)


def without_null(value: Any) -> Any:
    """``value`` with nothing in it that TOML cannot say."""
    if isinstance(value, dict):
        return {key: without_null(part) for key, part in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [without_null(part) for part in value]  # pyright: ignore[reportUnknownVariableType]
    return "" if value is None else value


@settings(max_examples=50, deadline=None)
@given(data=DATA.map(without_null))
def test_toml_is_what_python_reads(plugin: Plugin, data: dict[str, Any]) -> None:
    there = plugin.call("convert_data", text=json.dumps(data), **{"from": "json", "to": "toml"})["text"]
    assert tomllib.loads(there) == data


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$..n", ["ab", 5]),
        ("$.list[?@.n == 5].k", ["v"]),
        ("$.list[-1:].n", [5]),
        ("$.list[?search(@.n, 'b$')].n", ["ab"]),
    ],
)
def test_paths_find_what_the_standard_says(plugin: Plugin, path: str, expected: list[Any]) -> None:
    data = {"list": [{"n": "ab"}, {"n": 5, "k": "v"}]}
    for given_as in ({"data": data}, {"json": json.dumps(data)}):
        answer = plugin.call("json_query", path=path, **given_as)
        assert [one["value"] for one in answer["results"]] == expected


@settings(max_examples=20, deadline=None)
@given(data=st.binary(max_size=300))
@pytest.mark.parametrize("name", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512"])
def test_hashes_are_those_of_python(plugin: Plugin, name: str, data: bytes) -> None:
    expected = hashlib.new(name, data, usedforsecurity=False).hexdigest()
    assert plugin.call("hash", text=data.hex(), form="hex", algorithm=name)["hex"] == expected
    assert plugin.call("hash", text=data.hex(), form="hex", algorithm="crc32")["hex"] == f"{zlib.crc32(data):08x}"


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=60))
def test_encodings_are_those_of_python(plugin: Plugin, text: str) -> None:
    data = text.encode()
    expected = {
        "base64": base64.b64encode(data).decode(),
        "base64url": base64.urlsafe_b64encode(data).decode().rstrip("="),
        "base32": base64.b32encode(data).decode().rstrip("="),
        "hex": data.hex(),
        "url": quote(text, safe=""),
    }
    for encoding, encoded in expected.items():
        assert plugin.call("encode", text=text, encoding=encoding) == {"encoded": encoded}
        assert plugin.call("decode", text=encoded, encoding=encoding)["text"] == text
    marked = plugin.call("encode", text=text, encoding="html")["encoded"]
    assert html.unescape(marked) == html.unescape(html.escape(text))
    assert plugin.call("decode", text=html.escape(text), encoding="html")["text"] == text
    assert unquote(expected["url"]) == text


ZONES = ["Europe/Vienna", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"]


@settings(max_examples=60, deadline=None)
@given(seconds=st.integers(0, 2_000_000_000), zone=st.sampled_from(ZONES))
def test_zones_are_those_of_python(plugin: Plugin, seconds: int, zone: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    answer = plugin.call("date_time", value=moment.isoformat(), to_zone=zone)
    local = moment.astimezone(ZoneInfo(zone))
    assert answer["iso"] == local.isoformat()
    assert (answer["weekday"], answer["day_of_year"]) == (local.strftime("%A"), local.timetuple().tm_yday)
    assert answer["iso_week"] == local.strftime("%G-W%V")
    assert answer["unix_seconds"] == seconds


@settings(max_examples=40, deadline=None)
@given(first=st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1)), days=st.integers(-20_000, 20_000))
def test_days_are_counted_as_python_does(plugin: Plugin, first: datetime, days: int) -> None:
    first = first.replace(microsecond=0)
    answer = plugin.call("date_time", value=first.isoformat(), add=f"{days} days", until=first.isoformat())
    assert answer["iso"] == f"{(first + timedelta(days)).isoformat()}+00:00"
    assert answer["until"]["calendar_days"] == -days
    assert answer["until"]["seconds"] == -days * 86_400


def test_it_says_that_it_has_no_clock(plugin: Plugin) -> None:
    with pytest.raises(ToolFailed, match="there is no clock here") as caught:
        plugin.call("date_time", value="now", to_zone="Europe/Vienna")
    assert caught.value.code == "plugin_error"


def test_a_wide_table_stays_aligned(plugin: Plugin) -> None:
    answer = plugin.call("markdown_table", headers=["City", "People"], rows=[["東京", 37_000_000], ["Graz", 300_000]])
    assert answer["table"].splitlines() == [
        "| City |   People |",
        "| ---- | -------: |",
        "| 東京 | 37000000 |",
        "| Graz |   300000 |",
    ]


def test_megabytes_of_text_stay_within_the_limits(plugin: Plugin) -> None:
    text = "The quick brown fox jumps over the lazy dog.\n" * 10_000
    assert plugin.call("text_stats", text=text, top_words=1)["words"] == 90_000
    assert plugin.call("hash", text=text, algorithm="blake3")["bytes_hashed"] == len(text)
    assert plugin.call("regex_find", pattern=r"\bl\w+", text=text, limit=1000)["more"]
    changed = text.replace("lazy", "slow", 5_000)
    assert plugin.call("diff", before=text, after=changed)["added"] == 5_000
    other = "".join(f"{number}\n" for number in range(30_000))
    assert plugin.call("diff", before=text, after=other)["added"] == 30_000
    rows = json.dumps([{"number": number, "text": "ü"} for number in range(10_000)])
    for to in ("yaml", "csv"):
        assert plugin.call("convert_data", text=rows, **{"from": "json", "to": to})["text"].count("\n") >= 10_000
