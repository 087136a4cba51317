"""Each capability from a real module through the real server: granted, not granted, and granted but out of bounds."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mcp_server.policy.rights import HOST_FUNCTIONS
from tests.canary import slot
from tests.conftest import Serve
from tests.guests import module, write_plugin
from tests.requirements import requirement
from tests.stdio_server import StdioServer

Envelope = dict[str, Any]


def relay(*functions: str) -> bytes:
    """A module whose exports hand their input to the host function of the same name and output its envelope."""
    imports = "".join(f'(import "agentmem" "{name}" (func ${name} (param i64) (result i64)))' for name in functions)
    exports = "".join(
        f"""(func (export "{name}") (result i32) (local $o i64)
              (local.set $o (call ${name} (call $in)))
              (call $out (local.get $o) (call $length (local.get $o))) (i32.const 0))"""
        for name in functions
    )
    return module(exports, imports)


def plugin(plugins: Path, name: str, capability: str, more: str = "", how: str = "required") -> None:
    functions = [function for function, owner in HOST_FUNCTIONS.items() if owner == capability]
    write_plugin(plugins, name, relay(*functions), f'[capabilities]\n{how} = ["{capability}"]\n{more}')


async def ask(server: StdioServer, tool: str, request: Envelope) -> Envelope:
    """The envelope a plugin's tool relayed."""
    result = await server.call(tool, request)
    assert result["isError"] is False, result
    return result["structuredContent"]


def configure(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


@requirement("capability:memory")
async def test_a_plugin_stores_finds_changes_and_deletes_memories(serve: Serve, plugins: Path) -> None:
    plugin(plugins, "notes", "MemoryAccess")
    async with serve(environment={"AGENTMEM_HOME": str(plugins.parent / "home")}) as server:
        added = await ask(server, "notes__add_memory", {"content": "The solar panels go up in May"})
        assert added["success"] is True
        identifier = added["data"]["id"] if "id" in added["data"] else added["data"]["memory"]["id"]
        found = await ask(server, "notes__search_memories", {"query": "solar panel"})
        assert identifier in json.dumps(found["data"])
        changed = await ask(server, "notes__update_memory", {"id": identifier, "content": "They went up in June"})
        assert changed["success"] is True
        shown = await ask(server, "notes__get_memory", {"id": identifier})
        assert "June" in json.dumps(shown["data"])
        assert (await ask(server, "notes__delete_memory", {"id": identifier}))["success"] is True
        gone = await ask(server, "notes__get_memory", {"id": identifier})
        assert gone["data"] is None or gone["success"] is False


@requirement("capability:memory")
async def test_memories_survive_a_restart_and_are_not_shown_to_another_plugin(serve: Serve, plugins: Path) -> None:
    plugin(plugins, "notes", "MemoryAccess")
    plugin(plugins, "spy", "MemoryAccess")
    home = {"AGENTMEM_HOME": str(plugins.parent / "home")}
    async with serve(environment=home) as server:
        assert (await ask(server, "notes__add_memory", {"content": "the canary sings"}))["success"] is True
        assert await server.close() == 0
    async with serve(environment=home) as server:
        assert "canary" in json.dumps(await ask(server, "notes__search_memories", {"query": "canary"}))
        assert "sings" not in json.dumps(await ask(server, "spy__search_memories", {"query": "canary"}))


@requirement("capability:storage")
async def test_a_granted_plugin_keeps_values(serve: Serve, plugins: Path, tmp_path: Path) -> None:
    plugin(plugins, "keeper", "StorageAccess")
    config = configure(tmp_path, '[grants.keeper]\ncapabilities = ["StorageAccess"]\n')
    home = {"AGENTMEM_HOME": str(tmp_path / "home")}
    async with serve(arguments=["--config", str(config)], environment=home) as server:
        assert (await ask(server, "keeper__store_data", {"key": "a", "value": {"n": 1}}))["success"] is True
        loaded = await ask(server, "keeper__load_data", {"key": "a"})
        assert '"n": 1' in json.dumps(loaded["data"])
        long = await ask(server, "keeper__store_data", {"key": "k" * 600, "value": 1})
        assert long["success"] is False
        assert "512" in long["error"]


@requirement("capability:search")
async def test_a_granted_plugin_ranks_candidates(serve: Serve, plugins: Path, tmp_path: Path) -> None:
    plugin(plugins, "ranker", "SearchAccess")
    config = configure(tmp_path, '[grants.ranker]\ncapabilities = ["SearchAccess"]\n')
    async with serve(arguments=["--config", str(config)]) as server:
        request = {"query": "solar panel", "candidates": ["wind turbine", "a solar panel on the roof"]}
        ranked = await ask(server, "ranker__search", request)
        assert ranked["success"] is True
        refused = await ask(server, "ranker__embed", {"texts": ["x"]})
        assert refused["metadata"]["code"] == "embeddings_not_configured"


@requirement("capability:files")
async def test_a_granted_plugin_reads_its_folder_and_nothing_beside_it(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "my notes"
    notes.mkdir()
    (notes / "today.txt").write_text("milk", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("canary", encoding="utf-8")
    (notes / "link.txt").symlink_to(tmp_path / "secret.txt")
    plugin(plugins, "reader", "FileSystemAccess", '[filesystem]\nallow = [{ path = "notes", mode = "read" }]')
    config = configure(
        tmp_path,
        f'[grants.reader]\ncapabilities = ["FileSystemAccess"]\n\n[grants.reader.filesystem]\n'
        f'roots = [{{ name = "notes", folder = "{notes}" }}]\n',
    )
    async with serve(arguments=["--config", str(config)]) as server:
        assert "milk" in json.dumps(await ask(server, "reader__read_file", {"path": "notes/today.txt"}))
        for path in ("notes/../secret.txt", "notes/link.txt", str(tmp_path / "secret.txt"), "other/x"):
            refused = await ask(server, "reader__read_file", {"path": path})
            assert refused["success"] is False
            assert "canary" not in json.dumps(refused)
        written = await ask(server, "reader__write_file", {"path": "notes/new.txt", "content": "x"})
        assert written["success"] is False
        assert not (notes / "new.txt").exists()


class _Upstream(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, "authorization": self.headers.get("Authorization")}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        authorization = self.headers.get("Authorization")
        self.server.seen.append(self.path if authorization is None else f"{self.path} {authorization}")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType]

    def log_message(self, format: str, *args: object) -> None:  # the base class's name
        """Silent."""


@pytest.fixture
def upstream() -> Generator[ThreadingHTTPServer]:
    """A real HTTP server on loopback; ``seen`` holds the paths that were asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    server.seen = []  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@requirement("capability:network")
async def test_a_granted_plugin_reaches_what_ceiling_and_grant_both_allow_and_nothing_else(
    serve: Serve, plugins: Path, tmp_path: Path, upstream: ThreadingHTTPServer
) -> None:
    address = f"http://127.0.0.1:{upstream.server_port}"
    plugin(plugins, "courier", "NetworkAccess", f'[network]\nallow = ["{address}/api/*", "{address}/private/*"]')
    config = configure(
        tmp_path,
        '[grants.courier]\ncapabilities = ["NetworkAccess"]\n'
        f'[grants.courier.network]\nallow = ["{address}/api/*"]\nranges = ["127.0.0.0/8"]\n',
    )
    async with serve(arguments=["--config", str(config)]) as server:
        answer = await ask(server, "courier__http_request", {"method": "GET", "url": f"{address}/api/x"})
        assert answer["data"]["status"] == 200, answer
        for url in (f"{address}/private/x", f"{address}/other", "http://169.254.169.254/latest/meta-data"):
            refused = await ask(server, "courier__http_request", {"method": "GET", "url": url})
            assert refused["success"] is False
            assert refused["metadata"]["code"]
        assert upstream.seen == ["/api/x"]  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType]


@requirement("capability:secret")
async def test_a_secret_reaches_the_upstream_it_is_bound_to_and_no_one_else(
    serve: Serve, plugins: Path, tmp_path: Path, upstream: ThreadingHTTPServer
) -> None:
    address = f"http://127.0.0.1:{upstream.server_port}"
    plugin(plugins, "courier", "NetworkAccess", f'[network]\nallow = ["{address}/*"]')
    config = configure(
        tmp_path,
        '[grants.courier]\ncapabilities = ["NetworkAccess"]\n'
        f'[grants.courier.network]\nallow = ["{address}/*"]\nranges = ["127.0.0.0/8"]\n'
        f'secrets = {{ KEY = ["{address}/bound/*"] }}\n',
    )
    canary = slot("network secret")
    async with serve(arguments=["--config", str(config)], environment={"AGENTMEM_SECRET_KEY": canary}) as server:
        headers = {"Authorization": "Bearer {{secret:KEY}}"}
        sent = await ask(server, "courier__http_request", {"url": f"{address}/bound/x", "headers": headers})
        assert upstream.seen == [f"/bound/x Bearer {canary}"]  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType]
        unbound = await ask(server, "courier__http_request", {"url": f"{address}/else", "headers": headers})
        assert unbound["success"] is False
        assert canary not in json.dumps([sent, unbound])


@pytest.mark.parametrize(
    ("capability", "function", "request_"),
    [
        ("StorageAccess", "load_data", {"key": "a"}),
        ("SearchAccess", "search", {"query": "a", "candidates": ["a"]}),
        ("FileSystemAccess", "read_file", {"path": "a/b"}),
        ("NetworkAccess", "http_request", {"method": "GET", "url": "https://example.com/"}),
    ],
)
@requirement("capability:not-granted")
async def test_what_is_optional_and_not_granted_answers_capability_denied(
    serve: Serve, plugins: Path, capability: str, function: str, request_: Envelope
) -> None:
    plugin(plugins, "wants", capability, how="optional")
    async with serve() as server:
        refused = await ask(server, f"wants__{function}", request_)
        assert refused["success"] is False
        assert refused["metadata"]["code"] == "capability_denied"
        assert refused["metadata"]["capability"] == capability


@requirement("capability:deny-beats-allow")
async def test_a_denied_capability_is_not_had_even_when_it_is_granted_by_default(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    plugin(plugins, "notes", "MemoryAccess", how="optional")
    config = configure(tmp_path, '[grants.notes]\ncapabilities = ["MemoryAccess"]\ndeny = ["MemoryAccess"]\n')
    async with serve(arguments=["--config", str(config)]) as server:
        refused = await ask(server, "notes__add_memory", {"content": "x"})
        assert refused["metadata"]["code"] == "capability_denied"
