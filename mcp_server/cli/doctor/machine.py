"""What of this machine must be in order: versions, folders, their permissions and space, ports, servers that run."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import stat
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from shlex import quote

from packaging.requirements import Requirement

from mcp_server.cli.doctor.finding import Finding, fine, look, wrong
from mcp_server.running.record import running_servers
from mcp_server.settings.folders import Folders
from mcp_server.transport.http.address import DEFAULT_ADDRESS, parse_address

__all__ = ["folders", "ports", "versions"]

PACKAGE = "agentmem-mcp"
SPACE_BYTES = 200 * 1024 * 1024
"""Less than a few compiled modules and a store that grows."""


def versions() -> Iterator[Finding]:
    """Python, this package, and each package that it needs in the version that it needs."""
    wanted = [Requirement(text) for text in requires(PACKAGE) or ()]
    needed = [requirement for requirement in wanted if not requirement.marker or requirement.marker.evaluate()]
    missing = [problem for requirement in needed if (problem := _unmet(requirement))]
    for problem, requirement in missing:
        yield wrong("versions", problem, f"python -m pip install '{requirement.name}{requirement.specifier}'")
    shown = ", ".join(f"{name} {version(name)}" for name in (PACKAGE, "mcp", "extism", "extism-sys"))
    if not missing:
        yield fine("versions", f"Python {platform.python_version()}, {shown}; {len(needed)} packages as needed")


def _unmet(requirement: Requirement) -> tuple[str, Requirement] | None:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is missing, {requirement.specifier} is needed", requirement
    if requirement.specifier.contains(found, prereleases=True):
        return None
    return f"{requirement.name} is {found}, {requirement.specifier} is needed", requirement


def folders(own: Folders) -> Iterator[Finding]:
    """The user's folders can be written by this user, by nobody else, and have room."""
    for name in ("config", "data", "cache", "state"):
        folder: Path = getattr(own, name)
        yield _folder(name, folder)
    for file in (own.config / "config.toml", own.data / "plugins.lock", own.data / "tokens.json"):
        if file.exists() and file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            yield wrong(
                "permissions", f"{file}: others may write it, and so widen rights", f"chmod go-w {quote(str(file))}"
            )


def _folder(name: str, folder: Path) -> Finding:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir():
        return wrong("folders", f"{name}: {there} is no folder", f"move {there} away, or set AGENTMEM_HOME")
    if not os.access(there, os.W_OK | os.X_OK):
        return wrong("folders", f"{name}: {there} cannot be written", f"chmod u+wx {there}, or set AGENTMEM_HOME")
    free = shutil.disk_usage(there).free
    if free < SPACE_BYTES:
        return wrong(
            "folders", f"{name}: {free / 1e6:.0f} MB are left on the disk of {folder}", "make room on that disk"
        )
    if folder.exists() and folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return wrong("folders", f"{name}: others may write {folder}", f"chmod go-w {quote(str(folder))}")
    made = "" if folder.exists() else ", made when it is needed"
    return fine("folders", f"{name}: {folder}{made}")


def ports(own: Folders) -> Iterator[Finding]:
    """The default port is free or ours, and servers that run are told."""
    servers = running_servers(own.state)
    for server in servers:
        yield fine("servers", f"{server.where}, version {server.version}")
    address = parse_address(DEFAULT_ADDRESS)
    if any(server.url.endswith(address.authority) for server in servers):
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            yield look(
                "ports",
                f"{address.authority}, the default of serve --http, cannot be had: {error.strerror}",
                "serve --http 127.0.0.1:PORT with another port, or end what listens there",
            )
            return
    yield fine("ports", f"{address.authority} is free")
