"""Whether the configuration is in order, and each plugin loads, compiles behind its walls, and is what was approved."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mcp_server.cli.doctor.finding import Finding, fine, look, wrong, wrong_by
from mcp_server.cli.serve import example_folders
from mcp_server.distribution.signing import EXTRA
from mcp_server.errors import AgentMemError, CapabilityDenied
from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from mcp_server.registry.errors import PluginDisabled
from mcp_server.registry.governed import Launch
from mcp_server.registry.record import PluginRecord
from mcp_server.settings import Configuration, Folders, Settings

__all__ = ["approvals", "configuration", "plugins", "walls"]

Tell = Callable[[Finding], None]
NOTHING = b"\0asm\x01\0\0\0"
"""The smallest module: what is asked of its worker is which walls are up."""


def configuration(read: Configuration | AgentMemError) -> Iterator[Finding]:
    """Every file and variable is in order; what is ignored of them is told."""
    if isinstance(read, AgentMemError):
        yield wrong_by("configuration", read, "agentmem-mcp config check")
        return
    files = [str(file.path) for file in read.files if file.exists]
    yield fine("configuration", ", ".join(files) or "no file, so the defaults hold")
    for warning in read.warnings:
        yield look("configuration", warning, "agentmem-mcp config trust, if you wrote that file")
    if read.settings.sharing.identities and find_spec("sigstore") is None:
        told = "[sharing.identities] trusts signatures by Sigstore, whose library is not installed: they count as none"
        yield wrong("configuration", told, EXTRA)


async def walls(own: Folders) -> Finding:
    """Which walls a worker on this kernel has."""
    with tempfile.TemporaryDirectory(prefix="agentmem-doctor-") as scratch:
        (Path(scratch) / "nothing.wasm").write_bytes(NOTHING)
        host = PluginHost(Settings(), PluginFolders((), (Path(scratch),)), cache=own.cache, launch=Launch(looking=True))
        try:
            async with host:
                facts = await host.warm("nothing")
        except AgentMemError as error:
            return wrong_by("walls", error, "agentmem-mcp serve, and look at its log")
    up: dict[str, Any] = facts["walls"]
    missing = sorted(name for name, value in up.items() if not value)
    told = ", ".join(f"{name} {value}" if type(value) is int else name for name, value in up.items() if value)
    if not missing:
        return fine("walls", f"{told}; engine {facts['engine']}")
    if sys.platform != "linux":
        return look("walls", f"up: {told}; Landlock and seccomp are Linux's", "run on Linux for the rest")
    fix = "Landlock needs Linux 5.13 and seccomp x86-64 or aarch64; in a container, allow both; see docs/sandbox.md"
    return look("walls", f"not up: {', '.join(missing)}; up: {told}", fix)


async def plugins(
    settings: Settings, where: PluginFolders, own: Folders, launch: Launch, tell: Tell, *, compiling: bool
) -> None:
    """Every plugin that is found: its manifest, its imports within its rights, its module through the compiler."""
    logging.disable(logging.WARNING)  # what is held back is a finding
    try:
        async with PluginHost(settings, where, cache=own.cache, data=own.data, launch=launch) as host:
            if not host.registry.records:
                tell(look("plugins", "none is found", "agentmem-mcp plugin list --plugins DIR"))
            for record in host.list_plugins():
                tell(await _plugin(host, record, compiling=compiling))
                for finding in approvals(record):
                    tell(finding)
    except AgentMemError as error:
        tell(wrong_by("plugins", error, "agentmem-mcp plugin list"))
    finally:
        logging.disable(logging.NOTSET)


async def _plugin(host: PluginHost, record: PluginRecord, *, compiling: bool) -> Finding:
    examples = host.folders == example_folders()
    if isinstance(record.error, PluginDisabled):
        return look("plugins", f"{record.id}: disabled", record.error.fix)
    if record.error is not None and not record.serving:
        if examples and isinstance(record.error, CapabilityDenied):  # nobody has asked for this one yet
            return look("plugins", f"{record.id}, an example: {record.error.message}", record.error.fix)
        return wrong_by("plugins", record.error, f"look at {record.path}")
    what = f"{record.id}: imports are within its rights"
    if compiling:
        try:
            await host.warm(record.id)
        except AgentMemError as error:
            return wrong_by("plugins", error, f"compile the module of {record.id} anew")
        what += ", and it compiles"
    if record.notes:
        return look("plugins", f"{what}; {'; '.join(record.notes)}")
    return fine("plugins", what)


def approvals(record: PluginRecord) -> Iterator[Finding]:
    """Its digests are those in ``plugins.lock``, where they must be."""
    verdict = record.approval
    if verdict is None:
        return
    if verdict.trouble is not None:
        yield wrong_by("approvals", verdict.trouble, "agentmem-mcp plugin pending")
    elif not verdict.may_run:
        changed = f" changed: {', '.join(verdict.parts)}" if verdict.parts else " was never approved"
        fix = verdict.fix or f"agentmem-mcp plugin approve {record.id}"
        yield wrong("approvals", f"{record.id} is not what plugins.lock has:{changed}", fix)
    elif verdict.entry is not None:
        yield fine("approvals", f"{record.id}: as approved at {verdict.entry.approved_at}")
