"""``bench``: how long a function takes, how often it can be called, and how much memory that takes.

A call goes the server's way: from this process to a worker and back, with every wall and every check of the runtime,
without MCP and without schemas.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio

from mcp_server.authoring.failures import PluginRefused, ToolFailed
from mcp_server.authoring.loading import open_plugin_async
from mcp_server.authoring.subject import AsyncPlugin
from mcp_server.authoring.telling import PATIENCE
from mcp_server.worker.frames import Mode

__all__ = ["Figures", "measure"]

WARM_UP = 20
_MODES = {"call": Mode.CALL, "shared": Mode.SHARED}


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured in one isolation.

    Attributes:
        isolation: ``call``: a fresh instance for each call; ``shared``: instances are used again.
        calls: How many calls were made one after another.
        p50_ms: The time that half of those stayed under.
        p99_ms: The time that 99 of 100 of those stayed under.
        at_once: How many calls were in flight for the rate.
        per_second: Calls that ended in a second then.
        memory_bytes: The largest resident size of a worker.
    """

    isolation: str
    calls: int
    p50_ms: float
    p99_ms: float
    at_once: int
    per_second: float
    memory_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


async def measure(
    place: Path,
    function: str,
    data: bytes,
    *,
    seconds: float,
    at_once: int,
    grants: Mapping[str, Any] | None = None,
    cache: Path | None = None,
) -> list[Figures]:
    """Call ``function`` of the plugin at ``place`` with ``data``, again and again, in each isolation.

    Args:
        place: Its folder, its ``plugin.toml`` or a module.
        function: An export, or the word of a tool.
        data: The input.
        seconds: How long, for each isolation.
        at_once: How many calls are in flight when the rate is measured.
        grants: As in :func:`open_plugin_async`.
        cache: For compiled code; the user's cache folder when omitted.

    Raises:
        AgentMemError: It cannot be loaded, or the call fails.
    """
    try:
        async with open_plugin_async(place, grants=grants, limits=PATIENCE, cache=cache) as plugin:
            tool = plugin.tools.get(function)
            export = tool.function if tool is not None else function
            found: list[Figures] = []
            for name, mode in _MODES.items():
                found.append(await _measure(plugin.with_isolation(mode), name, export, data, seconds, at_once))
            return found
    except (PluginRefused, ToolFailed) as failure:
        raise failure.as_error() from None


async def _measure(
    plugin: AsyncPlugin, isolation: str, export: str, data: bytes, seconds: float, at_once: int
) -> Figures:
    for _ in range(WARM_UP):
        await plugin.call_raw(export, data)
    times = await _one_by_one(plugin, export, data, seconds / 2)
    rate = await _together(plugin, export, data, seconds / 2, at_once)
    times.sort()
    p50, p99 = (times[min(int(len(times) * share), len(times) - 1)] / 1e6 for share in (0.5, 0.99))
    return Figures(isolation, len(times), round(p50, 4), round(p99, 4), at_once, round(rate, 1), plugin.memory_peak())


async def _one_by_one(plugin: AsyncPlugin, export: str, data: bytes, seconds: float) -> list[int]:
    """Nanoseconds of each call; at least one is made."""
    times: list[int] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        started = time.perf_counter_ns()
        await plugin.call_raw(export, data)
        times.append(time.perf_counter_ns() - started)
    return times


async def _together(plugin: AsyncPlugin, export: str, data: bytes, seconds: float, at_once: int) -> float:
    """Calls a second with ``at_once`` in flight."""
    ended = 0
    started = time.perf_counter()

    async def call_on() -> None:
        nonlocal ended
        while time.perf_counter() < started + seconds:
            await plugin.call_raw(export, data)
            ended += 1

    try:
        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(call_on)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return ended / (time.perf_counter() - started)
