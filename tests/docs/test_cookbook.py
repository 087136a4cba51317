"""``docs/cookbook.md``, followed block by block in a clean home; what it says a block prints is what is printed.

In an expected text, a line of ``…`` alone stands for any lines, and ``…`` within a line for any characters.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8")
TASK = re.compile(r"^## (\d+)\. (.*?)\n.*?^```sh run\n(.*?)^```\n\n```text\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
SLOWLY = "{ limits = { max_load_time_ms = 60000 } }"
"""A machine that runs many tests compiles more slowly than a reader's."""
TASKS = {f"{number}-{title}": (block, expected) for number, title, block, expected in TASK.findall(PAGE)}


def follow(block: str, home: Path) -> str:
    """What the block prints, run as a reader would."""
    programs = home / "bin"
    programs.mkdir()
    (programs / "agentmem-mcp").symlink_to(Path(sys.executable).with_name("agentmem-mcp"))
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",  # noqa: TID251  # a test's
        "HOME": str(home),
        "LANG": "C.UTF-8",
        **{f"AGENTMEM_PLUGINS__{plugin}": SLOWLY for plugin in ("DATASOURCE", "MEMORY-PROCESSOR")},
    }
    folder = home / "here"
    folder.mkdir()
    command = ["bash", "-euo", "pipefail", "-c", block]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def as_pattern(expected: str) -> re.Pattern[str]:
    parts: list[str] = []
    for line in expected.splitlines():
        inside = ".*".join(re.escape(part) for part in line.split("…"))
        parts.append("(?:.*\n)*" if line == "…" else f"{inside}.*\n" if line.endswith("…") else f"{inside}\n")
    return re.compile("".join(parts))


@requirement("docs:cookbook")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("task", TASKS)
def test_a_task_of_the_cookbook_does_what_it_says(task: str, tmp_path: Path) -> None:
    block, expected = TASKS[task]
    if task.startswith("10-"):  # it looks at what the fifth task did
        block = next(TASKS[name][0] for name in TASKS if name.startswith("5-")) + block
    shown = follow(block, tmp_path)
    assert as_pattern(expected).fullmatch(shown), f"{shown}\n--- is not\n{expected}"


@requirement("docs:cookbook")
def test_the_cookbook_has_ten_tasks_and_every_block_is_one_of_them() -> None:
    assert [task.partition("-")[0] for task in TASKS] == [str(number) for number in range(1, 11)]
    assert PAGE.count("```sh") == len(TASKS)
