"""Installing compilers on Debian and its like. Elsewhere it only says what is missing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from recipes.recipe import PLUGINS, BuildError, Recipe, output_of, run
from recipes.rust import DEBIAN_PACKAGES, rustup_target

__all__ = ["install"]

_INSTALLED = "install ok installed"
_UNATTENDED = {"DEBIAN_FRONTEND": "noninteractive"}


def install(recipes: Sequence[Recipe]) -> int:
    """Install what is missing and print which compilers there are; the exit code, 2 where one is still missing."""
    if missing := missing_packages():
        _install_packages(missing)
    worst = 0
    for recipe in recipes:
        try:
            sys.stdout.write(f"{recipe.language}: {recipe.compiler()}\n")
        except BuildError as problem:
            sys.stderr.write(f"{recipe.language}: {problem}\n")
            worst = 2
    return worst


def missing_packages() -> list[str]:
    """Return the Debian packages that are needed and not installed."""
    needed = [] if rustup_target() else DEBIAN_PACKAGES.split()
    if output_of(sys.executable, "-c", "import ensurepip") is None:
        needed.append("python3-venv")
    return [name for name in needed if output_of("dpkg-query", "-W", "-f", "${Status}", name) != _INSTALLED]


def _install_packages(names: Sequence[str]) -> None:
    command = f"apt-get install {' '.join(names)}"
    if not shutil.which("apt-get") or os.geteuid() != 0:
        sys.stderr.write(f"Missing from Debian: run `{command}` as root.\n")
        return
    try:
        run(["apt-get", "update", "-qq"], PLUGINS, _UNATTENDED)
        run(["apt-get", "install", "-y", "-qq", *names], PLUGINS, _UNATTENDED)
    except BuildError as problem:
        sys.stderr.write(f"{problem}\n")
