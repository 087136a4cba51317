"""Every host function from a real module through the real server: granted, not granted, out of bounds, badly asked.

Two servers share one home: to ``yes`` the operator granted everything that the plugin asks for, to ``no`` nothing. What
lies behind the functions is looked at before and after: the store, the folders, what other servers were asked, the log.
"""

from __future__ import annotations

import ast
import itertools
import json
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from mcp_server.backends.sqlite import SqliteStore
from mcp_server.capabilities.codes import HOST_CODES
from mcp_server.memory.exchange import export_lines
from mcp_server.policy.rights import CAPABILITIES, HOST_FUNCTIONS
from mcp_server.services import STORE_NAME
from tests.canary import slot
from tests.capabilities.llm_site import openai
from tests.flows.asked import CASES, HUGE, RAW
from tests.flows.test_capabilities_from_wasm import Envelope, ask
from tests.guests import module, write_plugin
from tests.requirements import requirement
from tests.stdio_server import StdioServer, stdio_server

CODES = {code for group in HOST_CODES.values() for code in group}
OWNER = ("local", "asker")
number = itertools.count(1)

MANIFEST = """
[capabilities]
optional = [{capabilities}]
[network]
allow = ["{address}/*"]
[filesystem]
allow = [{{ path = "notes", mode = "write" }}, {{ path = "books", mode = "write" }}]
"""
SERVER = """
[llm.providers.upstream]
dialect = "openai"
base_url = "{address}/v1"
key = "UPSTREAM"
[llm.aliases.fast]
provider = "upstream"
model = "m"
[llm.aliases.costly]
provider = "upstream"
model = "n"
[memory.embeddings]
provider = "endpoint"
url = "{address}/v1"
model = "m"
key = "VECTORS"
"""
GRANTED = """
[grants.asker]
capabilities = [{capabilities}]
[grants.asker.llm]
aliases = ["fast"]
[grants.asker.network]
allow = ["{address}/api/*"]
ranges = ["127.0.0.0/8"]
secrets = {{ KEY = ["{address}/api/*"] }}
[grants.asker.filesystem]
roots = [{{ name = "notes", folder = "{home}/notes", mode = "write" }}, {{ name = "books", folder = "{home}/books" }}]
[grants.asker.storage]
quota_mb = 1
[plugins.asker.limits]
max_log_bytes = 2000
[config.asker]
word = "Hi"
token = {{ secret = "NOBODY" }}
"""
DENIED = """
[grants.asker]
deny = [{capabilities}]
"""


class _Upstream(BaseHTTPRequestHandler):
    """A site, a language model and an embedding model."""

    def do_GET(self) -> None:
        self._answer(b'{"hello": "plugin"}')

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/embeddings"):
            vectors = [{"index": at, "embedding": [1.0, 0.5]} for at, _ in enumerate(request["input"])]
            self._answer(json.dumps({"data": vectors}).encode())
        else:
            self._note()
            self.wfile.write(openai("Hello."))
            self.close_connection = True

    def _answer(self, body: bytes) -> None:
        self._note()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _note(self) -> None:
        vars(self.server)["seen"].append(self.path)

    def log_message(self, format: str, *args: object) -> None:  # the base class's name
        """Silent."""


@dataclass
class World:
    """Both servers, and what lies behind them."""

    yes: StdioServer
    no: StdioServer
    home: Path
    address: str
    seen: list[str]

    def filled(self, request: dict[str, Any]) -> dict[str, Any]:
        """``request`` with the site's address in it."""
        text = {key: value for key, value in request.items() if isinstance(value, str)}
        return {**request, **{key: value.replace("{address}", self.address) for key, value in text.items()}}

    def behind(self) -> dict[str, Any]:
        """Everything that a host function could have changed, or asked."""
        store = SqliteStore(self.home / "data" / STORE_NAME)
        try:
            memories = list(export_lines(store, *OWNER))
            changes = store.memories.stats(*OWNER).changes
            keys = [(entry.key, entry.version) for entry in store.keys.list(*OWNER, prefix="", after="", limit=1_000)]
        finally:
            store.close()
        folders = [path for name in ("notes", "books", "attic") for path in sorted((self.home / name).rglob("*"))]
        files = {str(path): path.read_bytes() for path in folders}
        logged = [(self.home / f"{name}.log").read_bytes().count(b"asker: ") for name in ("yes", "no")]
        return {
            "memories": memories,
            "changes": changes,
            "keys": keys,
            "files": files,
            "seen": list(self.seen),
            "logged": logged,
        }

    async def done(self, function: str, request: dict[str, Any]) -> Any:
        """What the granted plugin gets."""
        envelope = await ask(self.yes, f"asker__{function}", self.filled(request))
        assert envelope["success"] is True, envelope
        return envelope["data"]


def asker() -> bytes:
    """A module that relays every host function, and asks each badly in every way of ``RAW``."""
    offset, segments, exports = 0, "", ""
    for kind, (given, _) in RAW.items():
        size = given if isinstance(given, int) else len(given)
        if isinstance(given, bytes):
            escaped = "".join(f"\\{byte:02x}" for byte in given)
            segments += f'(data (i32.const {offset}) "{escaped}")'
        for name in HOST_FUNCTIONS:
            make = "(call $alloc" if isinstance(given, int) else f"(call $put (i64.const {offset})"
            exports += f"""(func (export "{name}_{kind}") (result i32)
                (call $tell (call ${name} {make} (i64.const {size})))))"""
        offset += 0 if isinstance(given, int) else size
    imports = "".join(
        f'(import "agentmem" "{name}" (func ${name} (param i64) (result i64)))' for name in HOST_FUNCTIONS
    )
    helpers = """
      (func $tell (param $o i64) (result i32)
        (call $out (local.get $o) (call $length (local.get $o))) (i32.const 0))
      (func $put (param $at i64) (param $n i64) (result i64) (local $o i64) (local $i i64)
        (local.set $o (call $alloc (local.get $n)))
        (loop $next
          (call $store (i64.add (local.get $o) (local.get $i))
            (i32.load8_u (i32.wrap_i64 (i64.add (local.get $at) (local.get $i)))))
          (br_if $next (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (local.get $n))))
        (local.get $o))"""
    relays = "".join(
        f'(func (export "{name}") (result i32) (call $tell (call ${name} (call $in))))' for name in HOST_FUNCTIONS
    )
    return module(segments + helpers + relays + exports, imports)


@pytest.fixture(scope="module")
def upstream() -> Generator[ThreadingHTTPServer]:
    """A real server on loopback; ``seen`` holds what it was asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    vars(server)["seen"] = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@asynccontextmanager
async def started(home: Path, name: str, text: str) -> AsyncGenerator[StdioServer]:
    config = home / f"{name}.toml"
    config.write_text(text, encoding="utf-8")
    environment = {"AGENTMEM_SECRET_UPSTREAM": slot("llm key"), "AGENTMEM_SECRET_VECTORS": slot("embeddings key")}
    environment["AGENTMEM_SECRET_KEY"] = slot("network secret")
    with (home / f"{name}.log").open("wb") as log:  # a test's
        arguments = ["--config", str(config)]
        async with stdio_server(
            home / "plugins", home=home, arguments=arguments, environment=environment, stderr=log.fileno()
        ) as server:
            yield server
            await server.close()


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, upstream: ThreadingHTTPServer) -> AsyncGenerator[World]:
    """Two servers on one home, for all tests of this module."""
    home = tmp_path_factory.mktemp("world")
    for name in ("notes", "books", "attic"):
        (home / name).mkdir()
        (home / name / "today.txt").write_text("milk")
    (home / "books" / "novel.txt").write_text("once upon a time")
    address = f"http://127.0.0.1:{upstream.server_port}"
    words = {"capabilities": ", ".join(f'"{name}"' for name in CAPABILITIES), "address": address, "home": home}
    write_plugin(home / "plugins", "asker", asker(), MANIFEST.format(**words))
    async with (
        started(home, "yes", (SERVER + GRANTED).format(**words)) as yes,
        started(home, "no", (SERVER + DENIED).format(**words)) as no,
    ):
        made = World(yes, no, home, address, vars(upstream)["seen"])
        await made.done("store_data", {"key": "half", "value": "x" * 600_000})
        yield made


async def remembered(world: World) -> str:
    added = await world.done("add_memory", {"content": f"fact {next(number)}"})
    return added["memory"]["id"]


async def adds(world: World) -> None:
    assert await remembered(world) in str(world.behind()["memories"])


async def gets(world: World) -> None:
    identifier = await remembered(world)
    assert (await world.done("get_memory", {"id": identifier}))["memory"]["id"] == identifier


async def updates(world: World) -> None:
    identifier = await remembered(world)
    await world.done("update_memory", {"id": identifier, "content": f"changed {identifier}"})
    assert f"changed {identifier}" in str(world.behind()["memories"])


async def deletes(world: World) -> None:
    identifier = await remembered(world)
    assert await world.done("delete_memory", {"id": identifier}) == {"deleted": True}
    assert identifier not in str(world.behind()["memories"])


async def searches(world: World) -> None:
    identifier = await remembered(world)
    found = await world.done("search_memories", {"query": "fact", "limit": 100})
    assert identifier in str(found["results"])


async def stores(world: World) -> None:
    await world.done("store_data", {"key": "stored", "value": {"n": 1}})
    assert "stored" in str(world.behind()["keys"])


async def loads(world: World) -> None:
    await world.done("store_data", {"key": "loaded", "value": {"n": 2}})
    assert (await world.done("load_data", {"key": "loaded"}))["value"] == {"n": 2}


async def forgets(world: World) -> None:
    await world.done("store_data", {"key": "gone", "value": 3})
    assert await world.done("delete_data", {"key": "gone"}) == {"deleted": True}
    assert "gone" not in str(world.behind()["keys"])


async def lists(world: World) -> None:
    await world.done("store_data", {"key": "listed", "value": 4})
    assert [one["key"] for one in (await world.done("list_data", {"prefix": "lis"}))["entries"]] == ["listed"]


async def ranks(world: World) -> None:
    ranked = await world.done("search", {"query": "tea", "candidates": ["car", "tea"], "mode": "keyword"})
    assert ranked["results"][0]["candidate"] == "tea"


async def embeds(world: World) -> None:
    assert len((await world.done("embed", {"texts": ["tea", "car"]}))["vectors"]) == 2
    assert world.seen[-1] == "/v1/embeddings"


async def asks_a_model(world: World) -> None:
    assert (await world.done("call_llm", CASES["call_llm"].request))["text"] == "Hello."
    assert world.seen[-1] == "/v1/chat/completions"


async def requests(world: World) -> None:
    headers = {"Authorization": "Bearer {{secret:KEY}}"}
    assert (await world.done("http_request", {"url": "{address}/api/x", "headers": headers}))["status"] == 200
    assert world.seen[-1] == "/api/x"


async def reads(world: World) -> None:
    assert (await world.done("read_file", {"path": "books/today.txt"}))["content"] == "milk"


async def writes(world: World) -> None:
    await world.done("write_file", {"path": "notes/written.txt", "content": "bread"})
    assert (world.home / "notes" / "written.txt").read_text() == "bread"


async def lists_files(world: World) -> None:
    assert "today.txt" in str(await world.done("list_files", {"path": "books"}))


async def deletes_a_file(world: World) -> None:
    (world.home / "notes" / "doomed.txt").write_text("x")
    await world.done("delete_file", {"path": "notes/doomed.txt"})
    assert not (world.home / "notes" / "doomed.txt").exists()


async def logs(world: World) -> None:
    await world.done("log", {"message": "a line of the granted plugin"})
    with anyio.fail_after(40):  # the log takes a way of its own, through a thread
        while "asker: a line of the granted plugin" not in (world.home / "yes.log").read_text():
            await anyio.lowlevel.checkpoint()


async def reads_configuration(world: World) -> None:
    assert await world.done("get_config", {"key": "word"}) == "Hi"


GRANTED_WORK: dict[str, Callable[[World], Awaitable[None]]] = {
    "add_memory": adds,
    "get_memory": gets,
    "update_memory": updates,
    "delete_memory": deletes,
    "search_memories": searches,
    "store_data": stores,
    "load_data": loads,
    "delete_data": forgets,
    "list_data": lists,
    "search": ranks,
    "embed": embeds,
    "call_llm": asks_a_model,
    "http_request": requests,
    "read_file": reads,
    "write_file": writes,
    "list_files": lists_files,
    "delete_file": deletes_a_file,
    "log": logs,
    "get_config": reads_configuration,
}


@requirement("capability:every-function")
@pytest.mark.parametrize("function", HOST_FUNCTIONS)
async def test_granted_it_works(world: World, function: str) -> None:
    await GRANTED_WORK[function](world)


def refusal(envelope: Envelope) -> str:
    """The code of an envelope that refuses, whole and with a code that is documented."""
    assert set(envelope) == {"success", "data", "error", "metadata"}
    assert (envelope["success"], envelope["data"]) == (False, None)
    assert envelope["error"]
    assert envelope["metadata"]["code"] in CODES
    return envelope["metadata"]["code"]


@requirement("capability:every-function")
@pytest.mark.parametrize("function", HOST_FUNCTIONS)
async def test_not_granted_it_is_denied_and_nothing_happens(world: World, function: str) -> None:
    before = world.behind()
    denied = await ask(world.no, f"asker__{function}", world.filled(CASES[function].request))
    assert refusal(denied) == "capability_denied"
    assert denied["metadata"]["capability"] == HOST_FUNCTIONS[function]
    assert world.behind() == before


@requirement("capability:every-function")
@pytest.mark.parametrize("function", HOST_FUNCTIONS)
async def test_past_a_bound_it_is_refused_with_the_bound_named(world: World, function: str) -> None:
    case = CASES[function]
    before = world.behind()
    envelope = await ask(world.yes, f"asker__{function}", world.filled(case.past))
    assert refusal(envelope) == case.code
    assert case.bound in json.dumps(envelope)
    after = world.behind()
    if function == "log":  # one word about the lines that were dropped
        before["logged"], after["logged"] = [], []
    assert after == before


def bad_requests(function: str) -> list[tuple[dict[str, Any], str | None]]:
    case = CASES[function]
    without = [
        ({key: value for key, value in case.request.items() if key != missing}, "invalid_request")
        for missing in case.missing
    ]
    wrong = [({**case.request, key: value}, "invalid_request") for key, value in case.wrong.items()]
    huge = [({**case.request, key: HUGE}, code) for key, code in case.huge.items()]
    return [*without, *wrong, *huge]


@requirement("capability:every-function")
@pytest.mark.parametrize("function", HOST_FUNCTIONS)
async def test_badly_asked_it_answers_with_a_stable_code(world: World, function: str) -> None:
    before = world.behind()
    for kind, (_, code) in RAW.items():
        envelope = await ask(world.yes, f"asker__{function}_{kind}", {})
        assert refusal(envelope) == code, (kind, envelope)
    for request, code in bad_requests(function):
        envelope = await ask(world.yes, f"asker__{function}", world.filled(request))
        told = str(request)[:200]
        if code is None:
            assert envelope["success"] is True or refusal(envelope), told
        else:
            assert refusal(envelope) == code, (told, envelope)
    after = world.behind()
    if function in (
        "log",
        "http_request",
    ):  # a huge line is dropped with a word; a huge body of an allowed request is sent
        before["logged"], after["logged"], before["seen"], after["seen"] = [], [], [], []
    assert after == before


@requirement("capability:every-function")
def test_every_host_function_and_every_capability_has_its_cases() -> None:
    assert set(CASES) == set(GRANTED_WORK) == set(HOST_FUNCTIONS)
    assert set(HOST_FUNCTIONS.values()) == set(CAPABILITIES)
    assert [name for name, case in CASES.items() if not (case.wrong and case.huge and case.bound)] == []


@requirement("docs:capabilities")
def test_the_table_of_the_documentation_names_the_tests_of_each_function() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "capabilities.md").read_text(encoding="utf-8")
    tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    tests = [node for node in tree.body if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_")]
    assert all('parametrize("function", HOST_FUNCTIONS)' in ast.unparse(test).replace("'", '"') for test in tests)
    for name, owner in HOST_FUNCTIONS.items():
        start = f"| [{name}](../tests/flows/{Path(__file__).name})"
        (row,) = [line for line in page.splitlines() if line.startswith(start)]
        _, _, capability, *cells, _ = (cell.strip() for cell in row.split("|"))
        assert capability == owner
        assert cells == [f"`{test.name}[{name}]`" for test in tests]
