"""Build the plugins of this folder to WebAssembly, and tell whether the built modules are current.

    python plugins/build.py             build every plugin
    python plugins/build.py --check     compare digests with the sources; needs no compiler
    python plugins/build.py --verify    build again elsewhere and compare the bytes

A plugin is a folder with a `Cargo.toml`. Its module is `<id>/<id>.wasm`; `<id>/<id>.wasm.json` beside it says from
which sources and by which compiler it was made. The compiler is rustup's with the target wasm32-unknown-unknown, or
Debian's, which ships no such target, so that the standard library is built too. The same sources and the same
compiler give the same bytes in any folder.

Exit codes: 0 all is well, 1 a module is stale or differs, 2 there is no compiler to tell.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
SDK = ROOT.parent / "sdk" / "rust"
SDK_CRATE = "agentmem-plugin-sdk"
TARGET = "wasm32-unknown-unknown"
DEBIAN_BIN = Path("/usr/bin")
DEBIAN_STD = Path("/usr/src")
DEBIAN_PACKAGES = "rustc-web cargo-web rust-web-src lld-22"


class BuildError(Exception):
    """The build cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Toolchain:
    """A Rust compiler that can make wasm modules."""

    name: str
    cargo: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    std_folders: tuple[str, ...]


def plugin_folders() -> list[Path]:
    """Return the folders of the plugins, by name."""
    return sorted(manifest.parent for manifest in ROOT.glob("*/Cargo.toml") if not manifest.parent.is_symlink())


def source_files(plugin: Path) -> Iterator[Path]:
    """Yield what a plugin's module is made from, its tests' sources included."""
    yield plugin / "Cargo.toml"
    yield from (path for path in (plugin / "src").rglob("*") if path.is_file())
    if SDK_CRATE in (plugin / "Cargo.toml").read_text(encoding="utf-8"):
        yield from sorted(SDK.glob("**/Cargo.toml"))
        yield from (path for folder in SDK.glob("**/src") for path in folder.rglob("*") if path.is_file())


def workspace_rules(plugin: Path) -> bytes:
    """Return what the workspace says that can change this plugin's module, as JSON; other plugins are not in it."""
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    release = workspace.get("profile", {}).get("release", {})
    crates = locked_crates(plugin.name)
    used = {crate.partition(" ")[0] for crate in crates}
    rules = {
        "package": workspace["workspace"]["package"],
        "dependencies": {name: how for name, how in workspace["workspace"]["dependencies"].items() if name in used},
        "release": {key: value for key, value in release.items() if key != "package"},
        "own": release.get("package", {}).get(plugin.name),
        "crates": crates,
    }
    return json.dumps(rules, sort_keys=True).encode()


def locked_crates(name: str) -> list[str]:
    """Return the crates of the lock file that a crate is made from, each with its version."""
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))["package"]
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


def source_digest(plugin: Path) -> str:
    """Return the SHA-256 over a plugin's sources (sorted relative paths and bytes) and the workspace's rules for it."""
    digest = hashlib.sha256()
    contents = {path.relative_to(ROOT.parent).as_posix(): path.read_bytes() for path in source_files(plugin)}
    for name, content in sorted((contents | {"workspace": workspace_rules(plugin)}).items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def module_of(plugin: Path) -> Path:
    """Return where a plugin's module is kept."""
    return plugin / f"{plugin.name}.wasm"


def record_of(plugin: Path) -> dict[str, str]:
    """Return what is on record about a plugin's module; nothing where there is no readable record."""
    try:
        record = json.loads(module_of(plugin).with_suffix(".wasm.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def output_of(*command: str) -> str | None:
    """Return what a command prints, or None where it is missing or fails."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def find_toolchain() -> Toolchain:
    """Return the compiler to use.

    Raises:
        BuildError: There is none; the message says what to install.
    """
    found = installed_target() or debian_toolchain()
    if found is None:
        raise BuildError(
            f"No Rust compiler for {TARGET} is here. With rustup: rustup target add {TARGET}. "
            f"On Debian: apt-get install {DEBIAN_PACKAGES}."
        )
    return found


def installed_target() -> Toolchain | None:
    """Return the compiler on the PATH if the wasm target is installed for it."""
    libraries = output_of("rustc", "--print", "target-libdir", "--target", TARGET)
    version = output_of("rustc", "--version")
    if not libraries or not version or not any(Path(libraries).glob("libstd-*")):
        return None
    return Toolchain(version, "cargo", (), {}, ())


def debian_toolchain() -> Toolchain | None:
    """Return Debian's compiler with the standard library's sources and a wasm linker, if all three are installed."""
    cargo, rustc = DEBIAN_BIN / "cargo", DEBIAN_BIN / "rustc"
    version = output_of(str(rustc), "--version")
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
    linked = Path(output_of(str(rustc), "--print", "sysroot") or "/usr") / "lib/rustlib/src/rust/library"
    std_folders = (str(std_sources), str(linked))
    return Toolchain(name, str(cargo), ("-Zbuild-std=std,panic_abort",), environment, std_folders)


def flags(toolchain: Toolchain) -> str:
    """Return compiler flags that keep this machine's folders out of the modules; the crates must be fetched."""
    configured = os.environ.get("CARGO_HOME")  # noqa: TID251 - cargo's own setting, not the server's
    cargo_home = Path(configured or Path.home() / ".cargo")
    mapped = {str(ROOT): "/plugins", str(SDK): "/sdk"}
    mapped |= {str(registry): "/crates" for registry in (cargo_home / "registry" / "src").glob("*")}
    mapped |= dict.fromkeys(toolchain.std_folders, "/rust/library")
    remaps = [f"--remap-path-prefix={old}={new}" for old, new in mapped.items()]
    return "\x1f".join([*remaps, "-Clink-arg=--strip-all"])  # cargo's strip leaves the names with some linkers


def run_cargo(toolchain: Toolchain, *arguments: str, **variables: str) -> None:
    """Run cargo in this folder.

    Raises:
        BuildError: It failed; it has said why on stderr.
    """
    command = [toolchain.cargo, *arguments, "--locked", "--target", TARGET, *toolchain.arguments]
    environment = os.environ | toolchain.environment | variables  # noqa: TID251 - handed on to cargo
    result = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if result.returncode != 0:
        raise BuildError(f"`cargo {arguments[0]}` failed ({toolchain.name}); its messages are above.")


def compile_all(toolchain: Toolchain, target_folder: Path) -> dict[str, Path]:
    """Compile the workspace and return the new modules by plugin id."""
    run_cargo(toolchain, "fetch")
    variables = {"CARGO_TARGET_DIR": str(target_folder), "CARGO_ENCODED_RUSTFLAGS": flags(toolchain)}
    run_cargo(toolchain, "build", "--release", **variables)
    built = target_folder / TARGET / "release"
    return {plugin.name: built / f"{plugin.name.replace('-', '_')}.wasm" for plugin in plugin_folders()}


def build() -> int:
    """Build every plugin and write its module and record."""
    toolchain = find_toolchain()
    modules = compile_all(toolchain, ROOT / "target")
    for plugin in plugin_folders():
        module = module_of(plugin)
        shutil.copyfile(modules[plugin.name], module)
        record = {
            "source_sha256": source_digest(plugin),
            "wasm_sha256": file_digest(module),
            "toolchain": toolchain.name,
        }
        module.with_suffix(".wasm.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        name = module.relative_to(ROOT).as_posix()
        sys.stdout.write(f"{name}: {module.stat().st_size} bytes, {record['wasm_sha256']}\n")
    return 0


def staleness(plugin: Path) -> str | None:
    """Return why a plugin's module is not current, as a sentence, or None where it is."""
    record = record_of(plugin)
    module = module_of(plugin)
    if not module.is_file():
        return f"{plugin.name} has no built module."
    if not record:
        return f"{plugin.name} has no readable record beside its module."
    if record.get("wasm_sha256") != file_digest(module):
        return f"{plugin.name}: the module is not the one on record."
    if record.get("source_sha256") != source_digest(plugin):
        return f"{plugin.name}: the sources have changed since the module was built."
    return None


def check() -> int:
    """Say which modules are stale."""
    stale = [reason for plugin in plugin_folders() if (reason := staleness(plugin))]
    for reason in stale:
        sys.stderr.write(f"{reason} Run `make plugins`.\n")
    return 1 if stale else 0


def verify() -> int:
    """Build again in a temporary folder and say which modules differ from the committed ones.

    Raises:
        BuildError: The modules were made by another compiler, so that their bytes cannot be compared.
    """
    toolchain = find_toolchain()
    plugins = plugin_folders()
    others = {record_of(plugin).get("toolchain", "an unknown compiler") for plugin in plugins} - {toolchain.name}
    if others:
        raise BuildError(f"Modules are on record as built with {', '.join(sorted(others))}; here is {toolchain.name}.")
    with tempfile.TemporaryDirectory() as folder:
        modules = compile_all(toolchain, Path(folder))
        different = [p.name for p in plugins if modules[p.name].read_bytes() != module_of(p).read_bytes()]
    for name in different:
        sys.stderr.write(f"{name}: a new build gives other bytes than the committed module. Run `make plugins`.\n")
    return 1 if different else 0


def main() -> int:
    """Run the command that the arguments name."""
    parser = argparse.ArgumentParser(description="Build the plugins to WebAssembly.")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="say which modules are stale; needs no compiler")
    choice.add_argument("--verify", action="store_true", help="build again and compare the bytes")
    arguments = parser.parse_args()
    command = check if arguments.check else verify if arguments.verify else build
    try:
        return command()
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
