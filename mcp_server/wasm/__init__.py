"""WebAssembly core modules as bytes: what they declare, and whether this host takes them.

It is the first look at a stranger's file, in the server process, so it only reads: bounded in time and memory, every
refusal a `ModuleError` that names the byte. It is not an engine, does not validate instructions, grants nothing (what
an import means is for policy to say) and knows no plugin, only files.
"""

from mcp_server.wasm.limits import DEFAULT_LIMITS, ModuleLimits
from mcp_server.wasm.module import Module, read_module
from mcp_server.wasm.producers import Producer, read_producers
from mcp_server.wasm.types import (
    Export,
    ExternKind,
    ExternType,
    FuncType,
    GlobalType,
    Import,
    MemoryType,
    Section,
    TableType,
)

__all__ = [
    "DEFAULT_LIMITS",
    "Export",
    "ExternKind",
    "ExternType",
    "FuncType",
    "GlobalType",
    "Import",
    "MemoryType",
    "Module",
    "ModuleLimits",
    "Producer",
    "Section",
    "TableType",
    "read_module",
    "read_producers",
]
