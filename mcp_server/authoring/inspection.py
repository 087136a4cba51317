"""What a module is, said for a person: what it needs of the host, what it offers, how large it is, what made it.

It reads bytes; what the module says of itself when it runs is :mod:`.telling`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mcp_server.errors import ModuleError
from mcp_server.policy.rights import CAPABILITIES, HOST_FUNCTIONS, HOST_MODULES, Capability
from mcp_server.registry.module_file import KERNEL_MODULE, WASI_MODULE
from mcp_server.wasm import Module, Producer, read_module, read_producers

__all__ = ["Inspection", "inspect_module", "needed_capabilities", "read_file"]

PAGE = 65_536


@dataclass(frozen=True, slots=True)
class Inspection:
    """One module, looked at.

    Attributes:
        path: The file.
        module: What its bytes declare.
        producers: What it says that it was made with.
        metadata: What its own ``metadata`` or ``describe`` answered; None where it has none or was not asked.
        silence: Why there is no answer, where it has such a function.
    """

    path: Path
    module: Module
    producers: tuple[Producer, ...]
    metadata: Mapping[str, Any] | None = None
    silence: str = ""

    @property
    def wasi(self) -> tuple[str, ...]:
        """The WASI functions it imports."""
        return tuple(dict.fromkeys(item.name for item in self.module.imports if item.module == WASI_MODULE))

    @property
    def kernel(self) -> tuple[str, ...]:
        """The functions of Extism's kernel that it imports."""
        return tuple(item.name for item in self.module.imports if item.module == KERNEL_MODULE)

    @property
    def host(self) -> dict[str, str]:
        """The host functions it imports, each with its capability; an empty one where this host offers none."""
        names = [item.name for item in self.module.imports if item.module in HOST_MODULES]
        return {name: HOST_FUNCTIONS.get(name, "") for name in names}

    @property
    def foreign(self) -> tuple[str, ...]:
        """Imports that no host of plugins has."""
        known = {*HOST_MODULES, KERNEL_MODULE, WASI_MODULE}
        return tuple(f"{item.module}.{item.name}" for item in self.module.imports if item.module not in known)

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON; sizes in bytes, memory in pages of 64 KiB."""
        module = self.module
        callable_names = set(module.callable_exports())
        return {
            "file": str(self.path),
            "bytes": module.size,
            "sha256": module.sha256,
            "imports": {
                "host": self.host,
                "kernel": list(self.kernel),
                "wasi": list(self.wasi),
                "foreign": list(self.foreign),
            },
            "capabilities": list(needed_capabilities(module)),
            "exports": [
                {"name": item.name, "kind": item.kind, "callable": item.name in callable_names}
                for item in module.exports
            ],
            "tools": list(module.tool_exports()),
            "limits": {
                "memory_pages": [[memory.minimum, memory.maximum] for memory in module.memories],
                "table_elements": [[table.minimum, table.maximum] for table in module.tables],
                "functions": module.function_count,
                "start_function": module.has_start,
            },
            "toolchain": [asdict(producer) for producer in self.producers],
            "sections": [asdict(section) for section in module.sections],
            "metadata": self.metadata,
            "metadata_problem": self.silence or None,
        }


def needed_capabilities(module: Module) -> tuple[Capability, ...]:
    """The capabilities of the host functions that ``module`` imports, in the order of the table."""
    names = {item.name for item in module.imports if item.module in HOST_MODULES}
    needed = {HOST_FUNCTIONS[name] for name in names if name in HOST_FUNCTIONS}
    return tuple(capability for capability in CAPABILITIES if capability in needed)


def read_file(path: Path) -> bytes:
    """The bytes of a module.

    Raises:
        ModuleError: There is no such file, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModuleError(
            f"{path} cannot be read: {error.strerror or error}", fix="name a .wasm file; `agentmem-mcp build` makes one"
        ) from None


def inspect_module(path: Path) -> Inspection:
    """Look at the module in the file ``path``, without running it.

    Raises:
        ModuleError: It is no module that this host runs, or cannot be read.
    """
    data = read_file(path)
    return Inspection(path, read_module(data), read_producers(data))
