"""Load over HTTP from one thread: raw sockets and prepared bytes, so that the server is the limit, not this.

Each client is one kept connection with one request under way. A 200 that echoes and says no error is an answer;
everything else is counted by its status, and a lost connection as an error.
"""

from __future__ import annotations

import gc
import json
import re
import select
import socket
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field

from benchmarks.rounds import percentile

__all__ = ["Load", "Outcome", "run"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CALL_ERROR = re.compile(rb'"isError": ?true|"error": ?\{')
LIMIT = 120.0
MOST_KNOWN = 10_000
ECHOED = b"0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Load:
    """What to send.

    Attributes:
        port: On loopback.
        token: Sent as a bearer token; empty for none.
        tool: Called with 16 bytes.
        clients: At one time.
        calls: Of all of them together.
    """

    port: int
    token: str
    tool: str
    clients: int
    calls: int

    def request(self) -> bytes:
        """The bytes of one call of 2026-07-28."""
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        params = {"name": self.tool, "arguments": {"message": ECHOED.decode()}, "_meta": meta}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        head = (
            f"POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\naccept: application/json, text/event-stream\r\n"
            "content-type: application/json\r\nmcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\n"
            f"mcp-name: {self.tool}\r\ncontent-length: {len(body)}\r\n"
        )
        head += f"authorization: Bearer {self.token}\r\n" if self.token else ""
        return head.encode() + b"\r\n" + body


@dataclass(slots=True)
class Outcome:
    """What came back.

    Attributes:
        seconds: From the first request to the last answer.
        answered: Good answers.
        statuses: Other answers by status; a failed call counts as 0.
        lost: Connections that broke.
        p50: Seconds of an answer, of whatever status.
        p99: As well.
        own_cpu: Processor seconds of this program.
    """

    seconds: float = 0.0
    answered: int = 0
    statuses: dict[str, int] = field(default_factory=dict[str, int])
    lost: int = 0
    p50: float = 0.0
    p99: float = 0.0
    own_cpu: float = 0.0


class _Client:
    """One connection: what is called for each answer is bound once."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.receive, self.send = self.socket.recv, self.socket.send  # a request fits the socket's buffer
        self.got, self.started = b"", 0.0


class _Answers:
    """What answers mean. A server repeats itself but for the date, so nearly all are known already by their bytes."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}
        self.counts: Counter[str] = Counter()

    def count(self, data: bytes) -> bool:
        """Whether ``data`` is a whole answer; counted if so."""
        meaning = self._known.get(data)
        if meaning is None:
            meaning = _read(data)
            if meaning is None:
                return False
            if len(self._known) < MOST_KNOWN:
                self._known[data] = meaning
        self.counts[meaning] += 1
        return True


def _read(data: bytes) -> str | None:
    """The status, 0 for a call that failed and ``good`` for one that did not; None for a part of an answer."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    length = _LENGTH.search(data, 0, end + 2)
    whole = len(data) >= end + 4 + int(length[1]) if length else data.endswith(b"\r\n0\r\n\r\n")
    if not whole:
        return None
    if data[9:12] != b"200":
        return data[9:12].decode()
    return "0" if _CALL_ERROR.search(data, end) or ECHOED not in data else "good"


def run(load: Load) -> Outcome:
    """Send it all, and wait for the answers."""
    gc.disable()  # it would look at every connection again and again
    clients = [_Client(load.port) for _ in range(load.clients)]
    answers, latencies = _Answers(), list[float]()
    cpu, started = time.process_time(), time.perf_counter()
    lost = _drive(load, clients, answers, latencies)
    seconds, own_cpu = time.perf_counter() - started, time.process_time() - cpu
    for client in clients:
        client.socket.close()
    good = answers.counts.pop("good", 0)
    p50, p99 = (percentile(latencies, share) if latencies else 0.0 for share in (0.5, 0.99))
    return Outcome(seconds, good, dict(answers.counts), lost, p50, p99, own_cpu)


def _drive(load: Load, clients: list[_Client], answers: _Answers, latencies: list[float]) -> int:
    """How many connections were lost."""
    request, left, lost, now = load.request(), load.calls, 0, time.perf_counter
    poll = select.epoll()
    waiting: dict[int, _Client] = {}
    for client in clients[:left]:
        waiting[client.socket.fileno()] = client
        poll.register(client.socket, select.EPOLLIN)
        client.started = now()
        client.send(request)
        left -= 1
    ends = now() + LIMIT
    while waiting and now() < ends:
        for number, _ in poll.poll(1):
            client = waiting[number]
            try:
                data = client.receive(65_536)
                if data and not answers.count(client.got + data):
                    client.got += data
                    continue
                if data:
                    latencies.append(now() - client.started)
                    client.got = b""
                    if left > 0:
                        left -= 1
                        client.started = now()
                        client.send(request)
                        continue
            except OSError:
                data = b""
            lost += not data
            del waiting[number]
            poll.unregister(number)
    return lost + len(waiting)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(run(Load(**json.loads(sys.argv[1]))))))
