"""Patterns of the network rules: what each allows, what each forbids, and how a bad one is told."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.capabilities.network.urls import parse_url
from mcp_server.policy.network import (
    METHODS,
    NetworkDenied,
    NetworkGrant,
    NetworkRules,
    intersect,
    parse_rule,
    rule_problems,
)


def allows(pattern: str, url: str, method: str = "GET") -> bool:
    rules = intersect([pattern], NetworkGrant((pattern,)))
    try:
        rules.judge(method, parse_url(url))
    except NetworkDenied:
        return False
    return True


def denies(pattern: str, url: str, method: str = "GET") -> bool:
    everything = ("http://*:*", "https://*:*")
    rules = intersect(everything, NetworkGrant(everything, deny=(pattern,)))
    try:
        rules.judge(method, parse_url(url))
    except NetworkDenied as denied:
        assert denied.data["bound"] == "deny"
        return True
    return False


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("https://api.test/*", "https://api.test/"),
        ("https://api.test/*", "https://API.test:443/a/b?c#d"),
        ("https://api.test", "https://api.test/any/thing"),
        ("api.test", "https://api.test/"),
        ("https://API.Test/v1", "https://api.test/v1?q=1"),
        ("https://*.test/*", "https://a.test/"),
        ("https://*.test/*", "https://a.b.c.test/"),
        ("https://api-*.test", "https://api-1.test/"),
        ("https://a.*.test", "https://a.b.test/"),
        ("https://*", "https://anything.example/"),
        ("https://*", "https://8.8.8.8/"),
        ("https://8.8.8.8", "https://8.8.8.8/"),
        ("https://[2001:DB8:0::1]:*", "https://[2001:db8::1]:99/"),
        ("http://api.test:8080", "http://api.test:8080/"),
        ("https://api.test:*/a*z", "https://api.test:1/a/b/z"),
        ("https://api.test/a*b*c", "https://api.test/abbc"),
        ("https://api.test/v1/*", "https://api.test/v1/a%2Fb"),
        ("https://api.test/v1/*", "https://api.test/v1//a"),
    ],
)
def test_a_pattern_allows_what_it_says(pattern: str, url: str) -> None:
    assert allows(pattern, url)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("https://api.test/*", "http://api.test/"),
        ("api.test", "http://api.test/"),
        ("http://api.test", "https://api.test:80/"),
        ("https://api.test/*", "https://api.test:8443/"),
        ("https://api.test/*", "https://api.test.evil/"),
        ("https://api.test/*", "https://evil-api.test/"),
        ("https://api.test/*", "https://sub.api.test/"),
        ("https://*.test/*", "https://test/"),
        ("https://*.test/*", "https://atest/"),
        ("https://api-*.test", "https://api-1.evil.test/"),
        ("https://a.*.test", "https://a.b.c.test/"),
        ("https://1.*.3.4", "https://1.2.3.4/"),
        ("https://*.3.4", "https://1.2.3.4/"),
        ("https://api.test/v1", "https://api.test/v1/a"),
        ("https://api.test/v1/*", "https://api.test/v1"),
        ("https://api.test/v1/*", "https://api.test/v10"),
        ("https://api.test/v1/*", "https://api.test//v1/a"),
        ("https://api.test/v1/*", "https://api.test/v1%2Fa"),
        ("https://api.test/v1/*", "https://api.test/V1/a"),
        ("https://api.test/aXc", "https://api.test/a*c"),
        ("https://api.test/a*a", "https://api.test/a"),
        ("https://apple.test", "https://аpple.test/"),
    ],
)
def test_a_pattern_allows_nothing_else(pattern: str, url: str) -> None:
    assert not allows(pattern, url)


@pytest.mark.parametrize("method", METHODS)
def test_methods_that_are_listed_are_the_only_ones(method: str) -> None:
    assert allows("GET,HEAD https://api.test", "https://api.test/", method) == (method in {"GET", "HEAD"})
    assert allows("https://api.test", "https://api.test/", method)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("api.test", "https://api.test/"),
        ("api.test", "http://api.test:8080/a"),
        ("*", "https://8.8.8.8/"),
        ("*.test", "http://a.b.test/"),
        ("api.test/admin", "https://api.test/admin"),
        ("api.test/admin", "https://api.test/admin/"),
        ("api.test/admin", "https://api.test/admin/users"),
        ("api.test/admin", "https://api.test/ADMIN/users"),
        ("api.test/admin", "https://api.test//admin"),
        ("api.test/admin", "https://api.test/%61dmin"),
        ("api.test/admin", "https://api.test/%2561dmin"),
        ("api.test/admin", "https://api.test/%2fadmin"),
        ("api.test/admin", "https://api.test/%5cadmin"),
        ("api.test/admin", "https://api.test/admin;x=1"),
        ("api.test/admin", "https://api.test/admin;x=1/users"),
        ("api.test/admin/*", "https://api.test/admin/users"),
        ("api.test/*/keys", "https://api.test/v1/keys/7"),
        ("https://api.test", "https://api.test:8443/"),
    ],
)
def test_a_denying_pattern_forbids_every_spelling_of_what_it_says(pattern: str, url: str) -> None:
    assert denies(pattern, url)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("api.test/admin", "https://api.test/administrator"),
        ("api.test/admin", "https://api.test/"),
        ("https://api.test", "http://api.test/"),
        ("api.test:8080", "https://api.test/"),
        ("POST api.test", "https://api.test/"),
        ("*.test", "https://test/"),
    ],
)
def test_a_denying_pattern_leaves_the_rest(pattern: str, url: str) -> None:
    assert not denies(pattern, url)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://",
        "ftp://a.test",
        "https://a.test/a?b",
        "https://a.test/a#b",
        "https://a.test/../b",
        "https://a.test/./b",
        "https://a.test/a b",
        "https://a.test\\b",
        "https://a.test/\\b",
        "https://user@a.test",
        "https://a.test:0",
        "https://a.test:70000",
        "https://a.test:x",
        "https://.a.test",
        "https://a.test.",
        "https://a..test",
        "https://é.test",
        "https://[::1",
        "https://[::g]",
        "https://1.2.3",
        "https://0127.0.0.1",
        "get https://a.test",
        "TRACE https://a.test",
        "GET,TRACE https://a.test",
        "GET POST https://a.test",
        "GET, POST https://a.test",
    ],
)
def test_a_bad_pattern_is_told_and_never_taken(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_rule(text)
    assert len(rule_problems([text, "https://fine.test"])) == 1
    assert len(rule_problems([text], deny=True)) == 1


def test_without_rules_nothing_is_allowed() -> None:
    with pytest.raises(NetworkDenied):
        NetworkRules().judge("GET", parse_url("https://api.test/"))


def test_a_request_passes_the_manifest_and_the_grant_or_not_at_all() -> None:
    rules = intersect(["https://*.test"], NetworkGrant(("GET https://a.test", "https://b.example")))
    rules.judge("GET", parse_url("https://a.test/"))
    for method, url, bound in (
        ("POST", "https://a.test/", "method"),
        ("GET", "https://b.test/", "host"),
        ("GET", "https://b.example/", "host"),
    ):
        with pytest.raises(NetworkDenied) as denied:
            rules.judge(method, parse_url(url))
        assert denied.value.data["bound"] == bound


def test_a_range_that_cannot_be_read_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="host bits"):
        intersect([], NetworkGrant(ranges=("10.0.0.1/8",)))


@given(st.text("ab*", max_size=12), st.text("ab", max_size=12))
def test_a_star_stands_for_any_text_and_a_letter_for_itself(pattern: str, text: str) -> None:
    expected = re.fullmatch(pattern.replace("*", ".*"), text) is not None
    assert allows(f"https://a.test/{pattern}", f"https://a.test/{text}") == expected
