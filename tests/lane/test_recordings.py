"""What real clients sent, sent again: with the lane and without it they would have heard the same.

``make recordings`` writes the recordings, with the clients of ``make interop``.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.guests import ECHO, module, write_plugin
from tests.lane.conftest import Pair
from tests.lane.record import RECORDINGS, ROOT
from tests.lane.wire import Recorded, converse
from tests.requirements import requirement
from tests.stdio_server import stdio_server


def recorded(transport: str) -> list[str]:
    """The recordings, each once: some clients send the same to the byte."""
    found = {path.read_bytes(): path.stem for path in sorted(RECORDINGS.glob(f"{transport}-*.jsonl"), reverse=True)}
    return sorted(found.values())


OVER_HTTP, ON_PIPES = recorded("http"), recorded("stdio")
CLIENTS = {"inspector", "python", "typescript"}
_VOLATILE = re.compile(r"\bc\d+\b|request \w+")


def fill(folder: Path) -> None:
    """Tools under the names that the recorded clients called: one that writes a log, and two that only answer."""
    shutil.copytree(ROOT / "manifests" / "hello", folder / "hello")
    shutil.copy(ROOT / "plugins" / "hello" / "hello.wasm", folder / "hello")
    for plugin, tool in (("memory-processor", "extract_keywords"), ("text-toolbox", "diff")):
        write_plugin(folder, plugin, module(ECHO), f'[[tools]]\nfunction = "echo"\nname = "{tool}"')


@requirement("lane:same")
@pytest.mark.parametrize("names", [OVER_HTTP, ON_PIPES], ids=["http", "stdio"])
def test_every_kind_of_client_was_recorded(names: list[str]) -> None:
    assert {name.split("-")[1] for name in names} == CLIENTS


@requirement("lane:same")
@pytest.mark.parametrize("name", OVER_HTTP)
async def test_a_recorded_client_hears_the_same_over_http(pair: Pair, name: str) -> None:
    lines = (RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    requests = [Recorded(**json.loads(line)) for line in lines]
    lane, sdk = [await converse(server, requests) for server in (pair.lane, pair.sdk)]
    assert len(sdk) == len(requests)
    assert {reply.status for reply in sdk} & {200, 202}
    assert lane == sdk


async def heard(stage: Path, home: Path, lines: list[bytes], fast_lane: str) -> list[Any]:
    """What a server on pipes says to ``lines``, each sent when the one before it was answered."""
    messages: list[Any] = []
    environment = {"AGENTMEM_LOG__LEVEL": "error", "AGENTMEM_RUNTIME__FAST_LANE": fast_lane}
    async with stdio_server(stage, home=home, environment=environment) as server:
        for line in lines:
            await server.send_raw(line)
            while "id" in json.loads(line):
                messages.append(json.loads(_VOLATILE.sub("…", json.dumps(await server.receive()))))
                if "id" in messages[-1]:
                    break
        assert await server.close() == 0
    return messages


@requirement("lane:same")
@pytest.mark.parametrize("name", ON_PIPES)
async def test_a_recorded_client_hears_the_same_on_the_pipes(stage: Path, cache: Path, name: str) -> None:
    lines = (RECORDINGS / f"{name}.jsonl").read_bytes().splitlines(keepends=True)
    told: dict[str, list[Any]] = {}

    async def tell(fast_lane: str) -> None:
        told[fast_lane] = await heard(stage, cache, lines, fast_lane)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tell, "true")
        tasks.start_soon(tell, "false")
    assert any("result" in message for message in told["false"])
    assert told["true"] == told["false"]
