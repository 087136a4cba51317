"""C and Zig, both compiled by Zig, which comes as the Python package ``ziglang``; no C library is linked."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from recipes.recipe import ROOT, BuildError, lay_out, output_of, run, sources_below
from recipes.toolbox import python

__all__ = ["C", "Zig"]

# 64 KiB of stack: a plugin without deep recursion starts with two pages of memory in place of seventeen.
_STACK = "65536"


class _ByZig:
    """What C and Zig have in common."""

    language: str
    suffix: str
    sdk: Path

    def owns(self, plugin: Path) -> bool:
        return any(plugin.glob(f"*{self.suffix}"))

    def contents(self, plugin: Path) -> dict[str, bytes]:
        sources = sources_below(plugin, self.sdk)
        command = self.command(Path("plugin"), sorted(sources))
        return sources | {"command": json.dumps(command).encode()}

    def compiler(self) -> str:
        version = output_of(python(), "-m", "ziglang", "version")
        if version is None:
            raise BuildError(f"{python()} has no working Zig; delete its folder and try again.")
        return f"zig {version}"

    def compile(self, plugins: Sequence[Path], folder: Path) -> dict[str, Path]:
        modules: dict[str, Path] = {}
        for plugin in plugins:
            sources = sources_below(plugin, self.sdk)
            place, module = folder / plugin.name, folder / f"{plugin.name}.wasm"
            lay_out(sources, place)
            caches = {"ZIG_LOCAL_CACHE_DIR": folder / "cache", "ZIG_GLOBAL_CACHE_DIR": folder / "cache"}
            run([python(), "-m", "ziglang", *self.command(module, sorted(sources))], place, caches)
            modules[plugin.name] = module
        return modules

    @abstractmethod
    def command(self, module: Path, sources: Sequence[str]) -> list[str]: ...


class C(_ByZig):
    """``*.c`` of the plugin and of ``sdk/c``."""

    language = "C"
    suffix = ".c"
    sdk = ROOT / "sdk" / "c"

    def command(self, module: Path, sources: Sequence[str]) -> list[str]:
        """The arguments of ``zig``."""
        warnings = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
        target = ["-Os", "-s", "-target", "wasm32-freestanding", "-nostdlib"]
        link = ["-Wl,--no-entry", f"-Wl,-z,stack-size={_STACK}"]
        files = [name for name in sources if name.endswith(".c")]
        return ["cc", *warnings, *target, *link, "-I", "sdk/c", "-o", str(module), *files]


class Zig(_ByZig):
    """One ``*.zig`` beside others it imports; ``@import("agentmem")`` is ``sdk/zig``."""

    language = "Zig"
    suffix = ".zig"
    sdk = ROOT / "sdk" / "zig"

    def command(self, module: Path, sources: Sequence[str]) -> list[str]:
        """The arguments of ``zig``."""
        root = next(name for name in sources if name.startswith("plugins/"))
        target = ["-target", "wasm32-freestanding", "-O", "ReleaseSmall", "-fstrip", "--stack", _STACK]
        modules = ["--dep", "agentmem", f"-Mroot={root}", "-Magentmem=sdk/zig/agentmem.zig"]
        return ["build-exe", *target, "-fno-entry", "-rdynamic", *modules, "--name", "plugin", f"-femit-bin={module}"]
