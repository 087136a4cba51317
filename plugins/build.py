"""Build the plugins of this folder to WebAssembly, and tell whether the built modules are current.

    python plugins/build.py [ID]…            build every plugin, or those that are named
    python plugins/build.py --check [ID]…    compare digests with the sources; needs no compiler
    python plugins/build.py --verify [ID]…   build again elsewhere and compare the bytes
    python plugins/build.py --toolchains     install the compilers, on Debian as root

A plugin is a folder with sources that one of ``recipes`` knows: Rust, C, Zig, Go, AssemblyScript. Its module is
`<id>/<id>.wasm`; `<id>/<id>.wasm.json` beside it says from which sources and by which compiler it was made. The same
sources and the same compiler give the same bytes in any folder.

Exit codes: 0 all is well, 1 a module is stale or differs, 2 there is no compiler to tell.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from recipes import RECIPES, BuildError, Recipe, recipe_of
from recipes.recipe import PLUGINS
from recipes.toolchains import install

Work = list[tuple[Recipe, list[Path]]]


def chosen(names: Sequence[str]) -> Work:
    """Return the plugins by recipe, all of them where none is named.

    Raises:
        BuildError: A name is no plugin with sources.
    """
    folders = [path for path in sorted(PLUGINS.iterdir()) if path.is_dir() and not path.is_symlink()]
    found = {folder.name: folder for folder in folders if recipe_of(folder)}
    if unknown := [name for name in names if name not in found]:
        raise BuildError(f"No sources of a plugin in {', '.join(unknown)}; there are {', '.join(found)}.")
    wanted = [folder for name, folder in found.items() if not names or name in names]
    by_recipe = [(recipe, [folder for folder in wanted if recipe_of(folder) is recipe]) for recipe in RECIPES]
    return [(recipe, folders) for recipe, folders in by_recipe if folders]


def source_digest(recipe: Recipe, plugin: Path) -> str:
    """Return the SHA-256 over names and bytes of all that a plugin is made from."""
    digest = hashlib.sha256()
    for name, content in sorted(recipe.contents(plugin).items()):
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
    return cast("dict[str, str]", record) if isinstance(record, dict) else {}


def build(recipe: Recipe, plugins: Sequence[Path]) -> int:
    """Build plugins of one language and write their modules and records."""
    compiler = recipe.compiler()
    # Cargo's folder has been this one from the beginning.
    folder = PLUGINS / "target" / ("" if recipe.language == "Rust" else recipe.language)
    folder.mkdir(parents=True, exist_ok=True)
    modules = recipe.compile(plugins, folder)
    for plugin in plugins:
        module = module_of(plugin)
        shutil.copyfile(modules[plugin.name], module)
        record = {
            "source_sha256": source_digest(recipe, plugin),
            "wasm_sha256": file_digest(module),
            "toolchain": compiler,
        }
        module.with_suffix(".wasm.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        name = module.relative_to(PLUGINS).as_posix()
        sys.stdout.write(f"{name}: {module.stat().st_size} bytes, {record['wasm_sha256']}\n")
    return 0


def staleness(recipe: Recipe, plugin: Path) -> str | None:
    """Return why a plugin's module is not current, as a sentence, or None where it is."""
    record = record_of(plugin)
    module = module_of(plugin)
    if not module.is_file():
        return f"{plugin.name} has no built module."
    if not record:
        return f"{plugin.name} has no readable record beside its module."
    if record.get("wasm_sha256") != file_digest(module):
        return f"{plugin.name}: the module is not the one on record."
    if record.get("source_sha256") != source_digest(recipe, plugin):
        return f"{plugin.name}: the sources have changed since the module was built."
    return None


def check(recipe: Recipe, plugins: Sequence[Path]) -> int:
    """Say which modules are stale."""
    stale = [reason for plugin in plugins if (reason := staleness(recipe, plugin))]
    for reason in stale:
        sys.stderr.write(f"{reason} Run `make plugins`.\n")
    return 1 if stale else 0


def verify(recipe: Recipe, plugins: Sequence[Path]) -> int:
    """Build again in a temporary folder and say which modules differ from the committed ones.

    Raises:
        BuildError: The modules were made by another compiler, so that their bytes cannot be compared.
    """
    compiler = recipe.compiler()
    others = {record_of(plugin).get("toolchain", "an unknown compiler") for plugin in plugins} - {compiler}
    if others:
        raise BuildError(f"Modules are on record as built with {', '.join(sorted(others))}; here is {compiler}.")
    with tempfile.TemporaryDirectory() as folder:
        modules = recipe.compile(plugins, Path(folder))
        different = [p.name for p in plugins if modules[p.name].read_bytes() != module_of(p).read_bytes()]
    for name in different:
        sys.stderr.write(f"{name}: a new build gives other bytes than the committed module. Run `make plugins`.\n")
    return 1 if different else 0


def carry_out(step: Callable[[Recipe, Sequence[Path]], int], work: Work) -> int:
    """Take a step in every language; one whose compiler is missing keeps no other from its turn."""
    worst = 0
    for recipe, plugins in work:
        try:
            worst = max(worst, step(recipe, plugins))
        except BuildError as error:
            sys.stderr.write(f"{recipe.language}: {error}\n")
            worst = 2
    return worst


def main() -> int:
    """Run the command that the arguments name."""
    parser = argparse.ArgumentParser(description="Build the plugins to WebAssembly.")
    parser.add_argument("plugins", nargs="*", metavar="ID", help="only these; all where none is named")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="say which modules are stale; needs no compiler")
    choice.add_argument("--verify", action="store_true", help="build again and compare the bytes")
    choice.add_argument("--toolchains", action="store_true", help="install the compilers, on Debian as root")
    arguments = parser.parse_args()
    if arguments.toolchains:
        return install(RECIPES)
    step = check if arguments.check else verify if arguments.verify else build
    try:
        return carry_out(step, chosen(arguments.plugins))
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
