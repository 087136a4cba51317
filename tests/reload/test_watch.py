"""``serve --watch``: files change, the server follows, and every client hears of it in its own era."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.conftest import Serve
from tests.guests import answers, write_plugin
from tests.requirements import requirement
from tests.stdio_server import META, Json, StdioServer, text_of

LISTEN: Json = {
    "jsonrpc": "2.0",
    "id": "listen",
    "method": "subscriptions/listen",
    "params": {"notifications": {"toolsListChanged": True}, "_meta": META},
}
CHANGED = "notifications/tools/list_changed"


@asynccontextmanager
async def watching(serve: Serve, *folders: Path) -> AsyncGenerator[StdioServer]:
    """A server with ``--watch`` whose modern client listens; there is nothing to wait for but its notifications."""
    async with serve(*folders, arguments=["--watch"], environment={"AGENTMEM_LOG__LEVEL": "error"}) as server:
        await server.send(LISTEN)
        await hear(server, "notifications/subscriptions/acknowledged")
        yield server


async def hear(server: StdioServer, method: str) -> Json:
    """The next notification of this kind."""
    with anyio.fail_after(20):
        while True:
            for message in server.seen:
                if message.get("method") == method:
                    server.seen.remove(message)
                    return message
            server.seen.append(await server.receive())


async def until(server: StdioServer, tools: list[str]) -> None:
    """Look at the tools after each change until they are these."""
    while await server.tools() != tools:
        await hear(server, CHANGED)


async def answer_of(server: StdioServer, plugin: str) -> str:
    return text_of(await server.call(f"{plugin}__run"))


@requirement("watch:picked-up")
async def test_a_changed_a_new_and_a_removed_plugin_are_picked_up(serve: Serve, plugins: Path) -> None:
    write_plugin(plugins, "first", answers("one"))
    async with watching(serve) as server:
        assert await answer_of(server, "first") == "one"
        write_plugin(plugins, "first", answers("two"))
        while await answer_of(server, "first") != "two":
            await hear(server, CHANGED)
        write_plugin(plugins, "second", answers("new"))
        await until(server, ["first__run", "second__run"])
        assert await answer_of(server, "second") == "new"
        shutil.rmtree(plugins / "first")
        await until(server, ["second__run"])


@requirement("watch:picked-up")
async def test_a_module_that_is_renamed_into_place_is_picked_up(serve: Serve, plugins: Path, tmp_path: Path) -> None:
    home = write_plugin(plugins, "first", answers("one"))
    async with watching(serve) as server:
        fresh = home / ".first.wasm.part"
        fresh.write_bytes(answers("two"))
        fresh.rename(home / "first.wasm")
        while await answer_of(server, "first") != "two":
            await hear(server, CHANGED)
        bundle = write_plugin(tmp_path / "elsewhere", "second", answers("moved"))
        bundle.rename(plugins / "second")
        await until(server, ["first__run", "second__run"])


@requirement("watch:half-written")
async def test_a_module_that_is_written_in_two_steps_serves_the_old_version_in_between(
    serve: Serve, plugins: Path
) -> None:
    home = write_plugin(plugins, "first", answers("one"))
    whole = answers("two")
    async with watching(serve) as server:
        with (home / "first.wasm").open("wb") as file:
            file.write(whole[: len(whole) // 2])
            file.flush()
            await hear(server, CHANGED)  # the trouble is news too: a list may show it
            assert await answer_of(server, "first") == "one"
            file.write(whole[len(whole) // 2 :])
        while await answer_of(server, "first") != "two":
            await hear(server, CHANGED)


def shown(answer: dict[str, Any]) -> list[str]:
    """The plugins' tools of an answer."""
    names = [tool["name"] for tool in answer["result"]["tools"]]
    return [name for name in names if not name.startswith("memory__")]


@requirement("watch:heard")
async def test_a_client_of_the_older_revisions_hears_that_the_list_changed(serve: Serve, plugins: Path) -> None:
    write_plugin(plugins, "first", answers("one"))
    async with serve(arguments=["--watch"]) as server:
        initialized = await server.initialize()
        assert initialized["result"]["capabilities"]["tools"]["listChanged"] is True
        before = await server.ask("tools/list", {})
        assert shown(before) == ["first__run"]
        write_plugin(plugins, "second", answers("new"))
        message = await hear(server, CHANGED)
        assert "id" not in message
        after = await server.ask("tools/list", {})
        assert shown(after) == ["first__run", "second__run"]


@requirement("watch:heard")
async def test_a_client_of_the_modern_revision_hears_it_in_its_subscription(serve: Serve, plugins: Path) -> None:
    write_plugin(plugins, "first", answers("one"))
    async with watching(serve) as server:
        write_plugin(plugins, "second", answers("new"))
        message = await hear(server, CHANGED)
        assert message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "listen"


@requirement("watch:picked-up")
async def test_a_plugin_folder_that_is_taken_away_and_brought_back_is_followed(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    write_plugin(plugins, "first", answers("one"))
    async with watching(serve) as server:
        assert await answer_of(server, "first") == "one"
        await anyio.Path(plugins).rename(tmp_path / "away")
        assert await answer_of(server, "first") == "one"  # what is loaded keeps serving
        await anyio.Path(tmp_path / "away").rename(plugins)
        write_plugin(plugins, "second", answers("new"))
        await until(server, ["first__run", "second__run"])


@requirement("watch:picked-up")
@pytest.mark.parametrize("file", ["notes.txt", "target.o", ".first.wasm.swp"])
async def test_other_files_are_nobodys_business(serve: Serve, plugins: Path, file: str) -> None:
    home = write_plugin(plugins, "first", answers("one"))
    async with watching(serve) as server:
        (home / file).write_bytes(b"whatever")
        write_plugin(plugins, "second", answers("new"))
        await until(server, ["first__run", "second__run"])
        assert await answer_of(server, "first") == "one"
