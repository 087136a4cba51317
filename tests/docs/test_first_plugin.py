"""``docs/first-plugin.md``, followed word by word in an empty home, with the command line as it is installed."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.requirements import requirement
from tests.toolchains import environment_for

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "first-plugin.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(sh run ?\w*|json)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
DEBIAN_STD = sorted(Path("/usr/src").glob("rustc-*/library"))
DEBIAN_LINKERS = sorted(Path("/usr/bin").glob("wasm-ld-*"))
GO_FOLDER = "/usr/local/go/bin"
HOME = Path.home()
PATH, CARGO_HOME, GOPATH = (os.environ.get(name) for name in ("PATH", "CARGO_HOME", "GOPATH"))  # noqa: TID251  # a test's


def blocks(language: str) -> list[str]:
    """What a reader copies who has chosen ``language``."""
    return [text for kind, text in BLOCK.findall(PAGE) if kind in ("sh run", "sh run ", f"sh run {language}")]


def rust() -> Mapping[str, str]:
    """rustup's compiler, or Debian's, which must be told to build the standard library."""
    caches = {"CARGO_HOME": CARGO_HOME or str(HOME / ".cargo"), "RUSTUP_HOME": str(HOME / ".rustup")}
    command = ["rustc", "--print", "target-libdir", "--target", "wasm32-unknown-unknown"]
    if shutil.which("rustc"):
        libraries = Path(subprocess.run(command, capture_output=True, text=True).stdout.strip())
        if any(libraries.glob("libstd-*")):
            return caches
    if not (DEBIAN_STD and DEBIAN_LINKERS and Path("/usr/bin/cargo").exists()):
        pytest.skip("no Rust compiler with the target wasm32-unknown-unknown is here: make plugins-toolchains")
    return {
        **caches,
        "FIRST": "/usr/bin",
        "RUSTC": "/usr/bin/rustc",
        "RUSTC_BOOTSTRAP": "1",
        "CARGO_UNSTABLE_BUILD_STD": "std,panic_abort",
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER": str(DEBIAN_LINKERS[-1]),
    }


def c() -> Mapping[str, str]:
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("no C compiler for WebAssembly is here: pip install ziglang")
    return {}


def go() -> Mapping[str, str]:
    environment_for("go")
    return {
        "LAST": GO_FOLDER,
        "GOPATH": GOPATH or str(HOME / "go"),
        "GOCACHE": str(HOME / ".cache" / "go-build"),
    }


LANGUAGES = {"rust": rust, "c": c, "go": go}


@requirement("docs:first-plugin")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_leads_from_nothing_to_a_tool_call(language: str, tmp_path: Path) -> None:
    extra = dict(LANGUAGES[language]())
    folders = [extra.pop("FIRST", ""), str(Path(sys.executable).parent), PATH, extra.pop("LAST", "")]
    environment = {
        "PATH": ":".join(filter(None, folders)),
        "HOME": str(tmp_path),
        "AGENTMEM_HOME": str(tmp_path / "agentmem"),
        # A machine that runs these tests beside others compiles 3 MB of Go for longer than the default of 5 s.
        "AGENTMEM_PLUGINS__WORDCOUNT": "{ limits = { max_load_time_ms = 60000 } }",
        **extra,
    }
    kept = ROOT / "plugins" / "target" / "first-plugin"  # the standard library takes a minute where it must be built
    kept.mkdir(parents=True, exist_ok=True)
    (tmp_path / "wordcount").mkdir()
    (tmp_path / "wordcount" / "target").symlink_to(kept)
    script = "\n".join(blocks(language))
    command = ["bash", "-euo", "pipefail", "-c", script]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    (promised,) = [text for kind, text in BLOCK.findall(PAGE) if kind == "json"]
    assert result.stdout.splitlines()[-1:] == promised.splitlines()
