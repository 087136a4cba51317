"""Records what real clients send, over HTTP and on the pipes, into ``recordings/``: run by ``make recordings``.

``test_recordings.py`` replays it. Over HTTP a proxy stands in between, on the pipes ``tee.py``. What belongs to one run
becomes a placeholder: the server's host, its token, and the ids of sessions. The requests that open a stream for the
server to speak on are left out: they end when the client leaves.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio
from anyio.abc import SocketAttribute, SocketStream
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.http_server import HttpServer, http_server

__all__ = ["RECORDINGS"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RECORDINGS = HERE / "recordings"
INTEROP = ROOT / "tests" / "interop"
FOLDERS = ["--manifests", str(ROOT / "manifests"), "--plugins", str(ROOT / "plugins")]
TYPESCRIPT = {
    "typescript-v1": ("v1", "legacy"),
    "typescript-v2": ("v2", "legacy"),
    "typescript-v2-auto": ("v2", "auto"),
    "typescript-v2-modern": ("v2", "modern"),
}
DIFF = ["--tool-arg", "before=one", "--tool-arg", "after=zwölf"]
INSPECTOR = {
    "inspector-list": ["--method", "tools/list"],
    "inspector-call": ["--method", "tools/call", "--tool-name", "text-toolbox__diff", *DIFF],
    "inspector-fault": ["--method", "tools/call", "--tool-name", "hello__hello", "--tool-arg", "mesage=World"],
}
Mode = Literal["legacy", "auto"]
PYTHON: dict[str, Mode] = {"python": "legacy", "python-auto": "auto"}
_SESSION = re.compile(r"\b[0-9a-f]{32}\b")


class Proxy:
    """Hands bytes on between clients and a server, and keeps what the clients said.

    Attributes:
        said: Each request as ``head`` and ``body``.
    """

    def __init__(self, server: HttpServer, host: str) -> None:
        self._server, self._host = server, host
        self.said: list[dict[str, str]] = []

    async def serve(self, client: SocketStream) -> None:
        """One connection."""
        async with (
            client,
            await anyio.connect_tcp("127.0.0.1", self._server.port) as server,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(self._up, client, server, tasks.cancel_scope)
            try:
                while True:
                    await client.send(await server.receive())
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                tasks.cancel_scope.cancel()

    async def _up(self, client: SocketStream, server: SocketStream, scope: anyio.CancelScope) -> None:
        got = b""
        try:
            while True:
                data = await client.receive()
                got = self._requests(got + data)
                # Both hosts have ports of five digits, so that no length changes.
                await server.send(data.replace(self._host.encode(), f"127.0.0.1:{self._server.port}".encode()))
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            scope.cancel()

    def _requests(self, got: bytes) -> bytes:
        """Keep the whole requests in ``got``; what remains."""
        while (end := got.find(b"\r\n\r\n") + 4) > 3:
            length = re.search(rb"\r\ncontent-length: *(\d+)", got[:end], re.IGNORECASE)
            whole = end + (int(length[1]) if length else 0)
            if len(got) < whole:
                break
            if not got.startswith(b"GET "):
                self.said.append({"head": self._plain(got[:end]), "body": got[end:whole].decode()})
            got = got[whole:]
        return got

    def _plain(self, head: bytes) -> str:
        text = head.decode("latin-1").replace(self._host, "{host}").replace(self._server.token, "{token}")
        return _SESSION.sub("{session}", text)


async def _over_http(name: str, server: HttpServer, session: Callable[[str], Awaitable[Any]]) -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610  # of a socket, no query
        host = f"127.0.0.1:{port}"
        proxy = Proxy(server, host)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, proxy.serve)
            await session(f"http://{host}")
            tasks.cancel_scope.cancel()
    lines = "".join(json.dumps(request) + "\n" for request in proxy.said)
    (RECORDINGS / f"http-{name}.jsonl").write_text(lines, encoding="utf-8")


async def _node(home: Path, *arguments: str) -> None:
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home)}  # noqa: TID251  # as the tests do
    await anyio.run_process(["node", *arguments], cwd=INTEROP, env=environment, check=False)


async def _calls(client: Client) -> None:
    """What the sessions in TypeScript do."""
    await client.list_tools()
    await client.call_tool("hello__hello", {"message": "World"})
    await client.call_tool("text-toolbox__diff", {"before": "one", "after": "zwölf"})
    await client.call_tool("hello__hello", {"mesage": "World"})
    try:
        await client.call_tool("no__such", {})
    except MCPError:
        return


async def _record_http(home: Path) -> None:
    words = ["--manifests", str(ROOT / "manifests")]
    async with http_server(ROOT / "plugins", home=home, arguments=words) as server:
        mcp, inspector = "{url}/mcp", ["node_modules/.bin/mcp-inspector", "--cli", "{url}/mcp", "--transport", "http"]
        header = ["--header", f"Authorization: Bearer {server.token}"]
        commands = {name: ["remote.mjs", *which, "http", mcp, server.token] for name, which in TYPESCRIPT.items()}
        commands |= {name: [*inspector, *header, *words] for name, words in INSPECTOR.items()}
        for name, command in commands.items():
            await _over_http(name, server, partial(_node_at, home, command))
        for name, mode in PYTHON.items():
            await _over_http(name, server, partial(_python_http, server, mode))


async def _node_at(home: Path, command: list[str], url: str) -> None:
    await _node(home, *(word.replace("{url}", url) for word in command))


async def _python_http(server: HttpServer, mode: Mode, url: str) -> None:
    beyond = HttpServer(server.process, url, server.token, server.home, server.stderr)
    async with beyond.connected(mode=mode) as client:
        await _calls(client)


async def _record_stdio(home: Path) -> None:
    def serve(name: str) -> list[str]:
        tee = [sys.executable, str(HERE / "tee.py"), str(RECORDINGS / f"stdio-{name}.jsonl")]
        return [*tee, sys.executable, "-m", "mcp_server", "serve", *FOLDERS]

    for name, (client, mode) in TYPESCRIPT.items():
        await _node(home, "session.mjs", client, mode, *serve(name))
    for name, words in INSPECTOR.items():
        given = ["--cli", "-e", f"AGENTMEM_HOME={home}"]
        await _node(home, "node_modules/.bin/mcp-inspector", *given, *serve(name), *words)
    for name, mode in PYTHON.items():
        command, *arguments = serve(name)
        parameters = StdioServerParameters(command=command, args=arguments, env={"AGENTMEM_HOME": str(home)})
        async with Client(stdio_client(parameters), mode=mode) as client:
            await _calls(client)


async def main() -> None:
    """Record all of them."""
    RECORDINGS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        await _record_http(Path(home))
        await _record_stdio(Path(home))


if __name__ == "__main__":
    anyio.run(main)
