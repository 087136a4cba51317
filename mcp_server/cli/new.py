"""``new`` and ``build``: from an idea to sources, from sources to a module."""

from __future__ import annotations

from pathlib import Path

from mcp_server.authoring.beginning import begin_plugin
from mcp_server.authoring.building import build_plugin
from mcp_server.cli.output import print_json

__all__ = ["build", "new"]


def new(plugin: str, language: str, kind: str, into: Path | None, author: str, *, json: bool, quiet: bool) -> None:
    """Write the plugin, and say what to do next."""
    place = begin_plugin(plugin, language, kind, into or Path(plugin), author)
    made = sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())
    if json:
        print_json({"plugin": plugin, "language": language, "type": kind, "folder": str(place), "files": made})
    elif not quiet:
        own = [name for name in made if not name.startswith("sdk/")]
        print(f"{place}: {', '.join(own)}, and the SDK in sdk/")
        print(f"next: cd {place} && agentmem-mcp build && agentmem-mcp test")


def build(folder: Path, *, json: bool, quiet: bool) -> None:
    """Build, and say what came of it."""
    built = build_plugin(folder)
    if json:
        facts = {"module": str(built.module), "bytes": built.size, "language": built.language}
        print_json({**facts, "compiler": built.compiler, "seconds": round(built.seconds, 2)})
    elif not quiet:
        print(f"{built.module}: {built.size:,} bytes, by {built.compiler}, in {built.seconds:.1f} s")
