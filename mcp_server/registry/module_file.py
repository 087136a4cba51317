"""The module file of a plugin: read, and held against its manifest, its limits and its rights, without an engine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from mcp_server.errors import IntegrityError, ManifestError, ModuleError
from mcp_server.manifest.load import LoadedManifest
from mcp_server.policy.limits import LIMITS, Limits, exceeded
from mcp_server.policy.rights import HOST_MODULES, Rights, require_declared
from mcp_server.wasm import FuncType, Import, Module, ModuleLimits, read_module

__all__ = ["check_functions", "linked_functions", "read_module_file"]

KERNEL_MODULE = "extism:host/env"
WASI_MODULE = "wasi_snapshot_preview1"
_HOST_SIGNATURE = FuncType(("i64",), ("i64",))
_HARD = {spec.name: spec.hard * spec.scale for spec in LIMITS}
_READER_LIMITS = ModuleLimits(
    max_bytes=_HARD["module_bytes"],
    max_functions=_HARD["functions"],
    max_table_elements=_HARD["table_elements"],
    max_memory_pages=_HARD["memory"] // 65_536,
)


def read_module_file(source: LoadedManifest, limits: Limits) -> tuple[bytes, Module]:
    """The bytes of the module of ``source``, and what they declare.

    Raises:
        ModuleError: The file is no module this host runs.
        IntegrityError: It is not the pinned one.
        LimitExceeded: It is over a limit before it ever ran.
    """
    plugin = source.manifest.plugin.id
    data = _bytes_of(source.wasm)
    if len(data) > limits.module_bytes:
        raise exceeded("module_bytes", limits, plugin=plugin, used=len(data))
    sha256 = hashlib.sha256(data).hexdigest()
    _check_pin(source, sha256)
    module = read_module(data, _READER_LIMITS, sha256=sha256)
    _check_module_limits(module, limits, plugin)
    return data, module


def linked_functions(imports: Sequence[Import], rights: Rights, source: LoadedManifest) -> tuple[tuple[str, str], ...]:
    """The host functions to link; everything else a module may import is the engine's own.

    Raises:
        ModuleError: It imports what this host does not offer, or not as a host function.
        CapabilityDenied: It imports what its manifest does not declare.
    """
    plugin = source.manifest.plugin.id
    host: list[tuple[str, str]] = []
    for item in imports:
        if item.module in HOST_MODULES:
            host.append((item.module, item.name))
            if item.kind != "func" or item.type != _HOST_SIGNATURE:
                raise ModuleError(
                    f"plugin '{plugin}' imports '{item.module}' '{item.name}' as {item.kind} {item.type}; "
                    f"host functions are func {_HOST_SIGNATURE}: one JSON string in, one out",
                    fix="declare it with a PDK, as a function from one memory handle to another",
                )
        elif item.module == WASI_MODULE:
            if not source.manifest.runtime.wasi:
                raise ModuleError(
                    f"plugin '{plugin}' imports '{item.name}' of WASI, which its manifest does not ask for",
                    fix="add [runtime] wasi = true to its plugin.toml (gives it a clock and random numbers, no files)",
                )
        elif item.module != KERNEL_MODULE:
            raise ModuleError(
                f"plugin '{plugin}' imports '{item.module}' '{item.name}'; this host offers the modules "
                f"{', '.join((*HOST_MODULES, KERNEL_MODULE))} and, on request, {WASI_MODULE}",
                fix="build the module for Extism, with one of its PDKs",
            )
    require_declared(plugin, rights, host)
    return tuple(dict.fromkeys(host))


def check_functions(source: LoadedManifest, exports: Sequence[str]) -> None:
    """Every function that ``[[tools]]`` and ``[hooks]`` name must be there: a tool that can only fail is not shown.

    Raises:
        ManifestError: With each that is not.
    """
    problems: list[str] = []
    for index, tool in enumerate(source.manifest.tools):
        function = "process" if tool.operation is not None else tool.function
        if function not in exports:
            problems.append(
                f"tools[{index}].function: '{source.wasm.name}' has no callable export '{function}' "
                f"(it has: {', '.join(exports) or 'none'})"
            )
    for point, hook in source.manifest.hooks.entries():
        if hook.function not in exports:
            problems.append(
                f"hooks.{point}: '{source.wasm.name}' has no callable export '{hook.function}' "
                f"(it has: {', '.join(exports) or 'none'})"
            )
    if problems:
        raise ManifestError(str(source.path), problems)


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > _HARD["module_bytes"]:
            raise ModuleError(f"'{path.name}' is {path.stat().st_size} bytes long; no module may be over 64 MiB")
        return path.read_bytes()
    except OSError as error:
        raise ModuleError(f"'{path.name}' cannot be read: {error.strerror}", fix=f"look at {path}") from None


def _check_pin(source: LoadedManifest, sha256: str) -> None:
    pinned = source.manifest.plugin.sha256
    if pinned is not None and pinned != sha256:
        raise IntegrityError(
            f"'{source.wasm.name}' has the sha256 {sha256}, but the manifest pins {pinned}",
            fix=f"if the new module is wanted, set plugin.sha256 in {source.path}",
        )


def _check_module_limits(module: Module, limits: Limits, plugin: str) -> None:
    elements = sum(table.minimum for table in module.tables)
    pages = sum(memory.minimum for memory in module.memories)
    for name, used, limit in (
        ("functions", module.function_count, limits.functions),
        ("table_elements", elements, limits.table_elements),
        # Twice: the engine instantiates only what fits into the budget it then gives the guest once more, so a module
        # that starts with more than half of its limit would load and fail every call with "oom".
        ("memory", 2 * pages * 65_536, limits.memory),
    ):
        if used > limit:
            raise exceeded(name, limits, plugin=plugin, used=used)
