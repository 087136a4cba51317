"""Serves the folder in ``argv[1]`` while Python, the C library and plain writes fill descriptor 1 from a thread."""

import atexit
import ctypes
import os
import sys
import threading
from pathlib import Path
from typing import Any

import anyio

from mcp_server import app
from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from mcp_server.settings import Settings, user_folders

LINES = 10_000
libc: Any = ctypes.CDLL(None)
serve = app.serve_pipes


def make_noise() -> None:
    for number in range(LINES):
        print("from Python", number, "x" * 60)  # noqa: T201
        os.write(1, b"raw " + b"y" * 80 + b"\n")
        libc.printf(b"from C %d %s\n", number, b"z" * 80)
    libc.fflush(None)
    sys.stderr.write("noise is over\n")


def last_words() -> None:
    print("at exit " * 20_000)  # noqa: T201
    libc.printf(b"%s\n", b"C at exit " * 5_000)


async def serve_in_noise(host: PluginHost, source: int, sink: int, **options: Any) -> None:
    threading.Thread(target=make_noise, daemon=True).start()
    print("left in Python's buffer", end="")  # noqa: T201
    libc.printf(b"left in C's buffer")
    await serve(host, source, sink, **options)


if __name__ == "__main__":
    atexit.register(last_words)
    app.serve_pipes = serve_in_noise
    anyio.run(app.run_server, Settings(), PluginFolders(plugins=(Path(sys.argv[1]),)), user_folders())
