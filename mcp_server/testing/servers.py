"""Real servers on loopback for what lies outside the machine: a web site, a language model. Nothing is intercepted."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

__all__ = ["LocalModel", "LocalSite", "Reply", "WebRequest", "local_model", "local_site"]

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")


@dataclass(frozen=True, slots=True)
class WebRequest:
    """What a server was asked.

    Attributes:
        method: Such as ``GET``.
        path: With the query.
        headers: Names in lower case.
        body: As it came.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What a site answers.

    Attributes:
        body: Bytes or text as they are, anything else as JSON.
        status: The HTTP status.
        headers: Beside the length and the type.
    """

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class LocalSite:
    """A site while it runs.

    Attributes:
        url: ``http://127.0.0.1:<port>``.
        requests: What it was asked, in order.
    """

    url: str
    requests: list[WebRequest]

    @property
    def grant(self) -> dict[str, Any]:
        """The grant that lets a plugin reach it, as far as its manifest asks for it."""
        network = {"allow": [f"{self.url}/*"], "ranges": ["127.0.0.1/32"]}
        return {"capabilities": ["NetworkAccess"], "network": network}


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A language model while it runs; its alias is ``local``.

    Attributes:
        url: Of the provider, which speaks the dialect ``openai``.
        requests: What it was asked, as the provider's JSON, in order.
    """

    url: str
    requests: list[dict[str, Any]]

    @property
    def settings(self) -> dict[str, Any]:
        """The configuration that names it."""
        provider = {"dialect": "openai", "base_url": f"{self.url}/v1", "attempts": 1}
        return {"llm": {"providers": {"local": provider}, "aliases": {"local": {"provider": "local", "model": "m"}}}}

    @property
    def grant(self) -> dict[str, Any]:
        """The grant that lets a plugin ask it."""
        return {"capabilities": ["LLMAccess"], "llm": {"aliases": ["local"]}}


@contextmanager
def local_site(answer: Callable[[WebRequest], Reply]) -> Generator[LocalSite]:
    """A web site on a free port of 127.0.0.1 that gives ``answer``, until the context ends."""
    requests: list[WebRequest] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = WebRequest(self.command, self.path, headers, body)
            requests.append(asked)
            reply = answer(asked)
            data, kind = _encoded(reply.body)
            self.send_response(reply.status)
            for name, value in {"content-type": kind, "content-length": str(len(data)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else data)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: a test looks at ``requests``."""

    for method in METHODS:
        setattr(Handler, f"do_{method}", Handler.respond)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield LocalSite(f"http://127.0.0.1:{server.server_port}", requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def local_model(answer: str | Callable[[list[dict[str, Any]]], str]) -> Generator[LocalModel]:
    """A provider of a language model on 127.0.0.1, until the context ends.

    Args:
        answer: What the model says, or what makes it of the messages ``{role, content}``.
    """
    asked: list[dict[str, Any]] = []

    def complete(request: WebRequest) -> Reply:
        body = json.loads(request.body)
        asked.append(body)
        text = answer if isinstance(answer, str) else answer(body["messages"])
        words = len(text.split())
        chunks: list[dict[str, Any]] = [
            {"choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}]},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
            {"choices": [], "usage": {"prompt_tokens": len(request.body) // 4, "completion_tokens": words}},
        ]
        events = [*map(json.dumps, chunks), "[DONE]"]
        stream = "".join(f"data: {event}\n\n" for event in events)
        return Reply(stream, headers={"content-type": "text/event-stream"})

    with local_site(complete) as site:
        yield LocalModel(site.url, asked)


def _encoded(body: Any) -> tuple[bytes, str]:
    if isinstance(body, bytes):
        return body, "application/octet-stream"
    if isinstance(body, str):
        return body.encode("utf-8"), "text/plain; charset=utf-8"
    return json.dumps(body).encode("utf-8"), "application/json"
