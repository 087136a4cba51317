"""The call, from top to bottom: find → validate → authorise → limit → run → result. Plain values in and out."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mcp_server.capabilities.base import CallContext, LogLine
from mcp_server.errors import AgentMemError, Busy, InvalidArguments, PluginNotFound, ToolNotFound
from mcp_server.memory.bounds import UNBOUND, Bounds
from mcp_server.policy.limits import Limits, exceeded
from mcp_server.policy.narrowing import WIDE, Narrowing
from mcp_server.policy.rights import Rights
from mcp_server.registry.version import Asking, PluginVersion
from mcp_server.runtime.outcome import CallResult
from mcp_server.runtime.runner import PluginRunner
from mcp_server.runtime.turnstile import TurnedAway, Turnstile
from mcp_server.telemetry.calls import CallRecorder
from mcp_server.tools.call_end import note_end
from mcp_server.tools.catalog import Tool
from mcp_server.tools.consent import Ask, Consents, Subject, nobody_to_ask
from mcp_server.tools.json_text import JsonProblem, depth_of, write
from mcp_server.tools.results import ToolResult, shape_result
from mcp_server.tools.views import Views

if TYPE_CHECKING:
    from mcp_server.telemetry.tracing import Tracing

__all__ = ["Caller", "Invoker", "plain_context"]

_numbers = itertools.count(1)


def _nowhere(line: LogLine) -> None:
    """The default sink: whoever does not ask for a plugin's log lines does not get them."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the transport knows it.

    Attributes:
        principal: ``local`` on stdio and in the library, the token's subject over HTTP.
        session: The client's session; empty where the transport has none.
        depth: How many tool or hook calls this one is nested in.
        in_hook: Whether this is a hook's call.
        bounds: The agent and the run that the call is for, where the client said so.
        log: Also gets the plugin's log lines, beside the server's own log.
        ask: Puts a question to the user, where a plugin may run only with their consent.
    """

    principal: str = "local"
    session: str = ""
    depth: int = 0
    in_hook: bool = False
    bounds: Bounds = UNBOUND
    log: Callable[[LogLine], None] = _nowhere
    ask: Ask = nobody_to_ask


class Invoker:
    """Calls tools of whatever catalogue is current.

    Args:
        views: Give the current catalogue, and what is taken from whom.
        recorder: Told of every call.
        log: Gets every plugin log line.
        per_principal: Calls one principal may have in flight.
        line: Calls of one principal that may wait.
        consents: What users allowed.
    """

    def __init__(
        self,
        views: Views,
        recorder: CallRecorder,
        log: Callable[[LogLine], None],
        *,
        per_principal: int,
        line: int,
        consents: Consents | None = None,
    ) -> None:
        self._views = views
        self._recorder = recorder
        self._log = log
        self._per_principal = per_principal
        self._line = line
        self._consents = consents or Consents()
        self._principals: dict[str, Turnstile] = {}
        self.tracing: Tracing | None = None
        """Traces calls of plugins; nobody does until it is set."""

    async def invoke(self, name: str, arguments: object, caller: Caller) -> ToolResult:
        """Call tool ``name``.

        Raises:
            ToolNotFound: There is none for this caller.
            InvalidArguments: They do not fit its input schema; the plugin did not run.
            CallError: The call failed.
        """
        try:
            tool = self._views.of(caller.principal).find(name)
        except ToolNotFound:
            self._recorder.not_found += 1
            raise
        return await self.run(tool, arguments, caller)

    async def run(self, tool: Tool, arguments: object, caller: Caller) -> ToolResult:
        """Call ``tool``, also one of the host's own that no client is shown.

        Raises:
            InvalidArguments: They do not fit its input schema; it did not run.
            CallError: The call failed.
        """
        with tool.runner.leased():
            return await self._call(tool, arguments, caller)

    def context(self, version: PluginVersion, runner: PluginRunner, caller: Caller) -> CallContext:
        """The context of a call that goes past the catalogue.

        Raises:
            PluginNotFound: The caller may call nothing of that plugin.
        """
        narrowing, plugin = self._views.narrowing(caller.principal), runner.runnable.plugin
        if not narrowing.shows(plugin, own=False):
            raise PluginNotFound(f"there is no plugin '{plugin}' for this caller", fix="see [principals]")
        return plain_context(version, runner, caller, self._log, narrowing)

    async def _call(self, tool: Tool, arguments: object, caller: Caller) -> ToolResult:
        digest = tool.version.module.sha256 if tool.version is not None else ""
        narrowing = self._views.narrowing(caller.principal)
        context = _context(tool.plugin, tool.rights, tool.limits, tool.config, caller, self._log, digest, narrowing)
        started = time.perf_counter_ns()
        result: CallResult | None = None
        outcome = "ok"
        try:
            data = encode_arguments(tool, arguments, context.call_id)
            _check_depth(tool, caller)
            if tool.version is not None and tool.version.word.asking is not Asking.NO:
                subject = _subject(tool, tool.version, caller)
                await self._consents.obtain(subject, cast("Mapping[str, Any]", arguments), caller.ask)
            if self.tracing is not None and tool.version is not None:
                context.trace = self.tracing.call(tool.plugin, tool.function)
            turnstile = await self._enter(tool, caller, context)
            try:
                result = await tool.runner.call(tool.function, data, context)
            finally:
                self._leave(caller, turnstile)
            shaped = shape_result(tool, result.output)
            outcome = "tool_error" if shaped.is_error else "ok"
            return shaped
        except AgentMemError as error:
            outcome = error.error_code
            raise
        except Exception:
            outcome = AgentMemError.code
            raise
        except BaseException:
            outcome = "cancelled"
            raise
        finally:
            note_end(self._recorder, context, tool.name, outcome, started, result)

    async def _enter(self, tool: Tool, caller: Caller, context: CallContext) -> Turnstile:
        most = context.narrowing.share(self._per_principal)
        turnstile = self._principals.get(caller.principal)
        if turnstile is None:
            turnstile = self._principals[caller.principal] = Turnstile(most, self._line)
        asked = time.perf_counter_ns()
        try:
            await turnstile.enter(tool.limits.execution_time / 1_000)
        except TurnedAway:
            raise Busy(
                f"'{caller.principal}' has {most} calls in flight, which is the most; retry later",
                fix="raise runtime.max_calls_per_principal in the server's configuration"
                + ("" if most == self._per_principal else ", and max_calls of that principal in [principals]"),
                data={"retry_after_ms": 1_000},
            ) from None
        finally:
            context.usage.queue_ns += time.perf_counter_ns() - asked
        return turnstile

    def _leave(self, caller: Caller, turnstile: Turnstile) -> None:
        turnstile.leave()
        if not turnstile.inside and not turnstile.waiting:
            self._principals.pop(caller.principal, None)  # principals come and go; nothing may pile up


def plain_context(
    version: PluginVersion,
    runner: PluginRunner,
    caller: Caller,
    log: Callable[[LogLine], None],
    narrowing: Narrowing = WIDE,
) -> CallContext:
    """The context of one call: everything in it comes from the caller's authentication and the frozen version."""
    runnable = runner.runnable
    rights, limits, config = version.rights, runnable.limits, runnable.config
    return _context(runnable.plugin, rights, limits, config, caller, log, runnable.digest, narrowing)


def _context(
    plugin: str,
    rights: Rights,
    limits: Limits,
    config: Mapping[str, Any],
    caller: Caller,
    log: Callable[[LogLine], None],
    digest: str,
    narrowing: Narrowing,
) -> CallContext:
    def both(line: LogLine) -> None:
        log(line)
        caller.log(line)

    return CallContext(
        plugin=plugin,
        principal=caller.principal,
        session=caller.session,
        call_id=f"c{next(_numbers)}",
        rights=narrowing.rights(rights),
        limits=narrowing.limit(limits),
        config=config,
        depth=caller.depth,
        in_hook=caller.in_hook,
        bounds=caller.bounds,
        deadline=time.monotonic() + limits.execution_time / 1_000,
        log=both,
        digest=digest,
        narrowing=narrowing,
    )


def encode_arguments(tool: Tool, arguments: object, call_id: str) -> bytes:
    """The guest's input for ``arguments``, checked against the tool's schema first.

    Raises:
        InvalidArguments: With every problem and its path.
        LimitExceeded: They are too long or too deep.
    """
    if not isinstance(arguments, Mapping):
        raise _invalid(tool, [f"(root): arguments must be an object, got {type(arguments).__name__}"])
    given = cast("Mapping[str, Any]", arguments)
    try:
        data = write(given)
    except JsonProblem as problem:
        raise _invalid(tool, [f"(root): is {problem}"]) from None
    limits = tool.limits
    if len(data) > limits.input_bytes:
        raise exceeded("input_bytes", limits, plugin=tool.plugin, used=len(data))
    if data.count(b"[") + data.count(b"{") > limits.json_depth:
        depth = depth_of(given)
        if depth > limits.json_depth:
            raise exceeded("json_depth", limits, plugin=tool.plugin, used=depth)
    problems = tool.input.problems(given)
    if problems:
        raise _invalid(tool, problems)
    if tool.operation is not None:
        return write({"id": call_id, "operation": tool.operation, "data": given, "metadata": {}})
    return str(given["text"]).encode("utf-8") if tool.takes == "text" else data


def _subject(tool: Tool, version: PluginVersion, caller: Caller) -> Subject:
    stated = version.source.manifest.plugin.version
    return Subject(
        tool.plugin, stated, version.digest, tool.name, version.word.asking, caller.principal, caller.session
    )


def _check_depth(tool: Tool, caller: Caller) -> None:
    if caller.depth >= tool.limits.recursion:
        raise exceeded("recursion", tool.limits, plugin=tool.plugin, used=caller.depth + 1)


def _invalid(tool: Tool, problems: list[str]) -> InvalidArguments:
    return InvalidArguments(
        f"the arguments of '{tool.name}' do not fit its input schema: {'; '.join(problems)}",
        data={"tool": tool.name, "problems": problems},
    )
