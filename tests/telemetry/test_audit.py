"""The audit log of real calls through the real server: what is on record, and what never is."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mcp_server.telemetry.audit_check import audit_rows
from mcp_server.telemetry.chain import audit_files
from tests.commands import answer, run
from tests.guests import module, write_plugin
from tests.requirements import requirement
from tests.stdio_server import Json, StdioServer, stdio_server

FUNCTIONS = ("http_request", "write_file", "read_file", "store_data", "load_data", "add_memory", "delete_memory", "log")
CANARY = "canary-4711-secret"


class Site(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def site() -> Iterator[str]:
    """A web site on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def relay() -> bytes:
    """A module whose exports hand their input to the host function of the same name."""
    imports = "".join(f'(import "agentmem" "{name}" (func ${name} (param i64) (result i64)))' for name in FUNCTIONS)
    exports = "".join(
        f"""(func (export "{name}") (result i32) (local $o i64)
              (local.set $o (call ${name} (call $in)))
              (call $out (local.get $o) (call $length (local.get $o))) (i32.const 0))"""
        for name in FUNCTIONS
    )
    return module(exports, imports)


def fill(home: Path, site: str) -> None:
    """Two plugins: one with grants, one without; and a canary in every place for a secret."""
    asks = f"""[capabilities]
required = ["LoggingAccess"]
optional = ["NetworkAccess", "FileSystemAccess", "StorageAccess", "MemoryAccess"]
[network]
allow = ["http://*:*"]
[filesystem]
allow = [{{ path = "notes", mode = "write" }}]
[config]
token = "{CANARY}"
"""
    for plugin in ("mine", "poor"):
        write_plugin(home / "plugins", plugin, relay(), asks)
    (home / "notes").mkdir()
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(
        f"""[config.mine]
password = "{CANARY}"
[grants.mine]
capabilities = ["NetworkAccess", "FileSystemAccess", "StorageAccess"]
[grants.mine.network]
allow = ["{site}/*"]
ranges = ["127.0.0.0/8"]
secrets = {{ KEY = ["{site}/*"] }}
[grants.mine.filesystem]
roots = [{{ name = "notes", folder = "{home / "notes"}", mode = "write" }}]
"""
    )


async def ask(server: StdioServer, function: str, request: Json, plugin: str = "mine") -> Json:
    return (await server.call(f"{plugin}__{function}", request))["structuredContent"]


async def exercise(server: StdioServer, site: str) -> str:
    """One of everything; the id of the memory that was added."""
    headers = {"Authorization": "Bearer {{secret:KEY}}", "X-Own": CANARY}
    url = f"{site.replace('//', f'//user:{CANARY}@')}/hook?token={CANARY}#{CANARY}"
    assert (await ask(server, "http_request", {"url": url, "method": "POST"}))["success"] is False
    url = f"{site}/hook?token={CANARY}"
    sent = await ask(server, "http_request", {"url": url, "method": "POST", "headers": headers, "body": CANARY})
    assert sent["success"] is True, sent
    await ask(server, "write_file", {"path": "notes/a.txt", "content": CANARY})
    await ask(server, "read_file", {"path": "notes/../../secret.txt"})
    await ask(server, "store_data", {"key": "k1", "value": CANARY})
    await ask(server, "load_data", {"key": "k1"})
    added = await ask(server, "add_memory", {"content": CANARY})
    await ask(server, "log", {"level": "info", "message": "hello"})
    await ask(server, "store_data", {"key": "k2", "value": CANARY}, "poor")
    return added["data"]["memory"]["id"]


@requirement("audit:rows")
@requirement("audit:decisions")
@requirement("audit:no-secrets")
async def test_what_plugins_did_is_on_record_without_what_they_said(tmp_path: Path, site: str) -> None:
    fill(tmp_path, site)
    secrets = {"AGENTMEM_SECRET_KEY": CANARY, "AGENTMEM_LOG__LEVEL": "error"}
    async with stdio_server(tmp_path / "plugins", home=tmp_path, environment=secrets) as server:
        identifier = await exercise(server, site)
        assert await server.close() == 0
    rows = answer(tmp_path, "audit", "show", "-n", "1000")["rows"]
    calls = [row for row in rows if row["event"] == "host_call"]
    assert [(row["plugin"], row["function"], row["target"], row["code"] == "ok") for row in calls] == [
        ("mine", "http_request", f"{site}/hook", False),
        ("mine", "http_request", f"{site}/hook", True),
        ("mine", "write_file", "notes/a.txt", True),
        ("mine", "read_file", "notes/../../secret.txt", False),
        ("mine", "store_data", "k1", True),
        ("mine", "add_memory", identifier, True),
        ("poor", "store_data", "k2", False),
    ]
    assert calls[-1]["code"] == "capability_denied"
    assert {row["principal"] for row in calls} == {"local"}
    assert {row["wasm"] for row in calls} == {hashlib.sha256(relay()).hexdigest()}
    assert all(len(row["request_sha256"]) == 64 for row in calls)
    granted = {row["plugin"]: row["effective"] for row in rows if row["event"] == "granted"}
    assert "NetworkAccess" in granted["mine"]
    assert granted["poor"] == ["LoggingAccess", "MemoryAccess"]
    folder = tmp_path / "state" / "audit"
    assert all(CANARY.encode() not in path.read_bytes() for path in folder.iterdir())
    assert audit_files(folder)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert run(tmp_path, "audit", "verify").returncode == 0


@requirement("audit:rows")
async def test_what_a_client_wrote_with_the_memory_tools_is_on_record_and_what_it_read_is_not(tmp_path: Path) -> None:
    async with stdio_server(home=tmp_path) as server:
        added = await server.call("memory__add", {"content": "canary-in-a-memory"})
        number = added["structuredContent"]["memory"]["id"]
        await server.call("memory__get", {"id": number})
        await server.call("memory__delete", {"id": number})
        refused = await server.call("memory__update", {"id": number, "content": "new"})
        assert await server.close() == 0
    rows = [row for row in audit_rows(tmp_path / "state" / "audit") if row.get("plugin") == "memory"]
    assert [(row["function"], row["target"], row["code"]) for row in rows] == [
        ("add_memory", number, "ok"),
        ("delete_memory", number, "ok"),
        ("update_memory", number, refused["_meta"]["agentmem/error"]["code"]),
    ]
    assert "canary" not in str(rows)


@requirement("audit:decisions")
def test_an_approval_and_a_refusal_at_load_are_on_record(tmp_path: Path) -> None:
    write_plugin(tmp_path / "plugins", "net", module(""), '[capabilities]\nrequired = ["NetworkAccess"]')
    write_plugin(tmp_path / "plugins", "small", module(""))
    named = ["--plugins", tmp_path / "plugins"]
    assert run(tmp_path, "serve", *named).returncode == 0
    assert run(tmp_path, "plugin", "approve", "net", *named).returncode == 3
    assert run(tmp_path, "plugin", "approve", "small", *named).returncode == 0
    (refused,) = answer(tmp_path, "audit", "show", "--plugin", "net")["rows"]
    assert (refused["event"], refused["code"]) == ("refused", "capability_denied")
    assert refused["capabilities"] == ["NetworkAccess"]
    granted, approved = answer(tmp_path, "audit", "show", "--plugin", "small")["rows"]
    assert (granted["event"], approved["event"], len(approved["tools"])) == ("granted", "approved", 64)


@requirement("audit:decisions")
def test_rows_are_shown_by_time_and_number(tmp_path: Path) -> None:
    write_plugin(tmp_path / "plugins", "small", module(""))
    assert run(tmp_path, "serve", "--plugins", tmp_path / "plugins").returncode == 0
    assert answer(tmp_path, "audit", "show", "--since", "2100-01-01")["rows"] == []
    shown = answer(tmp_path, "audit", "show", "--since", "1h")["rows"]
    assert shown == list(audit_rows(tmp_path / "state" / "audit"))
    assert "granted" in run(tmp_path, "audit", "show", "-n", "1").stdout
    assert run(tmp_path, "audit", "show", "--since", "yesterday").returncode == 2


@requirement("audit:rows")
def test_it_can_be_switched_off(tmp_path: Path) -> None:
    write_plugin(tmp_path / "data" / "plugins", "small", module(""))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("[audit]\nenabled = false\n")
    assert run(tmp_path, "serve").returncode == 0
    assert not (tmp_path / "state" / "audit").exists()
    assert json.loads(run(tmp_path, "audit", "verify", "--json").stdout)["ok"] is True
