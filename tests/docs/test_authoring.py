"""``docs/authoring.md``: its blocks run, its cases are cases, its codes are those of the checks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mcp_server.authoring.cases import Case, CaseFile, Setting
from mcp_server.authoring.languages import LANGUAGES
from tests.requirements import requirement
from tests.toolchains import environment_for

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```([\w ]+)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


def section(heading: str) -> str:
    _, _, rest = PAGE.partition(f"## {heading}\n")
    return rest.partition("\n## ")[0]


@requirement("docs:authoring")
@pytest.mark.timeout(120)
def test_the_page_leads_from_nothing_to_a_tested_plugin(tmp_path: Path) -> None:
    blocks = dict(BLOCK.findall(PAGE))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # noqa: TID251  # a test's
    environment = {**environment_for("c"), "PATH": path, "AGENTMEM_HOME": str(tmp_path / "home")}
    command = ["bash", "-euo", "pipefail", "-c", blocks["sh run"]]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1:] == blocks["json"].splitlines()


@requirement("docs:authoring")
def test_every_key_of_a_case_and_every_language_has_a_row() -> None:
    keys = set(re.findall(r"^\| `(\w+)` \|", section("Golden cases"), flags=re.MULTILINE))
    assert keys == set(Case.model_fields)
    assert set(Setting.model_fields) <= keys
    languages = re.findall(r"^\| `(\w+)` \|", section("What `new` writes"), flags=re.MULTILINE)
    assert languages == list(LANGUAGES)
    (cases,) = [text for kind, text in BLOCK.findall(PAGE) if kind == "toml"]
    assert len(CaseFile.model_validate(tomllib.loads(cases)).case) == 2


@requirement("docs:authoring")
def test_every_code_of_a_check_has_a_row_and_every_row_a_code() -> None:
    sources = "".join(
        (ROOT / "mcp_server" / "authoring" / f"{name}.py").read_text(encoding="utf-8")
        for name in ("check", "check_rights", "check_said", "check_tools")
    )
    codes = set(re.findall(r'(?:\.error|\.warning)\(\s*"(\w+)"', sources)) | {"function_missing"}
    firsts = re.findall(r"^\| (`.*?) \|", section("What `check` finds"), flags=re.MULTILINE)
    rows = set(re.findall(r"`(\w+)`", " ".join(firsts)))
    assert rows - codes == {"module_invalid", "integrity_failed", "config_invalid"}  # the server's own
    assert codes - rows == set()
