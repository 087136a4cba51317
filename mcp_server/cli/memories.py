"""``memory search|add|export|import``: the store itself, for who owns the file; servers may run meanwhile.

Not a call: no plugin runs, so no hook does, and no tool's limits apply.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_server.capabilities.memory import found_as_json
from mcp_server.cli.output import note, print_json, print_table, say
from mcp_server.cli.serve import settings_of
from mcp_server.errors import InvalidArguments
from mcp_server.exits import Exit
from mcp_server.memory.engine import MemoryEngine
from mcp_server.memory.exchange import Imported, export_lines, import_lines
from mcp_server.memory.filters import chosen
from mcp_server.memory.hooks import PRINCIPAL_SPACE
from mcp_server.memory.model import memory_as_json
from mcp_server.memory.requests import AddMemory, SearchMemories, read
from mcp_server.services import Services, open_audit
from mcp_server.settings import Settings, user_folders
from mcp_server.tools.json_text import JsonProblem, parse
from mcp_server.whole_file import replacing

__all__ = [
    "Whose",
    "add_memory",
    "export_memories",
    "import_memories",
    "json_option",
    "one_line",
    "open_engine",
    "record_command",
    "search_memories",
]

_DEEPEST = 32
_SHOWN_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Whose:
    """Which memories a command is about.

    Attributes:
        user: The principal.
        plugin: The space of a plugin; None for the principal's own.
        agent: Label, or None for all.
        run: Label, or None for all.
    """

    user: str
    plugin: str | None
    agent: str | None
    run: str | None

    @property
    def space(self) -> str:
        """As the store knows it."""
        return self.plugin or PRINCIPAL_SPACE

    @property
    def labels(self) -> dict[str, str]:
        """Those that are given, by the names of a request."""
        return {name: value for name, value in (("agent_id", self.agent), ("run_id", self.run)) if value is not None}


def search_memories(
    query: str, whose: Whose, config: Path | None, asked: Mapping[str, Any], filters: str | None, *, json: bool
) -> None:
    """Print what fits ``query``, the best first.

    Raises:
        InvalidRequest: What is asked for makes no search.
        InvalidArguments: ``filters`` is no JSON.
    """
    given = {**_given(asked), **whose.labels, "query": query}
    if filters is not None:
        given["filters"] = json_option("--filter", filters)
    request = read(SearchMemories, given)
    with open_engine(settings_of(config)) as engine:
        found = engine.search(whose.user, whose.space, request)
    if json:
        print_json(found_as_json(found))
        return
    rows = [
        [f"{hit.score:.3f}", hit.record.id, hit.record.memory_type, one_line(hit.record.content)] for hit in found.hits
    ]
    print_table(["SCORE", "ID", "TYPE", "CONTENT"], rows)


def add_memory(
    content: str, whose: Whose, config: Path | None, asked: Mapping[str, Any], metadata: str | None, *, json: bool
) -> None:
    """Store one memory and print its id; ``-`` reads the content from stdin.

    Raises:
        InvalidRequest: It is no memory.
        InvalidArguments: ``metadata`` is no JSON.
        QuotaReached: ``memory_bytes``.
    """
    given = {**_given(asked), **whose.labels, "content": _piped() if content == "-" else content}
    if metadata is not None:
        given["metadata"] = json_option("--metadata", metadata)
    request, settings = read(AddMemory, given), settings_of(config)
    with open_engine(settings) as engine:
        added = engine.add(whose.user, whose.space, request)
    record_command(settings, whose, "add_memory", added.record.id)
    if json:
        print_json({"memory": memory_as_json(added.record), "duplicate": added.duplicate})
    else:
        print(f"{added.record.id} was there already" if added.duplicate else added.record.id)


def export_memories(file: Path | None, whose: Whose, config: Path | None, *, json: bool) -> None:
    """Write one memory a line to ``file``, which is replaced as a whole, or to stdout.

    Raises:
        InvalidArguments: ``file`` cannot be written, or ``json`` asks for one object where lines are due.
    """
    if json and file is None:
        raise InvalidArguments(
            "--json tells what was written to a file, and none is named", fix="leave --json out: each line is JSON"
        )
    with open_engine(settings_of(config)) as engine:
        condition = chosen(None, None, whose.agent, whose.run)
        lines = export_lines(engine.store, whose.user, whose.space, condition)
        if file is None:
            _pipe(lines)
            return
        count = _write(file.absolute(), lines)
    if json:
        print_json({"exported": count, "file": str(file)})
    else:
        say(f"{count} memories in {file}")


def import_memories(file: str, whose: Whose, config: Path | None, *, json: bool) -> int:
    """Add the memories of a file of lines, ``-`` for stdin; the exit code.

    Raises:
        InvalidArguments: The file cannot be read.
        AgentMemError: What ended it before the end of the file, after it was told what is stored.
    """
    settings = settings_of(config)
    with open_engine(settings) as engine, _lines(file) as lines:
        report = import_lines(
            engine.store, whose.user, whose.space, lines, now=time.time_ns() // 1_000, labels=whose.labels
        )
        uncovered = engine.missing(whose.user, whose.space)
    record_command(settings, whose, "import", f"{report.added} memories")
    _print_report(report, uncovered, json=json)
    if report.stopped is not None:
        raise report.stopped
    return Exit.USAGE if report.refused else 0


def _print_report(report: Imported, uncovered: int, *, json: bool) -> None:
    if json:
        told = {name: getattr(report, name) for name in ("added", "duplicates", "refused", "problems", "last_line")}
        print_json({**told, "uncovered": uncovered})
        return
    say(f"{report.added} added, {report.duplicates} were there, {report.refused} left out")
    for problem in report.problems:
        print(problem, file=sys.stderr)
    if report.refused > len(report.problems):
        print(f"and {report.refused - len(report.problems)} lines more", file=sys.stderr)
    if report.stopped is not None:
        print(f"stopped after line {report.last_line}; import the file again to go on", file=sys.stderr)
    if uncovered:
        note(f"{uncovered} memories have no vector; `agentmem-mcp memory reindex` gives them one")


@contextmanager
def open_engine(settings: Settings) -> Generator[MemoryEngine]:
    services = Services(user_folders().data, memory=settings.memory)
    try:
        yield services.engine
    finally:
        services.close()


@contextmanager
def _lines(file: str) -> Generator[Iterable[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise InvalidArguments(f"'{file}' cannot be read: {error.strerror}", fix="name another, or -") from None
        yield opened


def _piped() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise InvalidArguments(f"stdin is no UTF-8: {error}", fix="a memory is a text") from None


def _pipe(lines: Iterable[str]) -> None:
    try:
        for line in lines:
            sys.stdout.buffer.write(f"{line}\n".encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # who reads has enough, as `head` does; nor may the interpreter's last flush meet the pipe
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _write(file: Path, lines: Iterable[str]) -> int:
    count = 0
    try:
        with replacing(file, durable=True) as fresh:
            for line in lines:
                fresh.write(f"{line}\n".encode())
                count += 1
    except OSError as error:
        raise InvalidArguments(
            f"'{file}' cannot be written: {error.strerror}; it is as it was",
            fix="name another file",
        ) from None
    return count


def record_command(settings: Settings, whose: Whose, function: str, target: str) -> None:
    audit = open_audit(user_folders().state, settings.audit)
    if audit is not None:
        row = {"event": "command", "principal": whose.user, "plugin": whose.space, "function": function}
        audit.record({**row, "target": target, "code": "ok"})
        audit.close()


def _given(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}


def json_option(option: str, text: str) -> Any:
    try:
        return parse(text, _DEEPEST)
    except JsonProblem as problem:
        raise InvalidArguments(f"{option} is not JSON: {problem}", fix=f'{option} \'{{"topic": "tea"}}\'') from None


def one_line(text: str) -> str:
    """``text`` on one line; what was remembered must not move the cursor."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[: _SHOWN_CHARACTERS - 1]}…"
