"""SIGHUP makes a running server look at its plugin folders."""

from __future__ import annotations

import signal
from pathlib import Path

import anyio

from tests.conftest import Serve
from tests.guests import ECHO, module, write_plugin
from tests.requirements import requirement


@requirement("reload:on-demand")
async def test_sighup_takes_a_new_plugin_and_tells_the_client(serve: Serve, plugins: Path) -> None:
    write_plugin(plugins, "first", module(ECHO))
    async with serve() as server:
        await server.initialize()
        write_plugin(plugins, "second", module(ECHO))
        server.process.send_signal(signal.SIGHUP)
        with anyio.fail_after(20):
            while (await server.receive()).get("method") != "notifications/tools/list_changed":
                pass
        tools = [tool["name"] for tool in (await server.ask("tools/list"))["result"]["tools"]]
        assert [name for name in tools if not name.startswith("memory__")] == ["first__echo", "second__echo"]
        assert await server.close() == 0
