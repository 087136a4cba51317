"""Real embedding models, small enough to make in a test: a word table in a folder, and a server that speaks HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from tests.memory.embedders import TOPICS, Topics

__all__ = ["VectorServer", "vector_server", "write_network", "write_word_table"]

Answer = tuple[int, bytes, dict[str, str]]


def write_word_table(folder: Path) -> Path:
    """A model in model2vec's own format: every word of a topic has the vector of that topic."""
    from safetensors import numpy as safetensors  # noqa: PLC0415  # few tests need them

    table = _write_tokenizer(folder)
    (folder / "model.safetensors").write_bytes(safetensors.save({"embeddings": table}))
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}))
    return folder


def write_network(folder: Path) -> Path:
    """The same table as a network in ONNX, with the files fastembed reads; the mean over the words is fastembed's."""
    table = _write_tokenizer(folder)
    tensor = _field(1, table.shape[0]) + _field(1, table.shape[1]) + _field(2, 1) + _field(8, b"table")
    node = _field(1, b"table") + _field(1, b"input_ids") + _field(2, b"last_hidden_state") + _field(4, b"Gather")
    graph = _field(1, node) + _field(2, b"words") + _field(5, tensor + _field(9, table.tobytes()))
    graph += _field(11, _value(b"input_ids", 7, b"batch", b"words"))
    graph += _field(12, _value(b"last_hidden_state", 1, b"batch", b"words", b"numbers"))
    (folder / "model.onnx").write_bytes(_field(1, 8) + _field(7, graph) + _field(8, _field(2, 13)))
    (folder / "config.json").write_text(json.dumps({"pad_token_id": 0}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 64, "pad_token": "[UNK]"}))
    return folder


def _write_tokenizer(folder: Path) -> Any:
    """``tokenizer.json`` in ``folder``, and the vectors of its words."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers  # noqa: PLC0415  # few tests need them

    words = [(word, at) for at, topic in enumerate(TOPICS) for word in topic]
    vocabulary = {"[UNK]": 0} | {word: number for number, (word, _) in enumerate(words, 1)}
    table = np.zeros((len(vocabulary), 8), dtype=np.float32)
    for number, (_, at) in enumerate(words, 1):
        table[number, at] = 1.0
    tokenizer: Any = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106  # no password
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return table


def _value(name: bytes, kind: int, *dimensions: bytes) -> bytes:
    """ONNX's ValueInfoProto: a tensor of ``kind`` (1 float32, 7 int64) whose dimensions have names."""
    shape = b"".join(_field(1, _field(2, dimension)) for dimension in dimensions)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, shape)))


def _field(number: int, value: int | bytes) -> bytes:
    """One field in Protocol Buffers' encoding: https://protobuf.dev/programming-guides/encoding/."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


@dataclass
class VectorServer:
    """What ``/v1/embeddings`` was asked, and what it answers."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keys: list[str | None] = field(default_factory=list[str | None])
    first: list[Answer] = field(default_factory=list[Answer])
    answer: Callable[[dict[str, Any]], Answer] | None = None

    def texts(self) -> list[Sequence[str]]:
        """The batches of texts that were sent."""
        return [request["input"] for request in self.asked]


@contextmanager
def vector_server() -> Generator[VectorServer]:
    """A server on loopback in OpenAI's dialect; ``first`` holds answers it gives before it behaves."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                state.asked.append(request)
                state.keys.append(self.headers.get("authorization"))
                status, body, headers = state.first.pop(0) if state.first else (state.answer or _vectors)(request)
            if self.path != "/v1/embeddings":
                status, body, headers = 404, b"", {}
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: stderr is the test's."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = VectorServer(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _vectors(request: dict[str, Any]) -> Answer:
    vectors = Topics().embed(request["input"])
    data = [{"object": "embedding", "index": at, "embedding": list(vector)} for at, vector in enumerate(vectors)]
    data.reverse()  # a client goes by the index
    return 200, json.dumps({"object": "list", "data": data, "model": request["model"]}).encode(), {}
