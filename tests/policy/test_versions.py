"""Which versions a requirement takes, and which one of two is newer."""

from __future__ import annotations

import pytest

from mcp_server.policy.versions import VersionRange, newer


@pytest.mark.parametrize(
    ("text", "fits", "does_not"),
    [
        (">=1.2,<2", ("1.2.0", "1.9.9"), ("1.1.9", "2.0.0", "1.5.0-rc.1")),
        ("^1.2", ("1.2.0", "1.99.0"), ("1.1.0", "2.0.0", "2.0.0-rc.1")),
        ("^0.3.1", ("0.3.1", "0.3.9"), ("0.3.0", "0.4.0")),
        ("^0.0.3", ("0.0.3",), ("0.0.4",)),
        ("^0", ("0.1.0", "0.9.0"), ("1.0.0",)),
        ("~1.2.3", ("1.2.3", "1.2.9"), ("1.2.2", "1.3.0")),
        ("~1", ("1.0.0", "1.9.0"), ("2.0.0", "0.9.0")),
        ("1.2", ("1.2.0", "1.2.7"), ("1.3.0",)),
        ("1.2.3", ("1.2.3", "1.2.3+build"), ("1.2.4",)),
        ("==1.2.3", ("1.2.3",), ("1.2.4",)),
        (">1.2", ("1.3.0",), ("1.2.9",)),
        ("<=1.2", ("1.2.9",), ("1.3.0",)),
        ("!=1.2.3", ("1.2.4",), ("1.2.3",)),
        ("*", ("0.0.1", "99.0.0"), ("1.0.0-rc.1",)),
        (">=1.0.0-rc.1", ("1.0.0-rc.1", "1.0.0-rc.2", "1.0.0"), ("1.0.0-alpha",)),
    ],
)
def test_a_requirement_takes_what_it_says(text: str, fits: tuple[str, ...], does_not: tuple[str, ...]) -> None:
    wanted = VersionRange.parse(text)
    assert [one for one in fits if not wanted.fits(one)] == []
    assert [one for one in does_not if wanted.fits(one)] == []


@pytest.mark.parametrize("text", ["", "latest", "1.2.x", ">=", ">=1 <2", "^1.2 || ^2", "1.2.3.4", "1,"])
def test_what_is_no_requirement_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no version requirement"):
        VersionRange.parse(text)


def test_the_newest_that_fits_is_found_by_number_not_by_letter() -> None:
    assert VersionRange.parse("^1").newest(["1.9.0", "1.10.0", "2.0.0", "1.2.0"]) == "1.10.0"
    assert VersionRange.parse("^3").newest(["1.0.0"]) is None
    assert newer("1.0.0", "1.0.0-rc.9")
    assert not newer("1.0.0-alpha", "1.0.0-alpha.1")
