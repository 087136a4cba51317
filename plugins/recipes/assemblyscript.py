"""AssemblyScript, compiled by ``asc`` from npm as the plugin's lock file names it. Node is a Python package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from recipes.recipe import PLUGINS, ROOT, lay_out, run, sources_below
from recipes.toolbox import node

__all__ = ["AssemblyScript"]

_SDK = ROOT / "sdk" / "assemblyscript"
_FETCH = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
# Optimised for size, asc joins texts one by one: 4 kB of escapes then take 260 million instructions, here 11 million.
_BUILD = ("index.ts", "-O3", "--noColors", "--use", "abort=~lib/agentmem-plugin-sdk/index/aborted")


class AssemblyScript:
    """``index.ts``, ``package.json`` and its lock; the SDK is the dependency ``file:../../sdk/assemblyscript``."""

    language = "AssemblyScript"

    def owns(self, plugin: Path) -> bool:
        """Return whether the folder is an npm package with a lock."""
        return (plugin / "package-lock.json").is_file()

    def contents(self, plugin: Path) -> dict[str, bytes]:
        """Return the sources, the SDK's and how they are compiled."""
        return sources_below(plugin, _SDK) | {"command": json.dumps(_BUILD).encode()}

    def compiler(self) -> str:
        """Return the release of the compiler, as the plugins' locks name it."""
        node()
        locks = [json.loads(path.read_bytes())["packages"] for path in PLUGINS.glob("*/package-lock.json")]
        return ", ".join(sorted({f"asc {lock['node_modules/assemblyscript']['version']}" for lock in locks}))

    def compile(self, plugins: Sequence[Path], folder: Path) -> dict[str, Path]:
        """See :class:`recipes.recipe.Recipe`."""
        program, npm = node()
        modules: dict[str, Path] = {}
        for plugin in plugins:
            lay_out(sources_below(plugin, _SDK), folder)
            place, module = folder / plugin.relative_to(ROOT), folder / f"{plugin.name}.wasm"
            run([program, "--use-system-ca", npm, *_FETCH], place, {})
            run([program, "node_modules/assemblyscript/bin/asc.js", *_BUILD, "-o", module], place, {})
            modules[plugin.name] = module
        return modules
