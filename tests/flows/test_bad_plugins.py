"""Plugins that cannot be served: each is listed in Error with a reason a person can act on, and hides no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from mcp_server.exits import Exit
from tests.flows import bodies
from tests.guests import ECHO, module, wat, write_plugin
from tests.requirements import requirement
from tests.stdio_server import Json, StdioServer, stdio_server

WELL = module(ECHO)
TOOL = '[[tools]]\nfunction = "echo"\n'


@dataclass(frozen=True)
class Bad:
    """A plugin that must be held back.

    Attributes:
        write: Puts it into its folder.
        code: The error's code.
        says: Parts of the reason.
        fix: A part of what the operator is told to do.
    """

    write: Callable[[Path], object]
    code: str
    says: tuple[str, ...]
    fix: str = ""


def with_manifest(more: str = "", header: str = "", wasm: bytes = WELL) -> Callable[[Path], object]:
    return lambda home: write_plugin(home.parent, home.name, wasm, more, header)


def with_module(wasm: bytes) -> Callable[[Path], object]:
    return with_manifest(wasm=wasm)


def without_module(home: Path) -> None:
    write_plugin(home.parent, home.name, b"")
    (home / f"{home.name}.wasm").unlink()


def without_toml(text: bytes) -> Callable[[Path], object]:
    def write(home: Path) -> None:
        home.mkdir()
        (home / f"{home.name}.wasm").write_bytes(WELL)
        (home / "plugin.toml").write_bytes(text)

    return write


def importing(name: str, home: str = "agentmem") -> bytes:
    return bodies.asks(name, home=home)


NUL_NAME = wat('(module (import "extism:host/env" "a\\00b" (func)))')
COMPONENT = b"\0asm\x0d\0\1\0"
DEEP = "{ not = " * 40 + "{}" + " }" * 40

BAD: dict[str, Bad] = {
    # --- modules
    "empty-file": Bad(with_module(b""), "module_invalid", ("the file is empty",)),
    "one-byte": Bad(with_module(b"\0"), "module_invalid", ("only 1 byte long",)),
    "magic-only": Bad(with_module(b"\0asm"), "module_invalid", ("the file ends after 4 bytes",)),
    "truncated": Bad(with_module(WELL[: len(WELL) // 2]), "module_invalid", ("malformed module",)),
    "component": Bad(with_module(COMPONENT), "module_invalid", ("a WebAssembly component",), "wasm32-wasip1"),
    "text-module": Bad(with_module(b"(module)"), "module_invalid", ("WebAssembly text (WAT)",), "wat2wasm"),
    "native": Bad(with_module(b"\x7fELF" + bytes(60)), "module_invalid", ("an ELF binary",)),
    "nul-import": Bad(
        with_module(NUL_NAME), "module_invalid", ("a name in the import section holds a control character",)
    ),
    "foreign-import": Bad(
        with_module(wat('(module (import "env" "sbrk" (func)))')),
        "module_invalid",
        ("'env' 'sbrk'", "this host offers"),
    ),
    "wasi-import": Bad(
        with_module(wat('(module (import "wasi_snapshot_preview1" "fd_write" (func)))')),
        "module_invalid",
        ("'fd_write' of WASI",),
        "wasi = true",
    ),
    "odd-signature": Bad(
        with_module(wat('(module (import "agentmem" "log" (func (param i32))))')),
        "module_invalid",
        ("'agentmem' 'log'", "one JSON string in, one out"),
    ),
    "large-memory": Bad(
        with_manifest("[limits]\nmax_memory_mb = 1", wasm=wat("(module (memory 17))")),
        "limit_memory",
        ("max_memory_mb = 1 MiB",),
    ),
    # --- manifests
    "no-module": Bad(without_module, "manifest_invalid", ("plugin.wasm: no module found; looked for",)),
    "misnamed": Bad(with_manifest(header='wasm = "gone.wasm"'), "manifest_invalid", ("no file 'gone.wasm'",)),
    "escaping": Bad(
        with_manifest(header='wasm = "../../../outside.wasm"'),
        "manifest_invalid",
        ("plugin.wasm: '../../../outside.wasm' leaves",),
    ),
    "wrong-sha256": Bad(
        with_manifest(header=f'sha256 = "{"0" * 64}"'),
        "integrity_failed",
        ("but the manifest pins 0000",),
        "set plugin.sha256",
    ),
    "typo": Bad(
        with_manifest(header='autor = "me"'), "manifest_invalid", ("plugin.autor: unknown key, did you mean 'author'?",)
    ),
    "wrong-type": Bad(
        with_manifest(header='description = ["a"]'),
        "manifest_invalid",
        ("plugin.description: Input should be a valid string (got 'list')",),
    ),
    "not-toml": Bad(without_toml(b"id: yaml\n"), "manifest_invalid", ("is not TOML",)),
    "not-utf-8": Bad(without_toml(b'id = "\xff"\n'), "manifest_invalid", ("is not UTF-8 (byte 6)",)),
    "many-problems": Bad(
        with_manifest(
            '[limits]\nmax_memory_mb = 0\nmax_memry_mb = 1\nmax_host_calls = -1\n[[tools]]\nfunktion = "x"\n',
            header='wasm = "gone.wasm"\nverison = "1"\ntype = "Customer"\nrequires_host = "soon"',
        ),
        "manifest_invalid",
        (
            "9 problems",
            "plugin.verison: unknown key, did you mean 'version'?",
            "plugin.type: 'Customer' is not allowed, did you mean 'Custom'?",
            "plugin.wasm: there is no file 'gone.wasm'",
            "plugin.requires_host: 'soon' is not a version specifier",
            "limits.max_memory_mb: 0 is outside 1 … 1024 MiB",
            "limits.max_memry_mb: unknown key, did you mean 'max_memory_mb'?",
            "limits.max_host_calls: -1 is outside 1 … 100000 calls",
            "tools[0].function: is required",
            "tools[0].funktion: unknown key, did you mean 'function'?",
        ),
    ),
    "future-host": Bad(
        with_manifest(header='requires_host = ">=99"'),
        "requirement_conflict",
        ("needs agentmem-mcp >=99, and this is",),
    ),
    "no-function": Bad(
        with_manifest('[[tools]]\nfunction = "ecco"\n'),
        "manifest_invalid",
        ("tools[0].function", "no callable export 'ecco' (it has: echo)"),
    ),
    "long-tool-name": Bad(
        with_manifest(TOOL + f'name = "{"n" * 60}"\n'),
        "name_collision",
        ("at most 64 characters, this has 76",),
        "set a shorter name",
    ),
    "odd-tool-name": Bad(
        with_manifest(TOOL + 'name = "read.fi1e"\n'), "manifest_invalid", ("tools[0].name: String should match",)
    ),
    "twin-tools": Bad(
        with_manifest(TOOL + 'name = "Run"\n' + TOOL + 'name = "run"\n'),
        "manifest_invalid",
        ("tools: the name 'run' is shown twice",),
    ),
    "hidden-text": Bad(
        with_manifest(TOOL + 'description = "Reads\u202e a file"\n'),
        "manifest_invalid",
        ("tools[0].description: holds the invisible or control character U+202E",),
    ),
    # --- schemas
    "no-schema": Bad(
        with_manifest(TOOL + 'input_schema = "schemas/gone.json"\n'),
        "manifest_invalid",
        ("tools[0].input_schema: there is no file 'schemas/gone.json'",),
    ),
    "scalar-input": Bad(
        with_manifest(TOOL + 'input_schema = { type = "string" }\n'),
        "manifest_invalid",
        ('tools[0].input_schema: needs "type": "object"',),
    ),
    "remote-ref": Bad(
        with_manifest(TOOL + 'input_schema = { type = "object", "$ref" = "https://evil.example/s.json" }\n'),
        "manifest_invalid",
        ("refers to 'https://evil.example/s.json'",),
    ),
    "dangling-ref": Bad(
        with_manifest(TOOL + 'output_schema = { "$ref" = "#/$defs/gone" }\n'),
        "manifest_invalid",
        ("tools[0].output_schema: is not a valid JSON Schema",),
    ),
    "deep-schema": Bad(
        with_manifest(TOOL + f"output_schema = {DEEP}\n"), "manifest_invalid", ("nested deeper than 32 levels",)
    ),
    "huge-schema": Bad(
        with_manifest(TOOL + f'output_schema = {{ description = "{"x" * 70_000}" }}\n'),
        "manifest_invalid",
        ("the limit is 65536",),
    ),
    "wide-schema": Bad(
        with_manifest(TOOL + f"output_schema = {{ enum = {list(range(2_500))} }}\n"),
        "manifest_invalid",
        ("more than 2000 nodes",),
    ),
    "bad-pattern": Bad(
        with_manifest(TOOL + 'output_schema = { pattern = "(" }\n'), "manifest_invalid", ('"(" is not a "regex"',)
    ),
    # --- rights
    "not-granted": Bad(
        with_manifest('[capabilities]\nrequired = ["NetworkAccess", "LoggingAccess"]\n'),
        "capability_denied",
        ("plugin 'not-granted' requires NetworkAccess, which is not granted",),
        '[grants.not-granted] capabilities = ["NetworkAccess"]',
    ),
    "not-declared": Bad(
        with_module(importing("log")),
        "capability_denied",
        ("imports 'agentmem' 'log', which belongs to LoggingAccess, but its manifest does not declare",),
        'add "LoggingAccess" to [capabilities] required',
    ),
    "not-offered": Bad(
        with_module(importing("open_door", home="extism:host/user")),
        "capability_denied",
        ("imports 'extism:host/user' 'open_door', which this host does not offer",),
    ),
}


def fill(folder: Path) -> None:
    write_plugin(folder, "well", WELL)
    for plugin, bad in BAD.items():
        bad.write(folder / plugin)
    write_plugin(folder, "twin", WELL)
    (folder / "twin-too").mkdir()
    (folder / "twin-too" / "plugin.toml").write_bytes((folder / "twin" / "plugin.toml").read_bytes())
    (folder / "twin-too" / "twin.wasm").write_bytes(WELL)
    (folder / "alone.wasm").write_bytes(WELL)
    (folder / "alone-and-broken.wasm").write_bytes(WELL[:20])
    (folder.parent / "outside.wasm").write_bytes(WELL)


@pytest.fixture(scope="module")
def listed(stage: Path, cache: Path) -> dict[str, Json]:
    """What ``plugin list --json`` says about each plugin of the module."""
    command = [sys.executable, "-m", "mcp_server", "plugin", "list", "--json", "--plugins", str(stage)]
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(cache)}  # noqa: TID251  # a test's
    done = subprocess.run(command, capture_output=True, env=environment, cwd=cache, check=True)
    return {plugin["id"]: plugin for plugin in json.loads(done.stdout)["plugins"]}


@requirement("discovery:bad-plugin-listed")
@requirement("manifest:all-problems")
@requirement("manifest:missing-wasm")
@requirement("manifest:path-containment")
@requirement("manifest:unknown-key")
@requirement("manifest:wrong-sha256")
@requirement("manifest:wrong-type")
@requirement("module:foreign-format")
@requirement("module:nul-in-import")
@requirement("module:one-byte")
@requirement("module:truncated")
@requirement("tools:function-missing")
@requirement("capability:missing-grant")
@requirement("capability:undeclared-import")
@pytest.mark.parametrize("plugin", BAD)
def test_a_bad_plugin_is_listed_in_error_with_its_reason_and_what_to_do(listed: dict[str, Json], plugin: str) -> None:
    bad, shown = BAD[plugin], listed[plugin]
    assert (shown["state"], shown["tools"]) == ("Error", [])
    assert shown["reason"].startswith(f"[{bad.code}] ")
    for words in bad.says:
        assert words in shown["reason"]
    assert shown["fix"]
    assert bad.fix in shown["fix"]


@requirement("discovery:bad-plugin-listed")
async def test_the_server_shows_the_tools_of_all_good_plugins_beside_every_bad_one(zoo: StdioServer) -> None:
    assert await zoo.tools() == ["alone__echo", "twin__echo", "well__echo"]


@requirement("call:next-answered")
async def test_a_tool_of_a_bad_plugin_does_not_exist_and_the_next_call_is_answered(zoo: StdioServer) -> None:
    for plugin in BAD:
        answer = await zoo.modern("tools/call", {"name": f"{plugin}__echo", "arguments": {}})
        assert answer["error"]["code"] == -32602
        assert (await zoo.call("well__echo", {"after": plugin}))["structuredContent"] == {"after": plugin}


@requirement("tools:name-collision")
def test_two_plugins_with_one_id_are_told_with_both_paths_and_the_first_keeps_it(
    listed: dict[str, Json], stage: Path
) -> None:
    assert listed["twin"]["state"] == "Loaded"
    second = listed["twin#2"]
    assert second["state"] == "Error"
    assert second["reason"].startswith("[name_collision] two plugins claim the id 'twin'")
    assert str(stage / "twin" / "plugin.toml") in second["reason"]
    assert str(stage / "twin-too" / "plugin.toml") in second["reason"]


@requirement("discovery:lone-module")
def test_a_lone_module_has_its_exports_as_tools_and_says_that_it_has_no_rights(listed: dict[str, Json]) -> None:
    assert listed["alone"]["tools"] == ["alone__echo"]
    assert listed["alone"]["notes"] == ["no manifest: no rights, tools taken from the module's exports"]
    assert listed["alone-and-broken"]["reason"].startswith("[module_invalid] malformed module")


@requirement("discovery:missing-folder")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone", "does not exist"),
        ("file", "is not a folder"),
        ("file/below", "is not a folder"),
        ("loop", "cannot be read: Too many levels"),
    ],
)
async def test_a_folder_that_cannot_be_used_ends_the_server_with_a_clear_sentence(
    tmp_path: Path, cache: Path, name: str, says: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    status, complaint = await refused_start(tmp_path / name, cache, tmp_path)
    assert status == Exit.USAGE
    assert complaint.startswith(f"error[settings_invalid]: the plugin folder {tmp_path / name} ")
    assert says in complaint
    assert "fix: " in complaint
    assert "Traceback" not in complaint


async def refused_start(folder: Path, home: Path, tmp_path: Path) -> tuple[int, str]:
    with (tmp_path / "stderr").open("w+b") as stderr:
        async with stdio_server(folder, home=home, stderr=stderr.fileno()) as server:
            with anyio.fail_after(40):
                status = await server.process.wait()
        stderr.seek(0)
        return status, stderr.read().decode()
