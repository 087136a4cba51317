"""The command line as a shell runs it, with a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["answer", "run"]


def run(
    home: Path, *words: str | Path, environment: dict[str, str] | None = None, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run ``agentmem-mcp`` with ``words`` and wait for it."""
    variables = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home), **(environment or {})}  # noqa: TID251  # a test's
    command = [sys.executable, "-m", "mcp_server", *words]
    return subprocess.run(command, cwd=home, env=variables, input=given, capture_output=True, text=True)


def answer(home: Path, *words: str | Path) -> dict[str, Any]:
    """The JSON object that a command prints."""
    result = run(home, *words, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)
