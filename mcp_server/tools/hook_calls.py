"""How a hook of the memory engine is called: as a plugin's function, on its runner, within its budget, recorded.

What hooks may do to an operation is the memory engine's affair; this knows plugins, and no memories.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio

from mcp_server.capabilities.base import CallContext, LogLine
from mcp_server.errors import AgentMemError, LimitExceeded, PluginUnavailable
from mcp_server.memory.breaker import Breaker
from mcp_server.memory.hooks import AnswerRefused, Hook, Point, Scope
from mcp_server.policy.limits import exceeded
from mcp_server.policy.narrowing import Narrowing
from mcp_server.registry.lifecycle import State
from mcp_server.registry.record import PluginRecord
from mcp_server.registry.version import PluginVersion
from mcp_server.runtime.outcome import CallResult
from mcp_server.runtime.runner import PluginRunner
from mcp_server.telemetry.calls import CallRecorder
from mcp_server.tools.call_end import note_end
from mcp_server.tools.invoke import Caller, plain_context
from mcp_server.tools.json_text import JsonProblem, parse, write

if TYPE_CHECKING:
    from mcp_server.telemetry.tracing import Tracing

__all__ = ["BoundHook", "HookCaller", "hooks_of"]

logger = logging.getLogger(__name__)
T = TypeVar("T")
_REFUSED = "hook_answer_refused"


@dataclass(frozen=True, slots=True)
class BoundHook:
    """A hook of one version of one plugin.

    Attributes:
        runner: None while its plugin is held back: then it can only fail.
        owner: Records its calls and takes its log lines.
    """

    hook: Hook
    breaker: Breaker
    version: PluginVersion
    runner: PluginRunner | None
    owner: HookCaller

    async def call(self, scope: Scope, given: Mapping[str, Any], judge: Callable[[Any], T]) -> T:
        """As :class:`~mcp_server.memory.hooked.HookCall` says."""
        runner = self.runner
        if runner is None:
            raise PluginUnavailable(f"plugin '{self.hook.plugin}' is held back", data={"plugin": self.hook.plugin})
        # A session of the hook's own: the tool call that this is part of may hold the instance of the caller's.
        session, bounds = f"{scope.session}/hooks", scope.bounds
        caller = Caller(scope.principal, session, depth=scope.depth + 1, in_hook=True, bounds=bounds)
        narrowing = self.owner.narrowing(scope.principal)
        context = plain_context(self.version, runner, caller, self.owner.log, narrowing)
        if self.owner.tracing is not None:
            context.trace = self.owner.tracing.call(self.hook.plugin, self.hook.point)
        started, outcome, result = time.perf_counter_ns(), "ok", None
        try:
            result = await self._run(runner, given, context)
            return judge(_parsed(result.output, runner.runnable.limits.json_depth))
        except AnswerRefused:
            outcome = _REFUSED
            raise
        except AgentMemError as error:
            outcome = error.error_code
            raise
        except Exception:  # a call's boundary: what nobody foresaw must not end the operation, or the queue
            outcome = AgentMemError.code
            logger.exception("hook %s of plugin %s failed", self.hook.point, self.hook.plugin)
            raise AgentMemError(f"the host failed in call {context.call_id}; see its log") from None
        except BaseException:
            outcome = "cancelled"
            raise
        finally:
            tool = f"{self.hook.plugin}:{self.hook.point}"
            note_end(self.owner.recorder, context, tool, outcome, started, result)

    async def _run(self, runner: PluginRunner, given: Mapping[str, Any], context: CallContext) -> CallResult:
        hook, limits = self.hook, runner.runnable.limits
        if context.depth >= limits.recursion:
            raise exceeded("recursion", limits, plugin=hook.plugin, used=context.depth + 1)
        await runner.warm()  # a worker's start is bounded by its own limit; the budget is for the plugin's work
        try:
            with anyio.fail_after(hook.budget_ms / 1_000):
                return await runner.call(hook.function, write(given), context)
        except TimeoutError:
            raise LimitExceeded(
                "hook_budget",
                f"it took longer than its budget of {hook.budget_ms} ms",
                allowed=hook.budget_ms,
                fix=f"raise budget_ms of [hooks] {hook.point} in the plugin.toml of '{hook.plugin}'",
            ) from None


class HookCaller:
    """The hooks that are in force: those of the plugins that serve and may hook.

    Args:
        recorder: Told of every call.
        log: Gets the plugins' log lines.
        narrowing: What is taken from a principal; hooks run for everybody, and with no more than that leaves them.
    """

    def __init__(
        self, recorder: CallRecorder, log: Callable[[LogLine], None], narrowing: Callable[[str], Narrowing]
    ) -> None:
        self.recorder, self.log, self.narrowing = recorder, log, narrowing
        self._bound: dict[Point, tuple[BoundHook, ...]] = {}
        self.tracing: Tracing | None = None
        """Traces the calls; nobody does until it is set."""

    def bind(self, records: Iterable[PluginRecord]) -> None:
        """Take the hooks of ``records``; a hook of a version that was bound before keeps its breaker."""
        breakers = {(one.hook, one.version.digest): one.breaker for bound in self._bound.values() for one in bound}
        found: dict[Point, list[BoundHook]] = {}
        for record in records:
            version = record.version
            # A plugin in Error keeps its hooks, which then fail: what is fail-closed must not open with a bad reload.
            if version is None or not version.rights.hooks or not (record.serving or record.state is State.ERROR):
                continue
            for hook in hooks_of(version):
                breaker = breakers.get((hook, version.digest)) or Breaker()
                runner = record.runner if record.serving else None
                found.setdefault(hook.point, []).append(BoundHook(hook, breaker, version, runner, self))
        self._bound = {
            point: tuple(sorted(hooks, key=lambda one: (one.hook.order, one.hook.plugin)))
            for point, hooks in found.items()
        }

    def any(self, point: Point) -> bool:
        """Whether there are hooks at ``point``."""
        return point in self._bound

    @contextmanager
    def held(self, point: Point) -> Generator[Sequence[BoundHook]]:
        """The hooks at ``point``; a reload waits for whoever holds them, so that it fails none."""
        bound = self._bound.get(point, ())
        with ExitStack() as leases:
            for one in bound:
                if one.runner is not None:
                    leases.enter_context(one.runner.leased())
            yield bound

    def held_back(self) -> list[str]:
        """``<plugin>:<point>`` of every hook whose breaker is open."""
        every = [one for bound in self._bound.values() for one in bound]
        return sorted(f"{one.hook.plugin}:{one.hook.point}" for one in every if one.breaker.is_open)


def hooks_of(version: PluginVersion) -> list[Hook]:
    """The hooks that the manifest of ``version`` names, whether they may run or not."""
    manifest = version.source.manifest
    return [
        Hook(
            plugin=manifest.plugin.id,
            point=cast("Point", point),
            function=entry.function,
            order=entry.order,
            budget_ms=entry.budget_for(point),
            closed=entry.on_failure == "closed",
        )
        for point, entry in manifest.hooks.entries()
    ]


def _parsed(output: bytes, max_depth: int) -> Any:
    try:
        return parse(output, max_depth) if output else None
    except JsonProblem as problem:
        raise AnswerRefused(f"is {problem}") from None
