"""The demo as a person runs it: a process, its output, its exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]


def demo(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home)}  # noqa: TID251  # a test's
    command = [sys.executable, "-m", "mcp_server", "demo", *arguments]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)


@requirement("demo:shows-the-product")
def test_the_demo_shows_tools_calls_a_refusal_and_a_plugin_held_back(cache: Path) -> None:
    result = demo(cache)
    assert (result.returncode, result.stderr) == (0, "")
    for shown in (
        "hello__hello(message: string) -> {greeting: string}",
        '=> {"greeting":"Hello, World!"}',
        "the keywords of README.md",
        "error[invalid_arguments]",
        "courier: Error",
        "fix: run `agentmem-mcp plugin grant courier NetworkAccess`",
        '[grants.courier] capabilities = ["NetworkAccess"]',
        "by words alone: 1. The green bike",
        "with the hook after_search: 1. Ann drinks green tea",
        '[grants.fetcher] capabilities = ["NetworkAccess"]',
        "All 9 steps held.",
    ):
        assert shown in " ".join(result.stdout.split())
    for manifest in sorted(ROOT.glob("manifests/*/plugin.toml")):
        assert f" {manifest.parent.name}__" in result.stdout


@requirement("demo:fails-with-a-step")
def test_a_demo_without_its_plugins_fails_and_says_what_was_expected(cache: Path, plugins: Path) -> None:
    result = demo(cache, "--plugins", plugins)
    assert result.returncode == 1
    assert "expected: the tools hello__hello, memory-processor__extract_keywords" in " ".join(result.stdout.split())
    assert "8 of 9 steps failed." in result.stdout


@requirement("demo:fails-with-a-step")
def test_one_broken_plugin_fails_its_own_steps_only(cache: Path, plugins: Path) -> None:
    shutil.copytree(ROOT / "plugins" / "memory-processor", plugins / "memory-processor")
    shutil.copytree(ROOT / "manifests", plugins.parent / "manifests")
    (plugins / "hello").mkdir()
    (plugins / "hello" / "hello.wasm").write_bytes(b"\0asm")
    result = demo(cache, "--manifests", plugins.parent / "manifests", "--plugins", plugins)
    assert result.returncode == 1
    assert "4 of 9 steps failed." in result.stdout


@requirement("demo:fails-with-a-step")
def test_a_demo_whose_server_does_not_start_says_why(cache: Path) -> None:
    result = demo(cache, "--plugins", cache / "nowhere")
    assert result.returncode == 1
    assert "expected: a server that answers" in result.stdout
    assert "nowhere does not exist" in result.stdout
