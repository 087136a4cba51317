"""The command ``agentmem-mcp``: its verbs, and the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mcp_server import __version__
from mcp_server.cli.examples import add_examples
from mcp_server.cli.options import (
    Config,
    Http,
    Inherited,
    Json,
    Locked,
    Manifests,
    NoAuth,
    Plugins,
    Processes,
    Set,
    Stdio,
    Watch,
)
from mcp_server.cli.output import be_quiet, guarded, print_json
from mcp_server.cli.verbs import (
    audit,
    author,
    cache,
    care,
    clients,
    config,
    index,
    key,
    memory,
    plugin,
    share,
    token,
    tool,
)

if TYPE_CHECKING:
    from mcp_server.opening.front import Opened

__all__ = ["app", "main"]

QUIET = ("--quiet", "-q")

app = typer.Typer(
    name="agentmem-mcp",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(plugin.app, name="plugin")
app.add_typer(config.app, name="config")
app.add_typer(tool.app, name="tool")
app.add_typer(cache.app, name="cache")
app.add_typer(audit.app, name="audit")
app.add_typer(memory.app, name="memory")
app.add_typer(token.app, name="token")
app.add_typer(key.app, name="key")
app.add_typer(index.app, name="index")
author.add_author_verbs(app)
app.command()(clients.install)
app.command()(clients.uninstall)
app.command()(clients.mcpb)
app.command("server-json")(clients.server_json)
app.command()(care.doctor)
app.command()(care.completion)


@app.command()
def serve(
    context: typer.Context,
    manifests: Manifests = None,
    plugins: Plugins = None,
    config: Config = None,
    watch: Watch = False,
    locked: Locked = False,
    sets: Set = None,
    http: Http = None,
    stdio: Stdio = False,
    no_auth: NoAuth = False,
    processes: Processes = 1,
    inherited: Inherited = None,
) -> None:
    """Serve MCP over stdin and stdout, or over HTTP."""
    from mcp_server.cli.serve import ServeOptions
    from mcp_server.cli.serve import serve as serve_all

    options = ServeOptions(manifests or [], plugins or [], config, sets or (), watch, locked, no_auth)
    if processes > 1:
        from mcp_server.cli.processes import serve_with_processes

        raise typer.Exit(serve_with_processes(http, processes, options, stdio=stdio))
    serve_all(options, http=http, stdio=stdio, inherited=inherited, opened=context.obj)


@app.command()
def demo(manifests: Manifests = None, plugins: Plugins = None) -> None:
    """Start the real server, call real plugins, and show what the walls hold back."""
    from mcp_server.cli.demo import run_demo

    raise typer.Exit(run_demo(manifests, plugins))


@app.command()
def version(json: Json = False) -> None:
    """Print the version."""
    if json:
        from mcp_server.cli.serve import versions

        print_json(versions())
    else:
        print(f"agentmem-mcp {__version__}")


share.register(app)
add_examples(app)


@app.callback()
def everywhere(
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print results and errors only; anywhere on the line.")
    ] = False,
) -> None:
    """Run WebAssembly plugins as MCP tools, behind walls."""
    if quiet:
        be_quiet()


def _words(words: list[str]) -> list[str]:
    """The command line with what may stand anywhere at its beginning, and a default where an option stands alone."""
    own = words[: words.index("--")] if "--" in words else words
    if any(word in QUIET for word in own):
        words = ["--quiet", *(word for word in own if word not in QUIET), *words[len(own) :]]
    if "--http" not in words:
        return words
    from mcp_server.cli.serve import with_address

    return with_address(words)


def main(opened: Opened | None = None) -> None:
    """Run the command line; every failure is one sentence on stderr and an exit code.

    Args:
        opened: What was done for a client of ``serve`` before; nothing when omitted.
    """
    guarded(lambda: app(args=_words(sys.argv[1:]), obj=opened), as_json="--json" in sys.argv)
