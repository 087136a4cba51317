"""The languages of plugins, each with its own tool. What a module is used for is nobody's business here."""

from __future__ import annotations

from pathlib import Path

from mcp_server.authoring.errors import BuildFailed
from mcp_server.authoring.languages.assemblyscript import AssemblyScript
from mcp_server.authoring.languages.base import Language
from mcp_server.authoring.languages.golang import Go
from mcp_server.authoring.languages.rust import Rust
from mcp_server.authoring.languages.zig import C, Zig

__all__ = ["LANGUAGES", "Language", "language_of"]

LANGUAGES: dict[str, Language] = {language.name: language for language in (Rust(), C(), Zig(), Go(), AssemblyScript())}


def language_of(folder: Path) -> Language:
    """The language of the plugin in ``folder``.

    Raises:
        BuildFailed: It holds no sources.
    """
    for language in LANGUAGES.values():
        if language.owns(folder):
            return language
    raise BuildFailed(
        f"there are no sources of a plugin in {folder}: no Cargo.toml, *.c, *.zig, go.mod or package.json",
        fix="name the plugin's folder; agentmem-mcp new ID --lang c begins one",
    )
