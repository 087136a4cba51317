"""A real server is started as a client would start it, shaken hands with, and asked for its tools."""

from __future__ import annotations

import os
import shlex
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import anyio
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client

from mcp_server.cli.doctor.finding import Finding, fine, wrong
from mcp_server.settings.folders import HOME_VARIABLE
from mcp_server.settings.variables import environment_of

__all__ = ["handshake"]

SECONDS = 60.0
SHORT_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


async def handshake(command: Sequence[str]) -> Finding:
    """Start ``command`` with the short environment that clients give, and list the tools.

    Args:
        command: Of the server, ``serve`` and its options included.
    """
    environment = {"PATH": SHORT_PATH, "AGENTMEM_LOG__LEVEL": "error"}
    environment |= {key: value for key, value in environment_of(None).items() if key in (HOME_VARIABLE, "HOME")}
    parameters = StdioServerParameters(
        command=command[0], args=list(command[1:]), env=environment, cwd=tempfile.gettempdir()
    )
    fix = f"run `{shlex.join(command)}` by hand and read what it says on stderr"
    began = time.monotonic()
    try:
        count = await _tools_of(parameters)
    except (MCPError, OSError, TimeoutError, ExceptionGroup) as error:
        return wrong("handshake", f"the server did not answer: {_first(error)!r:.300}", fix)
    return fine("handshake", f"{count} tools, {time.monotonic() - began:.1f} s after the start")


async def _tools_of(parameters: StdioServerParameters) -> int:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, anyio.fail_after(SECONDS):  # noqa: ASYNC230  # no disk
        async with Client(stdio_client(parameters, errlog=nowhere)) as client:
            return len((await client.list_tools()).tools)


def _first(error: Exception) -> Exception:
    """What a task group wrapped."""
    while isinstance(error, ExceptionGroup):
        error = cast("tuple[Exception, ...]", error.exceptions)[0]  # pyright: ignore[reportUnknownMemberType]  # stub
    return error
