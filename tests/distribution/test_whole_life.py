"""The whole life of a plugin in clean homes, a command for each step: from nothing to a call on another machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import answer, run
from tests.distribution.making import configure
from tests.distribution.site import site
from tests.distribution.test_registry import registry, with_registry
from tests.requirements import requirement
from tests.stdio_server import stdio_server
from tests.toolchains import environment_for

ID = "tea-timer"


def begin(home: Path, folder: Path) -> Path:
    """An author's plugin, made and tested: its package."""
    for words in (("new", ID, "--lang", "c", "--into", folder), ("build", folder), ("check", folder)):
        done = run(home, *words, environment=environment_for("c"))
        assert done.returncode == 0, done.stderr
    cases = answer(home, "test", folder)["cases"]
    assert cases
    assert {case["problem"] for case in cases} == {None}
    return Path(answer(home, "package", folder, "--output", home)["path"])


@requirement("share:life")
@with_registry
@pytest.mark.timeout(300)
async def test_a_plugin_goes_from_nothing_to_a_call_by_a_client_on_another_machine(tmp_path: Path) -> None:
    author, user = tmp_path / "author", tmp_path / "user"
    author.mkdir()
    user.mkdir()
    package = begin(author, tmp_path / ID)
    key = answer(author, "key", "generate", "ann")["key"]
    answer(author, "sign", package, "--key", "ann")
    with registry(tmp_path / "registry") as host, site() as served:
        sharing = served.settings().replace(f'"{served.host}"', f'"{served.host}", "{host}"')
        configure(author, sharing)
        pinned = answer(author, "publish", package, f"oci://{host}/ann/{ID}")["pinned"]
        public = tmp_path / "public"
        public.mkdir()
        answer(author, "publish", package, public)
        served.files = {f"/{path.name}": path.read_bytes() for path in public.iterdir()}
        configure(user, f'{sharing}\n[sharing.indexes]\nmain = "{served.origin}/index.json"\n')
        answer(user, "key", "trust", "ann", key)
        assert [found["id"] for found in answer(user, "search", "tea")["plugins"]] == [ID]
        by_index = answer(user, "add", f"{ID}@^0.1")["added"][0]
        by_registry = answer(user, "add", pinned)["added"][0]
        assert by_registry["sha256"] == by_index["sha256"]
    assert run(user, "plugin", "grant", ID, "LoggingAccess").returncode == 0
    assert run(user, "plugin", "approve", ID).returncode == 0
    file = user / "claude_desktop_config.json"
    planned = answer(user, "install", "claude-desktop", "--file", file, "--dry-run")
    assert not file.exists()
    assert "mcpServers" in json.dumps(planned)
    async with stdio_server(user / "data" / "plugins", home=user) as server:
        tools = [name for name in await server.tools() if name.startswith(ID)]
        assert tools == [f"{ID}__count"]
        called = await server.call(tools[0], {"text": "two words"})
        assert "2" in json.dumps(called["content"])
