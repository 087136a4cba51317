"""``inspect``: what a module is, and the manifest that it could have."""

from __future__ import annotations

from pathlib import Path

import anyio

from mcp_server.authoring.inspection import Inspection, inspect_module
from mcp_server.authoring.proposal import propose_manifest, write_manifest
from mcp_server.authoring.telling import ask_module
from mcp_server.cli.output import print_json
from mcp_server.errors import ModuleError
from mcp_server.telemetry.logs import set_up_logging

__all__ = ["inspect"]


def inspect(path: Path, *, run: bool, write: bool, force: bool, json: bool, quiet: bool) -> None:
    """Look at the module, print what was found, and write its manifest where that is wanted."""
    set_up_logging("error", "text")  # that a right is denied is no news here
    found = inspect_module(path)
    if run:
        found = anyio.run(ask_module, found)
    try:
        proposal, unfit = propose_manifest(found), None
    except ModuleError as error:
        proposal, unfit = "", error
    target = path.parent / "plugin.toml"
    if write:
        if unfit is not None:
            raise unfit
        write_manifest(target, proposal, force=force)
    if json:
        written = str(target) if write else None
        print_json({**found.as_dict(), "proposal": proposal or None, "written": written})
    elif not quiet:
        _print(found)
        if write:
            print(f"\nwrote {target}")
        else:
            print(f"\nproposed plugin.toml (--write puts it into {path.parent}):\n")
            print(proposal or f"# none: {unfit}")


def _print(found: Inspection) -> None:
    module = found.module
    facts = found.as_dict()
    tools = set(module.tool_exports())
    others = [item.name for item in module.exports if item.name not in tools]
    rows = {
        "file": f"{found.path}, {module.size:,} bytes, sha256 {module.sha256}",
        "toolchain": ", ".join(_producer(p.name, p.version) for p in found.producers) or "it does not say",
        "capabilities": ", ".join(facts["capabilities"]) or "none",
        "host functions": ", ".join(_owned(name, owner) for name, owner in found.host.items()) or "none",
        "WASI": ", ".join(found.wasi) or "no",
        "Extism kernel": ", ".join(found.kernel) or "no",
        "other imports": ", ".join(found.foreign) or "none",
        "tools": ", ".join(module.tool_exports()) or "none",
        "other exports": ", ".join(others) or "none",
        "memory": ", ".join(_memory(memory.minimum, memory.maximum) for memory in module.memories) or "none",
        "functions": f"{module.function_count:,}" + (", one runs at the start" if module.has_start else ""),
        "sections": ", ".join(f"{section.name} {section.size:,}" for section in module.sections),
        "metadata": _metadata(found),
    }
    width = max(map(len, rows))
    for name, text in rows.items():
        print(f"{name:<{width}}  {text}")


def _producer(name: str, version: str) -> str:
    return f"{name} {version}".strip()


def _owned(name: str, capability: str) -> str:
    return f"{name} ({capability or 'which this host does not offer'})"


def _memory(minimum: int, maximum: int | None) -> str:
    most = f"at most {maximum * 64:,} KiB" if maximum is not None else "no maximum of its own"
    return f"{minimum * 64:,} KiB at the start, {most}"


def _metadata(found: Inspection) -> str:
    if found.silence:
        return f"it answers with {found.silence}"
    if found.metadata is None:
        return "no answer"
    said = [f"{key} {found.metadata[key]}" for key in ("name", "version", "plugin_type") if key in found.metadata]
    return ", ".join(said) or "an object without a name"
