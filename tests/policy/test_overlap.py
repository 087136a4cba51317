"""What two URL patterns have in common, as a person reads it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.policy.network import NetworkGrant, Target, intersect
from mcp_server.policy.overlap import allowed_by_both


@pytest.mark.parametrize(
    ("asked", "granted", "common"),
    [
        ("https://a.com/v1/*", "GET https://a.com/*", ["GET https://a.com/v1/*"]),
        ("https://a.com", "https://a.com", ["https://a.com/*"]),
        ("GET,POST *", "POST,PUT https://*.a.com/x*", ["POST https://*.a.com/x*"]),
        ("https://*.a.com", "https://a.com", []),
        ("GET a.com", "POST a.com", []),
        ("http://a.com:*", "http://a.com:8080/x", ["http://a.com:8080/x"]),
        ("http://a.com", "https://a.com", []),
        ("a.com/a/*", "a.com/b/*", []),
        ("a.com/*/x", "a.com/y/*", ["a.com/*/x, and also a.com/y/*"]),
        ("http://[::1]:*", "http://[::1]:*", ["http://[::1]:*/*"]),
    ],
)
def test_the_narrower_pattern_is_what_is_in_force(asked: str, granted: str, common: list[str]) -> None:
    assert allowed_by_both(intersect([asked], NetworkGrant(allow=(granted,)))) == common


PARTS = st.lists(st.sampled_from(["a", "b", "*", "/"]), max_size=6).map("".join)
PATHS = st.lists(st.sampled_from(["a", "b", "/"]), max_size=6).map("".join)


def rule(host: str, path: str) -> str:
    return f"https://{host}/{path}"


def request_to(host: str, path: str) -> Target:
    return Target("https", host, 443, f"/{path}", "", None, frozenset({f"/{path}"}))


RULES = st.builds(rule, st.sampled_from(["a.com", "*.com", "*", "b.a.com", "a*.com"]), PARTS)
TARGETS = st.builds(request_to, st.sampled_from(["a.com", "b.com", "b.a.com", "ab.com"]), PATHS)


@settings(max_examples=500, deadline=None)
@given(asked=RULES, granted=RULES, target=TARGETS)
def test_no_request_that_both_allow_is_left_out_and_none_is_put_in(asked: str, granted: str, target: Target) -> None:
    rules = intersect([asked], NetworkGrant(allow=(granted,)))
    both = all(rule.fits_host(target) and rule.fits_path(target) for rule in (*rules.ceiling, *rules.grant))
    common = allowed_by_both(rules)
    assert common or not both
    if common and ", and also " not in common[0]:
        (shown,) = intersect(common, NetworkGrant()).ceiling
        assert both == (shown.fits_host(target) and shown.fits_path(target))


def test_patterns_that_are_absurdly_long_are_shown_rather_than_compared() -> None:
    asked = f"a.com/{'*a' * 5_000}"
    assert len(allowed_by_both(intersect([asked], NetworkGrant(allow=(f"a.com/b{'*' * 5_000}",))))) == 1
