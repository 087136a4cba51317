"""``demo``: what the product does, on the real thing, in ten seconds of reading.

A real server is started as a child on pipes and spoken to with the MCP SDK's own client. Each step says what it
expects; the exit code is 0 only when every step got it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TextIO

import anyio
from mcp import Client, MCPError
from mcp.client import Transport
from mcp.client.stdio import StdioServerParameters, stdio_client

from mcp_server.cli.demo_memory import denied_call, hooked_search, store_and_find
from mcp_server.cli.demo_stage import (
    WIDTH,
    Stage,
    Unexpected,
    ask,
    call,
    expect,
    known_plugin,
    show,
    show_failure,
    text_of,
)
from mcp_server.cli.serve import example_folders, find_folders
from mcp_server.registry.discovery import PluginFolders
from mcp_server.settings import HOME_VARIABLE

__all__ = ["run_demo"]

COURIER = """\
manifest_version = 1
[plugin]
id = "courier"
name = "Courier"
version = "0.1.0"
wasm = "courier.wasm"
[capabilities]
required = ["LoggingAccess", "ConfigAccess", "NetworkAccess"]
"""
CONFIG = """\
[grants.memory-processor]
hooks = true
memories = "principal"

[grants.llm]
capabilities = ["LLMAccess"]
"""
MAX_TEXT = 20_000
_MARKUP = (
    (re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE), ""),
    (re.compile(r"^[#|<!].*$", re.MULTILINE), ""),
    (re.compile(r"\[([^\]]+)\]\([^)]+\)"), r"\1"),
    (re.compile(r"`"), ""),
)


def run_demo(manifests: list[Path] | None = None, plugins: list[Path] | None = None) -> int:
    """Run every step and print it.

    Args:
        manifests: Folders in place of the examples' own, as ``serve`` takes them.
        plugins: Likewise.

    Returns:
        The exit code: 0 when every step held.
    """
    examples = example_folders()
    folders = find_folders(manifests, plugins) if manifests or plugins else examples
    print("AgentMem plugins over MCP: a real server on stdio, real WebAssembly, the MCP SDK's own client")
    return anyio.run(_run, folders, examples.plugins[0])


async def _run(folders: PluginFolders, examples: Path) -> int:
    with tempfile.TemporaryDirectory(prefix="agentmem-demo-") as name:
        scratch = Path(name)
        arguments = _arguments(folders, scratch, examples / "hello" / "hello.wasm")
        with (scratch / "stderr").open("w+", encoding="utf-8") as errors:
            failed = len(STEPS)
            try:
                async with Client(_server(arguments, scratch, errors)) as client:
                    failed = await _play(await _stage(client, arguments, examples.parent / "README.md"))
            except* (MCPError, OSError) as broken:
                show_failure(Unexpected("a server that answers", broken))
            if failed:
                errors.seek(0)
                print(f"\nThe server said on stderr:\n{errors.read()}")
    print(f"\n{failed} of {len(STEPS)} steps failed." if failed else f"\nAll {len(STEPS)} steps held.")
    return 1 if failed else 0


def _arguments(folders: PluginFolders, scratch: Path, module: Path) -> list[str]:
    """The server's folders, one more with a plugin that asks for the network, and its own configuration."""
    courier = scratch / "plugins" / "courier"
    courier.mkdir(parents=True)
    (courier / "plugin.toml").write_text(COURIER, encoding="utf-8")
    shutil.copyfile(module, courier / "courier.wasm")
    config = scratch / "config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    arguments = ["--config", str(config), "--plugins", str(courier.parent)]
    for folder in folders.manifests:
        arguments += ["--manifests", str(folder)]
    for folder in folders.plugins:
        arguments += ["--plugins", str(folder)]
    return arguments


def _server(arguments: list[str], scratch: Path, errors: TextIO) -> Transport:
    command = ["-m", "mcp_server", "serve", *arguments]
    # handed on to the server, which reads it in settings; a home of its own, so that no memory of the user's is met
    environment = {**os.environ, HOME_VARIABLE: str(scratch / "home"), "AGENTMEM_MEMORY__TOOLS": "true"}  # noqa: TID251
    return stdio_client(StdioServerParameters(command=sys.executable, args=command, env=environment), errlog=errors)


async def _stage(client: Client, arguments: list[str], text: Path) -> Stage:
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    return Stage(client, tools, arguments, _prose(text), text.name)


def _prose(path: Path) -> str:
    """The sentences of a Markdown file: no code, no tables, no headings, no links."""
    text = path.read_text(encoding="utf-8")
    for markup, plain in _MARKUP:
        text = markup.sub(plain, text)
    return text.strip()[:MAX_TEXT]


async def _play(stage: Stage) -> int:
    """Every step; the number of those that failed."""
    failed = 0
    for number, (title, step) in enumerate(STEPS, 1):
        print(f"\n{number}. {title.format(text=stage.text_name)}")
        try:
            await step(stage)
        except Unexpected as problem:
            failed += 1
            show_failure(problem)
    return failed


async def _list(stage: Stage) -> None:
    for name, tool in stage.tools.items():
        line = f"{name}({_shape(tool.input_schema)}) -> {{{_shape(tool.output_schema or {})}}}"
        show(textwrap.shorten(line, WIDTH - 3, placeholder=" …"))
    wanted = {"hello__hello", "memory-processor__extract_keywords", "memory-processor__summarize_memory"}
    expect(wanted <= set(stage.tools), f"the tools {', '.join(sorted(wanted))}", ", ".join(stage.tools) or "no tool")


async def _greet(stage: Stage) -> None:
    answer = await call(stage, "hello__hello", {"message": "World"})
    expect(answer == {"greeting": "Hello, World!"}, '{"greeting": "Hello, World!"}', answer)


async def _keywords(stage: Stage) -> None:
    answer = await call(stage, "memory-processor__extract_keywords", {"text": stage.text, "limit": 8}, quiet=True)
    words = [str(item["keyword"]) for item in answer.get("keywords", [])]
    show(f"=> {', '.join(words)}")
    absent = [word for word in words if word.casefold() not in _one_line(stage.text).casefold()]
    expect(len(words) == 8 and not absent, "8 keywords that the text has", words)


async def _summary(stage: Stage) -> None:
    arguments = {"text": stage.text, "max_sentences": 2}
    answer = await call(stage, "memory-processor__summarize_memory", arguments, quiet=True)
    sentences = [str(item["text"]) for item in answer.get("sentences", [])]
    show(f"=> {' '.join(sentences)}")
    absent = [sentence for sentence in sentences if sentence not in _one_line(stage.text)]
    expect(len(sentences) == 2 and not absent, "2 sentences of the text", sentences)


async def _refusal(stage: Stage) -> None:
    result = await ask(stage, "hello__hello", {"mesage": "World"})
    code = (result.meta or {}).get("agentmem/error", {}).get("code")
    show(f"=> {text_of(result)}")
    expect(result.is_error and code == "invalid_arguments", "the error invalid_arguments", code)


async def _held_back(stage: Stage) -> None:
    courier = await known_plugin(stage, "courier")
    show(f"courier: {courier['state']}\nwhy: {courier['reason']}\nfix: {courier['fix']}")
    shown = [name for name in stage.tools if name.startswith("courier__")]
    expect(courier["state"] == "Error" and not shown, "state Error and no tools", f"{courier['state']} and {shown}")
    expect("NetworkAccess" in courier["fix"], "a fix that names NetworkAccess", courier["fix"])


STEPS: tuple[tuple[str, Callable[[Stage], Awaitable[None]]], ...] = (
    ("Plugins show their functions as tools, each with a schema for what goes in and out", _list),
    ("A call runs the plugin in a process of its own, behind walls", _greet),
    ("Real work on a real text: the keywords of {text}", _keywords),
    ("Its summary, in its own sentences", _summary),
    ("A wrong argument is refused before the plugin runs", _refusal),
    ("A plugin stores what it has processed, and finds it again", store_and_find),
    ("A hook of a plugin improves a search: words that belong together go first", hooked_search),
    ("A call out of what the operator allowed is refused, and the operator reads what to add", denied_call),
    ("A plugin that requires a right it was not granted is held back, and shows no tool", _held_back),
)


def _shape(schema: dict[str, Any]) -> str:
    """``text: string, limit?: integer``."""
    required = schema.get("required", [])
    properties: dict[str, dict[str, Any]] = schema.get("properties", {})
    return ", ".join(f"{name}{'' if name in required else '?'}: {_kind(value)}" for name, value in properties.items())


def _kind(schema: dict[str, Any]) -> str:
    kind: str | list[str] = schema.get("type", "any")
    return kind if isinstance(kind, str) else kind[0]  # of "a text or null", the text


def _one_line(text: str) -> str:
    return " ".join(text.split())
