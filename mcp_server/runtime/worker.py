"""One worker process of one plugin version, from its order to its end: load, stop a call, kill, mourn.

Which call goes to which worker is the runner's business; how frames look is the channel's.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio

from mcp_server.errors import AgentMemError, PluginUnavailable
from mcp_server.policy.limits import exceeded
from mcp_server.runtime import patience
from mcp_server.runtime.channel import Holder, LoadRefused, Pending, WorkerChannel, WorkerGone
from mcp_server.runtime.launcher import Launcher, WorkerProcess
from mcp_server.runtime.modules import ModuleStore
from mcp_server.runtime.outcome import crash_error, load_error
from mcp_server.runtime.runnable import Runnable

__all__ = ["Worker"]

STOP_GRACE = 0.04
"""Seconds between asking a guest to stop and killing its worker, when no other call shares the worker."""
SHARED_STOP_GRACE = 0.4
"""The same when other calls would die with it: a busy machine may need that long to deliver the stop."""
EXIT_STATUS_PATIENCE = 0.5
FAREWELL = 1.0
"""Seconds in which kept instances may run their ``stop`` before the process is killed."""
GUEST_MEMORY_SHARES = 3
"""How many instances may use their whole memory limit at once in one worker; the data limit follows."""
LANE_DATA = 5 * 1024 * 1024 // 2
"""Bytes of data limit for each call that may run: a thread's stack of 2 MiB counts whole, and an engine of its own."""


class Worker:
    """One process.

    Args:
        runnable: What it loads.
        launcher: Starts and kills it.
        modules: Where the bytes are.
        on_host: Called for each host call of a guest.
        on_end: Called once when it can serve no more; True when it ended by itself, a crash.
    """

    def __init__(
        self,
        runnable: Runnable,
        launcher: Launcher,
        modules: ModuleStore,
        on_host: Callable[[Worker, Pending, int, int, bytes], None],
        on_end: Callable[[Worker, bool], None],
    ) -> None:
        self.runnable = runnable
        self.ready = anyio.Event()  # loaded, or failed to
        self.error: AgentMemError | None = None
        self.facts: dict[str, Any] = {}
        self.in_flight = 0
        self.last_used = time.monotonic()
        self.exit_status: int | None = None
        self.channel: WorkerChannel | None = None
        self._launcher = launcher
        self._modules = modules
        self._on_host = on_host
        self._on_end = on_end
        self._process: WorkerProcess | None = None
        self._reaped = anyio.Event()
        self._wanted_end = False
        self._doomed = False  # killed for a call that could not be stopped
        self._over = False
        self._loaded = False

    @property
    def usable(self) -> bool:
        """Whether calls may be given to it, now or when it is ready."""
        return self.error is None and not (self._over or self._wanted_end or self._doomed)

    @property
    def pid(self) -> int:
        """Its process id, 0 before the launcher knows it; for people and measurements."""
        return self._process.pid if self._process else 0

    @property
    def serving(self) -> bool:
        """Whether calls can be given to it now."""
        return self._loaded and not (self._over or self._wanted_end or self._doomed)

    def begin(self, export: int, payload: bytes, context: object, holder: Holder, *, many: bool) -> Pending:
        """Send one call; the holder is told when the worker is done with it."""
        channel = self.channel
        if channel is None:
            raise RuntimeError("a worker that is not loaded was given a call")
        self.in_flight += 1
        return channel.call(export, self.runnable.isolation, payload, context, holder, many=many)

    async def load(self) -> None:
        """Start the process and load the module; sets ``ready``, and ``error`` when it failed."""
        try:
            await self._start()
            self._loaded = True
        except (AgentMemError, OSError) as error:
            self.error = error if isinstance(error, AgentMemError) else self._unstartable(error)
            self._finish("not loaded", crashed=not isinstance(self.error, PluginUnavailable))
            self.kill()
        finally:
            self.last_used = time.monotonic()
            self.ready.set()

    def stop_call(self, pending: Pending, reason: str) -> None:
        """Ask a guest to stop; kill the process when it does not."""
        channel = self.channel
        if channel is None or pending.id not in channel.pending:
            return
        channel.stop(pending, reason)
        asyncio.get_running_loop().call_later(STOP_GRACE, self._kill_if_alone, pending)

    async def gone_error(self, pending: Pending, function: str) -> AgentMemError:
        """Why a call got no answer."""
        limits, plugin = self.runnable.limits, self.runnable.plugin
        if pending.stopped == "execution_time":
            return exceeded("execution_time", limits, plugin=plugin)
        if self._wanted_end:
            return PluginUnavailable(f"plugin '{plugin}' was stopped", data={"plugin": plugin})
        if self._doomed:
            return PluginUnavailable(
                f"the worker of plugin '{plugin}' was ended: another call in it could not be stopped",
                fix="call again; the next call gets a new worker",
                data={"plugin": plugin},
            )
        return await self._crash(function)

    def end(self) -> None:
        """End it on purpose: the closed channel lets it go, the kill makes sure."""
        self._wanted_end = True
        self._finish("ended on purpose", crashed=False)
        if "stop" in self.runnable.lifecycle:
            asyncio.get_running_loop().call_later(FAREWELL, self.kill)
        else:
            self.kill()

    def kill(self) -> None:
        """SIGKILL; does nothing when it is dead."""
        if self._process is not None:
            self._launcher.kill(self._process)

    async def _start(self) -> None:
        limits, digest = self.runnable.limits, self.runnable.digest
        wasm = await self._modules.fetch(digest)
        self._process, socket = self._launcher.spawn(
            memory=limits.memory * GUEST_MEMORY_SHARES + limits.concurrency * LANE_DATA,
            load_seconds=-(-limits.load_time // 1_000),
            cache=self._modules.code_folder(digest),
            ended=self._exited,
        )
        self.channel = WorkerChannel(
            socket,
            max_output=limits.output_bytes,
            on_host=partial(self._on_host, self),
            on_gone=self._gone,
        )
        self.channel.load(self.runnable.load_order(), wasm)
        self.facts = await self._await_loaded(self.channel)

    async def _await_loaded(self, channel: WorkerChannel) -> dict[str, Any]:
        limits, plugin = self.runnable.limits, self.runnable.plugin
        try:
            return await patience.within(limits.load_time / 1_000, channel.loaded, self._processor_seconds)
        except TimeoutError:
            raise exceeded("load_time", limits, plugin=plugin) from None
        except LoadRefused as refused:
            self._wanted_end = True  # the worker did its work: it said no
            raise load_error(refused.status, refused.text, plugin, limits) from None
        except WorkerGone:
            if self._wanted_end:
                raise PluginUnavailable(f"plugin '{plugin}' was stopped", data={"plugin": plugin}) from None
            crash = await self._crash("loading")
            if self.exit_status in (-signal.SIGXCPU, -signal.SIGKILL):  # RLIMIT_CPU stands at the load time
                raise exceeded("load_time", limits, plugin=plugin) from None
            raise crash from None

    def _processor_seconds(self) -> float:
        return patience.processor_seconds(self._process.pid) if self._process is not None else 0.0

    async def _crash(self, doing: str) -> AgentMemError:
        with anyio.move_on_after(EXIT_STATUS_PATIENCE):
            await self._reaped.wait()
        return crash_error(self.runnable.plugin, doing, self.exit_status)

    def _kill_if_alone(self, pending: Pending) -> None:
        if self.in_flight == 1:
            self._kill_if_running(pending)
        else:  # calls that came after the stop would die with it, too
            rest = SHARED_STOP_GRACE - STOP_GRACE
            asyncio.get_running_loop().call_later(rest, self._kill_if_running, pending)

    def _kill_if_running(self, pending: Pending) -> None:
        if self.channel is not None and pending.id in self.channel.pending:
            self._doomed = True  # no new calls; and its death is no crash, for it was asked for
            self.kill()

    def _unstartable(self, error: OSError) -> AgentMemError:
        return PluginUnavailable(
            f"no worker of plugin '{self.runnable.plugin}' can be started: {error.strerror}",
            fix=f"look at {error.filename}" if error.filename else "",
            data={"plugin": self.runnable.plugin},
        )

    def _gone(self, reason: str) -> None:
        if self.ready.is_set():  # else whoever loads it knows better what became of it
            self._finish(reason, crashed=True)

    def _finish(self, reason: str, *, crashed: bool) -> None:
        if self._over:
            return
        self._over = True
        if self.channel is not None:
            self.channel.close(reason)
        self._on_end(self, crashed and not (self._wanted_end or self._doomed))

    def _exited(self, status: int) -> None:
        self.exit_status = status
        self._reaped.set()
