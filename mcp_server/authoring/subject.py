"""A loaded plugin under test: :class:`AsyncPlugin`, and :class:`Plugin` for tests that are plain functions.

Each is one principal's view: what it stores and logs is apart from what the plugin does for another principal.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from anyio.from_thread import BlockingPortal

from mcp_server.authoring.failures import ToolFailed
from mcp_server.authoring.seen import HostCall, ToolFacts, host_call, tool_facts
from mcp_server.capabilities.base import CallContext, HostFunction, LogLine
from mcp_server.errors import AgentMemError
from mcp_server.host import PluginHost
from mcp_server.memory.hooks import PRINCIPAL_SPACE, Scope
from mcp_server.memory.model import memory_as_json
from mcp_server.memory.requests import AddMemory, ListMemories
from mcp_server.registry.version import PluginVersion
from mcp_server.runtime.runner import PluginRunner
from mcp_server.services import log_plugin
from mcp_server.telemetry.calls import CallRecord
from mcp_server.tools.catalog import SEPARATOR
from mcp_server.tools.invoke import Caller, plain_context
from mcp_server.tools.results import ToolResult
from mcp_server.worker.frames import Mode

__all__ = ["AsyncPlugin", "Plugin"]

T = TypeVar("T")
Json = dict[str, Any]
_numbers = itertools.count(1)


class AsyncPlugin:
    """A loaded plugin, called from async code on asyncio.

    Args:
        host: Where it is loaded.
        version: What is loaded.
        runner: What runs it.

    Attributes:
        id: Its id.
        tools: Its tools by the word after ``<id>__``.
        principal: For whom it is called; see :meth:`renew`.
        logs: The lines it logged in calls made here, in order.
        host_calls: The host functions it called, in the order of their answers.
        calls: The figures of calls of its tools that ended, in order.
    """

    def __init__(self, host: PluginHost, version: PluginVersion, runner: PluginRunner) -> None:
        self._host, self._version, self._runner = host, version, runner
        self.id = version.source.manifest.plugin.id
        shown = [tool for tool in host.catalog.tools.values() if tool.plugin == self.id and tool.version is not None]
        self.tools: Mapping[str, ToolFacts] = {
            tool.name.removeprefix(f"{self.id}{SEPARATOR}"): tool_facts(tool) for tool in shown
        }
        self.renew()
        host.fleet.bridge.listeners.append(self._heard)
        host.recorder.listeners.append(self._counted)

    def renew(self, principal: str | None = None) -> None:
        """Go on as ``principal``, a new one when omitted: no memories, values, log lines or host calls yet."""
        self.principal = principal or f"tester-{next(_numbers)}"
        self.logs: list[LogLine] = []
        self.host_calls: list[HostCall] = []
        self.calls: list[CallRecord] = []

    async def call(self, tool: str, arguments: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """Call a tool as a client would, with all checks; the plain value of its answer.

        Args:
            tool: The word of :attr:`tools`.
            arguments: For names that are no Python words.
            named: The other arguments.

        Returns:
            The JSON value; the text where the tool answers text; the content blocks where it answers neither.

        Raises:
            ToolFailed: With code and text.
        """
        result = await self.result(tool, arguments, **named)
        if result.has_structured:
            return result.structured
        texts = [block["text"] for block in result.content if block["type"] == "text"]
        return "\n".join(texts) if len(texts) == len(result.content) else result.content

    async def result(self, tool: str, arguments: Mapping[str, Any] | None = None, /, **named: Any) -> ToolResult:
        """As :meth:`call`, with everything that a client gets: content blocks, JSON value, notes.

        Raises:
            ToolFailed: With code and text; also where the tool marked its own content as an error.
        """
        with _failures():
            name = f"{self.id}{SEPARATOR}{tool}"
            result = await self._host.call_tool(name, {**(arguments or {}), **named}, self._caller())
        if result.is_error:
            texts = [str(block.get("text", "")) for block in result.content]
            raise ToolFailed("tool_error", "\n".join(texts))
        return result

    async def call_raw(self, export: str, data: bytes = b"") -> bytes:
        """Call an exported function with bytes that nobody checks; what it answered, unchecked too.

        Raises:
            ToolFailed: With code and text.
        """
        context = plain_context(self._version, self._runner, self._caller(), log_plugin)
        with _failures(), self._runner.leased():
            return (await self._runner.call(export, data, context)).output

    async def call_export(self, export: str, value: Any = None) -> Any:
        """Call any export with a JSON value, such as ``metadata`` or a hook's function; the JSON value of its answer.

        Raises:
            ToolFailed: With code and text.
        """
        with _failures():
            return await self._host.call(self.id, export, value, self._caller())

    async def remember(self, content: str, **more: Any) -> Json:
        """Store a memory where the plugin finds it, with the hooks that are granted; the memory as it is stored.

        Args:
            content: What to remember.
            more: Other fields of ``add_memory``, such as ``metadata``.

        Raises:
            ToolFailed: A hook refused it.
        """
        with _failures():
            added = await self._host.memories().add(self._scope(), AddMemory(content=content, **more))
        return dict(memory_as_json(added.record))

    def put_between(self, between: Callable[[HostFunction], HostFunction]) -> None:
        """Let what ``between`` gives answer in place of each host function; rights and limits stay as they are."""
        self._host.fleet.bridge.put_between(between)

    def with_isolation(self, isolation: Mode) -> AsyncPlugin:
        """The same version, run by workers of its own with another isolation."""
        runnable = replace(self._runner.runnable, isolation=isolation)
        return AsyncPlugin(self._host, self._version, self._host.fleet.runner(runnable))

    def memory_peak(self) -> int:
        """The largest resident size that a worker of it had, in bytes; 0 where the system does not tell."""
        return self._runner.memory_peak()

    async def stored(self) -> list[Json]:
        """The principal's memories that the plugin can see, the newest first."""
        found: list[Json] = []
        cursor: str | None = None
        while True:
            page = await self._host.memories().list(self._scope(), ListMemories(cursor=cursor))
            found += [dict(memory_as_json(record)) for record in page.records]
            cursor = page.cursor
            if cursor is None:
                return found

    def _scope(self) -> Scope:
        return Scope(self.principal, PRINCIPAL_SPACE if self._version.rights.shares_memories else self.id)

    def _caller(self) -> Caller:
        return Caller(self.principal, session=self.principal, log=self.logs.append)

    def _heard(self, context: CallContext, function: str, request: bytes, outcome: str, took: int) -> None:
        del took
        if context.plugin == self.id and context.principal == self.principal:
            self.host_calls.append(host_call(function, request, outcome))

    def _counted(self, record: CallRecord) -> None:
        if record.plugin == self.id and record.principal == self.principal:
            self.calls.append(record)


class Plugin:
    """A loaded plugin, called from plain functions. Everything is as in :class:`AsyncPlugin`, without ``await``."""

    def __init__(self, portal: BlockingPortal, inner: AsyncPlugin) -> None:
        self._portal, self._inner = portal, inner
        self.id, self.tools = inner.id, inner.tools

    @property
    def principal(self) -> str:
        """For whom it is called; see :meth:`renew`."""
        return self._inner.principal

    @property
    def logs(self) -> list[LogLine]:
        """The lines it logged, in order."""
        return self._inner.logs

    @property
    def host_calls(self) -> list[HostCall]:
        """The host functions it called, in the order of their answers."""
        return self._inner.host_calls

    @property
    def memories(self) -> list[Json]:
        """The principal's memories that the plugin can see, the newest first."""
        return self._wait(self._inner.stored)

    def renew(self, principal: str | None = None) -> None:
        """Go on as ``principal``, a new one when omitted: no memories, values, log lines or host calls yet."""
        self._inner.renew(principal)

    def call(self, tool: str, arguments: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """See :meth:`AsyncPlugin.call`."""
        return self._wait(lambda: self._inner.call(tool, arguments, **named))

    def result(self, tool: str, arguments: Mapping[str, Any] | None = None, /, **named: Any) -> ToolResult:
        """See :meth:`AsyncPlugin.result`."""
        return self._wait(lambda: self._inner.result(tool, arguments, **named))

    def call_raw(self, export: str, data: bytes = b"") -> bytes:
        """See :meth:`AsyncPlugin.call_raw`."""
        return self._wait(lambda: self._inner.call_raw(export, data))

    def call_export(self, export: str, value: Any = None) -> Any:
        """See :meth:`AsyncPlugin.call_export`."""
        return self._wait(lambda: self._inner.call_export(export, value))

    def remember(self, content: str, **more: Any) -> Json:
        """See :meth:`AsyncPlugin.remember`."""
        return self._wait(lambda: self._inner.remember(content, **more))

    def _wait(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return self._portal.call(work)


@contextmanager
def _failures() -> Generator[None]:
    try:
        yield
    except AgentMemError as error:
        raise ToolFailed.of(error) from error
