"""Go, compiled by Go's own toolchain as a WASI reactor; its modules come from the proxy that Go is set to."""

from __future__ import annotations

import shutil
from pathlib import Path

from mcp_server.authoring.errors import ToolchainMissing
from mcp_server.authoring.languages.base import output_of, run

__all__ = ["Go"]

_TARGET = {"GOOS": "wasip1", "GOARCH": "wasm", "GOWORK": "off", "CGO_ENABLED": "0"}


class Go:
    """A Go module; ``go.mod`` replaces ``agentmem/sdk`` by ``./sdk``.

    Args:
        usual_place: Where Go is, when it is not on the PATH.
    """

    name = "go"
    sources = (".go", ".mod", ".sum")

    def __init__(self, usual_place: str = "/usr/local/go/bin/go") -> None:
        self._usual_place = usual_place

    def owns(self, folder: Path) -> bool:
        return (folder / "go.mod").is_file()

    def build(self, folder: Path, module: Path) -> str:
        go = shutil.which("go") or shutil.which(self._usual_place)
        if go is None:
            raise ToolchainMissing("there is no Go", fix="install Go 1.24 or newer from https://go.dev/dl/")
        form = ("-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w")
        run([go, "build", *form, "-o", module, "."], folder, _TARGET)
        return output_of(go, "version") or "go"
