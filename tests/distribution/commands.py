"""The command line in this very process, where a test runs many commands; :mod:`tests.commands` starts real ones."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mcp_server.cli.main import main

__all__ = ["answer", "run"]


def run(home: Path, *words: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``agentmem-mcp`` with ``words``, in the folder ``home`` and with that home."""
    out, err, command, code = io.StringIO(), io.StringIO(), [str(word) for word in words], 0
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for name, value in {"AGENTMEM_HOME": str(home), **(environment or {})}.items():
            patch.setenv(name, value)
        patch.chdir(home)
        patch.setattr("mcp_server.cli.output._quiet", [])  # what one command was told is forgotten with its process
        patch.setattr("sys.argv", ["agentmem-mcp", *command])
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())


def answer(home: Path, *words: str | Path) -> dict[str, Any]:
    """The JSON object that a command prints."""
    result = run(home, *words, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)
