"""The verbs of a plugin's author, which stand at the top: begin, look, check, build, try, measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcp_server.cli.options import Json, Quiet

__all__ = ["add_author_verbs"]


Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The plugin's; the working directory when omitted.")]


def add_author_verbs(app: typer.Typer) -> None:
    """Put the verbs into ``app``."""
    for name, verb in VERBS.items():
        app.command(name)(verb)


def inspect(
    module: Annotated[Path, typer.Argument(metavar="X.wasm", help="A module.")],
    write: Annotated[bool, typer.Option("--write", help="Write the proposed plugin.toml beside it.")] = False,
    force: Annotated[bool, typer.Option("--force", help="With --write, replace a plugin.toml that is there.")] = False,
    no_run: Annotated[bool, typer.Option("--no-run", help="Do not ask the module itself, in a worker.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what a module needs and offers, and propose a manifest.

    Example: agentmem-mcp inspect hello.wasm --write
    """
    from mcp_server.cli.inspect import inspect as inspect_file

    inspect_file(module, run=not no_run, write=write, force=force, json=json, quiet=quiet)


def check(
    folder: Folder = Path(),
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    no_run: Annotated[bool, typer.Option("--no-run", help="Do not ask the module itself, in a worker.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hold a plugin's manifest against its module, what that says of itself, its rights and what clients take.

    Exits with 6 where something is wrong, for CI.

    Example: agentmem-mcp check . --strict
    """
    from mcp_server.cli.check import check as check_folder

    raise typer.Exit(check_folder(folder, strict=strict, run=not no_run, json=json, quiet=quiet))


def new(
    plugin: Annotated[str, typer.Argument(metavar="ID", help="Its id, and its folder's name.")],
    lang: Annotated[
        str,
        typer.Option(
            "--lang",
            metavar="LANGUAGE",
            help="rust, c, zig, go or assemblyscript.",
            autocompletion=lambda: ["rust", "c", "zig", "go", "assemblyscript"],
        ),
    ] = "rust",
    kind: Annotated[
        str,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="MemoryProcessor, CodeAnalyzer, SearchAlgorithm, DataSource or Multimodal.",
            autocompletion=lambda: ["MemoryProcessor", "CodeAnalyzer", "SearchAlgorithm", "DataSource", "Multimodal"],
        ),
    ] = "Custom",
    into: Annotated[Path | None, typer.Option("--into", metavar="DIR", help="Its folder, ./ID without it.")] = None,
    author: Annotated[str, typer.Option("--author", metavar="NAME", help="Who writes it.")] = "",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Begin a plugin that builds and passes its test at once. Nothing that is there is overwritten.

    Example: agentmem-mcp new wordcount --lang c
    """
    from mcp_server.cli.new import new as begin

    begin(plugin, lang, kind, into, author, json=json, quiet=quiet)


def build(folder: Folder = Path(), json: Json = False, quiet: Quiet = False) -> None:
    """Make the module beside the manifest with the language's own tool; says what is missing and how to get it.

    Example: agentmem-mcp build wordcount
    """
    from mcp_server.cli.new import build as make

    make(folder, json=json, quiet=quiet)


def test(
    folder: Folder = Path(),
    only: Annotated[str, typer.Option("--case", metavar="TEXT", help="Only cases whose name contains it.")] = "",
    record: Annotated[
        bool, typer.Option("--record", help="Ask the real host functions, and keep their answers to be replayed.")
    ] = False,
    update: Annotated[bool, typer.Option("--update", help="Take what came as what is expected.")] = False,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit's XML too.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run the golden cases in tests/*.toml in the real runtime. Exits with 5 where one fails, for CI.

    Example: agentmem-mcp test . --junit report.xml
    """
    from mcp_server.cli.test import TestOptions
    from mcp_server.cli.test import test as run_tests

    options = TestOptions(only, record, update, junit, json, quiet)
    raise typer.Exit(run_tests(folder, options))


def dev(
    folder: Folder = Path(),
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for each save.")] = False,
    quiet: Quiet = False,
) -> None:
    """Build, check and test a plugin again on each save, with result, time, memory and host calls of each case.

    Example: agentmem-mcp dev wordcount
    """
    from mcp_server.cli.dev import dev as go_on

    go_on(folder, json=json, quiet=quiet)


def bench(
    words: Annotated[list[str], typer.Argument(metavar="[FOLDER] FUNCTION", help="A tool or an export of a plugin.")],
    given: Annotated[str, typer.Option("--input", metavar="JSON", help="What it is called with.")] = "{}",
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="N", min=0.1, max=600, help="How long, for each isolation.")
    ] = 2.0,
    at_once: Annotated[
        int, typer.Option("--at-once", metavar="N", min=1, max=100, help="Calls in flight, for the rate.")
    ] = 8,
    grant: Annotated[
        list[str] | None, typer.Option("--grant", metavar="CAPABILITY", help="What it may use; repeatable.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure a function: latency, rate and memory, with a fresh instance for each call and with kept ones.

    Example: agentmem-mcp bench . count --input '{"text": "to be"}'
    """
    from mcp_server.cli.dev import bench as measure

    measure(words, given, seconds, at_once, grant or [], json=json, quiet=quiet)


VERBS = {
    "new": new,
    "build": build,
    "inspect": inspect,
    "check": check,
    "test": test,
    "dev": dev,
    "bench": bench,
}
