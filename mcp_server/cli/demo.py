"""``demo``: what the product does, on the real thing, in ten seconds of reading.

A real server is started as a child on pipes and spoken to with the MCP SDK's own client. Each step says what it
expects; the exit code is 0 only when every step got it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

import anyio
from mcp import Client, MCPError
from mcp.client import Transport
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import CallToolResult, TextContent, Tool

from mcp_server.cli.serve import example_folders, find_folders
from mcp_server.registry.discovery import PluginFolders

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
WIDTH = 100
MAX_TEXT = 20_000
_MARKUP = (
    (re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE), ""),
    (re.compile(r"^[#|<!].*$", re.MULTILINE), ""),
    (re.compile(r"\[([^\]]+)\]\([^)]+\)"), r"\1"),
    (re.compile(r"`"), ""),
)


class Unexpected(Exception):
    """A step showed something else than it should."""

    def __init__(self, expected: str, observed: object) -> None:
        super().__init__(f"expected {expected}, observed {observed}")
        self.expected = expected
        self.observed = observed


@dataclass(frozen=True, slots=True)
class Stage:
    """What the steps play on.

    Attributes:
        client: Connected to the server.
        tools: What the server lists.
        arguments: Folders and configuration, as ``serve`` got them and as ``plugin list`` takes them.
        text: A real text in prose.
        text_name: What that text is called.
    """

    client: Client
    tools: dict[str, Tool]
    arguments: list[str]
    text: str
    text_name: str


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
                async with Client(_server(arguments, errors)) as client:
                    failed = await _play(await _stage(client, arguments, examples.parent / "README.md"))
            except* (MCPError, OSError) as broken:
                _print_failure(Unexpected("a server that answers", broken))
            if failed:
                errors.seek(0)
                print(f"\nThe server said on stderr:\n{errors.read()}")
    print(f"\n{failed} of {len(STEPS)} steps failed." if failed else f"\nAll {len(STEPS)} steps held.")
    return 1 if failed else 0


def _arguments(folders: PluginFolders, scratch: Path, module: Path) -> list[str]:
    """The server's folders, one more with a plugin that asks for the network, and no configuration of the user's."""
    courier = scratch / "plugins" / "courier"
    courier.mkdir(parents=True)
    (courier / "plugin.toml").write_text(COURIER, encoding="utf-8")
    shutil.copyfile(module, courier / "courier.wasm")
    config = scratch / "config.toml"
    config.touch()
    arguments = ["--config", str(config), "--plugins", str(courier.parent)]
    for folder in folders.manifests:
        arguments += ["--manifests", str(folder)]
    for folder in folders.plugins:
        arguments += ["--plugins", str(folder)]
    return arguments


def _server(arguments: list[str], errors: TextIO) -> Transport:
    command = ["-m", "mcp_server", "serve", *arguments]
    environment = dict(os.environ)  # noqa: TID251  # handed on to the server, which reads it in settings.py
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
            _print_failure(problem)
    return failed


async def _list(stage: Stage) -> None:
    for name, tool in stage.tools.items():
        line = f"{name}({_shape(tool.input_schema)}) -> {{{_shape(tool.output_schema or {})}}}"
        _print(textwrap.shorten(line, WIDTH - 3, placeholder=" …"))
    wanted = {"hello__hello", "memory-processor__extract_keywords", "memory-processor__summarize_memory"}
    _expect(wanted <= set(stage.tools), f"the tools {', '.join(sorted(wanted))}", ", ".join(stage.tools) or "no tool")


async def _greet(stage: Stage) -> None:
    answer = await _call(stage, "hello__hello", {"message": "World"})
    _expect(answer == {"greeting": "Hello, World!"}, '{"greeting": "Hello, World!"}', answer)


async def _keywords(stage: Stage) -> None:
    answer = await _call(stage, "memory-processor__extract_keywords", {"text": stage.text, "limit": 8}, quiet=True)
    words = [str(item["keyword"]) for item in answer.get("keywords", [])]
    _print(f"=> {', '.join(words)}")
    absent = [word for word in words if word.casefold() not in _one_line(stage.text).casefold()]
    _expect(len(words) == 8 and not absent, "8 keywords that the text has", words)


async def _summary(stage: Stage) -> None:
    arguments = {"text": stage.text, "max_sentences": 2}
    answer = await _call(stage, "memory-processor__summarize_memory", arguments, quiet=True)
    sentences = [str(item["text"]) for item in answer.get("sentences", [])]
    _print(f"=> {' '.join(sentences)}")
    absent = [sentence for sentence in sentences if sentence not in _one_line(stage.text)]
    _expect(len(sentences) == 2 and not absent, "2 sentences of the text", sentences)


async def _refusal(stage: Stage) -> None:
    result = await _ask(stage, "hello__hello", {"mesage": "World"})
    code = (result.meta or {}).get("agentmem/error", {}).get("code")
    _print(f"=> {_text(result)}")
    _expect(result.is_error and code == "invalid_arguments", "the error invalid_arguments", code)


async def _held_back(stage: Stage) -> None:
    courier = await _listed_plugin(stage, "courier")
    _print(f"courier: {courier['state']}\nwhy: {courier['reason']}\nfix: {courier['fix']}")
    shown = [name for name in stage.tools if name.startswith("courier__")]
    _expect(courier["state"] == "Error" and not shown, "state Error and no tools", f"{courier['state']} and {shown}")
    _expect("NetworkAccess" in courier["fix"], "a fix that names NetworkAccess", courier["fix"])


async def _listed_plugin(stage: Stage, plugin: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "mcp_server", "plugin", "list", "--json", *stage.arguments]
    result = await anyio.run_process(command, check=False)
    _expect(result.returncode == 0, "a list of plugins", result.stderr.decode())
    listed: list[dict[str, Any]] = json.loads(result.stdout)["plugins"]
    return next(entry for entry in listed if entry["id"] == plugin)


STEPS: tuple[tuple[str, Callable[[Stage], Awaitable[None]]], ...] = (
    ("Plugins show their functions as tools, each with a schema for what goes in and out", _list),
    ("A call runs the plugin in a process of its own, behind walls", _greet),
    ("Real work on a real text: the keywords of {text}", _keywords),
    ("Its summary, in its own sentences", _summary),
    ("A wrong argument is refused before the plugin runs", _refusal),
    ("A plugin that requires a right it was not granted is held back, and shows no tool", _held_back),
)


async def _call(stage: Stage, name: str, arguments: dict[str, Any], *, quiet: bool = False) -> dict[str, Any]:
    """The structured result of a call that must succeed."""
    result = await _ask(stage, name, arguments, quiet=quiet)
    if not quiet or result.is_error:
        _print(f"=> {_text(result)}")
    _expect(not result.is_error, f"a result of {name}", _text(result))
    return cast("dict[str, Any]", result.structured_content)


async def _ask(stage: Stage, name: str, arguments: dict[str, Any], *, quiet: bool = False) -> CallToolResult:
    if not quiet:
        _print(f"{name} {json.dumps(arguments)}")
    try:
        return await stage.client.call_tool(name, arguments)
    except MCPError as error:
        raise Unexpected(f"an answer of {name}", error) from None


def _expect(holds: bool, expected: str, observed: object) -> None:
    if not holds:
        raise Unexpected(expected, observed)


def _shape(schema: dict[str, Any]) -> str:
    """``text: string, limit?: integer``."""
    required = schema.get("required", [])
    properties: dict[str, dict[str, Any]] = schema.get("properties", {})
    return ", ".join(f"{name}{'' if name in required else '?'}: {_kind(value)}" for name, value in properties.items())


def _kind(schema: dict[str, Any]) -> str:
    kind: str | list[str] = schema.get("type", "any")
    return kind if isinstance(kind, str) else kind[0]  # of "a text or null", the text


def _text(result: CallToolResult) -> str:
    return " ".join(block.text for block in result.content if isinstance(block, TextContent))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _print(text: str) -> None:
    for line in text.splitlines():
        print(textwrap.fill(line, WIDTH, initial_indent="   ", subsequent_indent="      "))


def _print_failure(problem: Unexpected) -> None:
    _print(f"FAILED\nexpected: {problem.expected}\nobserved: {problem.observed}")
