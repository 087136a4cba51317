"""From an author's folder to a tool call on another machine, by a registry and by an index; and what a person sees."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.distribution.index import Index, read_index
from mcp_server.distribution.oci.artifact import layers_in
from mcp_server.errors import AgentMemError
from mcp_server.policy.versions import VersionRange
from tests import commands
from tests.distribution.commands import answer
from tests.distribution.making import archive, configure, plugin
from tests.distribution.site import site
from tests.distribution.test_registry import registry, with_registry
from tests.requirements import requirement
from tests.stdio_server import stdio_server

TOOL = '[[tools]]\nfunction = "echo"\ndescription = "Gives back what it gets"\n'


@requirement("share:registry")
@with_registry
@pytest.mark.timeout(180)
async def test_what_an_author_publishes_a_client_on_another_machine_calls(
    home: Path, stock: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    made = Path(commands.answer(home, "package", plugin(stock, "travelled", more=TOOL), "--output", stock)["path"])
    key = commands.answer(home, "key", "generate", "ann")["key"]
    commands.answer(home, "sign", made, "--key", "ann")
    with registry(tmp_path / "registry") as host, site() as served:
        sharing = served.settings().replace(f'"{served.host}"', f'"{served.host}", "{host}"')
        configure(home, sharing)
        pinned = commands.answer(home, "publish", made, f"oci://{host}/ann/travelled")["pinned"]
        public = stock / "public"
        public.mkdir()
        commands.answer(home, "publish", made, public)
        served.files = {f"/{path.name}": path.read_bytes() for path in public.iterdir()}
        configure(other, f'{sharing}\n[sharing.indexes]\nmain = "{served.origin}/index.json"\n')
        commands.answer(other, "key", "trust", "ann", key)
        by_index = commands.answer(other, "add", "travelled@^0.1")["added"][0]
        by_registry = commands.answer(other, "add", pinned)["added"][0]
    assert (by_index["sha256"], by_index["signer"]) == (by_registry["sha256"], "ann")
    for command in by_registry["next"]:
        assert commands.run(other, *command.split()[1:]).returncode == 0
    async with stdio_server(other / "data" / "plugins", home=other) as server:
        assert "travelled__echo" in await server.tools()
        called = await server.call("travelled__echo", {"from": "afar"})
        assert called["structuredContent"] == {"from": "afar"}


@requirement("share:add")
def test_what_was_added_and_removed_is_in_the_audit_log_and_completed_by_a_shell(home: Path, stock: Path) -> None:
    path = archive(stock, "noted")
    answer(home, "add", path)
    words = {"_AGENTMEM_MCP_COMPLETE": "complete_bash", "COMP_WORDS": "agentmem-mcp remove no", "COMP_CWORD": "2"}
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home), **words}  # noqa: TID251  # a test's
    program = Path(sys.executable).with_name("agentmem-mcp")
    shown = subprocess.run([program], env=environment, capture_output=True, text=True)
    assert shown.stdout.split() == ["noted"]
    answer(home, "remove", "noted")
    rows = answer(home, "audit", "show")["rows"]
    assert [(row["function"], row["plugin"], row["target"]) for row in rows] == [
        ("add", "noted", str(path)),
        ("remove", "noted", ""),
    ]


@requirement("share:download")
def test_a_bar_is_shown_on_a_terminal_and_nowhere_else(home: Path, stock: Path) -> None:
    path = archive(stock, "shown")
    with site() as served:
        configure(home, served.settings())
        served.files["/shown.zip"] = path.read_bytes()
        command = [sys.executable, "-m", "mcp_server", "add", f"{served.origin}/shown.zip", "--quiet"]
        environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home), "TERM": "xterm"}  # noqa: TID251  # a test's
        ours, theirs = pty.openpty()
        del command[-1]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 65_536):
                seen += piece
        except OSError:  # how a terminal that nobody writes to any more ends on Linux
            pass
        os.close(ours)
        assert (done.returncode, b"shown.zip" in seen, b"\x1b" in done.stdout) == (0, True, False)
        shutil.rmtree(home / "cache")
        piped = subprocess.run(command, env=environment, capture_output=True)
        assert (piped.returncode, piped.stderr) == (0, b"")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@requirement("share:index")
@given(
    JSON | st.fixed_dictionaries({"index_version": st.just(1), "plugins": st.dictionaries(st.text(max_size=9), JSON)})
)
def test_anything_is_an_index_or_is_said_to_be_none(value: object) -> None:
    try:
        assert isinstance(read_index(json.dumps(value).encode(), "here"), Index)
    except AgentMemError as error:
        assert error.error_code == "index_invalid"


@requirement("share:registry")
@given(JSON | st.binary(max_size=50))
def test_anything_is_a_manifest_of_an_artifact_or_is_said_to_be_none(value: object) -> None:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(AgentMemError):
        layers_in(data, "here")


@given(st.text(max_size=30) | st.from_regex(r"[\^~<>=!]{0,2}[0-9]{0,30}(\.[0-9]+){0,3}(-[a-z0-9.]+)?", fullmatch=True))
def test_anything_is_a_requirement_or_is_said_to_be_none(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(VersionRange.parse(text).fits("1.2.3"), bool)
