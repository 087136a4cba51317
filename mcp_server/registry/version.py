"""One version of one plugin, read and judged: manifest + module + rights + limits = something that can run.

Reading is all that happens here; no engine, no process. Whatever is wrong raises, and the caller lists it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from mcp_server.errors import IntegrityError, ManifestError, ModuleError
from mcp_server.manifest import load_manifest, lone_module_manifest
from mcp_server.manifest.load import LoadedManifest
from mcp_server.manifest.model import Manifest
from mcp_server.policy import network, paths
from mcp_server.policy.limits import LIMITS, Limits, exceeded, resolve_limits
from mcp_server.policy.llm import LlmRules
from mcp_server.policy.network import NetworkGrant
from mcp_server.policy.paths import FileGrant
from mcp_server.policy.rights import (
    HOST_MODULES,
    STORAGE_QUOTA,
    Capability,
    Rights,
    decide_rights,
    require_declared,
    require_granted,
)
from mcp_server.registry.discovery import Found
from mcp_server.runtime.runnable import Runnable
from mcp_server.wasm import FuncType, Import, Module, ModuleLimits, read_module
from mcp_server.wasm.exports import LIFECYCLE
from mcp_server.worker.frames import Mode

__all__ = ["Asking", "OperatorWord", "PluginVersion", "read_manifest", "read_version", "rights_of"]

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
_STRICTNESS = {Mode.SHARED: 0, Mode.SESSION: 1, Mode.CALL: 2}
_MODES = {"call": Mode.CALL, "session": Mode.SESSION, "shared": Mode.SHARED}


class Asking(Enum):
    """Whether the user is asked before a plugin runs, and whether the user may say that it always may."""

    NO = "no"
    ASK = "ask"
    MAY_KEEP = "may_keep"


@dataclass(frozen=True, slots=True)
class OperatorWord:
    """What the operator's configuration says about one plugin.

    Attributes:
        granted: Capabilities beyond the default ones.
        limits: ``[plugins.<id>.limits]`` by key.
        config: ``[config.<id>]``, laid over the manifest's ``[config]``.
        isolation: At least this strict, or None.
        denied: Capabilities that it must not have, whatever else is granted.
        network: URLs, address ranges and secrets.
        files: Folders it may see.
        denied_paths: Paths that beat every folder.
        asking: Whether the user is asked before it runs.
        llm: Aliases of language models, and budgets.
        storage_quota: Bytes of keys and values it may keep for each principal.
        hooks: Whether its hooks run.
        shares_memories: Whether it works on the principal's own memories.
    """

    granted: frozenset[Capability] = frozenset()
    limits: Mapping[str, int] = field(default_factory=dict[str, int])
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    isolation: str | None = None
    denied: frozenset[Capability] = frozenset()
    network: NetworkGrant = NetworkGrant()
    files: tuple[FileGrant, ...] = ()
    denied_paths: tuple[str, ...] = ()
    asking: Asking = Asking.NO
    llm: LlmRules = LlmRules()
    storage_quota: int = STORAGE_QUOTA
    hooks: bool = False
    shares_memories: bool = False


@dataclass(frozen=True, slots=True)
class PluginVersion:
    """A version that may run.

    Attributes:
        source: The manifest and where it lies.
        module: What the module declares.
        data: The module's bytes; let go once they are stored.
        rights: Requested, granted, effective.
        runnable: What the runtime loads.
        digest: sha256 over module and manifest: the identity of the version.
        word: What the operator said when it was judged.
    """

    source: LoadedManifest
    module: Module
    data: bytes = field(repr=False)
    rights: Rights
    runnable: Runnable
    digest: str
    word: OperatorWord


def read_manifest(found: Found, roots: Sequence[Path], host_version: str) -> LoadedManifest:
    """The manifest of a candidate.

    Raises:
        ManifestError: With every problem of the file.
    """
    if found.kind == "module":
        return lone_module_manifest(found.path)
    return load_manifest(found.path, roots=roots, host_version=host_version)


def read_version(source: LoadedManifest, word: OperatorWord) -> PluginVersion:
    """Read the module of ``source`` and decide what it may do.

    Raises:
        ModuleError: The file is no module this host runs, or misses a declared function.
        IntegrityError: It is not the pinned one.
        LimitExceeded: It is over a limit before it ever ran.
        CapabilityDenied: It imports, or requires, what it was not given.
    """
    manifest = source.manifest
    plugin = manifest.plugin.id
    limits = resolve_limits(manifest.limits, word.limits)
    data = _read_module_file(source.wasm)
    if len(data) > limits.module_bytes:
        raise exceeded("module_bytes", limits.module_bytes, plugin=plugin, used=len(data))
    sha256 = hashlib.sha256(data).hexdigest()
    _check_pin(source, sha256)
    module = read_module(data, _READER_LIMITS, sha256=sha256)
    _check_module_limits(module, limits, plugin)
    rights = rights_of(manifest, word)
    host = _check_imports(module.imports, rights, source)
    require_granted(plugin, rights)
    exports = module.callable_exports()
    _check_functions(source, exports)
    runnable = Runnable(
        plugin=plugin,
        digest=sha256,
        exports=exports,
        host=host,
        initial_pages=sum(memory.minimum for memory in module.memories),
        lifecycle=tuple(sorted(LIFECYCLE & set(exports))),
        config={**manifest.config, **word.config} if "ConfigAccess" in rights.effective else {},
        wasi=manifest.runtime.wasi,
        isolation=_isolation(manifest.runtime.isolation, word.isolation),
        limits=limits,
    )
    return PluginVersion(source, module, data, rights, runnable, _version_digest(source, sha256), word)


def rights_of(manifest: Manifest, word: OperatorWord) -> Rights:
    """Ceiling ∩ grant, down to hosts and paths."""
    asked: list[tuple[str, paths.Mode]] = [(rule.path, rule.mode) for rule in manifest.filesystem.allow]
    return decide_rights(
        manifest.capabilities.required,
        manifest.capabilities.optional,
        word.granted,
        denied=word.denied,
        network=network.intersect(manifest.network.allow, word.network),
        files=paths.intersect(asked, word.files, word.denied_paths),
        llm=word.llm,
        storage_quota=word.storage_quota,
        hooks=word.hooks,
        shares_memories=word.shares_memories,
    )


def _read_module_file(path: Path) -> bytes:
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
            raise exceeded(name, limit, plugin=plugin, used=used)


def _check_imports(imports: Sequence[Import], rights: Rights, source: LoadedManifest) -> tuple[tuple[str, str], ...]:
    """The host functions to link; everything else a module may import is the engine's own."""
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


def _check_functions(source: LoadedManifest, exports: Sequence[str]) -> None:
    """Every function that ``[[tools]]`` and ``[hooks]`` name must be there: a tool that can only fail is not shown."""
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


def _isolation(asked: str, least: str | None) -> Mode:
    modes = [_MODES[asked]] + ([_MODES[least]] if least else [])
    return max(modes, key=lambda mode: _STRICTNESS[mode])


def _version_digest(source: LoadedManifest, sha256: str) -> str:
    stated = source.manifest.model_dump_json().encode() if source.declared else b""
    schemas = "".join(repr((given.source, out.source if out else None)) for given, out in source.schemas).encode()
    return hashlib.sha256(sha256.encode() + b"\0" + stated + b"\0" + schemas).hexdigest()
