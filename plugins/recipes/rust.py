"""Rust, compiled by cargo as one workspace, with the crates that ``Cargo.lock`` names.

The compiler is rustup's with the target wasm32-unknown-unknown, or Debian's, which ships no such target, so that the
standard library is built too. The same sources and the same compiler give the same bytes in any folder.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.recipe import PLUGINS, ROOT, BuildError, output_of, run, sources_below

__all__ = ["DEBIAN_PACKAGES", "Rust", "rustup_target"]

SDK = ROOT / "sdk" / "rust"
SDK_CRATE = "agentmem-plugin-sdk"
TARGET = "wasm32-unknown-unknown"
DEBIAN_BIN = Path("/usr/bin")
DEBIAN_STD = Path("/usr/src")
DEBIAN_PACKAGES = "rustc-web cargo-web rust-web-src lld-22 clang-22"


@dataclass(frozen=True)
class Toolchain:
    """A Rust compiler that can make wasm modules."""

    name: str
    cargo: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    std_folders: tuple[str, ...]


class Rust:
    """A member of the workspace ``plugins/Cargo.toml``."""

    language = "Rust"

    def owns(self, plugin: Path) -> bool:
        """Return whether the folder is a crate."""
        return (plugin / "Cargo.toml").is_file()

    def contents(self, plugin: Path) -> dict[str, bytes]:
        """Return the crate's sources, the SDK's where it is used, and the workspace's rules for the crate."""
        sources = _sources(plugin)
        if SDK_CRATE.encode() in (plugin / "Cargo.toml").read_bytes():
            for manifest in SDK.glob("**/Cargo.toml"):
                sources |= _sources(manifest.parent)
        return sources | {"workspace": _workspace_rules(plugin)}

    def compiler(self) -> str:
        """Return the name of the compiler.

        Raises:
            BuildError: There is none; the message says what to install.
        """
        return _find_toolchain().name

    def compile(self, plugins: Sequence[Path], folder: Path) -> dict[str, Path]:
        """See :class:`recipes.recipe.Recipe`."""
        toolchain = _find_toolchain()
        _cargo(toolchain, "fetch")
        for plugin in plugins:  # one by one: together, the features that one plugin wants of a crate are in all of them
            flags = "\x1f".join([*_flags(toolchain), *_target_features(plugin)])
            variables = {"CARGO_TARGET_DIR": str(folder), "CARGO_ENCODED_RUSTFLAGS": flags}
            _cargo(toolchain, "build", "--release", "--package", plugin.name, **variables)
        built = folder / TARGET / "release"
        return {plugin.name: built / f"{plugin.name.replace('-', '_')}.wasm" for plugin in plugins}


def _sources(crate: Path) -> dict[str, bytes]:
    manifest = crate / "Cargo.toml"
    return sources_below(crate / "src") | {manifest.relative_to(ROOT).as_posix(): manifest.read_bytes()}


def _workspace_rules(plugin: Path) -> bytes:
    """What the workspace says that can change this plugin's module, as JSON; other plugins are not in it."""
    workspace = tomllib.loads((PLUGINS / "Cargo.toml").read_text(encoding="utf-8"))
    release = workspace.get("profile", {}).get("release", {})
    crates = _locked_crates(plugin.name)
    used = {crate.partition(" ")[0] for crate in crates}
    rules = {
        "package": workspace["workspace"]["package"],
        "dependencies": {name: how for name, how in workspace["workspace"]["dependencies"].items() if name in used},
        "release": {key: value for key, value in release.items() if key != "package"},
        "tuned": {name: how for name, how in release.get("package", {}).items() if name in used},
        "crates": crates,
    }
    return json.dumps(rules, sort_keys=True).encode()


def _locked_crates(name: str) -> list[str]:
    """The crates of the lock file that a crate is made from, each with its version."""
    locked = tomllib.loads((PLUGINS / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    versions: dict[str, list[dict[str, Any]]] = {}
    for crate in locked:
        versions.setdefault(crate["name"], []).append(crate)
    found: dict[str, str] = {}
    waiting = [name]
    while waiting:
        wanted, _, version = waiting.pop().partition(" ")
        for crate in versions.get(wanted, []):
            key = f"{wanted} {crate['version']}"
            if key not in found and version in ("", crate["version"]):
                found[key] = f"{key} {crate.get('checksum', 'here')}"
                waiting.extend(crate.get("dependencies", ()))
    return sorted(found.values())


def _find_toolchain() -> Toolchain:
    found = rustup_target() or _debian_toolchain()
    if found is None:
        raise BuildError(
            f"No Rust compiler for {TARGET} is here. With rustup: rustup target add {TARGET}. "
            f"On Debian: apt-get install {DEBIAN_PACKAGES}."
        )
    return found


def rustup_target() -> Toolchain | None:
    """The compiler on the PATH if the wasm target is installed for it."""
    libraries = output_of("rustc", "--print", "target-libdir", "--target", TARGET)
    version = output_of("rustc", "--version")
    if not libraries or not version or not any(Path(libraries).glob("libstd-*")):
        return None
    return Toolchain(version, "cargo", (), {}, ())


def _debian_toolchain() -> Toolchain | None:
    """Debian's compiler with the standard library's sources and a wasm linker, if all three are installed."""
    cargo, rustc = DEBIAN_BIN / "cargo", DEBIAN_BIN / "rustc"
    version = output_of(rustc, "--version")
    if not version or not cargo.exists():
        return None
    release = version.split()[1]
    std_sources = DEBIAN_STD / f"rustc-{release}" / "library"
    linkers = sorted(DEBIAN_BIN.glob("wasm-ld-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    if not std_sources.is_dir() or not linkers:
        return None
    linker = str(linkers[-1])
    environment = {
        "RUSTC": str(rustc),
        "RUSTC_BOOTSTRAP": "1",  # build-std is unstable, and Debian ships no std for wasm
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER": linker,
    }
    name = f"{version}, std built from source, {output_of(linker, '--version')}"
    linked = Path(output_of(rustc, "--print", "sysroot") or "/usr") / "lib/rustlib/src/rust/library"
    std_folders = (str(std_sources), str(linked))
    return Toolchain(name, str(cargo), ("-Zbuild-std=std,panic_abort",), environment, std_folders)


def _target_features(plugin: Path) -> list[str]:
    """The flag for what the plugin's ``[package.metadata.wasm] target-features`` asks for, such as ``+simd128``."""
    package = tomllib.loads((plugin / "Cargo.toml").read_text(encoding="utf-8"))["package"]
    features = package.get("metadata", {}).get("wasm", {}).get("target-features")
    return [f"-Ctarget-feature={features}"] if features else []


def _flags(toolchain: Toolchain) -> list[str]:
    """Compiler flags that keep this machine's folders out of the modules; the crates must be fetched."""
    configured = os.environ.get("CARGO_HOME")  # noqa: TID251 - cargo's own setting, not the server's
    cargo_home = Path(configured or Path.home() / ".cargo")
    mapped = {str(PLUGINS): "/plugins", str(SDK): "/sdk"}
    mapped |= {str(registry): "/crates" for registry in (cargo_home / "registry" / "src").glob("*")}
    mapped |= dict.fromkeys(toolchain.std_folders, "/rust/library")
    remaps = [f"--remap-path-prefix={old}={new}" for old, new in mapped.items()]
    return [*remaps, "-Clink-arg=--strip-all"]  # cargo's strip leaves the names with some linkers


def _cargo(toolchain: Toolchain, *arguments: str, **variables: str) -> None:
    command = [toolchain.cargo, *arguments, "--locked", "--target", TARGET, *toolchain.arguments]
    run(command, PLUGINS, toolchain.environment | variables)
