"""The plugin ``memory-processor``, loaded as a server loads it."""

from __future__ import annotations

import pytest

from mcp_server.testing import Plugin, PluginRefused, ToolFailed, open_plugin
from mcp_server.testing.fixtures import LoadPlugin

pytestmark = pytest.mark.plugin("manifests/memory-processor")


def test_a_memory_is_stored_clean_and_described(plugin: Plugin) -> None:
    answer = plugin.call("process_and_store", content="Ada   likes black tea!!!!", importance=0.5)
    (stored,) = plugin.memories
    assert stored == answer["memory"]
    assert (stored["content"], stored["importance"]) == ("Ada likes black tea!", 0.5)
    assert stored["metadata"]["keywords"] == ["black tea", "Ada"]


def test_the_same_memory_is_stored_once(plugin: Plugin) -> None:
    assert plugin.call("process_and_store", content="Ada likes tea.")["duplicate"] is False
    assert plugin.call("process_and_store", content="Ada   likes tea.")["duplicate"] is True
    assert len(plugin.memories) == 1


def test_it_finds_what_shares_the_keywords_of_a_text(plugin: Plugin) -> None:
    plugin.remember("The invoice of March is paid.")
    plugin.remember("Ada likes black tea.")
    found = plugin.call("search_similar", text="Who is it that likes black tea?", limit=1)
    assert [one["memory"]["content"] for one in found["results"]] == ["Ada likes black tea."]


def test_processing_stores_nothing(plugin: Plugin) -> None:
    plugin.call("process_memory", content="Ada likes tea.")
    assert plugin.memories == []
    assert {call.function for call in plugin.host_calls} == {"get_config", "log"}


def test_a_memory_that_is_too_long_is_refused(load_plugin: LoadPlugin) -> None:
    plugin = load_plugin("manifests/memory-processor", config={"max_content_length": 5})
    with pytest.raises(ToolFailed, match="max_content_length allows 5"):
        plugin.call("process_memory", content="123456")


def test_its_hooks_clean_what_is_added_where_they_are_granted(load_plugin: LoadPlugin) -> None:
    plugin = load_plugin("manifests/memory-processor", grants={"hooks": True, "memories": "principal"})
    assert plugin.remember("Ada   likes black tea!!!!")["content"] == "Ada likes black tea!"


def test_its_hooks_do_nothing_where_they_are_not_granted(plugin: Plugin) -> None:
    assert plugin.remember("Ada   likes black tea!!!!")["content"] == "Ada   likes black tea!!!!"


def test_it_is_not_loaded_where_memories_are_denied() -> None:
    grants = 'deny = ["MemoryAccess"]'
    with pytest.raises(PluginRefused, match="MemoryAccess"), open_plugin("manifests/memory-processor", grants=grants):
        pass


def test_results_of_a_search_are_put_into_a_better_order(plugin: Plugin) -> None:
    results = [
        {"memory": {"id": str(number), "content": content}, "score": 0.5}
        for number, content in enumerate(["Invoices are paid in March.", "Ada likes black tea."])
    ]
    reranked = plugin.call_export("rerank", {"query": "black tea", "results": results})
    assert [one["memory"]["id"] if "memory" in one else one["id"] for one in reranked["results"]] == ["1", "0"]
