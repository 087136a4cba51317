"""Paths as a plugin names them: which are refused as such, and which the manifest and the grant allow together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.policy.paths import FileGrant, FileRules, Mode, PathDenied, intersect, parse_path, path_problems


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/etc/passwd",
        "//notes",
        "..",
        "../notes",
        "notes/..",
        "notes/../../etc/passwd",
        "notes/./a",
        ".",
        "./notes",
        "notes//a",
        "notes/a//",
        "notes\\..\\a",
        "notes/..\\a",
        "notes/\x00",
        "notes/a\x00.txt",
        "notes/a\nb",
        "notes/a\x7f",
        "notes/a\u202eb",
        "notes/a\u200bb",
        "notes/a\u2028b",
        "notes/\ud800",
        "notes/" + "a" * 256,
        "notes/" + "ä" * 128,
        "notes/" + "a/" * 32,
        "notes/" + "a" * 1_024,
        "notes/.agentmem-0.tmp",
        "notes/.AgentMem-0.tmp",
    ],
)
def test_a_path_that_nobody_may_name_is_refused(path: str) -> None:
    with pytest.raises(PathDenied) as denied:
        parse_path(path)
    assert denied.value.code == "invalid_path"
    assert len(path_problems([path, "notes"])) == 1


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("", ()),
        ("notes", ("notes",)),
        ("notes/", ("notes",)),
        ("notes/a b/ä…/..c/.d/e..", ("notes", "a b", "ä…", "..c", ".d", "e..")),
        ("notes/" + "a" * 255, ("notes", "a" * 255)),
        ("notes/%2e%2e/~", ("notes", "%2e%2e", "~")),
    ],
)
def test_a_plain_path_is_its_segments(path: str, segments: tuple[str, ...]) -> None:
    assert parse_path(path) == segments


@given(st.text(max_size=40))
def test_no_text_becomes_a_segment_that_leads_elsewhere(text: str) -> None:
    try:
        segments = parse_path(text)
    except PathDenied:
        return
    assert not {"", ".", ".."} & set(segments)
    assert not any(character in segment for segment in segments for character in "/\\\x00\n")


RULES = intersect(
    [("notes", "write"), ("docs/public", "write"), ("archive", "read"), ("unknown", "write")],
    [
        FileGrant("notes", "/srv/notes", "write"),
        FileGrant("docs", "/srv/docs", "read"),
        FileGrant("archive", "/srv/archive", "write"),
        FileGrant("extra", "/srv/extra", "write"),
    ],
    deny=["notes/private", "notes/*/.git", "archive/Straße"],
)


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("notes", "read"),
        ("notes/a/b", "write"),
        ("notes/privately", "write"),
        ("notes/.git/x", "read"),
        ("docs/public", "read"),
        ("docs/public/a", "read"),
        ("archive/a", "read"),
    ],
)
def test_what_the_manifest_and_the_grant_both_allow_is_allowed(path: str, mode: Mode) -> None:
    assert RULES.judge(parse_path(path), mode).name == path.split("/")[0]


@pytest.mark.parametrize(
    ("path", "mode", "bound"),
    [
        ("other/a", "read", "root"),
        ("unknown/a", "read", "root"),
        ("Notes/a", "read", "root"),
        ("", "read", "root"),
        ("extra/a", "read", "path"),
        ("docs", "read", "path"),
        ("docs/private", "read", "path"),
        ("docs/publicly", "read", "path"),
        ("docs/public/a", "write", "mode"),
        ("archive/a", "write", "mode"),
        ("notes/private", "read", "deny"),
        ("notes/private/a", "read", "deny"),
        ("notes/PRIVATE/a", "write", "deny"),
        ("notes/a/.git/config", "read", "deny"),
        ("archive/STRASSE", "read", "deny"),
    ],
)
def test_what_either_does_not_allow_is_refused_with_the_bound_and_no_host_path(
    path: str, mode: Mode, bound: str
) -> None:
    with pytest.raises(PathDenied) as denied:
        RULES.judge(parse_path(path), mode)
    assert (denied.value.code, denied.value.data["bound"]) == ("path_denied", bound)
    assert "/srv" not in denied.value.message


def test_a_plugin_sees_the_roots_it_may_use_and_none_without_rules() -> None:
    assert RULES.visible_roots() == ["notes", "docs", "archive"]
    assert FileRules().visible_roots() == []


def test_an_empty_path_in_a_manifest_is_a_problem_and_asks_for_nothing() -> None:
    assert path_problems([""]) == ["'': a path begins with the name of a root"]
    rules = intersect([("", "write")], [FileGrant("notes", "/srv/notes", "write")])
    with pytest.raises(PathDenied):
        rules.judge(("notes", "a"), "read")
