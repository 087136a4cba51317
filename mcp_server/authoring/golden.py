"""Runs golden cases: each as a new principal in the real runtime, or on what host functions answered before."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from mcp_server import __version__
from mcp_server.authoring.cases import Case, Located, Setting
from mcp_server.authoring.check import manifest_at
from mcp_server.authoring.errors import CasesInvalid
from mcp_server.authoring.failures import PluginRefused, ToolFailed
from mcp_server.authoring.loading import modules_beside, open_plugin_async
from mcp_server.authoring.matching import like
from mcp_server.authoring.seen import HostCall
from mcp_server.authoring.subject import AsyncPlugin
from mcp_server.authoring.tapes import Recorder, Tape
from mcp_server.authoring.telling import PATIENCE
from mcp_server.manifest.load import load_manifest

__all__ = ["Outcome", "run_cases"]

_SETTING = set(Setting.model_fields)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case went.

    Attributes:
        located: The case.
        value: What was answered; None where it failed.
        error: ``code: text``, where it failed.
        problem: Why that is not what was expected; empty where it is.
        milliseconds: In the plugin, with its host calls; of the whole call for a function that is no tool.
        memory: The largest resident size of its worker so far, in bytes.
        host_calls: What it asked of the host.
        replayed: Whether recorded answers were given.
    """

    located: Located
    value: Any = None
    error: str | None = None
    problem: str = ""
    milliseconds: float = 0.0
    memory: int = 0
    host_calls: tuple[HostCall, ...] = ()
    replayed: bool = False

    @property
    def passed(self) -> bool:
        return not self.problem

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        calls = [{"function": call.function, "outcome": call.outcome} for call in self.host_calls]
        return {
            "name": self.located.case.name,
            "file": str(self.located.file),
            "line": self.located.line,
            "passed": self.passed,
            "problem": self.problem or None,
            "value": self.value,
            "error": self.error,
            "milliseconds": round(self.milliseconds, 3),
            "memory_bytes": self.memory,
            "host_calls": calls,
            "replayed": self.replayed,
        }


async def run_cases(
    folder: Path,
    cases: Sequence[Located],
    *,
    record: bool = False,
    cache: Path | None = None,
    told: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Run ``cases`` on the plugin in ``folder``.

    Args:
        folder: With the manifest and the module.
        cases: Of :func:`read_cases`.
        record: Ask the real host functions, and keep what they answer.
        cache: For compiled code; the user's cache folder when omitted.
        told: Is told of each outcome as it comes.

    Raises:
        SettingsError: There is no manifest.
        ManifestError: It has problems, or there is no module yet.
        CasesInvalid: A recording cannot be read.
    """
    manifest = manifest_at(folder)
    beside = modules_beside(manifest)
    load_manifest(manifest, roots=(beside,) if beside else (), host_version=__version__)
    outcomes: list[Outcome] = []
    for _, group in groupby(cases, key=lambda located: located.setting.model_dump_json(include=_SETTING)):
        for outcome in await _run_group(manifest, list(group), record=record, cache=cache):
            told(outcome)
            outcomes.append(outcome)
    return outcomes


async def _run_group(manifest: Path, group: list[Located], *, record: bool, cache: Path | None) -> list[Outcome]:
    """The outcomes of cases that want the same setting, and so share a loaded plugin."""
    setting = group[0].setting
    options: dict[str, Any] = setting.model_dump()
    options["limits"] = {**PATIENCE, **setting.limits}
    recorder = Recorder()
    try:
        async with open_plugin_async(manifest, cache=cache, **options) as plugin:
            plugin.put_between(recorder.around)
            return [await _run(plugin, recorder, located, record=record) for located in group]
    except PluginRefused as refused:
        return [_judged(located, None, _words(refused)) for located in group]


async def _run(plugin: AsyncPlugin, recorder: Recorder, located: Located, *, record: bool) -> Outcome:
    plugin.renew()
    try:
        for memory in located.case.memories:
            await plugin.remember(**memory.model_dump(exclude_unset=True))
    except ToolFailed as failed:  # one of the plugin's own hooks
        return _judged(located, None, _words(failed))
    tape = _tape(located, record=record)
    if tape is not None:
        recorder.tapes[plugin.principal] = tape
    value, error, took = await _called(plugin, located.case)
    if record and tape is not None:
        tape.save(located.fixture)
    figures = {
        "milliseconds": sum(call.execute_ns + call.instantiate_ns for call in plugin.calls) / 1e6 or took,
        "memory": plugin.memory_peak(),
        "host_calls": tuple(plugin.host_calls),
        "replayed": tape is not None and tape.replaying,
    }
    return _judged(located, value, error, _tape_problem(tape), **figures)


async def _called(plugin: AsyncPlugin, case: Case) -> tuple[Any, str | None, float]:
    """The value, or ``code: text``, and milliseconds."""
    work: Callable[[], Awaitable[Any]]
    if case.tool is not None:
        tool = case.tool
        work = lambda: plugin.call(tool, case.given())  # noqa: E731  # one of two
    else:
        work = lambda: plugin.call_export(str(case.function), case.given())  # noqa: E731  # the other
    started = time.perf_counter()
    try:
        value, error = await work(), None
    except ToolFailed as failed:
        value, error = None, _words(failed)
    return value, error, (time.perf_counter() - started) * 1e3


def _tape(located: Located, *, record: bool) -> Tape | None:
    if record:
        return Tape()
    if not located.fixture.is_file():
        return None
    try:
        return Tape.load(located.fixture)
    except (OSError, ValueError) as error:
        raise CasesInvalid(f"{located.fixture}: {error}", fix="record it again: agentmem-mcp test --record") from None


def _tape_problem(tape: Tape | None) -> str:
    if tape is None:
        return ""
    problems = list(tape.problems)
    if tape.unused() and not problems:
        problems.append(f"it makes {tape.unused()} host calls fewer than recorded")
    return "; ".join(problems) + (" (agentmem-mcp test --record takes new ones)" if problems else "")


def _judged(located: Located, value: Any, error: str | None, problem: str = "", **figures: Any) -> Outcome:
    return Outcome(located, value, error, problem or _difference(located.case, value, error), **figures)


def _difference(case: Case, value: Any, error: str | None) -> str:
    if case.error is not None:
        wanted = " ".join(case.error.split())
        return "" if error is not None and like(wanted, error) else f"expected the error {wanted}"
    if error is not None:
        return "expected an answer" + (f": {_json(case.expected())}" if case.wants_a_value else "")
    if case.wants_a_value and not like(case.expected(), value):
        return f"expected {_json(case.expected())}"
    return ""


def _words(failure: PluginRefused | ToolFailed) -> str:
    return " ".join(f"{failure.code}: {failure.text}".split())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
