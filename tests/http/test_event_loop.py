"""Which event loop serves: that of uvloop where it is installed and not turned off; the answers are the same."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.guests import ECHO, module, write_plugin
from tests.http_server import http_server
from tests.stdio_server import stdio_server


def runs_uvloop(pid: int) -> bool:
    return "/uvloop/" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which libraries another process has loaded")
@pytest.mark.parametrize("wanted", [True, False])
async def test_the_loop_of_uvloop_is_used_where_it_is_installed_unless_it_is_turned_off(
    plugins: Path, cache: Path, wanted: bool
) -> None:
    write_plugin(plugins, "well", module(ECHO))
    environment = {"AGENTMEM_RUNTIME__UVLOOP": str(wanted).lower()}
    async with http_server(plugins, home=cache, environment=environment) as server:
        over_http = await server.call("well__echo", {"n": 1})
        assert runs_uvloop(server.process.pid) is wanted
    async with stdio_server(plugins, home=cache, environment=environment) as pipes:
        on_stdio = await pipes.call("well__echo", {"n": 1})
        assert runs_uvloop(pipes.process.pid) is wanted
    assert over_http["structuredContent"] == on_stdio["structuredContent"] == {"n": 1}
