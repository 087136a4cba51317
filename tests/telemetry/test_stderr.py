"""Descriptors 1 and 2 while a server runs, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parent.parent.parent)
SCRIPT = """
import os, sys
from pathlib import Path
from mcp_server.telemetry.stderr import DrainedStderr
drained = DrainedStderr(stdout_too=True)
with drained:
{body}
Path(sys.argv[1]).write_text(str(drained.dropped))
"""


def command(body: str, facts: Path) -> list[str]:
    """A process that runs ``body`` with the descriptors kept harmless, and then writes how much was dropped."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return [
        sys.executable,
        "-c",
        f"import sys; sys.path.append({ROOT!r})\n" + SCRIPT.replace("{body}", lines),
        str(facts),
    ]


def test_what_is_printed_goes_to_stderr_and_nothing_to_stdout(tmp_path: Path) -> None:
    body = "print('from print')\nsys.stdout.flush()\nos.write(1, b'raw\\n')\nos.write(2, b'error\\n')"
    done = subprocess.run(command(body, tmp_path / "facts"), capture_output=True, check=True, timeout=10)
    assert done.stdout == b""
    assert sorted(done.stderr.splitlines()) == [b"error", b"from print", b"raw"]


def test_text_that_still_lies_in_a_buffer_or_comes_at_exit_never_reaches_stdout(tmp_path: Path) -> None:
    body = "import atexit\natexit.register(lambda: print('bye' * 100_000))\nprint('left behind', end='')"
    done = subprocess.run(command(body, tmp_path / "facts"), capture_output=True, check=True, timeout=10)
    assert (done.stdout, done.stderr) == (b"", b"left behind")


def test_a_megabyte_to_a_pipe_that_nobody_reads_blocks_nothing_and_is_counted(tmp_path: Path) -> None:
    unread, stderr = os.pipe()
    body = "for _ in range(1_000):\n    os.write(2, b'x' * 1_023 + b'\\n')"
    done = subprocess.run(command(body, tmp_path / "facts"), stdout=subprocess.DEVNULL, stderr=stderr, timeout=10)
    os.close(stderr)
    with os.fdopen(unread, "rb") as reading:
        kept = len(reading.read())
    assert done.returncode == 0
    dropped = int((tmp_path / "facts").read_text())
    assert dropped > 800_000
    assert dropped + kept == 1_024_000


def test_a_reader_that_comes_late_is_told_how_much_was_dropped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "written")
    body = (
        "for _ in range(200):\n    os.write(2, b'x' * 1_023 + b'\\n')\n"
        f"Path({str(tmp_path / 'written')!r}).write_text('')\n"
        "sys.stdin.readline()\n"
        "os.write(2, b'and then\\n')"
    )
    unread, stderr = os.pipe()
    with (
        os.fdopen(unread, "rb", buffering=0) as reading,
        subprocess.Popen(
            command(body, tmp_path / "facts"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr
        ) as process,
    ):
        os.close(stderr)
        (tmp_path / "written").read_bytes()  # until now nobody has read
        received = bytearray()
        os.set_blocking(reading.fileno(), False)
        while chunk := reading.read(65_536):  # None when it is empty; how full a full pipe is, is the kernel's secret
            received += chunk
        os.set_blocking(reading.fileno(), True)
        process.communicate(b"go\n", timeout=10)
        received += b"".join(iter(lambda: reading.read(65_536), b""))
    assert process.returncode == 0
    assert b" bytes of log were dropped: nobody read stderr]\n" in received
    assert received.endswith(b"and then\n")
