"""What the worker's guest code adds to (or saves from) libextism, without any process or channel around it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import extism  # pyright: ignore[reportMissingTypeStubs]
from extism.extism import CompiledPlugin  # pyright: ignore[reportMissingTypeStubs]

from benchmarks.guests import DATA, ECHO, SCAN
from benchmarks.rounds import interleave, seconds_per_call
from benchmarks.table import Bar, Row, against, alone, run_program
from mcp_server.policy.limits import Limits
from mcp_server.worker.frames import Mode
from mcp_server.worker.guest import Engine, engine_manifest
from mcp_server.worker.lane import Lane
from mcp_server.worker.order import LoadOrder

ROOT = Path(__file__).resolve().parent.parent
PROCESSOR = ROOT / "plugins" / "memory-processor" / "memory-processor.wasm"
PROCESSOR_HOST = tuple(("agentmem", name) for name in ("log", "get_config", "add_memory", "search_memories"))
DONE = b'{"success":true,"data":null,"error":null,"metadata":{}}'
LONGEST_MEMORY = 10_000
TEXT = (b"Seven brave words stand here, again and again. " * 30_000)[: 1024 * 1024 - 8]


def measure(quick: bool = False) -> list[Row]:
    """The rows of this program."""
    rounds, calls = (3, 300) if quick else (11, 10_000)
    return [*_warm(rounds, calls), _fresh(rounds, max(calls // 20, 20)), *_text(rounds, max(calls // 500, 3))]


def _warm(rounds: int, calls: int) -> list[Row]:
    order, manifest = _order("echo"), engine_manifest(_order("echo"), ECHO)
    instance = Engine(order, manifest, _no_host).instance()
    lane = Lane(order, manifest, _no_answer)
    bare = extism.Plugin(_bare(ECHO), functions=[])

    def in_lane() -> None:
        lane.claim(1)
        lane.run(Mode.SHARED, b"echo", DATA)
        lane.release()

    mine, whole, base = interleave(
        rounds,
        lambda: seconds_per_call(lambda: instance.call(b"echo", DATA), calls) * 1e6,
        lambda: seconds_per_call(in_lane, calls) * 1e6,
        lambda: seconds_per_call(lambda: bare.call("echo", DATA), calls) * 1e6,
    )
    return [
        against("call in the worker, warm instance, 16 B", "µs", mine, base, Bar("most", 1.1)),
        against("the same with its lane (claim, clock, release)", "µs", whole, base),
    ]


def _fresh(rounds: int, calls: int) -> Row:
    engine = Engine(_order("echo"), engine_manifest(_order("echo"), ECHO), _no_host)
    compiled = CompiledPlugin(_bare(ECHO), functions=[])

    def ours() -> None:
        instance = engine.instance()
        instance.call(b"echo", DATA)
        instance.close()

    def bare() -> None:
        with extism.Plugin(compiled) as plugin:
            plugin.call("echo", DATA)

    mine, base = interleave(
        rounds, lambda: seconds_per_call(ours, calls) * 1e6, lambda: seconds_per_call(bare, calls) * 1e6
    )
    return against("fresh instance and its one call, 16 B", "µs", mine, base, Bar("most", 1.3))


def _text(rounds: int, calls: int) -> list[Row]:
    scan = Engine(_order("scan"), engine_manifest(_order("scan"), SCAN), _no_host)
    order = replace(_order("process_memory"), host=PROCESSOR_HOST)
    process = Engine(order, engine_manifest(order, PROCESSOR.read_bytes()), _say_done)
    scanner, processor, memory = scan.instance(), process.instance(), _memory()
    scanned, processed = interleave(
        rounds,
        lambda: _rate(lambda: scanner.call(b"scan", TEXT), calls, len(TEXT)),
        lambda: _rate(lambda: processor.call(b"process_memory", memory), calls, len(memory)),
    )
    bar = Bar("least", 109, "figure")
    return [
        alone("content processing, a pass over the bytes, default fuel limit", "MB/s", scanned, bar),
        alone("content processing, process_memory of memory-processor, 10 kB", "MB/s", processed, bar),
    ]


def _rate(call: Callable[[], object], calls: int, size: int) -> float:
    # processor time, because the bar is per core and says nothing about who else is on the machine
    started = time.thread_time()
    for _ in range(calls):
        call()
    return calls * size / (time.thread_time() - started) / 1e6


def _memory() -> bytes:
    """The longest memory that the plugin takes by default, of different texts."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("tests/plugins/texts/*.txt")))
    return json.dumps({"content": "\n".join(texts)[:LONGEST_MEMORY]}, ensure_ascii=False).encode()


def _say_done(_index: int, _request: bytes) -> bytes:
    return DONE


def _order(function: str) -> LoadOrder:
    limits = Limits()
    return LoadOrder((function,), (), limits.instructions, limits.memory_pages, limits.output_bytes, 5)


def _bare(wasm: bytes) -> dict[str, Any]:
    return {"wasm": [{"data": wasm}]}


def _no_answer(_lane: Lane, _index: int, _request: bytes) -> None:
    return None


def _no_host(_index: int, _request: bytes) -> None:
    return None


if __name__ == "__main__":
    run_program(measure, __doc__ or "")
