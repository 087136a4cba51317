"""Runs a site on a socket until it is asked to end, and ends it so that no call under way is lost."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import anyio
import uvicorn

from mcp_server.transport.ending import ask_on_signal
from mcp_server.transport.http.connections import guarded_protocol
from mcp_server.transport.http.heads import MAX_HEAD
from mcp_server.transport.http.inherited import Inherited
from mcp_server.transport.http.site import Site
from mcp_server.transport.lane.connection import Lane, lane_protocol

__all__ = ["HttpServer"]

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.02
FLUSH_SECONDS = 0.1
"""From the last call's end to the end of the streams: its answer may still be on the way to one."""
CLOSE_SECONDS = 2


class _Server(uvicorn.Server):
    """uvicorn, which leaves signals to us: it would close connections before the calls on them have ended."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class HttpServer:
    """One site on one socket.

    Args:
        site: What is served.
        listening: Bound already.
        drain_seconds: How long requests under way may take when the server ends.
        inherited: From the parent, where this is one process of several.
        lane: Is asked first, where there is one.
        beside: What goes on while it serves.
    """

    def __init__(
        self,
        site: Site,
        listening: socket.socket,
        drain_seconds: float,
        inherited: Inherited | None = None,
        lane: Lane | None = None,
        beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
    ) -> None:
        self.inherited, self._beside = inherited, beside
        self.site, self._listening, self._drain_seconds = site, listening, drain_seconds
        self._asked = anyio.Event()
        self.port: int = listening.getsockname()[1]
        self.ended = anyio.Event()
        """Set when :meth:`serve` has returned."""
        settings = site.settings
        protocol = guarded_protocol(
            header_seconds=settings.header_seconds, write_seconds=settings.body_seconds, most=settings.max_connections
        )
        self._server = _Server(
            uvicorn.Config(
                site.app,
                http=protocol if lane is None else lane_protocol(protocol, lane),
                ws="none",
                lifespan="off",
                log_config=None,
                log_level=logging.ERROR,  # its warnings are what strangers send, one line for each
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=settings.idle_seconds,  # pyright: ignore[reportArgumentType]  # seconds of call_later
                timeout_graceful_shutdown=CLOSE_SECONDS,
                h11_max_incomplete_event_size=MAX_HEAD,
            )
        )

    async def serve(self) -> None:
        """Serve until :meth:`end`."""
        try:
            async with self.site.manager.run(), anyio.create_task_group() as tasks:
                tasks.start_soon(self._tell_changes)
                tasks.start_soon(self._drain)
                for work in self._beside:
                    tasks.start_soon(work)
                if self.inherited is not None:
                    tasks.start_soon(self._follow_parent, self.inherited)
                await self._server.serve([self._listening])
                tasks.cancel_scope.cancel()
        finally:
            self.ended.set()

    def close(self) -> None:
        """Give up the socket of a server that is not to serve after all."""
        self._listening.close()

    def end(self) -> None:
        """Take no new work from now on; :meth:`serve` returns when what is under way has ended."""
        self.site.readiness.ready = False
        self._asked.set()

    async def end_on_signal(self) -> None:
        """The first SIGTERM or SIGINT asks for the end; the second ends at once."""

        def ask(asked: signal.Signals) -> None:
            logger.info("%s: no new requests are taken, those under way may finish", asked.name)
            self.end()

        await ask_on_signal(ask)

    async def _drain(self) -> None:
        await self._asked.wait()
        self.site.face.notices.close()
        with anyio.move_on_after(self._drain_seconds):
            while self.site.busy:  # noqa: ASYNC110  # once in a process's life; an event would cost every call
                await anyio.sleep(LOOK_SECONDS)
            await anyio.sleep(FLUSH_SECONDS)
        self.site.streams.end()
        self._server.should_exit = True

    async def _follow_parent(self, inherited: Inherited) -> None:
        inherited.say_ready()
        await inherited.wait_orphaned()
        logger.warning("the parent process is gone: this one ends too")
        self.end()

    async def _tell_changes(self) -> None:
        while True:
            await self.site.face.wait_changed()
            await self.site.face.announce()
