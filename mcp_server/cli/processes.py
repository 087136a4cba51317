"""``serve --http --processes N``: the parent of several server processes, each the same command on the same socket."""

from __future__ import annotations

import sys

import anyio

from mcp_server.cli.serve import ServeOptions, http_face, parse_sets
from mcp_server.errors import SettingsError
from mcp_server.settings import load_configuration
from mcp_server.telemetry.logs import set_up_logging

__all__ = ["serve_with_processes"]


def serve_with_processes(http: str | None, count: int, options: ServeOptions, *, stdio: bool) -> int:
    """Keep ``count`` processes serving until this one is asked to end; the status to exit with.

    Raises:
        SettingsError: There is no ``--http``, there are pipes to serve, or see ``HttpFace.open``.
    """
    if http is None or stdio:
        raise SettingsError(
            "--processes: several processes can serve HTTP, and nothing else",
            fix="serve --http --processes 2, without --stdio",
        )
    from mcp_server.transport.http.common import Common
    from mcp_server.transport.http.parent import Parent

    settings = load_configuration(options.config, overrides=parse_sets(options.sets)).settings
    set_up_logging(settings.log.level, settings.log.format)
    listening, address, tell = http_face(http, no_auth=options.no_auth).open(settings.http)
    command = [sys.executable, "-m", "mcp_server", "serve", "--http", address.authority, *options.words()]
    return anyio.run(Parent(command, count, listening, Common.create(), tell).run)
