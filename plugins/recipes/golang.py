"""Go, compiled by Go's own toolchain as a WASI reactor. Modules come from the module proxy, checked by ``go.sum``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from recipes import toolbox
from recipes.recipe import ROOT, BuildError, lay_out, output_of, run, sources_below

__all__ = ["Go"]

_SDK = ROOT / "sdk" / "go"
_RELEASE = "go1.26.8"
_BUILD = ("build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags=-s -w -buildid=", "-buildmode=c-shared")
# Any Go from 1.21 on fetches this very release where it is another, so that the bytes are the same everywhere.
_FIXED = {
    "GOTOOLCHAIN": _RELEASE,
    "GOOS": "wasip1",
    "GOARCH": "wasm",
    "GOWORK": "off",
    "GOFLAGS": "",
    "CGO_ENABLED": "0",
}
_USUAL_PLACE = "/usr/local/go/bin/go"


class Go:
    """A ``go.mod`` in the plugin's folder that replaces ``agentmem/sdk`` by ``../../sdk/go``."""

    language = "Go"

    def owns(self, plugin: Path) -> bool:
        """Return whether the folder is a Go module."""
        return (plugin / "go.mod").is_file()

    def contents(self, plugin: Path) -> dict[str, bytes]:
        """Return the sources, the SDK's and how they are compiled."""
        return sources_below(plugin, _SDK) | {"command": json.dumps([_FIXED, _BUILD]).encode()}

    def compiler(self) -> str:
        """Return the release of Go.

        Raises:
            BuildError: There is no Go, or it cannot fetch the release.
        """
        version = output_of("env", f"GOTOOLCHAIN={_RELEASE}", _go(), "version")
        if version is None:
            raise BuildError(
                f"`{_go()}` is not {_RELEASE} and cannot fetch it. Go 1.21 or newer fetches it from the module proxy; "
                f"or install {_RELEASE} from https://go.dev/dl/."
            )
        return f"{_RELEASE} for wasip1"

    def compile(self, plugins: Sequence[Path], folder: Path) -> dict[str, Path]:
        """See :class:`recipes.recipe.Recipe`."""
        modules: dict[str, Path] = {}
        for plugin in plugins:
            lay_out(sources_below(plugin, _SDK), folder)
            module = folder / f"{plugin.name}.wasm"
            place = folder / plugin.relative_to(ROOT)
            run([_go(), *_BUILD, "-o", module, "."], place, {**_FIXED, "GOCACHE": folder / "cache"})
            modules[plugin.name] = module
        return modules


def _go() -> str:
    """The Go that is installed, or else the one of the Python package."""
    return shutil.which("go") or shutil.which(_USUAL_PLACE) or str(toolbox.go())
