"""What ``docs/deploy`` and the Dockerfile promise, checked by the tools that read such files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcp_server.settings.http import HttpSettings
from mcp_server.settings.model import RuntimeSettings
from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "docs" / "deploy"
UNIT = FILES / "agentmem-mcp.service"
GRACE = 30
"""Seconds that all of them leave for the calls under way."""


@requirement("deploy:container")
def test_the_dockerfile_is_clean_to_hadolint() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    linted = subprocess.run([hadolint, "--failure-threshold", "style", ROOT / "Dockerfile"], capture_output=True)
    assert (linted.returncode, linted.stdout.decode()) == (0, "")


@requirement("deploy:container")
def test_the_image_runs_without_root_and_copies_nothing_that_is_not_there() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    last = lines[max(index for index, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert [line for line in last if line.startswith("USER ")] == ["USER 10001:10001"]
    assert any(line.startswith("HEALTHCHECK ") for line in last)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for line in lines:
        words = line.split()
        if words[:1] == ["COPY"] and not words[1].startswith("--"):
            for source in words[1:-1]:
                assert (ROOT / source).exists()
                assert f"!{source.split('/')[0]}" in ignored


@requirement("deploy:container")
def test_the_compose_file_takes_rights_away_and_leaves_time_to_finish() -> None:
    document: dict[str, Any] = yaml.safe_load((FILES / "compose.yaml").read_text(encoding="utf-8"))
    (service,) = document["services"].values()
    assert service["read_only"] is True
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert [volume.partition(":")[2] for volume in service["volumes"]] == ["/var/lib/agentmem"]
    assert service["stop_grace_period"] == f"{GRACE}s"
    assert RuntimeSettings().drain_seconds < GRACE
    assert (FILES / service["build"]["context"] / "Dockerfile").is_file()
    for name in service["environment"]:
        assert name.removeprefix("AGENTMEM_HTTP__").lower() in HttpSettings.model_fields


@requirement("deploy:systemd")
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    assert f"TimeoutStopSec={GRACE}s" in text
    unit.write_text(text.replace("/opt/agentmem/bin/agentmem-mcp", f'"{sys.executable}"'), encoding="utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert (verified.returncode, [line for line in verified.stderr.splitlines() if UNIT.name in line]) == (0, [])
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=25", unit], capture_output=True, text=True
    )
    assert judged.returncode == 0, judged.stdout
