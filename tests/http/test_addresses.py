"""Where a server may listen, and who then may call."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx2
import pytest

from mcp_server.transport.http.address import parse_address
from tests.commands import run
from tests.guests import ECHO, module, write_plugin
from tests.http.conftest import make_token
from tests.http_server import http_server
from tests.requirements import requirement


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))


@requirement("http:addresses")
def test_an_address_of_the_network_without_any_token_is_refused_with_the_way_out(tmp_path: Path) -> None:
    result = run(tmp_path, "serve", "--http", "0.0.0.0:0")
    assert result.returncode == 2
    assert "there is no token" in result.stderr
    assert "token create" in result.stderr
    assert "--no-auth" in result.stderr


@requirement("http:addresses")
async def test_on_the_network_static_tokens_are_good_and_the_local_one_is_not(stage: Path, tmp_path: Path) -> None:
    token = make_token(tmp_path, "remote")
    (tmp_path / "state").mkdir(exist_ok=True)
    local = "agentmem_local_" + "x" * 43
    (tmp_path / "state" / "http-token").write_text(local, encoding="utf-8")
    (tmp_path / "state" / "http-token").chmod(0o600)
    async with http_server(stage, home=tmp_path, address="0.0.0.0:0") as server:
        server.url = f"http://127.0.0.1:{server.port}"
        assert server.token == ""
        assert (await server.modern("tools/list", token=token)).status_code == 200
        assert (await server.modern("tools/list", token=local)).status_code == 401
        named = await server.modern("tools/list", token=token, headers={"host": f"evil.example:{server.port}"})
        assert named.status_code == 421


@requirement("http:addresses")
async def test_without_authentication_everybody_is_one_principal_that_manages_nothing(
    stage: Path, tmp_path: Path
) -> None:
    async with http_server(stage, home=tmp_path, arguments=["--no-auth"]) as server:
        assert server.token == ""
        assert (await server.call("well__echo", {"a": 1}))["structuredContent"] == {"a": 1}
        async with httpx2.AsyncClient(base_url=server.url) as client:
            assert (await client.get("/ready")).status_code == 200
            foreign = await client.get("/ready", headers={"origin": "https://evil.example"})
            assert foreign.status_code == 403


@requirement("http:addresses")
def test_an_address_that_is_taken_is_a_sentence_and_not_a_trace(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run(tmp_path, "serve", "--http", f"127.0.0.1:{taken.getsockname()[1]}")
    assert result.returncode == 2
    assert "cannot listen on 127.0.0.1" in result.stderr
    assert "Traceback" not in result.stderr


@requirement("http:addresses")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "127.0.0.1:8765"),
        (":9000", "127.0.0.1:9000"),
        ("192.0.2.1", "192.0.2.1:8765"),
        ("[::1]:80", "[::1]:80"),
        ("localhost:1", "localhost:1"),
    ],
)
def test_an_address_may_leave_parts_out(text: str, expected: str) -> None:
    assert parse_address(text).authority == expected


@requirement("http:addresses")
@pytest.mark.parametrize("text", ["example.com:80", "1.2.3.4:70000", "http://127.0.0.1", "[::1", "127.1:80", "a b"])
def test_what_is_no_address_is_refused(tmp_path: Path, text: str) -> None:
    result = run(tmp_path, "serve", "--http", text)
    assert result.returncode == 2
    assert "settings_invalid" in result.stderr
