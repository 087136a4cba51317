"""Rust, compiled by cargo for a wasm target of rustup's, or by Debian's compiler, which builds its library too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp_server.authoring.errors import BuildFailed, ToolchainMissing
from mcp_server.authoring.languages.base import output_of, run

__all__ = ["Rust"]

_TARGETS = ("wasm32-unknown-unknown", "wasm32-wasip1")


@dataclass(frozen=True, slots=True)
class _Toolchain:
    """A compiler that makes wasm modules here."""

    name: str
    cargo: str
    target: str
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict[str, str])


class Rust:
    """A crate with a ``cdylib``.

    Args:
        system: The folder in which Debian's packages are.
    """

    name = "rust"
    sources = (".rs", ".toml", ".json")

    def __init__(self, system: Path = Path("/usr")) -> None:
        self._system = system

    def owns(self, folder: Path) -> bool:
        return (folder / "Cargo.toml").is_file()

    def build(self, folder: Path, module: Path) -> str:
        found = _rustup() or _debian(self._system)
        if found is None:
            raise ToolchainMissing(
                "there is no Rust compiler with a wasm target",
                fix=f"rustup target add {_TARGETS[0]} (rustup is at https://rustup.rs); on Debian also: "
                "apt-get install rustc-web cargo-web rust-web-src lld-22",
            )
        words = ("build", "--release", "--target", found.target, "--message-format", "json-render-diagnostics")
        told = run([found.cargo, *words, *found.arguments], folder, found.variables)
        shutil.copyfile(_made(told, folder), module)
        return f"{found.name} for {found.target}"


def _made(told: bytes, folder: Path) -> Path:
    """The module among the artifacts that cargo names, a JSON object a line, that of the crate in ``folder``."""
    modules: list[Path] = []
    for line in told.splitlines():
        message: dict[str, Any] = json.loads(line) if line.startswith(b"{") else {}
        if message.get("reason") == "compiler-artifact":
            own = Path(message.get("manifest_path", "")).parent == folder.resolve()
            modules += [Path(name) for name in message["filenames"] if own and name.endswith(".wasm")]
    if not modules:
        raise BuildFailed(
            f"the crate in {folder} makes no WebAssembly module",
            fix='add crate-type = ["cdylib"] under [lib] of its Cargo.toml',
        )
    return modules[0]


def _rustup() -> _Toolchain | None:
    """The compiler on the PATH, if a wasm target is installed for it."""
    version = output_of("rustc", "--version")
    for target in _TARGETS if version else ():
        libraries = output_of("rustc", "--print", "target-libdir", "--target", target)
        if libraries and any(Path(libraries).glob("libstd-*")):
            return _Toolchain(str(version), "cargo", target)
    return None


def _debian(system: Path) -> _Toolchain | None:
    """Debian's compiler with the standard library's sources and a wasm linker, if all three are installed."""
    cargo, rustc = system / "bin" / "cargo", system / "bin" / "rustc"
    version = output_of(rustc, "--version")
    linkers = sorted((system / "bin").glob("wasm-ld-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    if not version or not cargo.exists() or not linkers:
        return None
    if not (system / "src" / f"rustc-{version.split()[1]}" / "library").is_dir():
        return None
    variables = {
        "RUSTC": str(rustc),
        "RUSTC_BOOTSTRAP": "1",  # build-std is unstable, and Debian ships no std for wasm
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER": str(linkers[-1]),
    }
    return _Toolchain(version, str(cargo), _TARGETS[0], ("-Zbuild-std=std,panic_abort",), variables)
