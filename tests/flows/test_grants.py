"""Rights while a server runs: the commands that change them, what the server makes of it, and what each side reads."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.canary import slot
from tests.conftest import Serve
from tests.flows.test_capabilities_from_wasm import ask, plugin, relay
from tests.guests import write_plugin
from tests.requirements import requirement
from tests.stdio_server import StdioServer

OPERATORS_PART = ("agentmem-mcp", "[grants", "config.toml", "plugin grant", '"fix"')


def command(home: Path, *words: str | Path, cwd: Path | None = None) -> str:
    """Run a command as the operator; what it printed."""
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home)}  # noqa: TID251  # a test's
    line = [sys.executable, "-m", "mcp_server", *map(str, words)]
    result = subprocess.run(line, env=environment, cwd=cwd or home, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


async def reload_with(server: StdioServer) -> None:
    """SIGHUP, and wait until the client is told."""
    server.process.send_signal(signal.SIGHUP)
    await told(server)


async def told(server: StdioServer) -> None:
    with anyio.fail_after(20):
        while (await server.receive()).get("method") != "notifications/tools/list_changed":
            pass


async def tools(server: StdioServer) -> list[str]:
    answer = await server.ask("tools/list")
    names = [tool["name"] for tool in answer["result"]["tools"]]
    return [name for name in names if not name.startswith("memory__")]  # those are the host's own


async def use(server: StdioServer, tool: str, request: dict[str, Any]) -> dict[str, Any]:
    """The envelope that a tool relayed, asked as a client of the older eras."""
    answer = await server.ask("tools/call", {"name": tool, "arguments": request})
    return answer["result"]["structuredContent"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of its own, so that what is granted is granted here."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@requirement("grants:reload")
@requirement("reload:on-demand")
async def test_a_grant_and_its_revocation_reach_a_running_server(serve: Serve, plugins: Path, home: Path) -> None:
    plugin(plugins, "keeper", "StorageAccess")
    async with serve(environment={"AGENTMEM_HOME": str(home)}) as server:
        await server.initialize()
        assert await tools(server) == []
        assert f"kill -HUP {server.process.pid}" in command(home, "plugin", "grant", "keeper", "StorageAccess")
        await reload_with(server)
        assert (await use(server, "keeper__store_data", {"key": "a", "value": 1}))["success"] is True
        command(home, "plugin", "revoke", "keeper", "StorageAccess")
        await reload_with(server)
        assert await tools(server) == []


@requirement("grants:reload")
async def test_a_revoked_optional_right_is_not_kept_by_the_loaded_version(
    serve: Serve, plugins: Path, home: Path
) -> None:
    plugin(plugins, "keeper", "StorageAccess", how="optional")
    command(home, "plugin", "grant", "keeper", "StorageAccess")
    async with serve(environment={"AGENTMEM_HOME": str(home)}) as server:
        await server.initialize()
        assert (await use(server, "keeper__store_data", {"key": "a", "value": 1}))["success"] is True
        command(home, "plugin", "revoke", "keeper")
        await reload_with(server)
        refused = await use(server, "keeper__load_data", {"key": "a"})
        assert refused["metadata"]["code"] == "capability_denied"


@requirement("grants:reload")
async def test_a_revoked_right_is_gone_even_when_the_manifest_broke_meanwhile(
    serve: Serve, plugins: Path, home: Path
) -> None:
    plugin(plugins, "keeper", "StorageAccess", how="optional")
    command(home, "plugin", "grant", "keeper", "StorageAccess")
    async with serve(environment={"AGENTMEM_HOME": str(home)}) as server:
        await server.initialize()
        assert "keeper__store_data" in await tools(server)
        (plugins / "keeper" / "plugin.toml").write_text("broken")
        command(home, "plugin", "revoke", "keeper")
        await reload_with(server)
        assert await tools(server) == []


@requirement("grants:reload")
async def test_with_watch_a_grant_is_taken_up_by_itself(serve: Serve, plugins: Path, home: Path) -> None:
    plugin(plugins, "keeper", "StorageAccess")
    async with serve(arguments=["--watch"], environment={"AGENTMEM_HOME": str(home)}) as server:
        await server.initialize()
        assert await tools(server) == []
        command(home, "plugin", "grant", "keeper", "StorageAccess")
        await told(server)
        assert "keeper__store_data" in await tools(server)


@requirement("grants:reload")
async def test_a_broken_configuration_changes_nothing_and_is_told(
    serve: Serve, plugins: Path, home: Path, tmp_path: Path
) -> None:
    plugin(plugins, "keeper", "StorageAccess")
    command(home, "plugin", "grant", "keeper", "StorageAccess")
    log = tmp_path / "stderr"
    with log.open("wb") as stderr:
        async with serve(environment={"AGENTMEM_HOME": str(home)}, stderr=stderr.fileno()) as server:
            await server.initialize()
            (home / "config" / "config.toml").write_text("[grants.keeper\n")
            server.process.send_signal(signal.SIGHUP)
            plugin(plugins, "another", "LoggingAccess")
            command(home, "version")
            assert (await use(server, "keeper__store_data", {"key": "a", "value": 1}))["success"] is True
            (home / "config" / "config.toml").write_text("")
            await reload_with(server)
            assert await tools(server) == ["another__log"]
            assert await server.close() == 0
    assert "config.toml is not TOML" in log.read_text()


@requirement("settings:stranger")
async def test_a_server_started_in_a_strangers_folder_grants_what_the_user_granted_and_says_so(
    plugins: Path, home: Path, tmp_path: Path
) -> None:
    plugin(plugins, "keeper", "StorageAccess")
    work = plugins.parent
    (work / "agentmem.toml").write_text('[grants.keeper]\ncapabilities = ["StorageAccess"]\n')
    line = [sys.executable, "-m", "mcp_server", "serve", "--plugins", str(plugins)]
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home)}  # noqa: TID251  # a test's

    async def served() -> tuple[list[str], str]:
        with (tmp_path / "stderr").open("w+b") as stderr:
            async with await anyio.open_process(line, env=environment, cwd=work, stderr=stderr.fileno()) as process:
                server = StdioServer(process)
                names = await server.tools()
                assert await server.close() == 0
            stderr.seek(0)
            return names, stderr.read().decode()

    names, said = await served()
    assert names == []
    assert "grants.keeper.capabilities" in said
    assert f"agentmem-mcp config trust {shlex.quote(str(work))}" in said
    command(home, "config", "trust", cwd=work)
    names, said = await served()
    assert "keeper__store_data" in names
    assert "ignored" not in said


@requirement("settings:no-self-grant")
async def test_a_plugin_that_may_write_a_trusted_folder_cannot_write_its_configuration(
    serve: Serve, plugins: Path, home: Path, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "agentmem.toml").write_text("# mine\n")
    plugin(plugins, "writer", "FileSystemAccess", '[filesystem]\nallow = [{ path = "work", mode = "write" }]')
    command(home, "plugin", "grant", "writer", "--folder", f"work={work}:write")
    async with serve(environment={"AGENTMEM_HOME": str(home)}) as server:
        for path in ("work/agentmem.toml", "work/AGENTMEM.toml", "work/sub/agentmem.toml"):
            request = {"path": path, "content": "[grants.writer]", "create_folders": True}
            refused = await ask(server, "writer__write_file", request)
            assert refused["metadata"]["bound"] == "own"
        refused = await ask(server, "writer__delete_file", {"path": "work/agentmem.toml"})
        assert refused["metadata"]["code"] == "path_denied"
        assert (await ask(server, "writer__write_file", {"path": "work/a.toml", "content": "x"}))["success"] is True
    assert (work / "agentmem.toml").read_text() == "# mine\n"
    assert not (work / "sub").exists()


class _Ok(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # the base class's name
        """Silent."""


@pytest.fixture
def address() -> Generator[str]:
    """The origin of a real HTTP server on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Ok)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def fixes(log: Path) -> list[str]:
    """The words behind ``agentmem-mcp`` of every command that the log names, in order."""
    return re.findall(r"run `agentmem-mcp (.+?)`, or add", log.read_text())


def assert_models_side(envelope: dict[str, Any]) -> None:
    text = json.dumps(envelope)
    assert [word for word in OPERATORS_PART if word in text] == []


@requirement("refusals:operator")
@requirement("refusals:model")
@pytest.mark.timeout(120)  # many commands, each a process of its own
async def test_the_commands_that_the_log_names_are_all_it_takes_and_the_guest_reads_none_of_them(
    serve: Serve, plugins: Path, home: Path, tmp_path: Path, address: str
) -> None:
    log, notes = tmp_path / "stderr", tmp_path / "my notes"
    notes.mkdir()
    (notes / "a").write_text("milk")
    write_plugin(
        plugins,
        "agent",
        relay("http_request", "read_file", "write_file", "store_data", "call_llm", "log"),
        '[capabilities]\noptional = ["NetworkAccess", "FileSystemAccess", "StorageAccess", "LLMAccess", '
        '"LoggingAccess"]\n'
        '[network]\nallow = ["http://127.0.0.1:*"]\n[filesystem]\nallow = [{ path = "notes", mode = "write" }]',
    )
    tries: list[tuple[str, dict[str, Any]]] = [
        ("agent__http_request", {"url": f"{address}/x"}),
        ("agent__read_file", {"path": "notes/a"}),
        ("agent__write_file", {"path": "notes/b", "content": "x"}),
        ("agent__store_data", {"key": "a", "value": 1}),
        ("agent__http_request", {"url": f"{address}/x", "headers": {"X-Key": "{{secret:KEY}}"}}),
        ("agent__call_llm", {"prompt": "Tea is hot."}),
        ("agent__call_llm", {"prompt": "Tea is hot.", "model": "big"}),
        ("agent__log", {"message": "x" * 900}),
    ]
    done: list[str] = []
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(TIGHT)
    with log.open("wb") as stderr:
        environment = {"AGENTMEM_HOME": str(home), "AGENTMEM_SECRET_KEY": slot("network secret")}
        async with serve(environment=environment, stderr=stderr.fileno()) as server:
            await server.initialize()
            for tool, request in tries:
                envelope = await use(server, tool, request)
                while not envelope["success"]:
                    assert_models_side(envelope)
                    with anyio.fail_after(40):
                        while len(fixes(log)) == len(done):  # the log takes a way of its own, through a thread
                            await anyio.lowlevel.checkpoint()
                    done, (words,) = fixes(log), fixes(log)[len(done) :]
                    # a folder is the one thing that the log cannot know
                    command(home, *(word.replace("/path/of/the/folder", str(notes)) for word in shlex.split(words)))
                    await reload_with(server)
                    envelope = await use(server, tool, request)
    assert (notes / "b").read_text() == "x"
    assert "canary" not in log.read_text()


TIGHT = """
[llm.providers.here]
dialect = "extractive"
[llm.aliases.small]
provider = "here"
max_tokens = 100
[llm.aliases.big]
provider = "here"
max_tokens = 100
[grants.agent.llm]
tokens_per_day = 100
max_tokens_per_call = 100
[plugins.agent.limits]
max_log_bytes = 300
"""
"""Budgets that have to be raised one after the other."""
NETWORK = '[grants.agent]\ncapabilities = ["NetworkAccess"]\n[grants.agent.network]\n'
MODELS = """
[llm.providers.here]
dialect = "extractive"
[llm.aliases.fast]
provider = "here"
[llm.aliases.slow]
provider = "here"
prices = { input = 1, output = 500 }
[grants.agent]
capabilities = ["LLMAccess"]
[grants.agent.llm]
"""
FILES = '[grants.agent]\ncapabilities = ["FileSystemAccess"]\n[grants.agent.filesystem]\n'


@requirement("refusals:operator")
@requirement("refusals:model")
@pytest.mark.parametrize(
    ("grant", "tool", "asked", "code", "told"),
    [
        (
            f'{NETWORK}allow = ["*"]\ndeny = ["a.com/x"]',
            "http_request",
            {"url": "https://a.com/x/y"},
            "network_denied",
            'the rule "a.com/x" in deny of [grants.agent.network]',
        ),
        (
            f'{NETWORK}allow = ["GET https://a.com/*"]',
            "http_request",
            {"url": "https://a.com/x", "method": "POST"},
            "network_denied",
            "agentmem-mcp plugin grant agent --host 'POST https://a.com/*'",
        ),
        (
            f'{NETWORK}allow = ["*"]',
            "http_request",
            {"url": "https://b.com/x"},
            "network_denied",
            "[network] allow in the plugin.toml of 'agent'",
        ),
        (
            '[grants.agent]\ncapabilities = ["StorageAccess"]\ndeny = ["StorageAccess"]',
            "store_data",
            {"key": "a", "value": 1},
            "capability_denied",
            '"StorageAccess" stands in deny of [grants.agent]',
        ),
        (
            '[grants.agent]\ncapabilities = ["StorageAccess"]\n[grants.agent.storage]\nquota_mb = 1',
            "store_data",
            {"key": "a" * 512, "value": "b" * (1_048_576 - 2)},
            "limit_kv_bytes",
            "agentmem-mcp plugin grant agent --quota-mb 3",
        ),
        (
            f'{FILES}roots = [{{ name = "other", folder = "/nowhere" }}]',
            "read_file",
            {"path": "other/$(reboot)"},
            "path_denied",
            "[filesystem] allow in the plugin.toml of 'agent'",
        ),
        (
            f'{NETWORK}allow = ["*"]\nsecrets = {{ KEY = ["https://a.com"] }}',
            "http_request",
            {"url": "https://a.com/x", "headers": {"X-Key": "{{secret:KEY}}"}},
            "secret_unavailable",
            "the variable AGENTMEM_SECRET_KEY",
        ),
        (
            f'{MODELS}aliases = ["fast"]',
            "call_llm",
            {"prompt": "Hi", "model": "$(reboot)"},
            "llm_alias_denied",
            "no alias of that name is configured; there are fast, slow",
        ),
        (
            f'{MODELS}aliases = ["fast"]',
            "call_llm",
            {"prompt": "Hi", "max_tokens": 3_000},
            "limit_llm_tokens",
            "agentmem-mcp config set llm.aliases.fast.max_tokens=4096`",
        ),
        (
            f'[llm]\nprincipal_tokens_per_day = 100{MODELS}aliases = ["fast"]',
            "call_llm",
            {"prompt": "Hi"},
            "limit_llm_tokens",
            "[llm] principal_tokens_per_day = 1600; then start the server again",
        ),
        (
            f'{MODELS}aliases = ["slow"]\ncost_per_day = 0.0004',
            "call_llm",
            {"prompt": "Hi", "max_tokens": 1},
            "limit_llm_cost",
            "config set grants.agent.llm.cost_per_day=0.0016`, or add to the server's configuration: ",
        ),
    ],
)
async def test_each_refusal_names_its_bound_to_the_operator_alone(
    serve: Serve,
    plugins: Path,
    home: Path,
    tmp_path: Path,
    grant: str,
    tool: str,
    asked: dict[str, Any],
    code: str,
    told: str,
) -> None:
    log = tmp_path / "stderr"
    (home / "config").mkdir()
    raised = "\n[plugins.agent.limits]\nmax_input_bytes = 2000000\n"
    (home / "config" / "config.toml").write_text(grant + raised)
    write_plugin(
        plugins,
        "agent",
        relay("http_request", "read_file", "store_data", "call_llm"),
        '[capabilities]\noptional = ["NetworkAccess", "FileSystemAccess", "StorageAccess", "LLMAccess"]\n'
        '[network]\nallow = ["https://a.com/*"]\n[filesystem]\nallow = [{ path = "notes" }]\n',
    )
    with log.open("wb") as stderr:
        async with serve(environment={"AGENTMEM_HOME": str(home)}, stderr=stderr.fileno()) as server:
            envelope = await ask(server, f"agent__{tool}", asked)
            assert await server.close() == 0
    assert (envelope["success"], envelope["metadata"]["code"]) == (False, code), envelope
    assert_models_side(envelope)
    assert told in log.read_text()


@requirement("refusals:operator")
@requirement("refusals:model")
async def test_a_plugin_that_is_held_back_tells_its_fix_in_the_log_and_not_to_the_client(
    serve: Serve, plugins: Path, home: Path, tmp_path: Path
) -> None:
    plugin(plugins, "keeper", "StorageAccess")
    log = tmp_path / "stderr"
    with log.open("wb") as stderr:
        async with serve(environment={"AGENTMEM_HOME": str(home)}, stderr=stderr.fileno()) as server:
            answer = await server.modern("tools/call", {"name": "keeper__store_data", "arguments": {}})
            assert_models_side(answer)
            assert await server.close() == 0
    assert fixes(log) == ["plugin grant keeper StorageAccess"]


@requirement("refusals:operator")
@requirement("capability:files")
@requirement("capability:network")
@pytest.mark.timeout(120)  # many commands, each a process of its own
async def test_the_numbers_of_files_and_requests_are_the_operators_and_each_refusal_says_how_to_raise_its_own(
    serve: Serve, plugins: Path, home: Path, tmp_path: Path, address: str
) -> None:
    log, notes = tmp_path / "stderr", tmp_path / "notes"
    notes.mkdir()
    (notes / "long").write_bytes(b"x" * (1_048_576 + 1))
    write_plugin(
        plugins,
        "agent",
        relay("http_request", "read_file", "write_file"),
        '[capabilities]\nrequired = ["NetworkAccess", "FileSystemAccess"]\n'
        '[network]\nallow = ["http://127.0.0.1:*"]\n[filesystem]\nallow = [{ path = "notes", mode = "write" }]',
    )
    for words in (
        ("plugin", "grant", "agent", "--host", "http://127.0.0.1:*", "--range", "127.0.0.0/8"),
        ("plugin", "grant", "agent", "--folder", f"notes={notes}:write"),
        ("config", "set", "grants.agent.filesystem.max_read_mb=1", "grants.agent.filesystem.max_write_mb=1"),
        ("config", "set", "grants.agent.network.requests_per_second=0.001", "grants.agent.network.burst=1"),
        ("config", "set", *(f"plugins.agent.limits.max_{way}put_bytes=3000000" for way in ("in", "out"))),
    ):
        command(home, *words)
    with log.open("wb") as stderr:
        async with serve(environment={"AGENTMEM_HOME": str(home)}, stderr=stderr.fileno()) as server:
            await server.initialize()
            assert (await use(server, "agent__http_request", {"url": address}))["success"] is True
            rate = await use(server, "agent__http_request", {"url": address})
            assert rate["metadata"]["code"] == "rate_limited"
            read = await use(server, "agent__read_file", {"path": "notes/long"})
            assert read["metadata"] | {"allowed": 1_048_576, "code": "limit_file_bytes_read"} == read["metadata"]
            part = await use(server, "agent__read_file", {"path": "notes/long", "limit": 1_048_576})
            assert part["success"] is True
            content = {"path": "notes/new", "content": "x" * (1_048_576 + 1)}
            written = await use(server, "agent__write_file", content)
            assert written["metadata"]["code"] == "limit_file_bytes_written"
            for envelope in (rate, read, written):
                assert_models_side(envelope)
            assert not (notes / "new").exists()
            command(home, "config", "set", "grants.agent.filesystem.max_read_mb=2")
            await reload_with(server)
            assert (await use(server, "agent__read_file", {"path": "notes/long"}))["success"] is True
            assert await server.close() == 0
    said = log.read_text()
    for key in ("network.requests_per_second=0.002", "filesystem.max_read_mb=2", "filesystem.max_write_mb=2"):
        assert f"run `agentmem-mcp config set grants.agent.{key}`, or add" in said


@requirement("refusals:operator")
@requirement("limits:owner")
async def test_a_number_that_the_manifest_holds_low_is_kept_and_no_setting_is_told_that_would_change_nothing(
    serve: Serve, plugins: Path, home: Path, tmp_path: Path, address: str
) -> None:
    log, notes = tmp_path / "stderr", tmp_path / "notes"
    notes.mkdir()
    (notes / "long").write_bytes(b"x" * (1_048_576 + 1))
    write_plugin(
        plugins,
        "modest",
        relay("http_request", "read_file", "log"),
        '[capabilities]\nrequired = ["NetworkAccess", "FileSystemAccess", "LoggingAccess"]\n'
        '[network]\nallow = ["http://127.0.0.1:*"]\nrequests_per_second = 0.001\nburst = 1\n'
        '[filesystem]\nallow = [{ path = "notes" }]\nmax_read_mb = 1\n[limits]\nmax_log_bytes = 10',
    )
    for words in (
        ("plugin", "grant", "modest", "--host", "http://127.0.0.1:*", "--range", "127.0.0.0/8"),
        ("plugin", "grant", "modest", "--folder", f"notes={notes}"),
        (
            "config",
            "set",
            "grants.modest.network.requests_per_second=1000",
            "grants.modest.filesystem.max_read_mb=1024",
        ),
    ):
        command(home, *words)
    with log.open("wb") as stderr:
        async with serve(environment={"AGENTMEM_HOME": str(home)}, stderr=stderr.fileno()) as server:
            await server.initialize()
            assert (await use(server, "modest__http_request", {"url": address}))["success"] is True
            rate = await use(server, "modest__http_request", {"url": address})
            read = await use(server, "modest__read_file", {"path": "notes/long"})
            said = await use(server, "modest__log", {"message": "eleven byte"})
            codes = [envelope["metadata"]["code"] for envelope in (rate, read, said)]
            assert codes == ["rate_limited", "limit_file_bytes_read", "limit_log_bytes"]
            assert read["metadata"]["allowed"] == 1_048_576
            for envelope in (rate, read, said):
                assert_models_side(envelope)
                assert "plugin.toml" not in json.dumps(envelope)
            assert await server.close() == 0
    told = log.read_text()
    assert "agentmem-mcp config set" not in told
    for line in (
        "requests_per_second = 0.002 under [network]",
        "max_read_mb = 2 under [filesystem]",
        "max_log_bytes = 20 under [limits]",
    ):
        assert f"the author must ask for more: set {line} in the plugin.toml of 'modest'" in told


@requirement("refusals:operator")
@requirement("grants:reload")
async def test_an_alias_that_is_younger_than_the_server_is_refused_with_what_to_do(
    serve: Serve, plugins: Path, home: Path, tmp_path: Path
) -> None:
    plugin(plugins, "agent", "LLMAccess")
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(f'{MODELS}aliases = ["fast"]\n')
    log = tmp_path / "stderr"
    with log.open("wb") as stderr:
        async with serve(environment={"AGENTMEM_HOME": str(home)}, stderr=stderr.fileno()) as server:
            await server.initialize()
            command(home, "config", "set", "llm.aliases.young.provider=here")
            command(home, "plugin", "grant", "agent", "--model", "young")
            await reload_with(server)
            refused = await use(server, "agent__call_llm", {"prompt": "Hi", "model": "young"})
            assert refused["metadata"]["code"] == "llm_alias_denied"
            assert await server.close() == 0
    assert "start the server again: [llm] is read when it starts" in log.read_text()


@requirement("grants:combination")
@pytest.mark.parametrize(
    ("grant", "told"),
    [
        ('memories = "principal"', "the memories of whoever calls it"),
        ("[grants.both.filesystem]\nroots = [{ name = 'notes', folder = '/srv' }]", "files below notes"),
        ("", ""),
    ],
)
def test_a_plugin_that_reads_private_data_and_talks_to_the_network_is_pointed_at(
    plugins: Path, tmp_path: Path, grant: str, told: str
) -> None:
    asks = """[capabilities]
    optional = ["MemoryAccess", "NetworkAccess", "FileSystemAccess"]
    [network]
    allow = ["https://example.com/*"]
    [filesystem]
    allow = [{ path = "notes" }]"""
    write_plugin(plugins, "both", relay("add_memory", "http_request", "read_file"), asks)
    config = tmp_path / "config.toml"
    net = 'capabilities = ["NetworkAccess", "FileSystemAccess"]\nnetwork = { allow = ["https://example.com/*"] }'
    config.write_text(f"[grants.both]\n{net}\n{grant}\n", encoding="utf-8")
    shown = json.loads(command(tmp_path, "plugin", "show", "both", "--plugins", plugins, "--config", config, "--json"))
    notes = [note for note in shown["notes"] if "talks to https://example.com/*" in note]
    assert [told in note for note in notes] == ([True] if told else [])
