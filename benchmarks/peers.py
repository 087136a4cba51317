"""The servers that ours is compared with, from their Python packages: wassette and ACT, each with an echo component.

``python -m benchmarks.peers`` puts them into ``benchmarks/.peers/``, an environment of their own, and makes their
components; the programs measure what is there. Not the SDK's echo, which needs nothing: ``http_echo.py``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Peer", "install", "installed", "server_of_one", "server_of_many"]

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "benchmarks" / ".peers"
SOURCES = ROOT / "benchmarks" / "components"
BIN = FOLDER / "venv" / "bin"
LOADER = FOLDER / "glibc" / "usr" / "lib" / "x86_64-linux-gnu" / "ld-linux-x86-64.so.2"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
Name = Literal["ACT", "wassette"]


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that can be started, at its fastest: without records of calls, and with answers in JSON if it has them.

    Attributes:
        name: For people.
        http: Its command line over HTTP, with ``{port}`` in it.
        stdio: Its command line on pipes.
    """

    name: Name
    http: tuple[str, ...]
    stdio: tuple[str, ...]

    def on(self, port: int) -> list[str]:
        """The command line with which it listens on ``port`` of loopback."""
        return [word.format(port=port) for word in self.http]


def server_of_one(name: Name) -> Peer:
    """The one with a single echo tool."""
    return _act() if name == "ACT" else _wassette(FOLDER / "one")


def server_of_many(count: int) -> Peer:
    """wassette with ``count`` echo components, each with a tool of its own; ACT has one component a server."""
    return _wassette(_components(count))


def installed() -> list[Peer]:
    """Those that are here and start."""
    return [server_of_one(name) for name in ("ACT", "wassette") if _starts(server_of_one(name))]


def _starts(peer: Peer) -> bool:
    try:
        return subprocess.run([*peer.stdio, "--help"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def _act() -> Peer:
    command = (str(BIN / "act"), "run", "--mcp", "--no-audit")
    component = str(FOLDER / "act.wasm")
    return Peer("ACT", (*command, "--http", "--listen", "127.0.0.1:{port}", component), (*command, component))


def _wassette(components: Path) -> Peer:
    program = next((FOLDER / "venv" / "lib").glob("python*/site-packages/wassette_cli/wassette"), Path("/missing"))
    # Its wheel wants a newer C library than some systems have; see _older_system.
    loader = (str(LOADER), "--library-path", f"{LOADER.parent}:/lib/x86_64-linux-gnu") if LOADER.exists() else ()
    options = ("--component-dir", str(components), "--disable-builtin-tools")
    http = ("--streamable-http", "--json-response", "true", "--bind-address", "127.0.0.1:{port}")
    command = (*loader, str(program))
    return Peer("wassette", (*command, "serve", *http, *options), (*command, "run", *options))


def install() -> None:
    """Put them into ``benchmarks/.peers/``; an environment that is there is made anew."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    venv.create(FOLDER / "venv", with_pip=True)
    locked = ROOT / "requirements" / "peers.txt"
    _run(str(BIN / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(locked))
    for program in (FOLDER / "venv" / "lib").glob("python*/site-packages/wassette_cli/wassette"):
        program.chmod(0o755)  # its wheel forgot
    (FOLDER / "one").mkdir()
    _component("wassette", FOLDER / "one" / "echo.wasm")
    _component("act", FOLDER / "act.wasm")
    if not _starts(_wassette(FOLDER / "one")) and shutil.which("apt-get"):
        _older_system()
    missing = {"ACT", "wassette"} - {peer.name for peer in installed()}
    print(f"benchmarks/.peers: {', '.join(sorted(missing)) or 'nothing'} is missing", file=sys.stderr)


def _older_system() -> None:
    """wassette's wheel is made for glibc 2.39: unpack Debian 13's beside it, where nothing else will find it."""
    state = FOLDER / "apt"
    (state / "lists" / "partial").mkdir(parents=True)
    (state / "status").touch()
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], stdout=subprocess.PIPE, text=True)  # noqa: S607
    site = next(line for line in listed.stdout.splitlines() if line.endswith("/debian/"))
    (state / "sources.list").write_text(f"deb [signed-by={KEYS}] {site} trixie main\n", encoding="utf-8")
    where = {
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
    }
    apt = ["apt-get", "-qq", *(word for key, value in where.items() for word in ("-o", f"{key}={value}"))]
    _run(*apt, "update")
    _run(*apt, "download", "libc6", folder=state)
    for package in state.glob("libc6_*.deb"):
        _run("dpkg", "-x", str(package), str(FOLDER / "glibc"))
    shutil.rmtree(state)


def _component(kind: str, target: Path, tool: str = "echo") -> None:
    """Make ``target`` from the sources of ``kind``, with another name for its tool."""
    tools = str(BIN / "wasm-tools")
    with tempfile.TemporaryDirectory() as folder:
        wit, code, module = (Path(folder) / name for name in ("echo.wit", "echo.wat", "echo.wasm"))
        for copy in (wit, code):
            text = (SOURCES / kind / copy.name).read_text(encoding="utf-8")
            renamed = text.replace("export echo:", f"export {tool}:").replace('echo")', f'{tool}")')
            copy.write_text(renamed, encoding="utf-8")
        _run(tools, "component", "embed", str(wit), str(code), "--world", "bench:echo/echo", "--output", str(module))
        _run(tools, "component", "new", str(module), "--output", str(target))


def _components(count: int) -> Path:
    folder = FOLDER / f"many-{count}"
    if not folder.exists():
        folder.mkdir()
        for number in range(count):
            _component("wassette", folder / f"echo-{number}.wasm", f"echo-{number}")
    return folder


def _run(*command: str, folder: Path | None = None) -> None:
    subprocess.run(command, check=True, cwd=folder)


if __name__ == "__main__":
    install()
