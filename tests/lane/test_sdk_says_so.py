"""What the lane knows of the SDK without importing it: an upgrade that changes it fails here."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.dispatcher import coerce_request_id
from mcp_types import CONNECTION_CLOSED, INTERNAL_ERROR
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mcp_server.transport import frame
from mcp_server.transport.lane.terms import MODERN
from tests.requirements import requirement


@requirement("lane:same")
def test_versions_and_codes_are_those_of_the_sdk() -> None:
    assert set(MODERN_PROTOCOL_VERSIONS) == {MODERN}
    assert (frame.CONNECTION_CLOSED, frame.INTERNAL_ERROR) == (CONNECTION_CLOSED, INTERNAL_ERROR)


@requirement("lane:same")
@given(request=st.integers() | st.text(max_size=8) | st.from_regex(r"[ +-]?[0-9_]{1,6} ?"))
def test_ids_are_compared_as_the_sdk_compares_them(request: str | int) -> None:
    assert frame.correlated(request) == coerce_request_id(request)
