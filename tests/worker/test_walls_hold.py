"""What a worker may not do is tried from inside the walls: native code that broke out of the engine would try it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.requirements import requirement

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
# Runs in a process of its own: what a wall takes away, it never gives back.
BREAKOUT = """
import errno, json, os, resource, signal, socket, sys, threading
from pathlib import Path
from mcp_server.worker import walls

cache, empty, outside = map(Path, sys.argv[1:4])
kept = os.open(outside, os.O_RDONLY)  # opened before: a wall is about opening
parent = os.getppid()
up = walls.wall_in(walls.WallOrder(memory=64 * 1024 * 1024, load_seconds=5, cache=cache, empty=empty))

def attempt(what):
    try:
        what()
    except OSError as error:
        return errno.errorcode[error.errno]
    except (MemoryError, ValueError) as error:
        return type(error).__name__
    return "done"

def many_files():
    files = []
    try:
        for _ in range(200):
            files.append(os.open(cache, os.O_RDONLY))
    finally:
        for file in files:
            os.close(file)

def thread():
    one = threading.Thread(target=lambda: None)
    one.start()
    one.join()

results = {
    "fork": attempt(os.fork),
    "exec": attempt(lambda: os.execv("/bin/true", ["true"])),
    "socket": attempt(socket.socket),
    "socketpair": attempt(socket.socketpair),
    "kill the parent": attempt(lambda: os.kill(parent, 0)),
    "kill everybody": attempt(lambda: os.kill(-1, 0)),
    "read a file": attempt(lambda: outside.read_bytes()),
    "read /etc": attempt(lambda: Path("/etc/passwd").read_bytes()),
    "list /": attempt(lambda: os.listdir("/")),
    "write outside": attempt(lambda: outside.with_name("new").write_bytes(b"x")),
    "write where it stands": attempt(lambda: Path("here").write_bytes(b"x")),
    "remove outside": attempt(outside.unlink),
    "raise the memory limit": attempt(
        lambda: resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    ),
    "raise its priority": attempt(lambda: os.nice(-1)),
    "take a gigabyte": attempt(lambda: bytearray(1024 * 1024 * 1024)),
    "open many files": attempt(many_files),
    "look into the parent": attempt(lambda: Path(f"/proc/{parent}/environ").read_bytes()),
    "write its cache": attempt(lambda: (cache / "code").write_bytes(b"x")),
    "start a thread": attempt(thread),
}
print(json.dumps({"up": up, "results": results}))
"""


@pytest.fixture
def tried(tmp_path: Path) -> dict[str, Any]:
    cache, empty, outside = tmp_path / "cache", tmp_path / "empty", tmp_path / "outside"
    cache.mkdir()
    empty.mkdir()
    outside.write_text("secret", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", BREAKOUT, str(cache), str(empty), str(outside)],
        capture_output=True,
        timeout=30,
        check=True,
    )
    assert outside.read_text(encoding="utf-8") == "secret"
    return json.loads(done.stdout)


@requirement("walls:enforced")
def test_what_a_worker_may_not_do_fails_and_what_it_needs_works(tried: dict[str, Any]) -> None:
    results, up = tried["results"], tried["up"]
    expected = {
        "raise the memory limit": {"ValueError", "EPERM"},
        "raise its priority": {"EACCES", "EPERM"},
        "take a gigabyte": {"MemoryError"},
        "open many files": {"EMFILE"},
        "write its cache": {"done"},
        "start a thread": {"done"},
    }
    if up["seccomp"]:
        expected |= dict.fromkeys(
            ("fork", "exec", "socket", "socketpair", "kill the parent", "kill everybody"), {"EPERM"}
        )
    if up["landlock"]:
        files = ("read a file", "read /etc", "list /", "write outside", "write where it stands", "remove outside")
        expected |= dict.fromkeys((*files, "look into the parent"), {"EACCES"})
    assert {name: results[name] for name in expected if results[name] not in expected[name]} == {}
