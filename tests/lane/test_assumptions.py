"""What the lane takes for granted of the SDK, beyond what its answers show: an upgrade that changes it fails here.

Answers that change are found by the tests that send the same down both ways, for the other way is the SDK itself. These
are the things that no request of theirs would show: what nobody sends yet, and what only time tells.
"""

from __future__ import annotations

from types import ModuleType

import mcp.server._streamable_http_modern as modern
import mcp.server.streamable_http as sessions
import mcp_types
import pytest
from mcp.shared import inbound
from mcp_types import version
from pydantic import BaseModel

from mcp_server.transport.lane.plain import PATIENCE_MS
from mcp_server.transport.lane.terms import SESSION_VERSIONS, is_modern
from tests.requirements import requirement

HEADERS = {"mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id", "mcp-param-", "last-event-id"}
RESERVED = {"clientCapabilities", "clientInfo", "logLevel", "protocolVersion", "serverInfo"}
CALL = {"name", "arguments", "_meta", "inputResponses", "requestState", "task"}


def texts(module: ModuleType, *endings: str) -> set[str]:
    """The values of a module's constants whose names end so."""
    found = {name: value for name, value in vars(module).items() if name.isupper() and name.endswith(endings)}
    return {value.lower() for value in found.values() if isinstance(value, str)}


@requirement("lane:same")
def test_the_lane_was_written_for_these_protocol_versions() -> None:
    assert version.HANDSHAKE_PROTOCOL_VERSIONS == ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
    assert version.MODERN_PROTOCOL_VERSIONS == ("2026-07-28",)
    assert set(version.HANDSHAKE_PROTOCOL_VERSIONS) >= SESSION_VERSIONS
    assert [known for known in version.KNOWN_PROTOCOL_VERSIONS if is_modern(known)] == ["2026-07-28"]


@requirement("lane:same")
def test_an_answer_that_is_late_becomes_a_stream_when_the_lane_has_no_calls_left_that_late() -> None:
    assert modern._SSE_PING_INTERVAL * 1_000 == PATIENCE_MS  # pyright: ignore[reportPrivateUsage]  # has no public name


@requirement("lane:same")
def test_the_sdk_reads_no_header_that_the_lane_does_not_know_of() -> None:
    assert {text for module in (modern, sessions, inbound) for text in texts(module, "_HEADER", "_PREFIX")} == HEADERS


@requirement("lane:same")
def test_no_key_of_meta_is_reserved_that_the_lane_does_not_know_of() -> None:
    keys = {value for name, value in vars(mcp_types).items() if name.endswith("_META_KEY")}
    assert keys == {f"io.modelcontextprotocol/{name}" for name in RESERVED}


@requirement("lane:same")
@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (mcp_types.CallToolRequestParams, CALL),
        (mcp_types.PaginatedRequestParams, {"_meta", "cursor"}),
        (mcp_types.CallToolResult, {"_meta", "content", "structuredContent", "isError", "resultType"}),
    ],
)
def test_requests_and_results_have_the_fields_that_the_lane_knows(model: type[BaseModel], fields: set[str]) -> None:
    assert set(model.model_json_schema(by_alias=True)["properties"]) == fields
