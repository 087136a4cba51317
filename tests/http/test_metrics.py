"""``/metrics`` of the real server, read with Prometheus's own parser."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_families,  # pyright: ignore[reportUnknownVariableType]  # no type for the text
)
from prometheus_client.parser import text_string_to_metric_families

from mcp_server.errors import PluginCrashed
from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from mcp_server.telemetry.metrics.families import FAMILIES, OTHER
from mcp_server.transport.http.counted import RequestCounts
from mcp_server.transport.http.gauges import Gauges
from tests.canary import slot
from tests.capabilities.llm_site import openai
from tests.capabilities.test_network_site import site
from tests.flows import bodies
from tests.flows.test_capabilities_from_wasm import configure, plugin
from tests.guests import ECHO, module, write_plugin
from tests.http.conftest import make_token
from tests.http_server import HttpServer, http_server
from tests.requirements import requirement

TRAP = '(func (export "run") (result i32) unreachable)'
Sample = tuple[str, frozenset[tuple[str, str]]]


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))
    write_plugin(folder, "trap", module(TRAP + ECHO))
    write_plugin(folder, "sorry", bodies.guest_error("no"))
    plugin(folder, "nosy", "NetworkAccess", how="optional")
    plugin(folder, "keeper", "StorageAccess", how="optional")


@pytest.fixture(scope="module")
async def budgeted(stage: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HttpServer]:
    """A server whose plugins may keep values and ask a model on loopback that takes 11 and 7 tokens a time."""
    home = tmp_path_factory.mktemp("budgeted")
    folder = home / "plugins"
    folder.mkdir()
    plugin(folder, "writer", "LLMAccess")
    async with site(lambda _: openai("Hello.")) as model:
        config = configure(
            home,
            f"""
[llm]
tokens_per_day = 5_000
cost_per_day = 1
[llm.providers.upstream]
dialect = "openai"
base_url = "http://127.0.0.1:{model.port}/v1"
key = "UPSTREAM"
[llm.aliases.fast]
provider = "upstream"
model = "m"
prices = {{ input = 2, output = 10 }}
[grants.keeper]
capabilities = ["StorageAccess"]
[grants.keeper.storage]
quota_mb = 2
[grants.writer]
capabilities = ["LLMAccess"]
[grants.writer.llm]
aliases = ["fast"]
tokens_per_day = 2_000
cost_per_day = 0.5
""",
        )
        environment = {"AGENTMEM_SECRET_UPSTREAM": slot("llm key")}
        arguments = ["--config", str(config)]
        async with http_server(stage, folder, home=home, arguments=arguments, environment=environment) as server:
            yield server


async def scrape(server: HttpServer, token: str | None = None) -> dict[Sample, float]:
    """Every sample of the page, by name and labels."""
    async with server.client(token) as client:
        response = await client.get("/metrics")
    assert response.status_code == 200, response.text
    families = text_string_to_metric_families(response.text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def of(found: dict[Sample, float], name: str, **labels: str) -> float:
    """The sum of the samples of that name that have these labels."""
    return sum(value for (one, given), value in found.items() if one == name and labels.items() <= dict(given).items())


@requirement("metrics:page")
async def test_the_page_shows_exactly_the_metrics_that_are_documented(web: HttpServer) -> None:
    async with web.client() as client:
        plain = await client.get("/metrics")
        opened = await client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert opened.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    shown = {family.name: family for family in text_string_to_metric_families(plain.text)}
    own = {name: family.type for name, family in shown.items() if not name.startswith("process_")}
    assert own == {family.name.removesuffix("_total"): family.kind for family in FAMILIES}
    assert "process_resident_memory_bytes" in shown
    assert opened.text.endswith("# EOF\n")
    assert {family.name for family in open_families(opened.text)} == set(shown)
    kinds = {family.name: (family.kind, set(family.labels)) for family in FAMILIES}
    for family in shown.values():
        for sample in family.samples if family.name in own else ():
            kind, labels = kinds[f"{family.name}_total" if family.type == "counter" else family.name]
            assert set(sample.labels) - ({"le"} if kind == "histogram" else set()) == labels


@requirement("metrics:page")
async def test_only_who_may_manage_plugins_reads_it(web: HttpServer) -> None:
    limited = make_token(web.home, "caller", "tools:call", "tools:list", "memory:read", "memory:write")
    scraper = make_token(web.home, "scraper", "admin:plugins")
    async with web.client("") as client:
        assert (await client.get("/metrics")).status_code == 401
    async with web.client(limited) as client:
        refused = await client.get("/metrics")
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
        assert 'scope="admin:plugins"' in refused.headers["www-authenticate"]
    async with web.client(scraper) as client:
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.post("/metrics", json={})).status_code == 405


@requirement("metrics:true")
async def test_calls_are_counted_by_how_they_ended_and_what_they_spent_their_time_on(web: HttpServer) -> None:
    before = await scrape(web)
    for _ in range(3):
        await web.call("well__echo", {"a": 1})
    await web.call("trap__run")
    await web.call("sorry__run")
    await web.modern("tools/call", {"name": "well__echo", "arguments": [1]})
    after = await scrape(web)

    def more(name: str, **labels: str) -> float:
        return of(after, name, **labels) - of(before, name, **labels)

    assert more("agentmem_calls_total", plugin="well", tool="well__echo", outcome="ok") == 3
    assert more("agentmem_calls_total", tool="trap__run", outcome="plugin_trapped") == 1
    assert more("agentmem_calls_total", tool="sorry__run", outcome="plugin_error") == 1
    assert more("agentmem_call_seconds_count", tool="well__echo") == 3
    assert more("agentmem_call_seconds_bucket", tool="well__echo", le="+Inf") == 3
    assert more("agentmem_call_output_bytes_total", tool="well__echo") == 3 * len('{"a":1}')
    phases = ("queue", "load", "instantiate", "execute", "host")
    counted = {phase: more("agentmem_call_phase_seconds_count", tool="well__echo", phase=phase) for phase in phases}
    assert counted == dict.fromkeys(phases, 3)
    spent = sum(more("agentmem_call_phase_seconds_sum", tool="well__echo", phase=phase) for phase in phases)
    assert 0 < spent <= more("agentmem_call_seconds_sum", tool="well__echo")
    assert more("agentmem_call_phase_seconds_sum", tool="well__echo", phase="load") > 0
    assert more("agentmem_call_phase_seconds_count", tool="trap__run", phase="execute") == 0
    assert of(after, "agentmem_workers", plugin="well") == 1
    assert of(after, "agentmem_worker_starts_total", plugin="well") == 1
    assert of(after, "agentmem_worker_memory_bytes", plugin="well") > 1_000_000
    assert of(after, "agentmem_worker_memory_peak_bytes", plugin="well") > 1_000_000
    assert of(after, "agentmem_plugin_state", plugin="well", state="Running") == 1
    listed = (await web.modern("tools/list")).json()["result"]["tools"]
    assert of(after, "agentmem_tools") == len(listed)


@requirement("metrics:true")
async def test_host_calls_and_denials_are_counted(budgeted: HttpServer) -> None:
    await budgeted.call("nosy__http_request", {"url": "http://127.0.0.1/"})
    await budgeted.call("keeper__store_data", {"key": "a", "value": "x" * 1_000})
    await budgeted.call("keeper__load_data", {"key": "a", "nonsense": 1})
    found = await scrape(budgeted)
    denied = {"plugin": "nosy", "capability": "NetworkAccess", "code": "capability_denied"}
    assert of(found, "agentmem_denials_total", **denied) == of(found, "agentmem_denials_total") == 1
    asked = {"plugin": "keeper", "function": "load_data", "outcome": "invalid_request"}
    assert of(found, "agentmem_host_calls_total", **asked) == 1
    assert of(found, "agentmem_host_calls_total", plugin="keeper", function="store_data", outcome="ok") == 1
    assert of(found, "agentmem_host_call_seconds_count", function="store_data") == 1
    assert 0 < of(found, "agentmem_host_call_seconds_sum", function="store_data") < 20
    assert of(found, "agentmem_call_phase_seconds_sum", tool="keeper__store_data", phase="host") == pytest.approx(
        of(found, "agentmem_host_call_seconds_sum", function="store_data")
    )


@requirement("metrics:true")
async def test_budgets_and_quotas_say_what_is_used_and_what_is_left(budgeted: HttpServer) -> None:
    token = make_token(budgeted.home, "another", "tools:call")
    key, value = "budget", "x" * 500_000
    for caller in (None, token):
        assert (await budgeted.call("writer__call_llm", {"prompt": "Hi", "max_tokens": 100}, token=caller))[
            "isError"
        ] is False
    await budgeted.call("keeper__store_data", {"key": key, "value": value}, token=token)
    await budgeted.call("memory__add", {"content": "a thing to remember"})
    found = await scrape(budgeted)
    assert of(found, "agentmem_llm_tokens_used", plugin="writer") == 2 * (11 + 7)
    assert of(found, "agentmem_llm_tokens_left", plugin="writer") == 2_000 - 36
    cost = 2 * (11 * 2 + 7 * 10) / 1e6
    assert of(found, "agentmem_llm_cost_used", plugin="writer") == pytest.approx(cost)
    assert of(found, "agentmem_llm_cost_left", plugin="writer") == pytest.approx(0.5 - cost)
    assert of(found, "agentmem_llm_server_tokens_left") == 5_000 - 36
    assert of(found, "agentmem_llm_server_cost_left") == pytest.approx(1 - cost)
    kept = len(key) + len(value) + 2
    assert of(found, "agentmem_kv_fullest_bytes", plugin="keeper") == kept
    assert kept <= of(found, "agentmem_kv_bytes", plugin="keeper") < kept + 2_000
    assert of(found, "agentmem_kv_quota_bytes", plugin="keeper") == 2 * 1024 * 1024
    assert of(found, "agentmem_store_up") == 1
    assert of(found, "agentmem_store_bytes") >= (budgeted.home / "data" / "agentmem.sqlite").stat().st_size
    assert of(found, "agentmem_memories") == 1
    assert of(found, "agentmem_memory_bytes") > len("a thing to remember")


@requirement("metrics:true")
async def test_a_store_that_is_not_there_is_not_made_by_looking(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server:
        found = await scrape(server)
        assert ("agentmem_store_up", frozenset()) not in found
        assert not (tmp_path / "data" / "agentmem.sqlite").exists()
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "agentmem.sqlite").write_bytes(b"no database" * 1_000)
        damaged = await scrape(server)
        assert damaged["agentmem_store_up", frozenset()] == 0


@requirement("metrics:true")
async def test_requests_are_counted_by_route_and_status(web: HttpServer) -> None:
    before = await scrape(web)
    async with web.client("") as client:
        assert (await client.get("/health")).status_code == 200
        assert (await client.post("/mcp", json={})).status_code == 401
        assert (await client.get("/health", headers={"host": "evil.example"})).status_code == 421
    async with web.client() as client:
        assert (await client.get("/no/such/path")).status_code == 404
    after = await scrape(web)
    name = "agentmem_http_requests_total"
    for route, status in (("/health", "200"), ("/mcp", "401"), ("/health", "421"), (OTHER, "404"), ("/metrics", "200")):
        assert of(after, name, route=route, status=status) == of(before, name, route=route, status=status) + 1
    assert of(after, "agentmem_http_requests_in_flight") == 1


@requirement("metrics:bounded")
async def test_what_a_caller_writes_is_never_a_label(web: HttpServer) -> None:
    word = "SECRETWORD"
    token = make_token(web.home, f"{word}principal", "tools:call", "memory:write", "memory:read")
    before = of(await scrape(web), "agentmem_calls_total", tool=OTHER)
    for number in range(5):
        await web.modern("tools/call", {"name": f"{word}__{number}", "arguments": {}})
    await web.call("well__echo", {word: word}, token=token)
    await web.call("memory__add", {"content": word, "metadata": {word: word}}, token=token)
    async with web.client() as client:
        await client.get(f"/{word}")
        await client.post(f"/messages/?session_id={word}", json={})
        page = (await client.get("/metrics")).text
    assert word.lower() not in page.lower()
    unknown = {"plugin": OTHER, "tool": OTHER, "outcome": "tool_not_found"}
    assert of(await scrape(web), "agentmem_calls_total", **unknown) == before + 5


@requirement("metrics:bounded")
async def test_the_figures_of_a_plugin_that_is_gone_move_to_other(cache: Path, plugins: Path) -> None:
    plugin(plugins, "brief", "LoggingAccess")
    write_plugin(plugins, "well", module(ECHO))
    async with PluginHost(folders=PluginFolders(plugins=(plugins,)), cache=cache / "cache") as host:
        gauges = Gauges(host, RequestCounts())
        await host.call_tool("brief__log", {"message": "hi"})
        await host.call_tool("well__echo", {})
        shutil.rmtree(plugins / "brief")
        host.reload()
        figures = await gauges.read()
        assert "brief" not in str([labels for rows in figures.values() for labels, _ in rows])
        calls = dict(figures["agentmem_calls_total"])
        assert calls == {("well", "well__echo", "ok"): 1, (OTHER, OTHER, "ok"): 1}
        assert dict(figures["agentmem_host_calls_total"]) == {(OTHER, "log", "ok"): 1}
        plugin(plugins, "brief", "LoggingAccess")
        host.reload()
        await host.call_tool("brief__log", {"message": "again"})
        calls = dict((await gauges.read())["agentmem_calls_total"])
        assert (calls["brief", "brief__log", "ok"], calls[OTHER, OTHER, "ok"]) == (1, 1)


@requirement("metrics:true")
async def test_a_worker_that_dies_is_counted_and_so_is_the_one_after_it(cache: Path, plugins: Path) -> None:
    write_plugin(plugins, "well", module(ECHO))
    async with PluginHost(folders=PluginFolders(plugins=(plugins,)), cache=cache / "cache") as host:
        gauges = Gauges(host, RequestCounts())
        await host.call_tool("well__echo", {})
        runner = host.registry.get("well").runner
        assert runner is not None
        os.kill(runner.workers[0].pid, signal.SIGKILL)
        with suppress(PluginCrashed):  # or it was noticed before the call, which is answered then
            await host.call_tool("well__echo", {})
        await host.call_tool("well__echo", {})
        figures = await gauges.read()
        assert figures["agentmem_worker_crashes_total"] == [(("well",), 1)]
        assert figures["agentmem_worker_starts_total"] == [(("well",), 2)]
        assert figures["agentmem_workers"] == [(("well",), 1)]
