"""Generated requests that could be read in two ways, are too large or contradict themselves, sent down both ways."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp.shared.dispatcher import coerce_request_id

from tests.flows import bodies
from tests.guests import write_plugin
from tests.http_server import HttpServer
from tests.lane.conftest import Pair
from tests.lane.test_same_answers import both, call, listed, styles
from tests.lane.test_same_answers import fill as fill_with_all
from tests.lane.test_stdio import line_for, pipes, told, written
from tests.lane.wire import Sending
from tests.requirements import requirement
from tests.stdio_server import Json, StdioServer

__all__ = ["pipes"]

RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_KEY = re.compile(r'"(\w+)":')
_RUNNING = re.compile(r"^agentmem_calls_in_flight\{[^}]*\} [1-9]", re.MULTILINE)
KIB = 1024
HEADERS = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "well__echo"}


def fill(folder: Path) -> None:
    fill_with_all(folder)
    one = "max_concurrency = 1\nmax_queued_calls = 1\nmax_instructions = 100_000_000_000"
    loop = bodies.also_echo(bodies.SLOW_LOOP)
    for plugin, limit in (("endless", 5_000), ("short", 600)):
        write_plugin(folder, plugin, loop, f"[limits]\nmax_execution_time_ms = {limit}\n{one}")


def named(text: bytes, name: str = "well__echo", method: str = "tools/call") -> Sending:
    """A body with the headers of a call, whatever it says itself."""
    return Sending(text, {**HEADERS, "mcp-name": name, "mcp-method": method})


@st.composite
def ambiguous(draw: st.DrawFn) -> bytes:
    """A call in which one key stands twice, or in another case."""
    arguments = draw(st.dictionaries(st.sampled_from("abAB"), st.integers(0, 9), max_size=3))
    text = json.dumps(call(arguments=arguments), separators=draw(styles))
    found = draw(st.sampled_from(list(_KEY.finditer(text))))
    key = found[1]
    if draw(st.booleans()):
        other = draw(
            st.sampled_from([key.upper(), key.title(), key.swapcase(), key + "\\u0000", f"\\u{ord(key[0]):04x}"])
        )
        return (text[: found.start(1)] + other + text[found.end(1) :]).encode()
    value = draw(st.sampled_from(["1", "null", '"tools/list"', "{}", '"well__echo"', '"2.0"']))
    return (text[: found.start()] + f'"{key}":{value},' + text[found.start() :]).encode()


@st.composite
def large(draw: st.DrawFn) -> bytes:
    """A call with a value that is deep, long, or a number with many digits; about as large as what still passes."""
    kind = draw(st.sampled_from(["lists", "objects", "text", "digits", "fraction", "exponent", "keys"]))
    size = draw(st.sampled_from([1, 90, 99, 100, 101, 197, 198, 199, 200, 201, 255, 256, 257, 400]))
    grown: dict[str, str] = {
        "lists": "[" * size + "]" * size,
        "objects": '{"a":' * size + "1" + "}" * size,
        "text": '"' + "é" * (size * KIB // 6) + '"',
        "digits": "-" + "9" * (size * 20),
        "fraction": "0." + "3" * size,
        "exponent": f"1e{size}",
        "keys": json.dumps({str(number): number for number in range(size * 4)}),
    }
    return json.dumps(call(arguments={"a": "@"}), separators=(",", ":")).replace('"@"', grown[kind]).encode()


@st.composite
def mismatched(draw: st.DrawFn) -> Sending:
    """A call or a list whose headers say what its body does not."""
    message = draw(st.sampled_from([call(arguments={"a": 1}), call("trap__run", {}), listed()]))
    name = draw(st.sampled_from(["well__echo", "trap__run", "Well__echo", "", " well__echo ", "=?base64?!?=", "@"]))
    encoded = base64.b64encode(b"well__echo").decode()
    headers = {
        "mcp-protocol-version": draw(st.sampled_from(["2026-07-28", "2026-07-28", "2025-11-25", "", "2027-01-01"])),
        "mcp-method": draw(
            st.sampled_from(["tools/call", "tools/list", "Tools/Call", "", "ping", "tools/call, tools/list"])
        ),
        "mcp-name": f"=?base64?{encoded}?=" if name == "@" else name,
    }
    more = draw(
        st.sampled_from(["", "", "Mcp-Name: trap__run\r\n", "MCP-METHOD: tools/list\r\n", "Mcp-Param-A: 1\r\n"])
    )
    return Sending(json.dumps(message, separators=(",", ":")).encode(), headers, more=more)


@requirement("lane:same")
@RELAXED
@given(text=ambiguous() | large())
async def test_what_could_be_read_in_two_ways_or_is_too_large_is_answered_the_same(pair: Pair, text: bytes) -> None:
    lane, sdk = await both(pair, named(text))
    assert sdk
    assert lane == sdk


@requirement("lane:same")
@RELAXED
@given(sending=mismatched())
async def test_headers_that_do_not_fit_the_body_are_refused_the_same(pair: Pair, sending: Sending) -> None:
    lane, sdk = await both(pair, sending)
    assert sdk
    assert lane == sdk


@requirement("lane:same")
@settings(RELAXED, max_examples=30)
@given(text=(ambiguous() | large()).filter(lambda text: b'"id":' in text))
async def test_lines_that_could_be_read_in_two_ways_or_are_too_large_are_answered_the_same(
    pipes: tuple[str, StdioServer, StdioServer], text: bytes
) -> None:
    era, lane, sdk = pipes
    line = line_for(era, text)
    with anyio.fail_after(20):
        assert await told(lane, line) == await told(sdk, line)


async def cancelled(server: StdioServer, era: str, number: str | int, request: object, before: int) -> list[Any]:
    """What is heard when a call is cancelled after ``before`` other requests, until all that are answered were."""

    def line(message: Json) -> bytes:
        return line_for(era, written(message))

    others = b"".join(line(call(arguments={"n": n}, number=f"other-{n}")) for n in range(before))
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request}}
    await server.send_raw(line(call("short__run", {}, number=number)) + others + written(cancel) + b"\n")
    heard = await told(server, line(call(arguments={"a": 1}, number="next")))
    left = isinstance(request, str | int) and coerce_request_id(request) == coerce_request_id(number)
    wanted = {"next", *(f"other-{n}" for n in range(before)), *(() if left else (number,))}
    while not wanted <= {message["id"] for message in heard}:
        heard.append(await server.receive())
    return sorted(heard, key=lambda message: str(message.get("id")))


@requirement("lane:same")
@settings(RELAXED, max_examples=6)
@given(
    number=st.sampled_from([7, "7", "a", 0, -1]),
    request=st.sampled_from([7, "7", "a", 0, None]),
    before=st.integers(0, 4),
)
async def test_a_cancel_at_whatever_moment_and_of_whatever_id_is_heard_the_same(
    pipes: tuple[str, StdioServer, StdioServer], number: str | int, request: object, before: int
) -> None:
    era, *servers = pipes
    lane, sdk = [await cancelled(server, era, number, request, before) for server in servers]
    assert without_times(lane) == without_times(sdk)


def without_times(heard: list[Any]) -> list[Any]:
    """Without the ids that each server counts for itself."""
    return [json.loads(re.sub(r"\bc\d+\b|request \w+", "…", json.dumps(message))) for message in heard]


async def until_idle(server: HttpServer) -> None:
    """Return when no call runs."""
    async with server.client() as client:
        with anyio.fail_after(30):
            while _RUNNING.search((await client.get("/metrics")).text):
                pass


@requirement("lane:same")
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.95, 1.0])
async def test_a_client_that_hangs_up_at_whatever_byte_leaves_nothing_behind(pair: Pair, share: float) -> None:
    sending = named(json.dumps(call("endless__run", {})).encode(), "endless__run")
    for server in (pair.lane, pair.sdk):
        data = sending.written(f"127.0.0.1:{server.port}", server.token)
        async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
            await stream.send(data[: max(1, int(len(data) * share))])
        await until_idle(server)
        # The plugin runs one call at a time: the guest has stopped, or never began.
        assert (await server.call("endless__echo", {"a": 1}))["structuredContent"] == {"a": 1}
