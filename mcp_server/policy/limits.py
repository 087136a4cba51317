"""Every limit: its number, its owner and its words. Enforcement is elsewhere, the numbers are only here.

A manifest may lower a limit, an operator may raise it up to ``hard``. The default numbers and their
precedents in the field are in ``docs/limits.md``, which is generated from :data:`LIMITS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcp_server.errors import LimitExceeded
from mcp_server.policy.advice import limit_fix, manifest_fix
from mcp_server.problems import did_you_mean

__all__ = ["LIMITS", "LIMIT_KEYS", "WASM_PAGE", "LimitSpec", "Limits", "exceeded", "limit_problems", "resolve_limits"]

WASM_PAGE = 65_536
"""Bytes of one WebAssembly page (core specification 2.0, 4.2.8)."""

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LimitSpec:
    """One row of the limit table.

    Attributes:
        name: Field of :class:`Limits`; the error code is ``limit_<name>``.
        key: Key in ``[limits]`` of a manifest or of the operator's file, with its unit.
        default: Value in force when nobody says otherwise, in ``unit``.
        hard: What even an operator cannot pass.
        unit: Unit of the key's number.
        scale: Factor from the key's unit to the field's (bytes, milliseconds, counts).
        owner: The one module that enforces it.
        what: What is counted, for people.
    """

    name: str
    key: str
    default: int
    hard: int
    unit: str
    scale: int
    owner: str
    what: str


LIMITS: tuple[LimitSpec, ...] = (
    LimitSpec("module_bytes", "max_module_mb", 32, 64, "MiB", MIB, "registry.version", "size of the .wasm file"),
    LimitSpec(
        "functions", "max_functions", 50_000, 200_000, "functions", 1, "registry.version", "functions in the module"
    ),
    LimitSpec(
        "table_elements",
        "max_table_elements",
        1_000_000,
        10_000_000,
        "elements",
        1,
        "registry.version",
        "initial elements of all tables; growth falls under the worker's data limit",
    ),
    LimitSpec(
        "load_time",
        "max_load_time_ms",
        15_000,
        120_000,
        "ms",
        1,
        "runtime.worker",
        "processor time to compile and to make the first instance",
    ),
    LimitSpec(
        "execution_time",
        "max_execution_time_ms",
        5_000,
        120_000,
        "ms",
        1,
        "runtime.deadlines",
        "wall time of one call, host functions included",
    ),
    LimitSpec(
        "instructions",
        "max_instructions",
        1_000_000_000,
        100_000_000_000,
        "instructions",
        1,
        "worker.guest",
        "WebAssembly fuel of one instance and call",
    ),
    LimitSpec(
        "memory",
        "max_memory_mb",
        100,
        1_024,
        "MiB",
        MIB,
        "worker.guest",
        "linear memory plus the engine's input and output buffers",
    ),
    LimitSpec("input_bytes", "max_input_bytes", MIB, 16 * MIB, "bytes", 1, "runtime.runner", "JSON input of one call"),
    LimitSpec("output_bytes", "max_output_bytes", MIB, 16 * MIB, "bytes", 1, "worker.guest", "output of one call"),
    LimitSpec("json_depth", "max_json_depth", 64, 128, "levels", 1, "tools.json_text", "nesting of JSON in and out"),
    LimitSpec("host_calls", "max_host_calls", 1_000, 100_000, "calls", 1, "runtime.bridge", "host calls in one call"),
    LimitSpec(
        "concurrency", "max_concurrency", 128, 1_024, "calls", 1, "runtime.turnstile", "calls of one plugin at one time"
    ),
    LimitSpec(
        "queue",
        "max_queued_calls",
        256,
        4_096,
        "calls",
        1,
        "runtime.turnstile",
        "calls of one plugin waiting for a slot",
    ),
    LimitSpec(
        "recursion", "max_recursion", 4, 8, "levels", 1, "tools.invoke", "tool and hook calls nested in one another"
    ),
    LimitSpec("log_lines", "max_log_lines", 200, 10_000, "lines", 1, "capabilities.logging", "log lines of one call"),
    LimitSpec("llm_calls", "max_llm_calls", 8, 1_000, "calls", 1, "capabilities.llm", "`call_llm` in one call"),
    LimitSpec("log_bytes", "max_log_bytes", 65_536, MIB, "bytes", 1, "capabilities.logging", "log text of one call"),
)
LIMIT_KEYS = tuple(spec.key for spec in LIMITS)
_BY_NAME: dict[str, LimitSpec] = {spec.name: spec for spec in LIMITS}


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in force for one plugin, in bytes, milliseconds and counts.

    Attributes:
        lowered: Names of those that the manifest holds below what the operator allows.
        tied: Names of those for which both say the same.
    """

    module_bytes: int = 32 * MIB
    functions: int = 50_000
    table_elements: int = 1_000_000
    load_time: int = 15_000
    execution_time: int = 5_000
    instructions: int = 1_000_000_000
    memory: int = 100 * MIB
    input_bytes: int = MIB
    output_bytes: int = MIB
    json_depth: int = 64
    host_calls: int = 1_000
    concurrency: int = 128
    queue: int = 256
    recursion: int = 4
    llm_calls: int = 8
    log_lines: int = 200
    log_bytes: int = 65_536
    lowered: frozenset[str] = frozenset()
    tied: frozenset[str] = frozenset()

    @property
    def memory_pages(self) -> int:
        return self.memory // WASM_PAGE

    def numbers(self) -> dict[str, int]:
        """The limits by name."""
        return {spec.name: getattr(self, spec.name) for spec in LIMITS}

    def raising(self, name: str, plugin: str) -> str:
        """What is changed so that ``plugin`` gets more of limit ``name``: its manifest, the setting, or both."""
        spec = _BY_NAME[name]
        value = getattr(self, name) // spec.scale
        own = limit_fix(spec.key, value, spec.hard, "plugins", plugin, "limits")
        if value >= spec.hard or name not in self.lowered | self.tied:
            return own
        asked = manifest_fix(plugin, "limits", spec.key, min(2 * value, spec.hard))
        return asked if name in self.lowered else f"{asked}; and {own}"


def limit_problems(asked: Mapping[str, int], known: Sequence[str] = LIMIT_KEYS) -> list[str]:
    """Each key of ``asked`` that is no limit, with one of ``known`` that is near, and each value out of its range."""
    rows = {spec.key: spec for spec in LIMITS}
    problems: list[str] = []
    for key, value in asked.items():
        spec = rows.get(key)
        if spec is None:
            problems.append(f"{key}: unknown key{did_you_mean(key, known)}")
        elif not 1 <= value <= spec.hard:
            problems.append(f"{key}: {value} is outside 1 … {spec.hard} {spec.unit}")
    return problems


def resolve_limits(asked: Mapping[str, int], allowed: Mapping[str, int]) -> Limits:
    """The lower of what the manifest asks for and what the operator (else the default) allows.

    Args:
        asked: ``[limits]`` of the manifest, by key, in the key's unit.
        allowed: The operator's ``[limits]`` for this plugin, by key; values up to ``hard``.
    """
    values: dict[str, int] = {}
    lowered: set[str] = set()
    tied: set[str] = set()
    for spec in LIMITS:
        ceiling = min(allowed.get(spec.key, spec.default), spec.hard)
        wanted = asked.get(spec.key, spec.hard + 1)
        values[spec.name] = min(wanted, ceiling) * spec.scale
        if wanted <= ceiling:
            (lowered if wanted < ceiling else tied).add(spec.name)
    return Limits(**values, lowered=frozenset(lowered), tied=frozenset(tied))


def exceeded(name: str, limits: Limits, *, plugin: str, used: int | None = None) -> LimitExceeded:
    """The error of limit ``name`` for ``plugin``: names the limit, its value, what was used, where to raise it."""
    spec, allowed = _BY_NAME[name], getattr(limits, name)
    value = allowed // spec.scale
    shown = f"{value} {spec.unit}"
    seen = "" if used is None else f", used {_in_unit(used, spec)}"
    return LimitExceeded(
        name,
        f"plugin '{plugin}' reached its limit {spec.key} = {shown} ({spec.what}{seen})",
        allowed=allowed,
        used=used,
        fix=limits.raising(name, plugin) + (f" (hard value {spec.hard})" if value < spec.hard else ""),
    )


def _in_unit(used: int, spec: LimitSpec) -> str:
    if spec.scale == 1:
        return f"{used} {spec.unit}"
    return f"{used / spec.scale:.1f} {spec.unit}"


# A row without a field, or the reverse.
if {spec.name for spec in LIMITS} != set(Limits.__slots__) - {"lowered", "tied"}:
    raise RuntimeError("LIMITS and Limits disagree")
