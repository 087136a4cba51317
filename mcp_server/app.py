"""Puts the parts together for one run of the server; the only module that knows everyone."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup, TaskStatus

from mcp_server import __version__
from mcp_server.errors import SettingsError
from mcp_server.host import PluginHost
from mcp_server.premises import recorder_of
from mcp_server.registry.approval import LOCK_NAME
from mcp_server.registry.discovery import PluginFolders
from mcp_server.registry.governed import Launch
from mcp_server.reloading import Reloader
from mcp_server.running.record import announced
from mcp_server.settings import Configuration, Folders, Settings
from mcp_server.settings.variables import environment_of
from mcp_server.siblings import Siblings
from mcp_server.telemetry.call_log import CallLog
from mcp_server.telemetry.logs import set_up_logging
from mcp_server.telemetry.plugin_log import FOLDER as PLUGIN_LOGS
from mcp_server.telemetry.plugin_log import PluginLogFiles
from mcp_server.telemetry.snapshot import SnapshotFile
from mcp_server.telemetry.stderr import DrainedStderr
from mcp_server.telemetry.tracing.export import start_tracing
from mcp_server.transport.pipes import serve_pipes

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from mcp_server.opening.front import Opened
    from mcp_server.opening.recorder import Recorder
    from mcp_server.telemetry.events import Hub
    from mcp_server.transport.http.face import HttpFace
    from mcp_server.transport.http.serving import HttpServer
    from mcp_server.transport.http.site import Annex

__all__ = ["http_server", "run_server"]

logger = logging.getLogger(__name__)

STATS_SECONDS = 2.0
"""How often the figures are written for `plugin stats`, when there are new ones."""
QUIET_SECONDS = 5.0
"""How long after a change of the catalogue its old version's garbage is looked for."""


async def run_server(
    settings: Settings,
    folders: PluginFolders,
    own: Folders,
    *,
    http: HttpFace | None = None,
    stdio: bool = True,
    watch: bool = False,
    read: Callable[[], Configuration] | None = None,
    first: Configuration | None = None,
    launch: Launch | None = None,
    opened: Opened | None = None,
) -> None:
    """Serve MCP clients until the client on pipes ends its input, or the process is asked to end.

    Args:
        settings: In force for this run.
        folders: Where plugins lie.
        own: The user's folders for cache and state.
        http: Where to serve over HTTP, and to whom; nowhere when omitted.
        stdio: Serve one client on this process's stdin and stdout.
        watch: Pick up changed, new and removed plugins, and changes of the configuration, while serving.
        read: Reads the configuration anew, for SIGHUP and ``watch``; it stays as it is when omitted.
        first: What ``settings`` came from.
        launch: How the process was started, for approvals.
        opened: What was done on the pipes before there was a server.

    Raises:
        ApprovalPending: With ``--locked``, a plugin is not what was approved.
        SettingsError: A configured folder is missing or unreadable, or the address cannot be listened on.
    """
    pipes = _private_pipes()
    with DrainedStderr(stdout_too=True):
        set_up_logging(settings.log.level, settings.log.format)
        host = _host(settings, folders, own, first, launch)
        async with host, _observed(host, own.state), anyio.create_task_group() as tasks:
            tasks.start_soon(_keep_stats, host, own.servers)
            reloader = Reloader(host, read, first)
            reloader.warn()
            await tasks.start(_reload_on_hangup, reloader)  # before a command can find this server, and signal it
            server = http_server(http, host, reloader, own, tasks) if http is not None else None
            _freeze_heap(host)
            if watch:
                from mcp_server.registry.watcher import watch_folders  # noqa: PLC0415  # for those who watch

                tasks.start_soon(watch_folders, folders, reloader.look)
            with _announced(host, http, server, own.state, launch):
                recorder = recorder_of(host, opened, first, own, launch) if opened and first else None
                await _serve(host, server, pipes if stdio else None, recorder)
            await host.settle()
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def _observed(host: PluginHost, state: Path) -> AsyncGenerator[None]:
    """The calls in this block are logged, and traced where somebody collects that; the rest is sent at its end."""
    host.invoker.tracing = host.hooks.tracing = tracing = start_tracing(environment_of(None))
    log = _log_calls(host, state)
    yield
    log.flush()
    if tracing is not None:
        await tracing.close()


def _host(
    settings: Settings, folders: PluginFolders, own: Folders, first: Configuration | None, launch: Launch | None
) -> PluginHost:
    """The host of a server; a user's "always" goes into the operator's own file, where there is one."""
    keep = partial(_keep_consent, first.files[0].path) if first else None
    return PluginHost(
        settings, folders, cache=own.cache, data=own.data, state=own.state, keep_consent=keep, launch=launch
    )


def http_server(http: HttpFace, host: PluginHost, reloader: Reloader, own: Folders, tasks: TaskGroup) -> HttpServer:
    """The server over HTTP with its management API; one of several processes also follows what the others do.

    Args:
        http: What the operator wants.
        host: Entered already.
        reloader: Its own.
        own: The user's folders.
        tasks: For what goes on beside the requests.

    Raises:
        SettingsError: As :meth:`HttpFace.server`.
        TokenProblem: As well.
    """
    if http.inherited is None:
        return http.server(host, _annexes(host, reloader, Siblings(host, reloader), own, tasks))
    from mcp_server.transport.http.board import CommonBoard  # noqa: PLC0415  # for those who serve over HTTP alone
    from mcp_server.transport.http.news import CommonNews  # noqa: PLC0415  # as above

    siblings = Siblings(host, reloader, CommonBoard(http.inherited.common))
    siblings.catch_up()
    annexes = _annexes(host, reloader, siblings, own, tasks, CommonNews(http.inherited.common))
    tasks.start_soon(siblings.follow, [own.data / LOCK_NAME, *host.folders.roots, *reloader.files])
    return http.server(host, annexes, siblings.catch_up)


def _private_pipes() -> tuple[int, int]:
    """stdin and stdout for the protocol alone.

    Copies above the standard range; afterwards 0 reads nothing and 1 is to become stderr, so that whatever a plugin, a
    library or C code prints or reads cannot touch the protocol.
    """
    source, sink = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return source, sink


def _announced(
    host: PluginHost, http: HttpFace | None, server: HttpServer | None, state: Path, launch: Launch | None
) -> AbstractContextManager[None]:
    """Let commands of this machine find the server; of several processes the parent is found."""
    if server is not None and server.inherited is not None:
        return nullcontext()
    url, token = "", False
    if http is not None and server is not None:
        url = f"http://{replace(http.address, port=server.port).authority}"
        token = http.takes_local_token(host.settings.http)
    roots = tuple(str(root.absolute()) for root in host.folders.roots)
    locked = launch is not None and launch.locked
    return announced(state, __version__, url=url, local_token=token, locked=locked, folders=roots)


def _log_calls(host: PluginHost, state: Path) -> CallLog:
    plugin_log = logging.getLogger("plugin")
    for old in list(plugin_log.handlers):
        plugin_log.removeHandler(old)
    plugin_log.addHandler(PluginLogFiles(state / PLUGIN_LOGS))
    settings = host.settings.log
    log = CallLog(settings.format, asyncio.get_running_loop().call_later)
    if settings.level in ("debug", "info"):
        host.recorder.listeners.append(log.add)
    return log


async def _serve(
    host: PluginHost, server: HttpServer | None, pipes: tuple[int, int] | None, recorder: Recorder | None
) -> None:
    """Serve where it was asked for; with pipes, the client on them decides how long."""
    drain_seconds = host.settings.runtime.drain_seconds
    async with anyio.create_task_group() as tasks:
        if server is not None:
            tasks.start_soon(server.serve)
        if pipes is not None:
            ending = server.end if server is not None else None
            invoker = host.invoker if host.settings.runtime.fast_lane and host.invoker.tracing is None else None
            serve = partial(serve_pipes, host, *pipes, drain_seconds=drain_seconds, ending=ending)
            await serve(invoker=invoker, recorder=recorder)
        if server is not None and pipes is not None:
            server.end()
        elif server is not None:
            tasks.start_soon(server.end_on_signal)
            await server.ended.wait()
            tasks.cancel_scope.cancel()


def _annexes(
    host: PluginHost, reloader: Reloader, siblings: Siblings, own: Folders, tasks: TaskGroup, hub: Hub | None = None
) -> list[Annex]:
    """The management API and the page on it; their libraries are imported for those who serve over HTTP alone."""
    from mcp_server.admin.api import management  # noqa: PLC0415  # as above
    from mcp_server.admin.desk import Desk  # noqa: PLC0415

    desk = Desk(host, reloader, siblings, own.data, own.state, hub)
    if not host.settings.http.page:
        return [management(desk)]
    from mcp_server.admin.history import History  # noqa: PLC0415  # for those who want the page
    from mcp_server.page.annex import operators_page  # noqa: PLC0415

    history = History(host)
    tasks.start_soon(history.keep)
    return [management(desk), operators_page(desk, history, several=hub is not None)]


def _keep_consent(file: Path, plugin: str) -> None:
    """The user answered "always", and the operator allowed that: ``ask = false`` in the operator's own file."""
    from mcp_server.settings.edit import edit_file  # noqa: PLC0415  # a TOML editor, for one answer of one user
    from mcp_server.settings.grants import stop_asking  # noqa: PLC0415  # as above

    try:
        for line in edit_file(file, partial(stop_asking, plugin=plugin)):
            logger.info("%s: %s", file, line)
    except SettingsError as error:  # the call was allowed all the same
        logger.warning("'always' for plugin %s could not be kept: %s", plugin, error.message)


def _freeze_heap(host: PluginHost) -> None:
    """Keep the garbage collector away from what lives as long as the catalogue.

    A full collection looks at every schema of every tool: with 1 000 tools it was half of the CPU of ``tools/list``
    (16 µs a tool, 9 µs without). After a change the heap is thawed, so that the old version can be freed.
    """
    loop = asyncio.get_running_loop()
    due: list[asyncio.TimerHandle] = []

    def settle() -> None:
        gc.collect()
        gc.freeze()

    def thaw() -> None:
        gc.unfreeze()
        while due:
            due.pop().cancel()
        due.append(loop.call_later(QUIET_SECONDS, settle))

    gc.freeze()
    gc.enable()  # off since the process began
    host.changed.append(thaw)


async def _reload_on_hangup(reloader: Reloader, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
    """SIGHUP: look at the configuration and the plugin folders now, with or without ``--watch``."""
    with anyio.open_signal_receiver(signal.SIGHUP) as signals:
        task_status.started()
        async for _ in signals:
            reloader.now()


async def _keep_stats(host: PluginHost, folder: Path) -> None:
    """Write the figures while they change, and once more at the end."""
    file = SnapshotFile(folder)
    last: object = None
    try:
        while True:
            figures = host.stats()
            if figures != last:
                file.write(figures)
                last = figures
            await anyio.sleep(STATS_SECONDS)
    finally:
        file.write(host.stats(), ended=True)
