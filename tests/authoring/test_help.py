"""The help of the author's verbs: an example each, and nothing heavy on the way to it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer.main

from mcp_server.cli.main import app
from mcp_server.cli.verbs.author import VERBS
from mcp_server.cli.verbs.author import new as begin
from tests.requirements import requirement


@requirement("docs:commands")
@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_an_example_of_itself(name: str) -> None:
    (example,) = [
        line.strip() for line in (VERBS[name].__doc__ or "").splitlines() if line.strip().startswith("Example: ")
    ]
    assert example.startswith(f"Example: agentmem-mcp {name} ")
    group = typer.main.get_group(app)
    assert begin.__name__ in group.commands
    words = [word for word in example.split() if word.startswith("--")]
    options = {option for parameter in group.commands[name].params for option in parameter.opts}
    assert set(words) <= options


@requirement("commands:quick-help")
def test_the_verbs_bring_nothing_heavy_along() -> None:
    program = (
        "import sys, mcp_server.cli.main\n"
        "heavy = {'mcp', 'extism_sys', 'pydantic', 'watchfiles', 'tomlkit', 'anyio', 'mcp_server.authoring'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
