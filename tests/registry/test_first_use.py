"""Two processes see a plugin for the first time at one moment: what is written down first counts."""

from __future__ import annotations

from pathlib import Path

from mcp_server.registry.approval import Approvals
from mcp_server.registry.discovery import Found
from mcp_server.registry.governed import ApprovalRules
from mcp_server.registry.version import OperatorWord, PluginVersion, read_manifest, read_version
from mcp_server.tools.catalog import served_tools
from tests.guests import answers, write_plugin
from tests.requirements import requirement

WORD = OperatorWord()


def approvals(data: Path) -> Approvals:
    return Approvals(data, ApprovalRules("trust-on-first-use", data / "plugins"), served_tools)


def version(data: Path, text: str) -> PluginVersion:
    home = write_plugin(data / "plugins", "mine", answers(text))
    return read_version(read_manifest(Found(home / "plugin.toml", "manifest"), (), "0.1.0"), WORD)


@requirement("approval:first-use")
def test_the_second_of_two_first_uses_waits_when_it_saw_other_bytes(tmp_path: Path) -> None:
    first, second = approvals(tmp_path), approvals(tmp_path)
    assert first.judge(version(tmp_path, "one"), WORD).standing == "first-use"
    assert second.judge(version(tmp_path, "two"), WORD).standing == "first-use"
    assert first.commit() == {}
    refused = second.commit()["mine"]
    assert refused.error_code == "approval_pending"
    assert refused.data["changed"] == ["wasm"]


@requirement("approval:lock-file")
def test_a_first_use_that_cannot_be_written_down_does_not_run(tmp_path: Path) -> None:
    data = tmp_path / "data"
    seen = approvals(data)
    assert seen.judge(version(data, "one"), WORD).may_run
    (data / "approved").write_text("a file where a folder is needed")
    assert seen.commit()["mine"].error_code == "lock_damaged"
    assert not (data / "plugins.lock").exists()
