"""A web server on loopback that serves files as a good one does, or breaks off, lies, hangs and leads elsewhere."""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Site", "redirect", "site"]

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Site:
    """What is served.

    Attributes:
        files: Path -> content, with strong tags, ranges and conditions.
        odd: Path, or method and path -> something else that is done there.
        asked: Each request: method, path, and its headers in lower case.
        sent: How many bytes of a file each of them was answered with.
        cut: Path -> after how many bytes the connection is closed, once.
    """

    origin: str = ""
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    odd: dict[str, Answer] = field(default_factory=dict[str, Answer])
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list[tuple[str, str, dict[str, str]]])
    sent: list[int] = field(default_factory=list[int])
    cut: dict[str, int] = field(default_factory=dict[str, int])
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        return self.origin.partition("://")[2]

    def settings(self, more: str = "") -> str:
        """A configuration that lets commands come here."""
        return f'[sharing]\nranges = ["127.0.0.0/8"]\nplain_http = ["{self.host}"]\n{more}\n'

    def hang(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer nothing until the end of the test."""
        del handler
        self.closing.wait(60)

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """One request."""
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.asked.append((handler.command, handler.path, headers))
        odd = self.odd.get(f"{handler.command} {handler.path}") or self.odd.get(handler.path)
        if odd is not None:
            odd(handler)
            return
        data = self.files.get(handler.path) if handler.command == "GET" else None
        if data is None:
            handler.send_error(404)
            return
        self._send(handler, data, headers)

    def _send(self, handler: BaseHTTPRequestHandler, data: bytes, headers: dict[str, str]) -> None:
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        if headers.get("if-none-match") == tag:
            handler.send_response(304)
            handler.end_headers()
            return
        start = 0
        if headers.get("if-range") == tag and headers.get("range", "").startswith("bytes="):
            start = int(headers["range"][6:].rstrip("-"))
        handler.send_response(206 if start else 200)
        handler.send_header("ETag", tag)
        handler.send_header("Content-Length", str(len(data) - start))
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.end_headers()
        cut = self.cut.pop(handler.path, None)
        piece = data[start:] if cut is None else data[start : start + cut]
        self.sent.append(len(piece))
        handler.wfile.write(piece)
        if cut is not None:
            handler.close_connection = True


def redirect(to: str) -> Answer:
    """An answer that leads to ``to``."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@contextmanager
def site(tls: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> Generator[Site]:
    """A site that is up until the end of the block."""
    served = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # the name that the library calls
            served.serve(self)

        do_HEAD = do_POST = do_PUT = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    server = ThreadingHTTPServer((address, 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    served.origin = f"{'https' if tls else 'http'}://{address}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        served.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
