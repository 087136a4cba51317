"""The order of the checks, the report, and the exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path

import anyio

from mcp_server.cli.doctor import clients, handshake, machine, plugins
from mcp_server.cli.doctor.finding import Finding
from mcp_server.cli.install import own_command
from mcp_server.cli.output import print_json, say
from mcp_server.cli.serve import find_folders, launched
from mcp_server.errors import AgentMemError
from mcp_server.exits import Exit
from mcp_server.settings import Settings, load_configuration, user_folders

__all__ = ["examine"]

Paths = list[Path] | None
Tell = Callable[[Finding], None]
SIGNS = {"ok": "✓", "look": "!", "wrong": "✗"}
_PLAIN = {"ok": "ok", "look": "look", "wrong": "WRONG"}


def examine(manifests: Paths, named: Paths, config: Path | None, *, quick: bool, json: bool) -> int:
    """Print what is in order and what is not, with its fix; 1 when something is wrong.

    Args:
        manifests: As for every command.
        named: The folders of ``--plugins``.
        config: Likewise.
        quick: Compile nothing, and start no server.
        json: One object instead of lines.
    """
    found: list[Finding] = []

    def tell(finding: Finding) -> None:
        found.append(finding)
        if not json:
            _show(finding)

    anyio.run(partial(_look_at_all, manifests, named, config, tell, quick=quick))
    bad = [finding for finding in found if finding.status == "wrong"]
    if json:
        print_json({"ok": not bad, "findings": [finding.as_json() for finding in found]})
    else:
        say(f"\n{len(found)} checks, {len(bad)} wrong" if bad else f"\n{len(found)} checks, nothing is wrong")
    return Exit.UNEXPECTED if bad else 0


async def _look_at_all(manifests: Paths, named: Paths, config: Path | None, tell: Tell, *, quick: bool) -> None:
    own = user_folders()
    try:
        read = load_configuration(config)
    except AgentMemError as error:
        read = error
    known = (machine.versions(), machine.folders(own), machine.ports(own), plugins.configuration(read))
    for finding in chain.from_iterable(known):
        tell(finding)
    tell(await plugins.walls(own))
    settings = Settings() if isinstance(read, AgentMemError) else read.settings
    folders, launch = find_folders(manifests, named), launched(manifests, named, config, looking=True)
    await plugins.plugins(settings, folders, own, launch, tell, compiling=not quick)
    for finding in clients.clients():
        tell(finding)
    if not quick:
        tell(await handshake.handshake([*own_command(), "serve", *_options(manifests, named, config)]))


def _options(manifests: Paths, named: Paths, config: Path | None) -> list[str]:
    folders = find_folders(manifests, named)
    words = [word for folder in folders.manifests for word in ("--manifests", str(folder.absolute()))]
    words += [word for folder in folders.plugins for word in ("--plugins", str(folder.absolute()))]
    return words + (["--config", str(config.absolute())] if config else [])


def _show(finding: Finding) -> None:
    signs = SIGNS if (sys.stdout.encoding or "").lower().startswith("utf") else _PLAIN
    line = f"{signs[finding.status]} {finding.check}: {finding.what}"
    fix = f"\n    fix: {finding.fix}" if finding.fix else ""
    (print if finding.status == "wrong" else say)(line + fix)
