"""Stands between a client and its server on the pipes and writes down what the client sends: ``tee.py FILE COMMAND…``.

A program of its own, which clients start in whatever folder they run; see ``record.py``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main(file: str, command: list[str]) -> int:
    """Run ``command`` until its input ends; its status."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    with Path(file).open("wb") as record:
        for line in sys.stdin.buffer:
            record.write(line)
            record.flush()
            process.stdin.write(line)
            process.stdin.flush()
    process.stdin.close()
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
