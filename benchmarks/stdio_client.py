"""A client that costs next to nothing: raw JSON lines over pipes, one request at a time or a whole load at once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import mcp_server
from benchmarks.machine import children, cpu_seconds

__all__ = ["ROOT", "Era", "StdioClient", "peer_environment", "server_environment"]

Era = Literal["modern", "legacy"]
ROOT = Path(mcp_server.__file__).resolve().parent.parent  # so that children run the code that is measured
_CALL_ERROR = re.compile(rb'"isError": ?true|"error": ?\{')
META: dict[str, Any] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


class StdioClient:
    """One server process, and requests to it.

    Args:
        arguments: What ``program`` is given.
        era: Which protocol it is spoken to in.
        environment: All of the child's environment.
        program: Python unless something else is named.

    Attributes:
        started: On the clock of ``time.perf_counter``.
    """

    def __init__(
        self, arguments: Sequence[str], era: Era, environment: Mapping[str, str], *, program: str = sys.executable
    ) -> None:
        self._era: Era = era
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            cwd=ROOT,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._id = 0

    def __enter__(self) -> StdioClient:
        if self._era == "legacy":
            hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "b", "version": "1"}}
            self.ask("initialize", hello)
            self._write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request and wait for its result."""
        self._write(self._line(method, params))
        answer = json.loads(self._answer())
        if "result" not in answer:
            raise RuntimeError(f"{method} was refused: {answer}")
        return answer["result"]

    def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call a tool; its result, which must be a good one."""
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        if result.get("isError"):
            raise RuntimeError(f"{tool} failed: {result}")
        return result

    def calls(self, tool: str, arguments: Mapping[str, Any], count: int) -> list[float]:
        """Seconds of each of ``count`` calls, one after another, without parsing what comes back."""
        lines = [self._line("tools/call", {"name": tool, "arguments": arguments}) for _ in range(count)]
        seconds: list[float] = []
        for line in lines:
            started = time.perf_counter()
            self._write(line)
            self._answer()
            seconds.append(time.perf_counter() - started)
        return seconds

    def in_flight(self, tool: str, arguments: Mapping[str, Any], count: int, width: int) -> float:
        """Seconds of ``count`` calls, ``width`` of them under way at any time."""
        lines = [self._line("tools/call", {"name": tool, "arguments": arguments}) for _ in range(count)]
        started, sent, answered = time.perf_counter(), width, 0
        self._write(b"".join(lines[:width]))
        while answered < count:
            got = os.read(self._out.fileno(), 1 << 20)
            if not got or _CALL_ERROR.search(got):
                raise RuntimeError(f"{tool} failed: {got[:500]!r}")
            done = got.count(b"\n")
            answered += done
            if done and sent < count:
                self._write(b"".join(lines[sent : sent + done]))
                sent += done
        return time.perf_counter() - started

    def _answer(self) -> bytes:
        """The next line that is no notification."""
        while b'"id":' not in (line := self._out.readline()):
            if not line:
                raise RuntimeError(f"the server ended with {self._process.wait()}")
        return line

    def cpu(self, *, workers: bool = False) -> float:
        """Processor seconds of the server so far, and of its workers."""
        return cpu_seconds(self.pid, *(children(self.pid) if workers else ()))

    def _line(self, method: str, params: Mapping[str, Any]) -> bytes:
        self._id += 1
        meta = {"_meta": META} if self._era == "modern" else {}
        message = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": {**params, **meta}}
        return json.dumps(message).encode() + b"\n"

    def _write(self, data: bytes) -> None:
        self._in.write(data)
        self._in.flush()


def server_environment(home: Path) -> dict[str, str]:
    """An environment in which nothing of the user's own configuration counts."""
    path = os.environ["PATH"]  # noqa: TID251  # the child's, not a setting of ours
    own = {"AGENTMEM_MEMORY__TOOLS": "false"}  # as many tools as a benchmark says, and none of the server's own
    return {"PATH": path, "AGENTMEM_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", **own}


def peer_environment(home: Path) -> dict[str, str]:
    """The same for a server that others wrote: it writes to ``home``, and no line for each call."""
    path = os.environ["PATH"]  # noqa: TID251  # as above
    return {"PATH": path, "HOME": str(home), "RUST_LOG": "error"}
