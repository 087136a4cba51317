"""The site of ``docs/deploy/nginx.conf`` in a real nginx before real servers; only ports and TLS are changed in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest

from tests.flows import bodies
from tests.guests import ECHO, module, write_plugin
from tests.http_server import HttpServer, http_server, tool_headers
from tests.requirements import requirement
from tests.stdio_server import META, Json

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "docs" / "deploy" / "nginx.conf"
NAME = "mcp.example.com"
HOSTS = {"hosts": [NAME]}
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")  # noqa: TID251  # Debian keeps it there
LOUD: Json = {**META, "io.modelcontextprotocol/logLevel": "info"}
IN_CI = os.environ.get("CI")  # noqa: TID251  # a test's

pytestmark = pytest.mark.skipif(
    NGINX is None and not IN_CI, reason="nginx is not installed (Debian: apt-get install nginx-light)"
)


@pytest.fixture
def stage(plugins: Path) -> Path:
    write_plugin(plugins, "well", module(ECHO))
    one = "max_concurrency = 1\nmax_queued_calls = 1\nmax_instructions = 100_000_000_000"
    limits = f"[limits]\nmax_execution_time_ms = 60_000\n{one}"
    logs = '[capabilities]\nrequired = ["LoggingAccess"]\n'
    write_plugin(plugins, "endless", bodies.logs_then_loops(), f"{logs}{limits}")
    return plugins


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@asynccontextmanager
async def proxy(folder: Path, site: str, *ports: int) -> AsyncGenerator[str]:
    """nginx with ``site``, before servers on ``ports`` in place of those that the site names; its URL."""
    port, folder = free_port(), folder / "nginx"
    folder.mkdir()
    named = iter(ports)
    site = re.sub(r"server 127\.0\.0\.1:\d+;", lambda _: f"server 127.0.0.1:{next(named)};", site)
    site = re.sub(r"listen 443 ssl", f"listen 127.0.0.1:{port}", site)
    site = re.sub(r"ssl_certificate\w* .*;", "", site)
    temporary = "".join(
        f'{kind}_temp_path "{folder}/{kind}";\n' for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(
        f'daemon off;\n{user}pid "{folder}/pid";\nerror_log stderr;\nevents {{}}\n'
        f"http {{\naccess_log off;\n{temporary}{site}\n}}\n",
        encoding="utf-8",
    )
    assert NGINX is not None
    process = await anyio.open_process(
        [NGINX, "-p", str(folder), "-c", str(config)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        with anyio.fail_after(20):
            while not await _listens(port):
                assert process.returncode is None and process.stderr, "nginx ended"
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        with anyio.CancelScope(shield=True):
            await process.aclose()


async def _listens(port: int) -> bool:
    try:
        async with await anyio.connect_tcp("127.0.0.1", port):
            return True
    except OSError:
        await anyio.lowlevel.checkpoint()
        return False


def through(server: HttpServer, url: str, host: str = NAME) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, headers={**server.headers(), "host": host}, timeout=30)


def call(name: str, arguments: Json, meta: Json = META) -> dict[str, Any]:
    params: Json = {"name": name, "arguments": arguments, "_meta": meta}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return {"json": message, "headers": {**tool_headers("tools/call", params)}}


@requirement("deploy:proxy")
async def test_the_server_is_reached_by_its_name_and_by_no_other(stage: Path, tmp_path: Path) -> None:
    async with (
        http_server(stage, home=tmp_path, settings=HOSTS) as server,
        proxy(tmp_path, SITE.read_text(), server.port) as url,
    ):
        async with through(server, url) as client:
            answer = await client.post("/mcp", **call("well__echo", {"a": 1}))
            assert answer.json()["result"]["structuredContent"] == {"a": 1}
            long = await client.post("/mcp", content=b"x" * (5 * 1024 * 1024))
            assert long.status_code == 413
        async with through(server, url, "evil.example.com") as client:
            assert (await client.get("/health")).status_code == 421
        async with httpx2.AsyncClient(base_url=url, headers={"host": NAME}) as client:
            assert (await client.get("/health")).status_code == 200
            refused = await client.post("/mcp", json={})
            assert (refused.status_code, "WWW-Authenticate" in refused.headers) == (401, True)
    async with (
        http_server(stage, home=tmp_path) as server,
        through(server, f"http://127.0.0.1:{server.port}") as client,
    ):
        assert (await client.get("/health")).status_code == 421  # the name is not in [http] hosts


@requirement("deploy:proxy")
async def test_events_come_while_the_call_runs_and_leaving_ends_it(stage: Path, tmp_path: Path) -> None:
    async with (
        http_server(stage, home=tmp_path, settings=HOSTS) as server,
        proxy(tmp_path, SITE.read_text(), server.port) as url,
        through(server, url) as client,
    ):
        with anyio.fail_after(30):
            async with client.stream("POST", "/mcp", **call("endless__run", {}, LOUD)) as stream:
                lines = (line async for line in stream.aiter_lines() if line.startswith("data: {"))
                said = json.loads((await anext(lines)).removeprefix("data: "))
                assert said["params"]["data"]["message"] == "running"
            # The plugin runs one call at a time, and the endless one would last for a minute.
            answer = await client.post("/mcp", **call("endless__echo", {"a": 1}))
            assert answer.json()["result"]["structuredContent"] == {"a": 1}
            async with client.stream("GET", "/sse") as stream:
                assert "endpoint" in await anext(stream.aiter_lines())


@requirement("deploy:proxy")
async def test_a_proxy_before_several_servers_keeps_a_caller_with_its_session(stage: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    (sticky,) = re.findall(r"```nginx\n(.*?)```", page, flags=re.DOTALL)
    site = re.sub(r"upstream agentmem \{.*?\n\}\n", lambda _: sticky, SITE.read_text(), count=1, flags=re.DOTALL)
    async with (
        http_server(stage, home=tmp_path, settings=HOSTS) as one,
        http_server(stage, home=tmp_path, settings=HOSTS) as other,
        proxy(tmp_path, site, one.port, other.port) as url,
    ):
        assert one.token == other.token
        for _ in range(4):
            async with through(one, url) as client:
                session = {"mcp-session-id": await one.initialize(client), "mcp-protocol-version": "2025-11-25"}
            async with through(one, url) as client:  # a connection of its own
                listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
                assert (await client.post("/mcp", json=listing, headers=session)).status_code == 200
