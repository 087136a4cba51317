"""C and Zig, both compiled by Zig: one package from PyPI, and no C library is linked."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from mcp_server.authoring.errors import BuildFailed, ToolchainMissing
from mcp_server.authoring.languages.base import output_of, run
from mcp_server.settings import user_folders

__all__ = ["C", "Zig"]

STACK = "65536"
"""Bytes of stack: a plugin without deep recursion starts with two pages of memory in place of seventeen."""
_FREESTANDING = ("-target", "wasm32-freestanding")


class C:
    """``*.c`` of the folder, and of ``sdk/`` in it."""

    name = "c"
    sources = (".c", ".h")

    def owns(self, folder: Path) -> bool:
        return any(folder.glob("*.c"))

    def build(self, folder: Path, module: Path) -> str:
        sources = (*sorted(folder.glob("*.c")), *sorted(folder.glob("sdk/*.c")))
        files = [str(path.relative_to(folder)) for path in sources]
        warnings = ("-std=c11", "-Wall", "-Wextra", "-Werror")
        link = ("-nostdlib", "-Wl,--no-entry", f"-Wl,-z,stack-size={STACK}", "-I", "sdk", "-o", str(module))
        return _zig(folder, "cc", *warnings, "-Os", "-s", *_FREESTANDING, *link, *files)


class Zig:
    """``plugin.zig``, or the one ``*.zig`` of the folder; ``@import("agentmem")`` is ``sdk/agentmem.zig``."""

    name = "zig"
    sources = (".zig",)

    def owns(self, folder: Path) -> bool:
        return any(folder.glob("*.zig"))

    def build(self, folder: Path, module: Path) -> str:
        roots = sorted(path.name for path in folder.glob("*.zig"))
        if "plugin.zig" not in roots and len(roots) > 1:
            raise BuildFailed(f"{folder} has several .zig files: {', '.join(roots)}", fix="call one plugin.zig")
        root = "plugin.zig" if "plugin.zig" in roots else roots[0]
        form = ("-O", "ReleaseSmall", "-fstrip", "--stack", STACK, "-fno-entry", "-rdynamic", "--name", "plugin")
        modules = ("--dep", "agentmem", f"-Mroot={root}", "-Magentmem=sdk/agentmem.zig", f"-femit-bin={module}")
        return _zig(folder, "build-exe", *_FREESTANDING, *form, *modules)


def _zig(folder: Path, *words: str) -> str:
    program = _program()
    cache = user_folders().cache / "zig"
    cache.mkdir(parents=True, exist_ok=True)
    run([*program, *words], folder, {"ZIG_LOCAL_CACHE_DIR": cache, "ZIG_GLOBAL_CACHE_DIR": cache})
    return f"zig {output_of(*program, 'version') or ''}".strip()


def _program() -> list[str]:
    if find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang"]
    found = shutil.which("zig")
    if found is None:
        raise ToolchainMissing(
            "there is no Zig, which compiles plugins in C and Zig",
            fix=f"{sys.executable} -m pip install 'ziglang==0.17.*', or install Zig 0.17 from https://ziglang.org",
        )
    return [found]
