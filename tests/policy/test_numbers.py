"""Numbers of requests and files: the lower of what manifest and operator say, and who is told to raise which."""

from __future__ import annotations

import pytest

from mcp_server.policy.file_limits import FILE_NUMBERS, MOST_OF_FILES, FileLimits
from mcp_server.policy.http_limits import HTTP_NUMBERS, MOST_OF_HTTP, NetworkLimits
from mcp_server.policy.numbers import Number, bounds_of

MIB = 1024 * 1024
FILES = {number.key: number for number in FILE_NUMBERS}


@pytest.mark.parametrize("number", [*HTTP_NUMBERS, *FILE_NUMBERS], ids=lambda number: number.key)
def test_each_number_is_lowered_by_the_manifest_and_raised_by_nobody_but_the_operator(number: Number) -> None:
    of_http = number in HTTP_NUMBERS
    default, most, all_of_them = (
        (NetworkLimits(), MOST_OF_HTTP, HTTP_NUMBERS) if of_http else (FileLimits(), MOST_OF_FILES, FILE_NUMBERS)
    )
    highest = number.of(most)

    def effective(granted: object, asked: dict[str, float]) -> float:
        return number.of(bounds_of(granted, asked, all_of_them).effective)

    assert number.of(default) < highest
    assert effective(default, {number.key: 1}) == 1
    assert effective(most, {number.key: 1}) == 1
    assert effective(default, {number.key: highest}) == number.of(default)
    assert effective(most, {number.key: highest}) == highest
    assert effective(most, {}) == highest
    others = [other for other in all_of_them if other is not number]
    lowered = bounds_of(default, {number.key: 1}, all_of_them).effective
    assert [other.of(lowered) for other in others] == [other.of(default) for other in others]


def test_the_three_columns_of_a_number_are_told() -> None:
    bounds = bounds_of(FileLimits(bytes_read=3 * MIB), {"max_read_mb": 2, "max_write_mb": 99}, FILE_NUMBERS)
    assert bounds.shown(FILE_NUMBERS) == {
        "operations_per_call": {"requested": None, "granted": 1_000, "effective": 1_000},
        "max_read_mb": {"requested": 2, "granted": 3, "effective": 2},
        "max_write_mb": {"requested": 99, "granted": 10, "effective": 10},
    }


@pytest.mark.parametrize(
    ("granted", "asked", "begins"),
    [
        (3, {}, "run `agentmem-mcp config set grants.p.filesystem.max_read_mb=6`, or add "),
        (3, {"max_read_mb": 4}, "run `agentmem-mcp config set grants.p.filesystem.max_read_mb=6`, or add "),
        (3, {"max_read_mb": 2}, "the author must ask for more: set max_read_mb = 4 under [filesystem] in the plugin."),
        (1_024, {}, ""),
    ],
)
def test_who_reaches_a_number_is_told_where_it_stands(granted: int, asked: dict[str, float], begins: str) -> None:
    bounds = bounds_of(FileLimits(bytes_read=granted * MIB), asked, FILE_NUMBERS)
    fix = bounds.fix(FILES["max_read_mb"], MOST_OF_FILES, "p", "filesystem")
    assert fix.startswith(begins)
    assert bool(fix) is bool(begins)
    assert "; and run" not in fix


def test_where_manifest_and_operator_say_the_same_both_are_told() -> None:
    bounds = bounds_of(FileLimits(bytes_read=2 * MIB), {"max_read_mb": 2}, FILE_NUMBERS)
    fix = bounds.fix(FILES["max_read_mb"], MOST_OF_FILES, "p", "filesystem")
    author, _, setting = fix.partition("; and ")
    assert author == "the author must ask for more: set max_read_mb = 4 under [filesystem] in the plugin.toml of 'p'"
    assert setting.startswith("run `agentmem-mcp config set grants.p.filesystem.max_read_mb=4`, or add ")
