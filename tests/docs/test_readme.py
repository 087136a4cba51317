"""What README.md tells a reader to do works, in a copy of the checkout, word by word.

A block whose first line is ```` ```sh run ```` is run here; the blocks of a file are run in their order.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client  # pyright: ignore[reportPrivateUsage]  # its timeouts

from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = (".*", "node_modules", "target", "dist", "__pycache__", "my-plugins")


def blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources, with the environment of this run as its ``.venv``."""
    copy = tmp_path / "a copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    (copy / ".venv").symlink_to(sys.prefix)
    return copy


def run(block: str, folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(folder / ".agentmem")}  # noqa: TID251  # a test's
    command = ["bash", "-euo", "pipefail", "-c", block]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, ""), block
    return result.stdout


@requirement("docs:readme-runs")
def test_the_first_plugin_is_built_listed_called_and_connected(checkout: Path) -> None:
    make, use, connect = (run(block, checkout) for block in blocks("sh run"))
    assert make == ""
    listed, called = use.splitlines()[1], use.splitlines()[2:]
    assert re.match(r"shout +0.1.0 +Custom +Loaded +trusted +1 +-", listed)
    assert called == ["HELLO FROM A PLUGIN"]
    command = json.loads(connect)["mcpServers"]["agentmem"]["command"]
    assert command == f"{checkout}/.venv/bin/agentmem-mcp"
    assert Path(command).is_file()


@requirement("docs:readme-runs")
async def test_the_three_commands_for_another_machine_connect_a_client(checkout: Path) -> None:
    """No client of that name is here: what the third command hands to it is handed to the SDK's client."""
    (block,) = blocks("sh remote")
    create, serve, connect = block.splitlines()
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(checkout / ".agentmem")}  # noqa: TID251  # a test's
    made = await anyio.run_process(["bash", "-c", create], cwd=checkout, env=environment)
    words = shlex.split(serve.replace(":8765", ":0"))
    async with await anyio.open_process(words, stderr=subprocess.PIPE, cwd=checkout, env=environment) as process:
        assert process.stderr is not None
        said = BufferedByteReceiveStream(process.stderr)
        while b"serves MCP" not in (first := await said.receive_until(b"\n", 65_536)):
            pass  # warnings about plugins that need a grant
        port = first.decode().partition("http://0.0.0.0:")[2].partition("/")[0]
        *_, url, _, header = shlex.split(connect)
        name, _, value = header.replace("TOKEN", made.stdout.decode().strip()).partition(": ")
        url = url.replace("SERVER:8765", f"127.0.0.1:{port}")
        async with (
            create_mcp_http_client({name: value}) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            result = await client.call_tool("hello__hello", {"message": "from afar"})
        process.terminate()
    assert result.structured_content == {"greeting": "Hello, from afar!"}


@requirement("docs:readme-runs")
def test_every_file_and_page_that_is_linked_is_there() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    for page in pages:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert "://" in link or (page.parent / link).exists(), f"{page.name} links to {link}"


@requirement("docs:readme-runs")
def test_every_folder_of_the_layout_map_is_there() -> None:
    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md"))
    first_columns = re.findall(r"^\| (`[^|]+`) \|", text, flags=re.MULTILINE)
    named = {name for column in first_columns for name in column.split("`")[1::2] if name.endswith("/")}
    missing = [name for name in named if not (ROOT / name).is_dir()]
    packages = {f"mcp_server/{path.parent.name}/" for path in (ROOT / "mcp_server").glob("*/__init__.py")}
    assert missing == []
    assert packages <= named


@requirement("docs:readme-runs")
def test_the_checks_run_the_commands_of_the_readme() -> None:
    (commands,) = blocks("sh")
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    told = [line.partition("#")[0].strip() for line in commands.splitlines()]
    assert told == ["make demo", "make test"]
    assert [command for command in told if f"step {command}\n" not in checks] == []
