"""The compilers of other languages, for tests that make modules.

Where one is missing, or what it has to fetch, a test is skipped.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

__all__ = ["TOOLCHAINS", "environment_for", "go_program"]

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "plugins" / "target" / "first-plugin"
"""Cargo's folder of all that tests build: the standard library takes a minute where it must be built."""
_GO_FOLDER = "/usr/local/go/bin"


def go_program() -> str | None:
    """Go, on the PATH or in its usual place."""
    return shutil.which("go") or shutil.which("go", path=_GO_FOLDER)


@functools.cache
def _why_no_go() -> str:
    """Empty where Go is here and has, or can fetch, the modules that the SDK needs."""
    go = go_program()
    if go is None:
        return "no Go compiler is here: https://go.dev/dl/"
    try:
        words = [go, "mod", "download"]
        done = subprocess.run(words, cwd=ROOT / "sdk" / "go", capture_output=True, text=True, timeout=40)
    except subprocess.TimeoutExpired:
        return "Go's modules cannot be fetched: no answer in 40 s"
    return "" if done.returncode == 0 else f"Go's modules cannot be fetched: {done.stderr.strip()[-200:]}"


@functools.cache
def _why_no_npm() -> str:
    """Empty where Node is here and npm reaches the packages that the SDK needs."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "no Node with npm is here: https://nodejs.org"
    try:
        words = [npm, "view", "assemblyscript", "name", "--prefer-offline"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=40)
    except subprocess.TimeoutExpired:
        return "npm's packages cannot be fetched: no answer in 40 s"
    return "" if done.returncode == 0 else f"npm's packages cannot be fetched: {done.stderr.strip()[-200:]}"


def _why_no_zig() -> str:
    return "" if importlib.util.find_spec("ziglang") else "no Zig is here: pip install ziglang"


@functools.cache
def _why_no_rust() -> str:
    """Empty where a wasm target, or what Debian has in its place, is here, and the crates can be had."""
    debian = any(Path("/usr/src").glob("rustc-*/library")) and any(Path("/usr/bin").glob("wasm-ld-*"))
    words = ["rustc", "--print", "target-libdir", "--target", "wasm32-unknown-unknown"]
    if shutil.which("rustc"):
        libraries = Path(subprocess.run(words, capture_output=True, text=True).stdout.strip())
        debian = debian or any(libraries.glob("libstd-*"))
    if not debian or not (shutil.which("cargo") or Path("/usr/bin/cargo").exists()):
        return "no Rust compiler with a wasm target is here: make plugins-toolchains"
    cargo = shutil.which("cargo") or "/usr/bin/cargo"
    done = subprocess.run([cargo, "fetch", "--locked"], cwd=ROOT / "plugins", capture_output=True, text=True)
    return "" if done.returncode == 0 else f"crates cannot be fetched: {done.stderr.strip()[-200:]}"


TOOLCHAINS: Mapping[str, Callable[[], str]] = {
    "c": _why_no_zig,
    "zig": _why_no_zig,
    "go": _why_no_go,
    "assemblyscript": _why_no_npm,
    "rust": _why_no_rust,
}
"""Language -> why a test in it is skipped; empty where it runs."""


def environment_for(language: str) -> dict[str, str]:
    """The variables with which a command builds plugins in ``language``; skips the test where it cannot."""
    why = TOOLCHAINS[language]()
    if why:
        pytest.skip(why)
    own = {name: value for name, value in os.environ.items() if not name.startswith("AGENTMEM_")}  # noqa: TID251  # a test's
    if language == "rust":
        KEPT.mkdir(parents=True, exist_ok=True)
        own["CARGO_TARGET_DIR"] = str(KEPT)
    return {**own, "PATH": f"{own['PATH']}:{_GO_FOLDER}"}
