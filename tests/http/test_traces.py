"""Traces of the real server, sent to a collector on loopback that reads OTLP with OpenTelemetry's own definitions."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from mcp_server.telemetry.tracing.export import start_tracing, wants_tracing
from tests.canary import slot
from tests.capabilities.llm_site import openai
from tests.capabilities.test_network_site import Site, plain, site
from tests.flows.test_capabilities_from_wasm import configure, plugin
from tests.flows.test_hooks import asking
from tests.guests import ECHO, answers, module, write_plugin
from tests.http_server import HttpServer, http_server
from tests.requirements import requirement
from tests.stdio_server import META, stdio_server

ROOT = Path(__file__).resolve().parents[2]
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FROM_CLIENT = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=its-state", "baggage": "user=somebody"}


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO + '(func (export "trap") (result i32) unreachable)'))


@dataclass
class Collected:
    """What a collector got.

    Attributes:
        site: Where it listens.
        spans: Those of ended servers.
    """

    site: Site
    spans: list[Span] = field(default_factory=list[Span])

    @property
    def environment(self) -> dict[str, str]:
        header = f"authorization=Bearer%20{slot('collector header')}"
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.site.port}",
            "OTEL_EXPORTER_OTLP_HEADERS": header,
            "OTEL_SERVICE_NAME": "mine",
        }

    def read(self) -> dict[str, Span]:
        """The spans by name; the last of those that have the same."""
        for request in self.site.seen:
            assert (request.path, request.headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
            assert request.headers["authorization"] == f"Bearer {slot('collector header')}"
            for resource in ExportTraceServiceRequest.FromString(request.body).resource_spans:
                assert {"service.name": "mine"}.items() <= said(resource.resource).items()
                self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return {span.name: span for span in self.spans}


def said(owner: Any) -> dict[str, Any]:
    """The attributes of a span or a resource."""
    values = ((pair.key, pair.value) for pair in owner.attributes)
    return {key: getattr(value, value.WhichOneof("value")) for key, value in values}


@asynccontextmanager
async def collector() -> AsyncGenerator[Collected]:
    async with site(lambda _: plain(status="200 OK", content_type="application/x-protobuf")) as listening:
        yield Collected(listening)


def network(address: str, more: str = "") -> str:
    return (
        '[grants.courier]\ncapabilities = ["NetworkAccess"]\n[grants.courier.network]\n'
        f'allow = ["{address}/*"]\nranges = ["127.0.0.0/8"]\n{more}\n'
    )


@asynccontextmanager
async def courier(
    folder: Path, environment: Mapping[str, str], more: str = ""
) -> AsyncGenerator[tuple[HttpServer, Site, str]]:
    """A server whose plugin may ask an upstream: it, the upstream, and where that is."""
    plugins = folder / "courier-plugins"
    plugins.mkdir()
    async with site(lambda _: plain(b"hi")) as upstream:
        address = f"http://127.0.0.1:{upstream.port}"
        plugin(plugins, "courier", "NetworkAccess", f'[network]\nallow = ["{address}/*"]')
        arguments = ["--config", str(configure(folder, network(address, more)))]
        async with http_server(plugins, home=folder, arguments=arguments, environment=environment) as server:
            yield server, upstream, address


def inside(span: Span, outer: Span) -> bool:
    """Whether ``span`` is the child of ``outer``, and lies in its time."""
    within = outer.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
    return span.parent_span_id == outer.span_id and span.trace_id == outer.trace_id and within


@requirement("traces:spans")
@requirement("traces:passed-on")
async def test_a_call_over_http_is_traced_from_the_client_to_the_site_that_its_plugin_asks(tmp_path: Path) -> None:
    async with collector() as collected:
        async with courier(tmp_path, collected.environment) as (server, upstream, address):
            arguments = {"url": f"{address}/private/path?key=word", "headers": {"x-own": "1"}}
            params = {"name": "courier__http_request", "arguments": arguments, "_meta": FROM_CLIENT}
            response = await server.modern("tools/call", params)
            assert response.json()["result"]["isError"] is False, response.text
            assert await server.end() == 0
        spans = collected.read()
    request, execute, asked = (spans[name] for name in ("tools/call courier__http_request", "execute", "http_request"))
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert request.kind == Span.SPAN_KIND_SERVER
    expected = {
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": "2026-07-28",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "courier__http_request",
        "network.transport": "tcp",
        "network.protocol.name": "http",
    }
    assert expected.items() <= said(request).items()
    assert all(inside(spans[name], request) for name in ("queue", "load", "execute"))
    assert spans["load"].end_time_unix_nano <= execute.start_time_unix_nano
    assert said(execute)["agentmem.plugin.id"] == "courier"
    assert inside(asked, execute)
    assert asked.kind == Span.SPAN_KIND_CLIENT
    told = {"http.request.method": "GET", "http.response.status_code": 200, "url.scheme": "http"}
    assert told | {"server.address": "127.0.0.1", "server.port": upstream.port} == {
        key: value for key, value in said(asked).items() if not key.startswith("agentmem.")
    }
    (sent,) = upstream.seen
    assert sent.headers["traceparent"] == f"00-{TRACE}-{asked.span_id.hex()}-01"
    assert sent.headers["tracestate"] == "vendor=its-state"
    assert "baggage" not in sent.headers
    text = str(collected.spans)
    assert "private/path" not in text
    assert "key=word" not in text


@requirement("traces:passed-on")
@pytest.mark.parametrize(
    ("grant", "headers", "seen"),
    [
        ("trace = false", {}, None),
        ("", {"traceparent": "the-plugin's-own"}, "the-plugin's-own"),
    ],
    ids=["forbidden", "of-the-plugin"],
)
async def test_the_operator_may_forbid_the_trace_context_and_a_plugin_may_send_its_own(
    tmp_path: Path, grant: str, headers: dict[str, str], seen: str | None
) -> None:
    async with collector() as collected, courier(tmp_path, collected.environment, grant) as (server, upstream, address):
        params = {"name": "courier__http_request", "arguments": {"url": f"{address}/", "headers": headers}}
        await server.modern("tools/call", {**params, "_meta": FROM_CLIENT})
        (sent,) = upstream.seen
        assert sent.headers.get("traceparent") == seen
        assert "tracestate" not in sent.headers


@requirement("traces:spans")
@requirement("traces:passed-on")
@pytest.mark.parametrize("trace", [False, True])
async def test_over_pipes_an_error_is_told_on_the_spans_and_a_model_in_the_words_of_genai(
    cache: Path, stage: Path, tmp_path: Path, trace: bool
) -> None:
    plugins = tmp_path / "plugins"
    plugin(plugins, "writer", "LLMAccess")
    async with collector() as collected, site(lambda _: openai("Hello.")) as model:
        config = configure(
            tmp_path,
            f"""
[llm.providers.upstream]
dialect = "openai"
base_url = "http://127.0.0.1:{model.port}/v1"
trace = {str(trace).lower()}
[llm.aliases.fast]
provider = "upstream"
model = "model-7b"
[grants.writer]
capabilities = ["LLMAccess"]
[grants.writer.llm]
aliases = ["fast"]
""",
        )
        environment = {"AGENTMEM_HOME": str(tmp_path / "home"), **collected.environment}
        arguments = ["--config", str(config)]
        async with stdio_server(stage, plugins, home=cache, environment=environment, arguments=arguments) as server:
            for tool, given in (
                ("writer__call_llm", {"prompt": "private words", "max_tokens": 20, "temperature": 0.5}),
                ("well__trap", {}),
            ):
                await server.ask("tools/call", {"name": tool, "arguments": given, "_meta": {**META, **FROM_CLIENT}})
            assert await server.close() == 0
        spans = collected.read()
    asking, sent = spans["chat model-7b"], model.seen[0].headers
    assert sent.get("traceparent") == (f"00-{TRACE}-{asking.span_id.hex()}-01" if trace else None)
    assert sent.get("tracestate") == ("vendor=its-state" if trace else None)
    assert "baggage" not in sent
    asked = said(asking)
    assert asked == {
        "agentmem.plugin.id": "writer",
        "agentmem.host_function": "call_llm",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "model-7b",
        "gen_ai.request.max_tokens": 20,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.response.finish_reasons": asked["gen_ai.response.finish_reasons"],
    }
    failed = spans["tools/call well__trap"]
    assert said(failed)["network.transport"] == "pipe"
    assert (said(failed)["error.type"], failed.status.code) == ("tool_error", Status.STATUS_CODE_ERROR)
    assert said(spans["execute"])["error.type"] == "plugin_trapped"
    assert failed.trace_id.hex() == TRACE
    text = str(collected.spans)
    assert "private words" not in text
    assert "Hello." not in text


@requirement("traces:spans")
async def test_a_hook_is_part_of_the_call_that_it_hooks_into(cache: Path, stage: Path, tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    adds = asking("add_memory", '{"content":"tea"}', "{}")
    write_plugin(plugins, "notes", adds, '[capabilities]\nrequired = ["MemoryAccess"]\n')
    write_plugin(plugins, "watch", answers("null"), '[hooks]\nbefore_add = "run"\n')
    config = configure(tmp_path, "[grants.watch]\nhooks = true\n")
    async with collector() as collected:
        environment = {"AGENTMEM_HOME": str(tmp_path / "home"), **collected.environment}
        async with stdio_server(
            plugins, home=cache, environment=environment, arguments=["--config", str(config)]
        ) as one:
            await one.call("notes__run", {})
            assert await one.close() == 0
        spans = collected.read()
    asked = spans["add_memory"]
    hooked = [span for span in collected.spans if said(span).get("agentmem.function") == "before_add"]
    assert {span.name for span in hooked} == {"queue", "load", "execute"}
    assert all(inside(span, asked) for span in hooked)


@requirement("traces:off")
async def test_without_a_collector_nothing_is_traced_or_passed_on(tmp_path: Path) -> None:
    async with courier(tmp_path, {}) as (server, upstream, address):
        params = {"name": "courier__http_request", "arguments": {"url": f"{address}/"}, "_meta": FROM_CLIENT}
        await server.modern("tools/call", params)
        assert not {"traceparent", "tracestate"} & set(upstream.seen[0].headers)


@requirement("traces:off")
@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_TRACES_EXPORTER": "console", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
    ],
)
def test_tracing_is_on_where_a_collector_is_named(environment: dict[str, str], wanted: bool) -> None:
    assert wants_tracing(environment) is wanted


@requirement("traces:off")
def test_without_the_extra_the_log_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)  # for Python it is not installed then
    with caplog.at_level(logging.WARNING):
        assert start_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}) is None
    assert "agentmem-mcp[otel]" in caplog.text


@requirement("traces:off")
def test_a_server_without_a_collector_loads_nothing_of_the_extra() -> None:
    script = "import sys, mcp_server.app; print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


@requirement("traces:off")
async def test_a_collector_that_never_answers_holds_up_neither_calls_nor_the_end(stage: Path, tmp_path: Path) -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:  # takes connections, reads nothing
        port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610  # not Django's
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_BSP_SCHEDULE_DELAY": "20"}
        async with http_server(stage, home=tmp_path, environment=environment) as server:
            for _ in range(20):
                assert (await server.call("well__echo", {"a": 1}))["isError"] is False
            with anyio.fail_after(30):
                assert await server.end() == 0
