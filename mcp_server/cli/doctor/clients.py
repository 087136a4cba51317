"""The entries of this server in the configuration of clients: the command and the folders that they name are there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp_server.cli.doctor.finding import Finding, fine, look, wrong, wrong_by
from mcp_server.cli.install import Where, client_file
from mcp_server.clients.entry import is_ours
from mcp_server.clients.errors import ClientConfigError
from mcp_server.clients.install import servers_in
from mcp_server.clients.places import CLIENTS, Client

__all__ = ["clients"]

_PATHS = {"--manifests": Path.is_dir, "--plugins": Path.is_dir, "--config": Path.is_file}


def clients() -> Iterator[Finding]:
    """Every client that has a file here, the user's or the project's."""
    connected = False
    for client in CLIENTS.values():
        for where in (Where(), *([Where(project=True)] if client.project else [])):
            try:
                path = client_file(client, where)
                servers = servers_in(path, client) if path.exists() or path.is_symlink() else {}
            except ClientConfigError as error:
                yield wrong_by("clients", error, f"look at the file of {client.title}")
                continue
            for name, entry in servers.items():
                if is_ours(entry):
                    connected = True
                    yield _entry(client, path, name, entry)
    if not connected:
        yield look("clients", "no client starts this server", "agentmem-mcp install claude-desktop")


def _entry(client: Client, path: Path, name: str, entry: Mapping[str, Any]) -> Finding:
    told = f"{client.title}: '{name}' in {path}"
    again = f"agentmem-mcp install {client.id} --file {path} --name {name}"
    command = Path(entry["command"])
    if not command.is_absolute():
        return wrong("clients", f"{told}: {command} is no absolute path, and clients have a short PATH", again)
    if not (command.is_file() and os.access(command, os.X_OK)):
        return wrong("clients", f"{told}: there is no command {command}", again)
    words: list[str] = [str(word) for word in entry["args"]]
    for option, value in zip(words, words[1:], strict=False):
        there = _PATHS.get(option)
        if there is None:
            continue
        if not Path(value).is_absolute():
            return wrong("clients", f"{told}: {option} {value} is no absolute path", again)
        if not there(Path(value)):
            return wrong("clients", f"{told}: there is no {value} for {option}", f"{again} {option} …")
    return fine("clients", told)
