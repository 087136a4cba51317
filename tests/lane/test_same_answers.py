"""With the lane and without it a client gets the same answers, from whatever it sends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.flows import bodies
from tests.flows.test_results import fill as fill_with_results
from tests.guests import ECHO, module, write_plugin
from tests.http_server import tool_headers
from tests.lane.conftest import Pair
from tests.lane.wire import Reply, Sending, exchange
from tests.requirements import requirement
from tests.stdio_server import META, Json

HEADED = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
TYPED = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
LOGS = '[capabilities]\nrequired = ["LoggingAccess"]'
KIB = 1024
LEVEL = {"io.modelcontextprotocol/logLevel": "debug"}
ENVELOPE = '"jsonrpc":"2.0","id":1,"method":"tools/call"'


def fill(folder: Path) -> None:
    fill_with_results(folder)
    write_plugin(folder, "well", module(ECHO))
    write_plugin(folder, "trap", module(bodies.TRAP))
    write_plugin(folder, "fails", bodies.guest_error("out of tea"))
    write_plugin(folder, "chatty", bodies.log_often(2, '{"message":"said"}'), LOGS)
    for plugin, schema in (("typed", TYPED), ("headed", HEADED)):
        home = write_plugin(folder, plugin, module(ECHO), '[[tools]]\nfunction = "echo"\ninput_schema = "in.json"')
        (home / "in.json").write_text(json.dumps(schema))


def call(
    name: object = "well__echo",
    arguments: object = ...,
    meta: Mapping[str, Any] = META,
    number: object = 1,
    method: str = "tools/call",
    **more: Any,
) -> Json:
    given = {} if arguments is ... else {"arguments": arguments}
    return {
        "jsonrpc": "2.0",
        "id": number,
        "method": method,
        "params": {"name": name, **given, "_meta": dict(meta), **more},
    }


def listed(meta: Mapping[str, Any] = META, **more: Any) -> Json:
    return {"jsonrpc": "2.0", "id": "l", "method": "tools/list", "params": {"_meta": dict(meta), **more}}


def sending(message: Json | bytes, *, headers: Mapping[str, str] | None = None, **more: Any) -> Sending:
    """A modern request with the headers that fit it, unless ``headers`` say otherwise."""
    if isinstance(message, bytes):
        fitting = tool_headers("tools/call", {"name": "well__echo"})
        return Sending(message, {**fitting, **(headers or {})}, **more)
    fitting = tool_headers(str(message.get("method")), message.get("params") or {})
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
    return Sending(text, {**fitting, **(headers or {})}, **more)


RESULTS = (
    *("object", "array", "number", "nothing", "string", "text", "markdown", "typed-object", "typed-array"),
    *("typed-number", "typed-null", "broken-promise", "no-json", "must-be-json", "text-of-json", "blocks"),
    *("trap", "fails", "chatty"),
)
TOOLS: dict[str, Sending] = {name: sending(call(f"{name}__run", {})) for name in RESULTS}
FORMS: dict[str, Sending] = {
    "arguments": sending(call(arguments={"a": [1, 2.5, None, True, "ü\n\u2028"], "b": {"c": {}}})),
    "no-arguments": sending(call()),
    "null-arguments": sending(call(arguments=None)),
    "arguments-no-object": sending(call(arguments=[1])),
    "arguments-text": sending(call(arguments="a")),
    "spaced": sending(json.dumps(call(arguments={"a": 1})).encode()),
    "escaped": sending(json.dumps(call(arguments={"a": "ü"})).encode()),
    "indented": sending(json.dumps(call(arguments={"a": "ü"}), indent=2).encode()),
    "sorted": sending(json.dumps(call(arguments={"a": 1}), sort_keys=True).encode()),
    "does-not-fit-schema": sending(call("typed__echo", {"n": "one", "m": 2})),
    "fits-schema": sending(call("typed__echo", {"n": 1})),
    "deep": sending(call(arguments={"a": json.loads("[" * 100 + "]" * 100)})),
    "too-deep": sending(call(arguments={"a": json.loads("[" * 300 + "]" * 300)})),
    "long": sending(call(arguments={"a": "x" * 100 * KIB})),
    "too-long": sending(call(arguments={"a": "x" * 2 * KIB * KIB})),
    "id-text": sending(call(number="one")),
    "id-empty": sending(call(number="")),
    "id-long": sending(call(number="x" * 300)),
    "id-zero": sending(call(number=0)),
    "id-negative": sending(call(number=-5)),
    "id-huge": sending(call(number=2**70)),
    "id-float": sending(call(number=1.0)),
    "id-bool": sending(call(number=True)),
    "id-null": sending(call(number=None)),
    "unknown-tool": sending(call("well__nothing")),
    "name-number": sending(call(5)),
    "name-null": sending(call(None)),
    "own-tool": sending(call("memory__list", {})),
    "own-tool-bad": sending(call("memory__get", {"id": 5})),
    "unknown-parameter": sending(call(arguments={}, other=1)),
    "request-state": sending(call(arguments={}, requestState="abc")),
    "input-responses": sending(call(arguments={}, inputResponses={})),
    "progress": sending(call(arguments={}, meta={**META, "progressToken": "p"})),
    "log-level": sending(call("chatty__run", {}, meta={**META, **LEVEL})),
    "log-level-of-silent": sending(call(arguments={}, meta={**META, **LEVEL})),
    "client-info": sending(call(meta={**META, "io.modelcontextprotocol/clientInfo": {"name": "n", "version": "1"}})),
    "client-info-odd": sending(call(meta={**META, "io.modelcontextprotocol/clientInfo": {"name": 5}})),
    "capabilities-odd": sending(call(meta={**META, "io.modelcontextprotocol/clientCapabilities": []})),
    "capabilities-gone": sending(call(meta={"io.modelcontextprotocol/protocolVersion": "2026-07-28"})),
    "version-other": sending(call(meta={**META, "io.modelcontextprotocol/protocolVersion": "2027-01-01"})),
    "version-number": sending(call(meta={**META, "io.modelcontextprotocol/protocolVersion": 5})),
    "meta-of-others": sending(call(meta={**META, "com.example/x": {"y": [1]}})),
    "agent": sending(call("memory__list", {}, meta={**META, "agentmem/agent_id": "a"})),
    "agent-against-label": sending(call("memory__list", {"agent_id": "b"}, meta={**META, "agentmem/agent_id": "a"})),
    "agent-odd": sending(call("memory__list", {}, meta={**META, "agentmem/agent_id": 5})),
    "trace-context": sending(call(meta={**META, "traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"})),
    "meta-gone": sending({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "well__echo"}}),
    "meta-null": sending(
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "well__echo", "_meta": None}}
    ),
    "list": sending(listed()),
    "list-with-cursor": sending(listed(cursor="d2VsbF9fZWNobw==")),
    "list-with-bad-cursor": sending(listed(cursor="!")),
    "list-with-null-cursor": sending(listed(cursor=None)),
    "list-with-name": sending(listed(), headers={"mcp-name": "well__echo"}),
    "list-odd": sending(listed(limit=5)),
    "discover": sending(
        {"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": META}},
    ),
    "ping": sending({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": META}}),
    "no-method": sending({"jsonrpc": "2.0", "id": 1, "method": "tools/eat", "params": {"_meta": META}}),
    "method-case": sending(call(method="Tools/Call")),
    "notification": sending({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}),
    "extra-key": sending({**call(arguments={}), "extra": 1}),
    "version-1": sending({**call(arguments={}), "jsonrpc": "1.0"}),
    "key-case": sending(b'{"jsonrpc":"2.0","id":1,"Method":"tools/call","params":{}}'),
    "params-list": sending(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}'),
    "params-gone": sending(b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}'),
    "batch": sending(f"[{json.dumps(call(arguments={}))}]".encode()),
    "empty": sending(b""),
    "no-json": sending(b"{"),
    "no-utf8": sending(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\xff"}}'),
    "surrogate": sending(json.dumps(call(arguments={"a": "\ud800"})).encode()),
    "nan": sending(json.dumps(call(arguments={"a": float("nan")})).encode()),
    "infinite": sending(json.dumps(call(arguments={"a": "@"})).replace('"@"', "1e999").encode()),
    "minus-zero": sending(json.dumps(call(arguments={"a": "@"})).replace('"@"', "-0").encode()),
    "big-number": sending(json.dumps(call(arguments={"a": "@"})).replace('"@"', "9" * 5_000).encode()),
    "twice": sending(b"{" + ENVELOPE.encode() + b',"params":{"name":"well__echo","name":"trap__run"}}'),
    "bom": sending(b"\xef\xbb\xbf" + json.dumps(call(arguments={})).encode()),
    "blanks": sending(b" \n" + json.dumps(call(arguments={})).encode() + b"\n "),
}
GOOD = call(arguments={"a": 1})
HEADS: dict[str, Sending] = {
    "token-gone": sending(GOOD, headers={"Authorization": ""}),
    "token-bad": sending(GOOD, headers={"Authorization": "Bearer nonsense"}),
    "token-basic": sending(GOOD, headers={"Authorization": "Basic abc"}),
    "token-empty": sending(GOOD, headers={"Authorization": "Bearer"}),
    "token-twice": sending(GOOD, more="Authorization: Bearer x\r\n"),
    "host-foreign": sending(GOOD, headers={"Host": "evil.example"}),
    "host-gone": sending(GOOD, headers={"Host": ""}),
    "host-twice": sending(GOOD, more="Host: evil.example\r\n"),
    "origin-foreign": sending(GOOD, headers={"Origin": "https://evil.example"}),
    "accept-gone": sending(GOOD, headers={"Accept": ""}),
    "accept-all": sending(GOOD, headers={"Accept": "*/*"}),
    "accept-json": sending(GOOD, headers={"Accept": "application/json"}),
    "accept-order": sending(GOOD, headers={"Accept": "text/event-stream, application/json"}),
    "accept-weighed": sending(GOOD, headers={"Accept": "application/json;q=0.1, text/event-stream"}),
    "type-text": sending(GOOD, headers={"Content-Type": "text/plain"}),
    "type-charset": sending(GOOD, headers={"Content-Type": "application/json; charset=utf-8"}),
    "type-latin": sending(GOOD, headers={"Content-Type": "application/json; charset=latin-1"}),
    "type-gone": sending(GOOD, headers={"Content-Type": ""}),
    "type-upper": sending(GOOD, headers={"Content-Type": "Application/JSON"}),
    "version-gone": sending(GOOD, headers={"mcp-protocol-version": ""}),
    "version-unknown": sending(GOOD, headers={"mcp-protocol-version": "2027-01-01"}),
    "version-of-sessions": sending(GOOD, headers={"mcp-protocol-version": "2025-11-25"}),
    "method-gone": sending(GOOD, headers={"mcp-method": ""}),
    "method-other": sending(GOOD, headers={"mcp-method": "tools/list"}),
    "method-twice": sending(GOOD, more="Mcp-Method: tools/list\r\n"),
    "name-gone": sending(GOOD, headers={"mcp-name": ""}),
    "name-other": sending(GOOD, headers={"mcp-name": "trap__run"}),
    "name-base64": sending(GOOD, headers={"mcp-name": "=?base64?d2VsbF9fZWNobw==?="}),
    "name-blanks": sending(GOOD, headers={"mcp-name": "  well__echo \t "}),
    "session-unknown": sending(GOOD, headers={"mcp-session-id": "0" * 32}),
    "session-of-sessions": sending(GOOD, headers={"mcp-session-id": "0" * 32, "mcp-protocol-version": "2025-11-25"}),
    "parameter-foreign": sending(GOOD, headers={"Mcp-Param-Region": "eu"}),
    "parameter": sending(call("headed__echo", {"region": "eu"}), headers={"Mcp-Param-Region": "eu"}),
    "parameter-gone": sending(call("headed__echo", {"region": "eu"})),
    "parameter-other": sending(call("headed__echo", {"region": "eu"}), headers={"Mcp-Param-Region": "us"}),
    "upper": sending(GOOD, headers={"MCP-PROTOCOL-VERSION": "2026-07-28", "mcp-protocol-version": ""}),
    "expect": sending(GOOD, headers={"Expect": "something"}),
    "close": sending(GOOD, headers={"Connection": "close"}),
    "upgrade": sending(GOOD, headers={"Connection": "upgrade", "Upgrade": "h2c"}),
    "chunked": Sending(b"5\r\nhello\r\n0\r\n\r\n", {"Content-Length": "", "Transfer-Encoding": "chunked"}),
    "length-and-chunked": Sending(b"5\r\nhello\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked"}),
    "length-signed": sending(GOOD, headers={"Content-Length": "+300"}),
    "length-short": sending(GOOD, headers={"Content-Length": "10"}),
    "length-twice": sending(GOOD, more="Content-Length: 10\r\n"),
    "folded": sending(GOOD, more="X-Long: a\r\n b\r\n"),
    "no-colon": sending(GOOD, more="nonsense\r\n"),
    "blank-in-name": sending(GOOD, more="X-A : b\r\n"),
    "control": sending(GOOD, more="X-A: \x01\r\n"),
    "latin": sending(GOOD, more="X-A: \xe9\r\n"),
    "bare-cr": sending(GOOD, more="X-A: a\rb\r\n"),
    "bare-lf": sending(GOOD, more="X-A: a\nX-B: b\r\n"),
    "cookie": sending(GOOD, headers={"Cookie": "a=b"}),
    "agent": sending(GOOD, headers={"User-Agent": "x/1 (y; z)", "Accept-Encoding": "gzip", "Accept-Language": "*"}),
    "get": sending(GOOD, line="GET /mcp HTTP/1.1"),
    "put": sending(GOOD, line="PUT /mcp HTTP/1.1"),
    "http-1.0": sending(GOOD, line="POST /mcp HTTP/1.0"),
    "http-2": sending(GOOD, line="POST /mcp HTTP/2.0"),
    "query": sending(GOOD, line="POST /mcp?a=b HTTP/1.1"),
    "slash": sending(GOOD, line="POST /mcp/ HTTP/1.1"),
    "whole-address": sending(GOOD, line="POST http://127.0.0.1/mcp HTTP/1.1"),
    "escaped-path": sending(GOOD, line="POST /%6dcp HTTP/1.1"),
    "cut-in-body": sending(GOOD, pieces=(400,)),
    "cut-in-head": sending(GOOD, pieces=(50,)),
    "cut-often": sending(GOOD, pieces=tuple(range(1, 480, 40))),
}


async def both(pair: Pair, *sendings: Sending) -> tuple[list[Reply], list[Reply]]:
    return await exchange(pair.lane, *sendings), await exchange(pair.sdk, *sendings)


@requirement("lane:same")
@pytest.mark.parametrize("case", TOOLS)
async def test_every_kind_of_result_is_the_same(pair: Pair, case: str) -> None:
    lane, sdk = await both(pair, TOOLS[case])
    assert sdk
    assert lane == sdk


@requirement("lane:same")
@pytest.mark.parametrize("case", FORMS)
async def test_every_form_of_a_message_is_answered_the_same(pair: Pair, case: str) -> None:
    lane, sdk = await both(pair, FORMS[case])
    assert sdk
    assert lane == sdk


@requirement("lane:same")
@pytest.mark.parametrize("case", HEADS)
async def test_every_form_of_a_head_is_answered_the_same(pair: Pair, case: str) -> None:
    lane, sdk = await both(pair, HEADS[case])
    assert sdk
    assert lane == sdk


@requirement("lane:same")
async def test_requests_on_one_connection_are_answered_in_their_order(pair: Pair) -> None:
    numbered = [sending(call(arguments={"n": number}, number=number)) for number in range(5)]
    odd = sending(call("well__nothing", number=5))
    lane, sdk = await both(pair, *numbered, odd, sending(listed()), sending(b"{"), *numbered)
    assert len(sdk) == 13
    assert lane == sdk


scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
messages = st.fixed_dictionaries(
    {
        "jsonrpc": st.sampled_from(["2.0", "2.0", "2.0", "1.0", 2]),
        "id": st.integers(0, 9) | scalars,
        "method": st.sampled_from(["tools/call", "tools/call", "tools/list", "server/discover"]),
        "params": st.fixed_dictionaries(
            {"_meta": st.just(META) | st.just(META) | st.dictionaries(st.sampled_from(list(META)), values)},
            optional={
                "name": st.sampled_from(["well__echo", "typed__echo", "object__run", "trap__run"]) | values,
                "arguments": st.dictionaries(st.text(max_size=4), values, max_size=3) | values,
                "cursor": values,
            },
        )
        | values,
    },
    optional={"more": values},
)
styles = st.sampled_from([(",", ":"), (", ", ": ")])


@requirement("lane:same")
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=messages, style=styles, ascii_only=st.booleans())
async def test_whatever_is_sent_the_answers_are_the_same(
    pair: Pair, message: Json, style: tuple[str, str], ascii_only: bool
) -> None:
    text = json.dumps(message, separators=style, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    params = message["params"]
    name = params.get("name") if isinstance(params, dict) else None  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]
    fitting = {"name": name} if isinstance(name, str) and name.isascii() and name.isprintable() else {}
    lane, sdk = await both(pair, Sending(text, tool_headers(message["method"], fitting)))
    assert sdk
    assert lane == sdk
