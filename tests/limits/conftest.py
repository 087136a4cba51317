"""One host with the real MCP server on it for all limits; every plugin has one limit lowered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mcp import Client

from mcp_server.host import PluginHost
from mcp_server.policy.limits import LIMITS
from mcp_server.settings import Settings
from mcp_server.transport.mcp_face import McpFace
from tests.guests import wat, write_plugin
from tests.hostile.den import hostile
from tests.limits.guests import ASKING, NUMBERED, functions, padded, tables

MIB = 1024 * 1024
ASKED: dict[str, int] = {
    "instructions": 1_000_000,
    "memory": 4,
    "execution_time": 300,
    "load_time": 300,
    "input_bytes": 100,
    "output_bytes": 1_000,
    "json_depth": 8,
    "host_calls": 10,
    "log_lines": 5,
    "log_bytes": 100,
    "concurrency": 2,
    "queue": 1,
    "recursion": 2,
    "llm_calls": 2,
}
"""What the manifest of plugin ``<limit>`` asks for, in the unit of the key; the tests are at this and one past it."""
KEYS = {spec.name: spec.key for spec in LIMITS}
RIGHTS = '[capabilities]\nrequired = ["LoggingAccess", "ConfigAccess"]'


@dataclass(frozen=True)
class Stage:
    """A host and a client of its server."""

    host: PluginHost
    client: Client


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """As everywhere, but as wide as the host."""
    return "asyncio"


def plugin_id(limit: str) -> str:
    return limit.replace("_", "-")


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("limits")
    for limit, value in ASKED.items():
        more = "\nmax_concurrency = 1" if limit == "queue" else ""
        wasm, rights = (ASKING, LLM_RIGHTS) if limit == "llm_calls" else (NUMBERED, RIGHTS)
        write_plugin(folder, plugin_id(limit), wasm, f"{rights}\n[limits]\n{KEYS[limit]} = {value}{more}")
    write_plugin(folder, "slow-start", hostile("start-spin"), "[limits]\nmax_load_time_ms = 300")
    for name, key, at, past in (
        ("module-bytes", "max_module_mb = 1", padded(MIB), padded(MIB + 1)),
        ("functions", "max_functions = 10", functions(10), functions(11)),
        ("table-elements", "max_table_elements = 100", tables(60, 40), tables(60, 41)),
        ("first-memory", "max_memory_mb = 1", pages(8), pages(9)),
    ):
        write_plugin(folder, f"{name}-at", at, f"[limits]\n{key}")
        write_plugin(folder, f"{name}-past", past, f"[limits]\n{key}")
    settings = Settings.model_validate({"plugins": OPERATOR, "llm": LLM, "grants": LLM_GRANTS})
    for plugin, asked in (("raised", "max_execution_time_ms = 60_000\nmax_input_bytes = 50"), ("greedy", GREEDY)):
        write_plugin(folder, plugin, NUMBERED, f"{RIGHTS}\n[limits]\n{asked}")
    async with (
        PluginHost(settings, cache=cache / "cache", data=folder / "data").load_plugins_from_dir(folder) as host,
        Client(McpFace(host).server) as client,
    ):
        yield Stage(host, client)


GREEDY = "\n".join(f"{spec.key} = {spec.hard}" for spec in LIMITS)
LLM_RIGHTS = '[capabilities]\nrequired = ["LLMAccess"]'
LLM = {"providers": {"own": {"dialect": "extractive"}}, "aliases": {"short": {"provider": "own"}}}
LLM_GRANTS = {"llm-calls": {"capabilities": ["LLMAccess"], "llm": {"aliases": ["short"]}}}
OPERATOR = {"raised": {"limits": {spec.key: spec.hard for spec in LIMITS}}}


def pages(count: int) -> bytes:
    return wat(f'(module (memory {count}) (func (export "run") (result i32) (i32.const 0)))')
