"""What a narrowed principal meets past the catalogue: in the library, and in its share of calls."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import anyio
import pytest

from mcp_server.errors import Busy, PluginNotFound, ToolNotFound
from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from mcp_server.settings import Settings
from mcp_server.testing.servers import Reply, WebRequest, local_site
from mcp_server.tools.invoke import Caller
from tests.flows.test_capabilities_from_wasm import relay
from tests.guests import ECHO, answers, module, write_plugin
from tests.requirements import requirement

ANN = Caller("ann")


@requirement("principals:plugins")
async def test_the_library_refuses_a_principal_what_is_taken_from_it(tmp_path: Path, cache: Path) -> None:
    for name in ("one", "two"):
        write_plugin(tmp_path, name, module(ECHO))
    settings = Settings.model_validate({"principals": {"ann": {"plugins": ["one"]}}})
    async with PluginHost(settings, PluginFolders(plugins=(tmp_path,)), cache=cache / "cache") as host:
        assert await host.call("one", "echo", {"a": 1}, ANN) == {"a": 1}
        assert await host.call("two", "echo", {"a": 1}) == {"a": 1}
        with pytest.raises(PluginNotFound):
            await host.call("two", "echo", {"a": 1}, ANN)
        with pytest.raises(PluginNotFound):
            await host.call_many("two", "echo", [{"a": 1}], ANN)
        with pytest.raises(ToolNotFound):
            await host.call_tool("two__echo", {}, ANN)
        assert host.views.of("ann") is host.views.of("ann")
        assert host.views.of("ben") is host.catalog


@requirement("principals:limits")
async def test_a_principal_has_no_more_calls_in_flight_than_its_own_share(tmp_path: Path, cache: Path) -> None:
    begun, go = Event(), Event()

    def wait(request: WebRequest) -> Reply:
        del request
        begun.set()
        go.wait(30)
        return Reply("done")

    with local_site(wait) as site:
        write_plugin(
            tmp_path,
            "net",
            relay("http_request"),
            '[capabilities]\nrequired = ["NetworkAccess"]\n[network]\nallow = ["http://127.0.0.1:*"]',
        )
        settings = Settings.model_validate(
            {
                "principals": {"ann": {"max_calls": 1}},
                "runtime": {"max_queued_per_principal": 0},
                "plugins": {"net": {"limits": {"max_execution_time_ms": 60_000}}},
                "grants": {"net": site.grant},
            }
        )
        folders = PluginFolders(plugins=(tmp_path,))
        async with PluginHost(settings, folders, cache=cache / "cache") as host, anyio.create_task_group() as tasks:
            request = {"url": f"{site.url}/"}
            try:
                tasks.start_soon(host.call_tool, "net__http_request", request, ANN)
                assert await anyio.to_thread.run_sync(begun.wait, 30)
                with pytest.raises(Busy, match="has 1 calls in flight"):
                    await host.call_tool("net__http_request", request, ANN)
                tasks.start_soon(host.call_tool, "net__http_request", request, Caller("ben"))
                while len(site.requests) < 2:
                    await anyio.lowlevel.checkpoint()
            finally:
                go.set()


@requirement("principals:hooks")
async def test_hooks_run_for_a_principal_that_may_not_call_their_plugin(tmp_path: Path, cache: Path) -> None:
    write_plugin(
        tmp_path,
        "guard",
        answers('{"veto":"not here"}'),
        '[hooks]\nbefore_add = { function = "run", on_failure = "closed" }',
    )
    settings = Settings.model_validate(
        {"principals": {"ann": {"plugins": ["memory"]}}, "grants": {"guard": {"hooks": True}}}
    )
    folders = PluginFolders(plugins=(tmp_path,))
    async with PluginHost(settings, folders, cache=cache / "cache", data=tmp_path / "data") as host:
        with pytest.raises(ToolNotFound):
            await host.call_tool("guard__run", {}, ANN)
        with pytest.raises(Exception, match="not here"):
            await host.call_tool("memory__add", {"content": "tea"}, ANN)
