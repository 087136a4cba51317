"""Calling tools end to end, in this process and over stdio, in both protocol eras."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp_types import TextContent

from tests.conftest import Connect
from tests.guests import ECHO, module, write_plugin
from tests.requirements import requirement


@requirement("result:object")
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_json_object_comes_back_as_structured_content_and_text(
    connect: Connect, plugins: Path, mode: str
) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    async with connect(mode) as client:
        result = await client.call_tool("echo__echo", {"a": [1, "ü"]})
    assert result.structured_content == {"a": [1, "ü"]}
    assert isinstance(result.content[0], TextContent)
    assert result.content[0].text == '{"a":[1,"ü"]}'
