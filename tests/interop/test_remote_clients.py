"""The clients of :mod:`test_node_clients`, over Streamable HTTP and HTTP+SSE with a token."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from tests.http_server import HttpServer, http_server
from tests.requirements import requirement

pytestmark = pytest.mark.interop

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CLIENTS = [
    ("v1", "legacy", "http"),
    ("v1", "legacy", "sse"),
    ("v2", "legacy", "http"),
    ("v2", "auto", "http"),
    ("v2", "modern", "http"),
    ("v2", "legacy", "sse"),
]


@pytest.fixture
async def web(cache: Path) -> AsyncIterator[HttpServer]:
    words = ["--manifests", str(ROOT / "manifests")]
    async with http_server(ROOT / "plugins", home=cache, arguments=words) as server:
        yield server


async def node(home: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home)}  # noqa: TID251  # a test's
    with anyio.fail_after(50):
        done = await anyio.run_process(["node", *arguments], cwd=HERE, env=environment, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@requirement("interop:http")
@pytest.mark.parametrize(("client", "mode", "transport"), CLIENTS)
async def test_a_typescript_client_lists_and_calls_the_tools_from_afar(
    web: HttpServer, client: str, mode: str, transport: str
) -> None:
    path = "/sse" if transport == "sse" else "/mcp"
    told = json.loads(await node(web.home, "remote.mjs", client, mode, transport, web.url + path, web.token))
    assert told["server"]["name"] == "agentmem-mcp"
    assert {"hello__hello", "memory__add"} <= {tool["name"] for tool in told["tools"]}
    assert told["greeting"]["structuredContent"] == {"greeting": "Hello, World!"}
    assert told["refused"]["_meta"]["agentmem/error"]["code"] == "invalid_arguments"
    assert told["unknown"]["code"] == -32602


@requirement("interop:inspector")
@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_the_inspector_calls_a_tool_from_afar(web: HttpServer, transport: str) -> None:
    url = f"{web.url}/{'sse' if transport == 'sse' else 'mcp'}"
    header = ["--header", f"Authorization: Bearer {web.token}"]
    call = ["--method", "tools/call", "--tool-name", "hello__hello", "--tool-arg", "message=World"]
    inspector = ["node_modules/.bin/mcp-inspector", "--cli", url, "--transport", transport]
    result = json.loads(await node(web.home, *inspector, *header, *call))
    assert result["structuredContent"] == {"greeting": "Hello, World!"}
