"""Limits: a manifest lowers, an operator raises to the hard value, and an error says where."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from mcp_server.policy.limits import LIMITS, Limits, LimitSpec, exceeded, limit_problems, resolve_limits

MIB = 1024 * 1024


def value(name: str, asked: dict[str, int], allowed: dict[str, int]) -> int:
    return asdict(resolve_limits(asked, allowed))[name]


@pytest.mark.parametrize("spec", LIMITS, ids=lambda spec: spec.name)
def test_each_limit_is_its_default_lowered_by_the_manifest_and_raised_by_the_operator(spec: LimitSpec) -> None:
    assert value(spec.name, {}, {}) == spec.default * spec.scale
    assert value(spec.name, {spec.key: 1}, {}) == spec.scale
    assert value(spec.name, {spec.key: spec.hard}, {}) == spec.default * spec.scale  # a manifest raises nothing
    assert value(spec.name, {}, {spec.key: spec.hard}) == spec.hard * spec.scale
    assert value(spec.name, {}, {spec.key: spec.hard + 1}) == spec.hard * spec.scale
    assert value(spec.name, {}, {spec.key: 1}) == spec.scale
    assert value(spec.name, {spec.key: 1}, {spec.key: spec.hard}) == spec.scale
    assert value(spec.name, {spec.key: spec.hard}, {spec.key: 1}) == spec.scale


@pytest.mark.parametrize("spec", LIMITS, ids=lambda spec: spec.name)
def test_each_row_holds_together(spec: LimitSpec) -> None:
    assert 1 <= spec.default <= spec.hard
    assert getattr(Limits(), spec.name) == spec.default * spec.scale


def test_nothing_asked_and_nothing_allowed_is_the_defaults() -> None:
    assert resolve_limits({}, {}) == Limits()
    assert Limits().memory_pages == 1_600


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"max_memory_mb": 1, "max_log_lines": 10_000}, []),
        ({"max_memory_mb": 0}, ["max_memory_mb: 0 is outside 1 … 1024 MiB"]),
        ({"max_memory_mb": 1_025}, ["max_memory_mb: 1025 is outside 1 … 1024 MiB"]),
        (
            {"max_host_call": 5, "max_json_depth": -1, "xyz": 1},
            [
                "max_host_call: unknown key, did you mean 'max_host_calls'?",
                "max_json_depth: -1 is outside 1 … 128 levels",
                f"xyz: unknown key; known: {', '.join(spec.key for spec in LIMITS)}",
            ],
        ),
    ],
)
def test_every_wrong_value_is_told(asked: dict[str, int], told: list[str]) -> None:
    assert limit_problems(asked) == told


def test_an_exceeded_limit_says_its_value_what_was_used_and_where_to_raise_it() -> None:
    error = exceeded("memory", Limits(memory=16 * MIB), plugin="p", used=24 * MIB + MIB // 2)
    assert error.error_code == "limit_memory"
    assert error.message == (
        "plugin 'p' reached its limit max_memory_mb = 16 MiB "
        "(linear memory plus the engine's input and output buffers, used 24.5 MiB)"
    )
    assert error.data == {"limit": "memory", "allowed": 16 * MIB, "used": 24 * MIB + MIB // 2}
    assert error.fix.startswith("run `agentmem-mcp config set plugins.p.limits.max_memory_mb=32`, or add ")
    assert (
        exceeded("memory", Limits(memory=1_024 * MIB), plugin="p").fix == "max_memory_mb stands at its hard value, 1024"
    )
    assert "used" not in exceeded("host_calls", Limits(), plugin="p").message


def test_a_limit_that_the_manifest_holds_low_is_told_to_be_raised_there() -> None:
    author = "the author must ask for more: set max_memory_mb = 32 under [limits] in the plugin.toml of 'p'"
    lowered = resolve_limits({"max_memory_mb": 16}, {"max_memory_mb": 17})
    assert lowered.raising("memory", "p") == author
    tied = resolve_limits({"max_memory_mb": 16}, {"max_memory_mb": 16})
    assert tied.raising("memory", "p").startswith(
        f"{author}; and run `agentmem-mcp config set plugins.p.limits.max_memory_mb=32`, or add "
    )
    setting = resolve_limits({"max_memory_mb": 17}, {"max_memory_mb": 16})
    assert setting.raising("memory", "p").startswith("run `agentmem-mcp config set plugins.p.limits.max_memory_mb=32`")
    hard = resolve_limits({"max_memory_mb": 1_024}, {"max_memory_mb": 1_024})
    assert hard.raising("memory", "p") == "max_memory_mb stands at its hard value, 1024"
