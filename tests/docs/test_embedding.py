"""The example of docs/embedding.md runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_embedding_example_runs_and_prints_what_it_promises(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    done = subprocess.run(
        [sys.executable, "-c", found.group(1)],
        cwd=ROOT,
        env={"AGENTMEM_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    shipped = list((ROOT / "manifests").glob("*/plugin.toml"))
    told = done.stdout.splitlines()[len(shipped) :]  # a line for each example plugin comes first
    assert told == [
        "{'greeting': 'Hello, world!'}",
        "['Hello, one!', 'Hello, two!']",
        told[2],
        "{'invalid_arguments': 1}",
    ]
    assert "invalid_arguments" in told[2]
