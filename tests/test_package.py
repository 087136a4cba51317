"""The archives that are published, built and used as a stranger would: away from the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from mcp_server.authoring.beginning import begin_plugin
from mcp_server.authoring.languages import LANGUAGES
from tests.requirements import requirement

ROOT = Path(__file__).resolve().parent.parent


pytestmark = pytest.mark.timeout(300)
"""The archives are built once, with every compiled plugin in them."""


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def site(archives: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel is installed."""
    folder = tmp_path_factory.mktemp("site")
    install = ["-m", "pip", "install", "--no-deps", "--no-index", "--target", folder]
    subprocess.run([sys.executable, *install, next(archives.glob("*.whl"))], check=True, capture_output=True)
    return folder


@requirement("package:wheel")
def test_the_wheel_serves_the_examples_without_the_checkout(site: Path, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],  # noqa: TID251  # a test's
        "PYTHONPATH": str(site),
        "AGENTMEM_HOME": str(tmp_path / "home"),
    }
    command = [sys.executable, "-m", "mcp_server", "tool", "list", "--json"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    tools = {tool["name"] for tool in json.loads(result.stdout)["tools"]}
    assert {"hello__hello", "memory-processor__summarize_memory"} <= tools


@requirement("package:wheel")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_wheel_begins_plugins_without_the_checkout(site: Path, tmp_path: Path, language: str) -> None:
    environment = {"PYTHONPATH": str(site), "AGENTMEM_HOME": str(tmp_path / "home")}
    words = ["-m", "mcp_server", "new", "try-it", "--lang", language, "--json"]
    result = subprocess.run([sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, check=True)
    begun = begin_plugin("try-it", language, "Custom", tmp_path / "here")
    files = {path.relative_to(begun).as_posix() for path in begun.rglob("*") if path.is_file()}
    assert set(json.loads(result.stdout)["files"]) == files
    assert any(name.startswith("sdk/") for name in files)


@requirement("package:wheel")
def test_the_wheel_is_typed_and_licensed(archives: Path) -> None:
    with zipfile.ZipFile(next(archives.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    assert "mcp_server/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


@requirement("package:wheel")
def test_the_wheel_has_the_module_of_every_manifest(archives: Path) -> None:
    with zipfile.ZipFile(next(archives.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    ids = [path.parent.name for path in (ROOT / "manifests").glob("*/plugin.toml")]
    assert {f"mcp_server/examples/plugins/{name}/{name}.wasm" for name in ids} <= names


@requirement("package:sdist")
def test_the_source_archive_holds_sources_and_no_products(archives: Path) -> None:
    with tarfile.open(next(archives.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {
        "LICENSE",
        "README.md",
        "Makefile",
        "requirements/runtime.txt",
        "plugins/Cargo.lock",
        "plugins/hello/src/lib.rs",
        "plugins/hello/hello.wasm",
        "manifests/hello/plugin.toml",
        "tests/conftest.py",
    } <= names
    assert [
        name
        for name in names
        if {".venv", ".agentmem", "node_modules", "target", "__pycache__"} & set(Path(name).parts)
    ] == []


def locked(name: str) -> dict[str, str]:
    """Package -> version of a lock file."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, flags=re.MULTILINE))


@requirement("package:locked")
@pytest.mark.parametrize("name", ["runtime.txt", "build.txt", "plugins.txt", "plugins-go.txt", "peers.txt", "dev.txt"])
def test_the_locks_hold_a_fitting_version_of_everything_that_is_asked_for(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime, groups = project["project"]["dependencies"], project["dependency-groups"]
    alone = {f"{group}.txt": groups[group] for group in ("build", "plugins", "plugins-go", "peers")}
    asked = {"runtime.txt": runtime, **alone}.get(name, [*runtime, *groups["build"], *groups["dev"]])
    versions = locked(name)
    for requirement_text in asked:
        wanted = Requirement(requirement_text)
        assert wanted.specifier.contains(versions.get(wanted.name, "0")), requirement_text


@requirement("package:locked")
def test_the_locks_agree_and_name_no_index() -> None:
    dev = locked("dev.txt")
    for name in ("runtime.txt", "build.txt", "plugins.txt"):
        assert locked(name).items() <= dev.items()
    for lock in (ROOT / "requirements").iterdir():
        assert "://" not in lock.read_text(encoding="utf-8")
