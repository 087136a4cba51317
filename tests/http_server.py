"""A real server process on loopback, spoken to in plain HTTP: what a client in any language would do."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
import httpx2
import tomlkit
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client  # pyright: ignore[reportPrivateUsage]  # its timeouts

from tests.stdio_server import META, MODERN, Json

__all__ = ["ACCEPT", "HttpServer", "http_server", "tool_headers"]

ACCEPT = "application/json, text/event-stream"
_numbers = itertools.count(1)


def tool_headers(method: str, params: Mapping[str, Any]) -> dict[str, str]:
    """The headers that 2026-07-28 wants of a request."""
    name = params.get("name") or params.get("uri")
    return {"mcp-protocol-version": MODERN, "mcp-method": method, **({"mcp-name": str(name)} if name else {})}


class HttpServer:
    """One running server.

    Attributes:
        process: It.
        url: Without a path.
        token: The local token; empty where there is none.
        home: ``AGENTMEM_HOME``.
    """

    def __init__(self, process: Process, url: str, token: str, home: Path, stderr: BufferedByteReceiveStream) -> None:
        self.process, self.url, self.token, self.home, self.stderr = process, url, token, home, stderr

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def headers(self, token: str | None = None) -> dict[str, str]:
        """What a client sends with every request; ``token`` instead of the local one."""
        token = self.token if token is None else token
        return {"accept": ACCEPT, **({"authorization": f"Bearer {token}"} if token else {})}

    def client(self, token: str | None = None) -> httpx2.AsyncClient:
        """A client for plain requests."""
        return httpx2.AsyncClient(base_url=self.url, headers=self.headers(token), timeout=30)

    async def modern(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """A request of 2026-07-28."""
        given = {**(params or {}), "_meta": {**META, **(params or {}).get("_meta", {})}}
        message = {"jsonrpc": "2.0", "id": next(_numbers), "method": method, "params": given}
        async with self.client(token) as client:
            return await client.post("/mcp", json=message, headers={**tool_headers(method, given), **(headers or {})})

    async def call(self, name: str, arguments: Json | None = None, *, token: str | None = None) -> Json:
        """A ``tools/call`` of 2026-07-28; its result."""
        response = await self.modern("tools/call", {"name": name, "arguments": arguments or {}}, token=token)
        assert response.status_code == 200, response.text
        return response.json()["result"]

    async def initialize(self, client: httpx2.AsyncClient, version: str = "2025-11-25", **capabilities: Any) -> str:
        """The handshake of the older revisions; the session's id."""
        params = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": {"name": "t", "version": "1"}}
        message = {"jsonrpc": "2.0", "id": next(_numbers), "method": "initialize", "params": params}
        response = await client.post("/mcp", json=message)
        assert response.status_code == 200, response.text
        session = response.headers["mcp-session-id"]
        headers = {"mcp-session-id": session, "mcp-protocol-version": version}
        done = await client.post(
            "/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=headers
        )
        assert done.status_code == 202
        return session

    @asynccontextmanager
    async def connected(
        self, transport: Literal["http", "sse"] = "http", mode: Literal["legacy", "auto"] = "auto", **options: Any
    ) -> AsyncGenerator[Client]:
        """The SDK's client."""
        if transport == "sse":
            async with Client(sse_client(f"{self.url}/sse", self.headers()), mode="legacy", **options) as client:
                yield client
            return
        async with (
            create_mcp_http_client(self.headers()) as http,
            Client(streamable_http_client(f"{self.url}/mcp", http_client=http), mode=mode, **options) as client,
        ):
            yield client

    async def end(self) -> int:
        """Ask the process to end; its status."""
        self.process.terminate()
        return await self.process.wait()


def _configure(home: Path, document: Mapping[str, Any]) -> None:
    """Put ``document`` into the user's file, behind what stands there."""
    file = home / "config" / "config.toml"
    file.parent.mkdir(exist_ok=True)
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(before + tomlkit.dumps(document), encoding="utf-8")


@asynccontextmanager
async def http_server(
    *folders: Path,
    home: Path,
    address: str = "127.0.0.1:0",
    arguments: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncGenerator[HttpServer]:
    """Start ``agentmem-mcp serve --http`` on plugin folders; killed at the end when it still runs.

    Args:
        folders: Given as ``--plugins``.
        home: ``AGENTMEM_HOME``.
        address: Given as ``--http``.
        arguments: More of the command line.
        settings: Keys of ``[http]``; tables go into the user's file.
        environment: More of the environment.
    """
    command = [sys.executable, "-m", "mcp_server", "serve", "--http", address, *arguments]
    for folder in folders:
        command += ["--plugins", str(folder)]
    for key, value in (settings or {}).items():
        if not isinstance(value, dict):
            command += ["--set", f"http.{key}={json.dumps(value)}"]
    tables: Json = {key: value for key, value in (settings or {}).items() if isinstance(value, dict)}
    if tables:
        _configure(home, {"http": tables})
    variables = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home), "AGENTMEM_LOG__LEVEL": "error"}  # noqa: TID251  # a test's
    process = await anyio.open_process(
        command, stderr=subprocess.PIPE, env={**variables, **(environment or {})}, cwd=home
    )
    assert process.stderr is not None
    stderr = BufferedByteReceiveStream(process.stderr)
    try:
        line = (await stderr.receive_until(b"\n", 65_536)).decode()
        found = re.search(r"serves MCP at (http://\S+)/mcp", line)
        assert found, line + (await stderr.receive()).decode()
        connect = (await stderr.receive_until(b"\n", 65_536)).decode()
        token = re.search(r"Bearer (agentmem_\w+_[\w-]+)", connect)
        yield HttpServer(process, found[1], token[1] if token else "", home, stderr)
    finally:
        if process.returncode is None:
            process.kill()
        with anyio.CancelScope(shield=True):
            await process.aclose()
