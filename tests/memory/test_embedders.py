"""The models an operator can name: a real word table in a folder, a real server on loopback, and what can go wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from mcp_server.memory import embedders
from mcp_server.memory.embedders.remote import RemoteEmbedder
from mcp_server.memory.embedding import unit
from mcp_server.memory.engine import MemoryEngine
from mcp_server.memory.errors import EmbeddingsUnavailable
from mcp_server.memory.requests import AddMemory, SearchMemories
from tests.memory.models import VectorServer, vector_server, write_word_table

ME = ("ann", "notes")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server() -> Generator[VectorServer]:
    with vector_server() as running:
        yield running


def no_secret(name: str) -> str | None:
    """No secret is set."""


def canary(name: str) -> str:
    """A key that must be shown to nobody."""
    return "canary-key"


def remote(server: VectorServer, **options: Any) -> RemoteEmbedder:
    values: dict[str, Any] = {
        "key": None, "secret": no_secret, "timeout_seconds": 20.0, "batch": 64, "dimensions": None,
        "rest_seconds": 0.0,
    }  # fmt: skip
    return RemoteEmbedder(server.url, "topics", **values | options)


def test_a_word_table_in_a_folder_finds_by_meaning(engine: MemoryEngine, tmp_path: Path) -> None:
    embedder = embedders.model2vec(str(write_word_table(tmp_path / "table")))
    clever = MemoryEngine(engine.store, embedder=embedder)
    for content in ("coffee", "a dog", "the train"):
        clever.add(*ME, AddMemory(content=content))
    found = clever.search(*ME, SearchMemories(query="beverage", mode="semantic", threshold=0.5))
    assert [hit.record.content for hit in found.hits] == ["coffee"]
    assert found.uncovered == 0


def test_a_table_is_named_by_its_bytes(tmp_path: Path) -> None:
    folder = write_word_table(tmp_path / "table")
    one = embedders.model2vec(str(folder)).model
    assert embedders.model2vec(str(write_word_table(tmp_path / "copy"))).model == one
    (folder / "config.json").write_text('{"model_type": "model2vec", "normalize": false}')
    assert embedders.model2vec(str(folder)).model != one


def test_a_text_without_a_known_word_has_no_direction(tmp_path: Path) -> None:
    embedder = embedders.model2vec(str(write_word_table(tmp_path / "table")))
    assert unit(embedder.embed(["unheard"])[0]) == [0.0] * 8


def test_threads_may_ask_one_table_at_once(tmp_path: Path) -> None:
    embedder = embedders.model2vec(str(write_word_table(tmp_path / "table")))
    expected, wrong = list(embedder.embed(["tea dog car"])[0]), list[object]()

    def ask() -> None:
        for _ in range(50):
            vector = list(embedder.embed(["tea dog car"])[0])
            if vector != expected:
                wrong.append(vector)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_model_that_is_not_there_is_not_looked_for_elsewhere_and_heals(tmp_path: Path) -> None:
    embedder = embedders.model2vec(str(tmp_path / "minishlab"))
    with pytest.raises(EmbeddingsUnavailable) as refused:
        embedder.embed(["tea"])
    assert str(tmp_path) not in refused.value.message
    assert "model.safetensors" in (refused.value.fix or "")
    write_word_table(tmp_path / "minishlab")
    assert len(embedder.embed(["tea"])[0]) == 8


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_file_that_is_no_model_is_a_typed_error(tmp_path: Path, name: str) -> None:
    folder = write_word_table(tmp_path / "table")
    (folder / name).write_bytes(b"no model")
    with pytest.raises(EmbeddingsUnavailable):
        embedders.model2vec(str(folder)).embed(["tea"])


def test_a_tokenizer_raises_nothing_narrower_than_exception_which_is_why_the_embedders_catch_that(
    tmp_path: Path,
) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(Exception, match="EOF") as raised:
        Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert raised.type is Exception


def test_a_library_that_is_not_installed_says_which_extra_to_install(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(EmbeddingsUnavailable) as refused:
        embedders.fastembed(str(tmp_path), "BAAI/bge-small-en-v1.5").embed(["tea"])
    assert "agentmem-mcp[fastembed]" in (refused.value.fix or "")


def test_nothing_heavy_is_loaded_before_a_model_is_asked() -> None:
    script = """
        import sys
        from mcp_server.memory import embedders
        from mcp_server.backends.sqlite import SqliteStore
        from mcp_server.memory.engine import MemoryEngine
        embedders.model2vec("/nowhere"), embedders.endpoint("http://127.0.0.1:1/v1", "m", key=None, secret=str,
            timeout_seconds=1, batch=1, dimensions=None)
        print(sorted({"numpy", "model2vec", "tokenizers", "httpx2"} & set(sys.modules)))
    """
    command = [sys.executable, "-c", "\n".join(line.strip() for line in script.splitlines())]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_an_endpoint_gives_vectors_in_the_order_of_the_texts(server: VectorServer) -> None:
    vectors = remote(server, batch=2).embed(["tea", "dog", "car"])
    assert [vector.index(max(vector)) for vector in map(list, vectors)] == [0, 1, 2]
    assert server.texts() == [["tea", "dog"], ["car"]]
    assert server.asked[0]["model"] == "topics"
    assert "dimensions" not in server.asked[0]
    assert server.keys == [None, None]


def test_a_key_is_sent_as_a_bearer_token_and_read_anew_each_time(server: VectorServer) -> None:
    values = iter(["one", "two"])

    def next_key(name: str) -> str:
        assert name == "EMBEDDINGS"
        return next(values)

    embedder = remote(server, key="EMBEDDINGS", secret=next_key, dimensions=4)
    embedder.embed(["tea"])
    embedder.embed(["tea"])
    assert server.keys == ["Bearer one", "Bearer two"]
    assert server.asked[0]["dimensions"] == 4


def test_a_missing_key_says_which_variable_to_set_and_sends_nothing(server: VectorServer) -> None:
    with pytest.raises(EmbeddingsUnavailable) as refused:
        remote(server, key="EMBEDDINGS").embed(["tea"])
    assert "AGENTMEM_SECRET_EMBEDDINGS" in (refused.value.fix or "")
    assert server.asked == []


def test_a_busy_server_is_asked_again(server: VectorServer) -> None:
    server.first += [(429, b"", {"retry-after": "0"}), (503, b"", {})]
    assert len(remote(server).embed(["tea"])) == 1
    assert len(server.asked) == 3


def test_a_server_that_stays_busy_is_given_up_and_left_in_peace(server: VectorServer) -> None:
    server.answer = lambda _: (503, b"", {"retry-after": "0"})
    embedder = remote(server, rest_seconds=1_000.0)
    for _ in range(3):
        with pytest.raises(EmbeddingsUnavailable):
            embedder.embed(["tea"])
    assert len(server.asked) == 3


def test_a_pause_beyond_the_time_that_is_left_is_not_waited_for(server: VectorServer) -> None:
    server.answer = lambda _: (429, b"", {"retry-after": "3600"})
    with pytest.raises(EmbeddingsUnavailable):
        remote(server).embed(["tea"])
    assert len(server.asked) == 1


def answer(value: object, status: int = 200) -> tuple[int, bytes, dict[str, str]]:
    return status, json.dumps(value).encode(), {}


@pytest.mark.parametrize(
    "wrong",
    [
        answer({"error": "no such model"}, 404),
        answer({"error": "the key canary-key is wrong"}, 401),
        (302, b"", {"location": "http://127.0.0.1:9/v1/embeddings"}),
        (200, b"", {}),
        (200, b"\xff\xfe", {}),
        (200, b"[" * 100_000, {}),
        answer([]),
        answer({"data": None}),
        answer({"data": []}),
        answer({"data": [{"index": 0, "embedding": ()}]}),
        answer({"data": [{"index": 0, "embedding": ["x"]}]}),
        answer({"data": [{"index": 0}]}),
        answer({"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0]}]}),
    ],
)
def test_an_answer_without_vectors_is_a_typed_error(
    server: VectorServer, wrong: tuple[int, bytes, dict[str, str]]
) -> None:
    server.answer = lambda _: wrong
    with pytest.raises(EmbeddingsUnavailable) as refused:
        remote(server, key="K", secret=canary).embed(["tea"])
    assert server.url not in refused.value.message
    assert "canary-key" not in f"{refused.value.message} {refused.value.fix}"


def test_a_server_that_is_away_is_a_typed_error(server: VectorServer) -> None:
    embedder = embedders.endpoint(
        "http://127.0.0.1:9/v1", "m", key=None, secret=no_secret, timeout_seconds=5, batch=8, dimensions=None
    )
    with pytest.raises(EmbeddingsUnavailable):
        embedder.embed(["tea"])


@pytest.mark.parametrize("vector", [[0.0, 0.0], [float("nan"), 1.0], [float("inf"), 1.0]])
def test_what_has_no_direction_becomes_zero(vector: list[float]) -> None:
    assert unit(vector) == [0.0, 0.0]
