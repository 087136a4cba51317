"""The demo's steps with memories: a plugin that stores and finds, a hook that improves a search, a call refused."""

from __future__ import annotations

from typing import Any

from mcp_server.cli.demo_stage import Stage, ask, call, expect, known_plugin, show, text_of

__all__ = ["denied_call", "hooked_search", "store_and_find"]

WANTED = "Ann drinks green tea every morning before she goes to work"
UNTIDY = f"  {WANTED.replace(' tea', '   tea')} !!!!"
DECOY = "The green bike stands by the green door; the kettle is on for tea, and then for more tea"
PLUGIN = "memory-processor"
FETCHER = "fetcher"


async def store_and_find(stage: Stage) -> None:
    """A plugin cleans a text, stores it through the host, and finds it by other words."""
    stored = await call(stage, f"{PLUGIN}__process_and_store", {"content": UNTIDY}, quiet=True)
    content, keywords = stored["memory"]["content"], stored["memory"]["metadata"]["keywords"]
    show(f"{PLUGIN}__process_and_store {UNTIDY!r}\n=> {content!r}, keywords: {', '.join(keywords)}")
    expect(content.startswith(WANTED), f"the text without its blanks: {WANTED}", content)
    question = "Who likes green teas in the mornings?"
    found = await call(stage, f"{PLUGIN}__search_similar", {"text": question}, quiet=True)
    contents = [result["memory"]["content"] for result in found["results"]]
    show(f"{PLUGIN}__search_similar {question!r}\n=> {', '.join(map(repr, contents))}")
    expect(contents == [content], "that memory", contents)


async def hooked_search(stage: Stage) -> None:
    """The engine counts words; the plugin's hook puts first what has them together."""
    await call(stage, "memory__add", {"content": DECOY}, quiet=True)
    show(f"memory__add {DECOY!r}\nmemory__search 'green tea'")
    answer = await call(stage, "memory__search", {"query": "green tea", "explain": True}, quiet=True)
    results: list[dict[str, Any]] = answer["results"]
    by_words = sorted(results, key=lambda result: -result["explanation"]["score"])
    for title, listed in (("by words alone", by_words), ("with the hook after_search", results)):
        show(f"{title}: " + "; ".join(f"{n}. {one['memory']['content'][:26]}…" for n, one in enumerate(listed, 1)))
    best = results[0]["memory"]["content"] if results else "nothing"
    expect(by_words != results and best.startswith(WANTED), f"another order, with {WANTED!r} first", best)


async def denied_call(stage: Stage) -> None:
    """The refusal that a model sees, and the line that an operator adds."""
    result = await ask(stage, f"{FETCHER}__fetch", {"url": "https://example.com/"})
    show(f"=> {text_of(result)}")
    expect(
        result.is_error and "NetworkAccess" in text_of(result), "a refusal that names NetworkAccess", text_of(result)
    )
    notes = (await known_plugin(stage, FETCHER))["notes"]
    show(f"{FETCHER}: {'; '.join(notes)}")
    expect(any(f"[grants.{FETCHER}]" in note for note in notes), "a note with the line to add", notes)
