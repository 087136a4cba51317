"""fastembed with a network made here: it runs where ``agentmem-mcp[fastembed]`` is installed, and downloads nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_server.backends.sqlite import SqliteStore
from mcp_server.memory import embedders
from mcp_server.memory.engine import MemoryEngine
from mcp_server.memory.errors import EmbeddingsUnavailable
from mcp_server.memory.requests import AddMemory, SearchMemories
from tests.memory.models import write_network

pytest.importorskip("fastembed", reason="pip install 'agentmem-mcp[fastembed]'")
MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(autouse=True)
def no_downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever fastembed would fetch comes to nothing, and at once."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("FASTEMBED_CACHE_PATH", str(tmp_path / "cache"))


def test_memories_are_found_by_the_meaning_that_a_network_gives_them(tmp_path: Path) -> None:
    embedder = embedders.fastembed(str(write_network(tmp_path / "network")), MODEL)
    engine = MemoryEngine(SqliteStore(tmp_path / "store.db"), embedder=embedder)
    engine.add_many("ann", "notes", [AddMemory(content="a cup of tea"), AddMemory(content="my dog barks")])
    found = engine.search("ann", "notes", SearchMemories(query="coffee", mode="semantic"))
    assert found.hits[0].record.content == "a cup of tea"
    assert found.hits[0].score > 0.9 > 0.1 > found.hits[1].score
    assert found.uncovered == 0
    engine.store.close()


def test_texts_of_different_lengths_have_the_vectors_that_each_has_alone(tmp_path: Path) -> None:
    embedder = embedders.fastembed(str(write_network(tmp_path / "network")), MODEL)
    texts = ["tea", "a dog and a car", ""]
    together = embedder.embed(texts)
    for text, vector in zip(texts, together, strict=True):
        assert vector == pytest.approx(embedder.embed([text])[0], abs=1e-6)
    assert {len(vector) for vector in together} == {8}


def test_the_name_changes_with_the_network(tmp_path: Path) -> None:
    folder = write_network(tmp_path / "network")
    before = embedders.fastembed(str(folder), MODEL).model
    assert before.startswith(f"fastembed:{MODEL}:")
    (folder / "model.onnx").write_bytes((folder / "model.onnx").read_bytes() + b"\x12\x01x")  # a producer's name
    assert embedders.fastembed(str(folder), MODEL).model != before


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "config.json", "tokenizer_config.json"])
@pytest.mark.parametrize("broken", [True, False])
def test_a_file_that_is_missing_or_no_model_is_a_typed_error(tmp_path: Path, name: str, *, broken: bool) -> None:
    folder = write_network(tmp_path / "network")
    (folder / name).write_bytes(b"{") if broken else (folder / name).unlink()
    with pytest.raises(EmbeddingsUnavailable) as refused:
        embedders.fastembed(str(folder), MODEL).embed(["tea"])
    assert str(folder) in (refused.value.fix or "")


def test_a_model_that_fastembed_does_not_know_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingsUnavailable):
        embedders.fastembed(str(write_network(tmp_path / "network")), "nobody/nothing").embed(["tea"])
