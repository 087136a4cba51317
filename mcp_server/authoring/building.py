"""``build``: from sources to a module beside the manifest, by the language's own tool.

The module from before stays until the new one is whole.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from mcp_server.authoring.check import manifest_at
from mcp_server.authoring.languages import language_of
from mcp_server.errors import ManifestError
from mcp_server.manifest.load import read_toml
from mcp_server.manifest.model import PluginSection
from mcp_server.problems import problems_of

__all__ = ["Built", "build_plugin", "module_path"]


@dataclass(frozen=True, slots=True)
class Built:
    """A module that was made.

    Attributes:
        module: Where it is.
        size: In bytes.
        language: Of the sources.
        compiler: Name and version of what made it.
        seconds: How long that took.
    """

    module: Path
    size: int
    language: str
    compiler: str
    seconds: float


def build_plugin(folder: Path) -> Built:
    """Build the plugin in ``folder``.

    Raises:
        SettingsError: There is no manifest.
        ToolchainMissing: See :class:`Language`.
        BuildFailed: As there; the module from before is unchanged.
    """
    module = module_path(manifest_at(folder))
    language = language_of(folder)
    started = time.monotonic()
    # Beside the module, so that it is moved within one file system; compilers write in several steps.
    with TemporaryDirectory(prefix=".build-", dir=module.parent) as place:
        # One folder deeper than where a server that watches this folder looks for modules.
        fresh = Path(place).resolve() / "out" / module.name
        fresh.parent.mkdir()
        compiler = language.build(folder, fresh)
        fresh.chmod(0o644)
        fresh.replace(module)
    return Built(module, module.stat().st_size, language.name, compiler, time.monotonic() - started)


def module_path(manifest: Path) -> Path:
    """Where the module of ``manifest`` belongs, whether it is there or not.

    Raises:
        ManifestError: It does not say, or names a place outside its folder.
    """
    try:
        section = PluginSection.model_validate(read_toml(manifest).get("plugin", {}))
    except ValidationError as error:
        problems = [f"plugin.{problem}" for problem in problems_of(error, PluginSection)]
        raise ManifestError(str(manifest), problems) from None
    module = manifest.parent / (section.wasm or f"{section.id}.wasm")
    if not module.resolve().is_relative_to(manifest.parent.resolve()):
        raise ManifestError(str(manifest), [f"plugin.wasm: '{section.wasm}' leaves the manifest's folder"])
    return module
