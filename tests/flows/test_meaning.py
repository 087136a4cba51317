"""Searching by meaning through the real server, from a real module: with a word table, with a server, with neither."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.canary import slot
from tests.cli.test_commands import answer, run
from tests.conftest import Serve
from tests.flows.test_capabilities_from_wasm import ask, configure, plugin
from tests.memory.models import vector_server, write_word_table
from tests.requirements import requirement

CONTENTS = ("Ann brews coffee", "The dog barks", "A late train")


def home(folder: Path, **more: str) -> dict[str, str]:
    return {"AGENTMEM_HOME": str(folder / "home"), **more}


def table_settings(folder: Path) -> str:
    table = write_word_table(folder / "table")
    return f'[memory.embeddings]\nprovider = "model2vec"\npath = {json.dumps(str(table))}\n'


@requirement("embeddings:none")
async def test_without_a_model_search_is_by_words_and_meaning_is_refused(serve: Serve, plugins: Path) -> None:
    plugin(plugins, "notes", "MemoryAccess")
    async with serve(environment=home(plugins.parent)) as server:
        await ask(server, "notes__add_memory", {"content": CONTENTS[0]})
        found = await ask(server, "notes__search_memories", {"query": "coffee"})
        assert (found["data"]["mode"], found["data"]["uncovered"]) == ("lexical", 0)
        for mode in ("semantic", "hybrid"):
            refused = await ask(server, "notes__search_memories", {"query": "beverage", "mode": mode})
            assert (refused["success"], refused["metadata"]["code"]) == (False, "embeddings_not_configured")


@requirement("embeddings:local")
async def test_with_a_word_table_memories_are_found_by_meaning(serve: Serve, plugins: Path, tmp_path: Path) -> None:
    plugin(plugins, "notes", "MemoryAccess")
    plugin(plugins, "ranker", "SearchAccess")
    grant = '[grants.ranker]\ncapabilities = ["SearchAccess"]\n'
    config = configure(tmp_path, table_settings(tmp_path) + grant)
    async with serve(arguments=["--config", str(config)], environment=home(tmp_path)) as server:
        for content in CONTENTS:
            assert (await ask(server, "notes__add_memory", {"content": content}))["success"] is True
        found = (await ask(server, "notes__search_memories", {"query": "beverage", "explain": True}))["data"]
        assert (found["mode"], found["uncovered"]) == ("hybrid", 0)
        assert found["results"][0]["memory"]["content"] == "Ann brews coffee"
        assert set(found["results"][0]["explanation"]) == {"score", "semantic"}
        request: dict[str, Any] = {"query": "pet", "candidates": list(CONTENTS), "mode": "semantic"}
        ranked = (await ask(server, "ranker__search", request))["data"]
        assert ranked["results"][0]["candidate"] == "The dog barks"
        vectors = (await ask(server, "ranker__embed", {"texts": ["tea", "car"]}))["data"]
        assert vectors["model"].startswith("model2vec:")
        assert [len(vector) for vector in vectors["vectors"]] == [8, 8]


@requirement("embeddings:endpoint")
async def test_with_an_endpoint_memories_are_found_by_meaning_and_its_key_is_shown_to_nobody(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    plugin(plugins, "notes", "MemoryAccess")
    with vector_server() as vectors:
        config = configure(
            tmp_path,
            f'[memory.embeddings]\nprovider = "endpoint"\nurl = "{vectors.url}"\nmodel = "topics"\nkey = "VECTORS"\n',
        )
        key = slot("embeddings key")
        environment = home(tmp_path, AGENTMEM_SECRET_VECTORS=key)
        async with serve(arguments=["--config", str(config)], environment=environment) as server:
            for content in CONTENTS:
                await ask(server, "notes__add_memory", {"content": content})
            found = await ask(server, "notes__search_memories", {"query": "pet", "mode": "semantic"})
            assert found["data"]["results"][0]["memory"]["content"] == "The dog barks"
            assert set(vectors.keys) == {f"Bearer {key}"}
            vectors.answer = lambda _: (401, json.dumps({"error": f"{key} is wrong"}).encode(), {})
            kept = await ask(server, "notes__add_memory", {"content": "The cat sleeps"})
            assert kept["success"] is True
            refused = await ask(server, "notes__search_memories", {"query": "pet", "mode": "semantic"})
            assert refused["metadata"]["code"] == "embeddings_unavailable"
            assert "canary" not in json.dumps(refused)
            found = await ask(server, "notes__search_memories", {"query": "cat"})
            assert (found["data"]["mode"], len(found["data"]["results"])) == ("lexical", 1)


@requirement("embeddings:reindex")
async def test_memories_of_before_the_model_are_counted_and_reindexed_while_the_server_runs(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    plugin(plugins, "notes", "MemoryAccess")
    async with serve(environment=home(tmp_path)) as server:
        for content in CONTENTS:
            await ask(server, "notes__add_memory", {"content": content})
        assert await server.close() == 0
    config = configure(tmp_path, table_settings(tmp_path))
    async with serve(arguments=["--config", str(config)], environment=home(tmp_path)) as server:
        query = {"query": "beverage", "mode": "semantic"}
        found = (await ask(server, "notes__search_memories", query))["data"]
        assert (found["results"], found["uncovered"]) == ([], 3)
        assert answer(tmp_path / "home", "memory", "reindex", "--config", config) == {"embedded": 3, "missing": 0}
        found = (await ask(server, "notes__search_memories", query))["data"]
        assert (found["results"][0]["memory"]["content"], found["uncovered"]) == ("Ann brews coffee", 0)


@requirement("embeddings:reindex")
def test_reindexing_without_a_model_says_what_to_configure(tmp_path: Path) -> None:
    result = run(tmp_path, "memory", "reindex")
    assert (result.returncode, result.stdout) == (2, "")
    assert "[memory.embeddings]" in result.stderr


@requirement("embeddings:settings")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('provider = "model2vec"', "'path'"),
        ('provider = "endpoint"\nmodel = "m"', "'url'"),
        ('provider = "fastembed"\npath = "x"', "'model'"),
        ('provider = "hashed"', "model2vec"),
        ('provider = "endpoint"\nmodel = "m"\nurl = "ftp://x"', "http or https"),
        ('provider = "endpoint"\nmodel = "m"\nurl = "http://example.com/v1"\nkey = "K"', "https"),
        ('pth = "x"', "path"),
    ],
)
def test_settings_that_name_no_whole_model_are_refused(tmp_path: Path, text: str, told: str) -> None:
    config = configure(tmp_path, f"[memory.embeddings]\n{text}\n")
    result = run(tmp_path, "plugin", "list", "--config", config)
    assert result.returncode == 2
    assert told in result.stderr
