"""``plugins/build.py --check`` on copies of the sources: which change makes which module stale."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]
IGNORED = shutil.ignore_patterns("target", "node_modules", "__pycache__")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The plugins and the SDKs, without what was built elsewhere."""
    for name in ("plugins", "sdk", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=IGNORED)
    return tmp_path


def check(folder: Path, *names: str) -> tuple[int, set[str]]:
    command = [sys.executable, folder / "plugins" / "build.py", "--check", *names]
    result = subprocess.run(command, capture_output=True, text=True)
    return result.returncode, {line.split()[0].rstrip(":") for line in result.stderr.splitlines()}


@requirement("plugins:current")
def test_the_committed_modules_are_those_of_the_sources() -> None:
    assert check(ROOT) == (0, set())


@requirement("plugins:current")
@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("plugins/hello-c/hello.c", "hello-c"),
        ("sdk/c/agentmem_json.c", "hello-c"),
        ("sdk/zig/agentmem.zig", "hello-zig"),
        ("sdk/go/tool.go", "hello-go"),
        ("plugins/hello-go/metadata.json", "hello-go"),
        ("sdk/assemblyscript/json.ts", "hello-assemblyscript"),
        ("plugins/hello-assemblyscript/package-lock.json", "hello-assemblyscript"),
    ],
)
def test_a_changed_source_makes_its_own_modules_stale(copy: Path, changed: str, stale: str) -> None:
    path = copy / changed
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert check(copy) == (1, {stale})


@requirement("plugins:current")
def test_a_page_is_no_source(copy: Path) -> None:
    (copy / "sdk" / "c" / "README.md").write_text("other words", encoding="utf-8")
    assert check(copy) == (0, set())


@requirement("plugins:current")
def test_a_module_that_is_not_the_one_on_record_is_stale(copy: Path) -> None:
    with (copy / "plugins" / "hello-zig" / "hello-zig.wasm").open("ab") as module:
        module.write(b"\0\1\0")
    assert check(copy) == (1, {"hello-zig"})


@requirement("plugins:current")
def test_plugins_can_be_named_and_an_unknown_name_is_told(copy: Path) -> None:
    (copy / "sdk" / "c" / "agentmem.c").write_text("", encoding="utf-8")
    assert check(copy, "hello-zig") == (0, set())
    assert check(copy, "hello-zig", "hello-c") == (1, {"hello-c"})
    assert check(copy, "helo")[0] == 2
