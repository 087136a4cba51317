"""Load over HTTP from one thread: raw sockets and prepared bytes, so that the server is the limit, not this.

Each client is one kept connection with one request under way. A 2xx whose body says no error is an answer; everything
else is counted by its status, and a lost connection as an error.
"""

from __future__ import annotations

import json
import re
import selectors
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
        params = {"name": self.tool, "arguments": {"message": "0123456789abcdef"}, "_meta": meta}
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
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got, self.started = b"", 0.0

    def send(self, request: bytes) -> None:
        self.got, self.started = b"", time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> tuple[int, bytes] | None:
        """Status and body, once they are whole.

        Raises:
            ConnectionError: The server closed the connection.
        """
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError
        self.got += data
        end = self.got.find(b"\r\n\r\n")
        length = _LENGTH.search(self.got, 0, end + 2) if end >= 0 else None
        if length is None or len(self.got) < end + 4 + int(length[1]):
            return None
        return int(self.got[9:12]), self.got[end + 4 :]


def run(load: Load) -> Outcome:
    """Send it all, and wait for the answers."""
    request, outcome = load.request(), Outcome()
    selector = selectors.DefaultSelector()
    clients = [_Client(load.port) for _ in range(load.clients)]
    latencies: list[float] = []
    statuses: Counter[str] = Counter()
    left = load.calls
    cpu, started = time.process_time(), time.perf_counter()
    for client in clients[: load.calls]:
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.send(request)
        left -= 1
    while selector.get_map() and time.perf_counter() - started < LIMIT:
        for key, _ in selector.select(1):
            client: _Client = key.data
            try:
                answer = client.answer()
                if answer is None:
                    continue
                latencies.append(time.perf_counter() - client.started)
                _count(answer, outcome, statuses)
                if left > 0:
                    left -= 1
                    client.send(request)
                    continue
            except OSError:
                outcome.lost += 1
            selector.unregister(client.socket)
    outcome.lost += len(selector.get_map())
    outcome.seconds, outcome.own_cpu = time.perf_counter() - started, time.process_time() - cpu
    for client in clients:
        client.socket.close()
    outcome.statuses = dict(statuses)
    outcome.p50, outcome.p99 = (percentile(latencies, share) if latencies else 0.0 for share in (0.5, 0.99))
    return outcome


def _count(answer: tuple[int, bytes], outcome: Outcome, statuses: Counter[str]) -> None:
    status, body = answer
    if status != 200:
        statuses[str(status)] += 1
    elif _CALL_ERROR.search(body):
        statuses["0"] += 1
    else:
        outcome.answered += 1


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(run(Load(**json.loads(sys.argv[1]))))))
