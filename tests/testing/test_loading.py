"""``mcp_server.testing``: what an author's test gets is the server's own runtime, rights and checks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_server.testing import (
    PluginRefused,
    Reply,
    ToolFailed,
    WebRequest,
    local_model,
    local_site,
    open_plugin,
    open_plugin_async,
)
from mcp_server.testing.fixtures import LoadPlugin
from tests.flows.test_capabilities_from_wasm import relay
from tests.guests import answers, module, write_plugin
from tests.requirements import requirement

SPIN = '(func (export "spin") (result i32) (loop $again (br $again)) (i32.const 0))'


def relaying(folder: Path, capability: str, function: str, more: str = "") -> Path:
    """A plugin whose tool hands its input to a host function and outputs the envelope."""
    return write_plugin(folder, "relay", relay(function), f'[capabilities]\nrequired = ["{capability}"]\n{more}')


def answering(folder: Path, output: str, tool: str) -> Path:
    """A plugin whose tool ``run`` outputs this."""
    entry = f'[[tools]]\nfunction = "run"\ndescription = "Answers"\n{tool}'
    return write_plugin(folder, "answering", answers(output), entry)


@pytest.mark.parametrize(
    ("output", "tool", "value"),
    [
        ('{"n": 1}', 'output_schema = { type = "object" }', {"n": 1}),
        ("plain words", 'result = "text"', "plain words"),
        ('[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]', 'result = "content"', "a\nb"),
        (
            '[{"type": "image", "data": "AAAA", "mimeType": "image/png"}]',
            'result = "content"',
            [{"type": "image", "data": "AAAA", "mimeType": "image/png"}],
        ),
    ],
)
def test_a_call_gives_the_plain_value_of_an_answer(tmp_path: Path, output: str, tool: str, value: Any) -> None:
    with open_plugin(answering(tmp_path, output, tool)) as plugin:
        assert plugin.call("run") == value


@requirement("testing:real")
@pytest.mark.parametrize(
    ("output", "tool", "code"),
    [
        ('{"n": "1"}', 'output_schema = { properties.n = { type = "integer" } }', "output_invalid"),
        ("not JSON", 'result = "json"', "output_invalid"),
        ('{"content": [{"type": "text", "text": "no"}], "isError": true}', 'result = "content"', "tool_error"),
    ],
)
def test_an_answer_that_breaks_its_promise_fails_as_in_production(
    tmp_path: Path, output: str, tool: str, code: str
) -> None:
    with open_plugin(answering(tmp_path, output, tool)) as plugin:
        with pytest.raises(ToolFailed) as caught:
            plugin.call("run")
        assert caught.value.code == code
        assert plugin.call_raw("run") == output.encode()


@requirement("testing:real")
def test_limits_hold_and_can_be_set(tmp_path: Path) -> None:
    home = write_plugin(tmp_path, "spinning", module(SPIN))
    with open_plugin(home, limits={"max_execution_time_ms": 50}) as plugin, pytest.raises(ToolFailed) as caught:
        plugin.call("spin")
    assert caught.value.code in {"limit_execution_time", "limit_instructions"}


@requirement("testing:real")
def test_what_is_required_and_not_granted_keeps_a_plugin_from_loading(tmp_path: Path) -> None:
    home = relaying(tmp_path, "StorageAccess", "store_data")
    with pytest.raises(PluginRefused, match="StorageAccess") as caught, open_plugin(home):
        pass
    assert caught.value.code == "capability_denied"
    assert "[grants.relay]" in caught.value.fix
    with open_plugin(home, grants='capabilities = ["StorageAccess"]') as plugin:
        assert plugin.call("store_data", key="k", value=1)["success"] is True


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"grants": {"capabilites": []}}, "capabilites"),
        ({"grants": "capabilities = ["}, "not TOML"),
        ({"limits": {"max_memory": 1}}, "max_memory"),
        ({"settings": {"llms": {}}}, "llms"),
    ],
)
def test_options_that_are_no_configuration_are_refused(tmp_path: Path, options: dict[str, Any], why: str) -> None:
    home = write_plugin(tmp_path, "fine", answers("1"))
    with pytest.raises(PluginRefused, match=why) as caught, open_plugin(home, **options):
        pass
    assert caught.value.code == "settings_invalid"


def test_a_plugin_that_is_not_there_or_not_right_says_so(tmp_path: Path) -> None:
    with pytest.raises(PluginRefused, match="there is no plugin"), open_plugin(tmp_path / "nothing"):
        pass
    home = write_plugin(tmp_path, "odd", answers("1"), 'unknown = "x"')
    with pytest.raises(PluginRefused, match="unknown") as caught, open_plugin(home):
        pass
    assert caught.value.code == "manifest_invalid"


def test_a_lone_module_is_loaded_by_its_exports(tmp_path: Path) -> None:
    path = tmp_path / "lone.wasm"
    path.write_bytes(answers("[1, 2]", "count"))
    with open_plugin(path) as plugin:
        assert (plugin.id, list(plugin.tools), plugin.call("count")) == ("lone", ["count"], [1, 2])


@requirement("testing:real")
def test_a_site_on_loopback_is_reached_through_the_real_rules(tmp_path: Path) -> None:
    home = relaying(tmp_path, "NetworkAccess", "http_request", '[network]\nallow = ["http://127.0.0.1:*/*"]')

    def site(request: WebRequest) -> Reply:
        return Reply({"path": request.path}) if request.path.startswith("/v1/") else Reply("none", status=404)

    with local_site(site) as served, open_plugin(home, grants=served.grant) as plugin:
        found = plugin.call("http_request", method="GET", url=f"{served.url}/v1/a?b=c")
        assert (found["data"]["status"], found["data"]["body"]) == (200, '{"path": "/v1/a?b=c"}')
        assert plugin.call("http_request", method="POST", url=f"{served.url}/x", body="hi")["data"]["status"] == 404
        assert [(asked.method, asked.path, asked.body) for asked in served.requests] == [
            ("GET", "/v1/a?b=c", b""),
            ("POST", "/x", b"hi"),
        ]
        assert plugin.call("http_request", method="GET", url="http://127.0.0.1:1/")["success"] is False
        assert [call.outcome for call in plugin.host_calls] == ["ok", "ok", "network_denied"]


@requirement("testing:real")
def test_a_model_on_loopback_answers_what_the_test_says(tmp_path: Path) -> None:
    home = relaying(tmp_path, "LLMAccess", "call_llm")

    def shout(messages: list[dict[str, Any]]) -> str:
        return messages[-1]["content"].upper()

    with local_model(shout) as model, open_plugin(home, grants=model.grant, settings=model.settings) as plugin:
        told = plugin.call("call_llm", messages=[{"role": "user", "content": "hello there"}])
        assert told["success"] is True, told
        assert (told["data"]["text"], told["data"]["finish_reason"]) == ("HELLO THERE", "stop")
        assert told["data"]["usage"]["output"] == 2
        assert [asked["messages"][-1]["content"] for asked in model.requests] == ["hello there"]


async def test_the_async_form_does_the_same() -> None:
    async with open_plugin_async("manifests/hello", config='greeting_word = "Hi"') as plugin:
        assert await plugin.call("hello", message="Ada") == {"greeting": "Hi, Ada!"}
        assert await plugin.call_raw("hello", b'{"message":"B"}') == b'{"greeting":"Hi, B!"}'
        assert (await plugin.result("hello", {"message": "C"})).structured == {"greeting": "Hi, C!"}
        assert (await plugin.call_export("metadata"))["name"] == "Hello"
        assert await plugin.stored() == []


@requirement("testing:apart")
def test_another_principal_finds_nothing(load_plugin: LoadPlugin) -> None:
    plugin = load_plugin("manifests/memory-processor")
    plugin.call("process_and_store", content="Ada likes tea.")
    first = plugin.principal
    assert (len(plugin.memories), len(plugin.logs)) == (1, 1)
    plugin.renew("ben")
    assert (plugin.principal, plugin.memories, plugin.logs, plugin.host_calls) == ("ben", [], [], [])
    plugin.renew(first)
    assert len(plugin.memories) == 1


@requirement("testing:apart")
@pytest.mark.parametrize("time", [1, 2])
def test_each_test_begins_with_nothing_though_the_plugin_is_loaded_once(load_plugin: LoadPlugin, time: int) -> None:
    plugin = load_plugin("manifests/memory-processor")
    assert plugin is load_plugin("manifests/memory-processor")
    assert (plugin.memories, plugin.logs) == ([], [])
    plugin.remember("the same each time")
    assert len(plugin.memories) == 1


def test_other_options_are_another_plugin(load_plugin: LoadPlugin) -> None:
    one, other = (load_plugin("manifests/hello", config={"greeting_word": word}) for word in ("A", "B"))
    assert (one.call("hello", message="x"), other.call("hello", message="x")) == (
        {"greeting": "A, x!"},
        {"greeting": "B, x!"},
    )


def test_a_tool_is_shown_as_a_client_sees_it(load_plugin: LoadPlugin) -> None:
    tool = load_plugin("manifests/hello").tools["hello"]
    assert (tool.name, tool.title, tool.function) == ("hello__hello", "Say hello", "hello")
    assert tool.input_schema["required"] == ["message"]
    assert tool.output_schema is not None
    assert (tool.annotations.read_only, tool.annotations.open_world) == (True, False)


@requirement("testing:optional")
def test_nothing_but_the_fixtures_needs_pytest() -> None:
    program = (
        "import sys; sys.modules['pytest'] = None\n"
        "import mcp_server.app, mcp_server.authoring.loading, mcp_server.cli.main, mcp_server.testing\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode != 0
    assert "mcp_server/testing/fixtures.py" in run.stderr  # the last of the four, and that one alone
    program = program.replace(", mcp_server.testing", "")
    subprocess.run([sys.executable, "-c", program], check=True)
