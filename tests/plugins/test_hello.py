"""The plugin ``hello``, loaded as a server loads it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.testing import Plugin, ToolFailed
from mcp_server.testing.fixtures import LoadPlugin

pytestmark = pytest.mark.plugin("manifests/hello")


def test_it_greets(plugin: Plugin) -> None:
    assert plugin.call("hello", message="World") == {"greeting": "Hello, World!"}


def test_it_greets_with_the_configured_word(load_plugin: LoadPlugin) -> None:
    plugin = load_plugin("manifests/hello", config={"greeting_word": "Servus"})
    assert plugin.call("hello", message="Ada") == {"greeting": "Servus, Ada!"}


def test_it_logs_the_length_of_a_message_and_not_the_message(plugin: Plugin) -> None:
    plugin.call("hello", message="secret")
    assert [(line.level, line.message, dict(line.fields)) for line in plugin.logs] == [
        ("info", "greeted", {"word": "Hello", "message_bytes": 6})
    ]


def test_it_asks_the_host_for_its_word_and_logs_once(plugin: Plugin) -> None:
    plugin.call("hello", message="Ada")
    assert [(call.function, call.outcome) for call in plugin.host_calls] == [("get_config", "ok"), ("log", "ok")]


def test_it_says_what_is_wrong_with_its_input(plugin: Plugin) -> None:
    with pytest.raises(ToolFailed, match="missing field `message`") as caught:
        plugin.call_raw("hello", b"{}")
    assert caught.value.code == "plugin_error"


@settings(max_examples=50, deadline=None)
@given(message=st.text())
def test_every_text_is_greeted_as_it_is(plugin: Plugin, message: str) -> None:
    assert plugin.call("hello", message=message) == {"greeting": f"Hello, {message}!"}
    assert json.loads(plugin.call_raw("hello", json.dumps({"message": message}).encode())) == {
        "greeting": f"Hello, {message}!"
    }
