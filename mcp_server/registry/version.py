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

from mcp_server.errors import ConfigInvalid
from mcp_server.manifest import load_manifest, lone_module_manifest
from mcp_server.manifest.load import LoadedManifest
from mcp_server.manifest.model import Manifest
from mcp_server.policy import network, paths
from mcp_server.policy.limits import resolve_limits
from mcp_server.policy.llm import LlmRules
from mcp_server.policy.network import NetworkGrant, NetworkLimits
from mcp_server.policy.paths import FileGrant, FileLimits
from mcp_server.policy.plugin_config import merged, named_secrets, unnamed
from mcp_server.policy.rights import (
    STORAGE_QUOTA,
    Capability,
    Rights,
    decide_rights,
    require_granted,
)
from mcp_server.registry.discovery import Found
from mcp_server.registry.errors import PluginDisabled
from mcp_server.registry.module_file import check_functions, linked_functions, read_module_file
from mcp_server.runtime.runnable import Runnable
from mcp_server.wasm import Module
from mcp_server.wasm.exports import LIFECYCLE
from mcp_server.worker.frames import Mode

__all__ = ["Asking", "OperatorWord", "PluginVersion", "read_manifest", "read_version", "rights_of"]

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
        http_limits: The numbers of its requests.
        file_limits: Those of its file operations.
        files: Folders it may see.
        denied_paths: Paths that beat every folder.
        asking: Whether the user is asked before it runs.
        llm: Aliases of language models, and budgets.
        storage_quota: Bytes of keys and values it may keep for each principal.
        hooks: Whether its hooks run.
        shares_memories: Whether it works on the principal's own memories.
        sends_trace: Whether its HTTP requests carry the trace context.
        enabled: Whether it may run at all.
        config_secrets: The only secrets that ``config`` may name; None: all that it does.
    """

    granted: frozenset[Capability] = frozenset()
    limits: Mapping[str, int] = field(default_factory=dict[str, int])
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    isolation: str | None = None
    denied: frozenset[Capability] = frozenset()
    network: NetworkGrant = NetworkGrant()
    http_limits: NetworkLimits = NetworkLimits()
    file_limits: FileLimits = FileLimits()
    files: tuple[FileGrant, ...] = ()
    denied_paths: tuple[str, ...] = ()
    asking: Asking = Asking.NO
    llm: LlmRules = LlmRules()
    storage_quota: int = STORAGE_QUOTA
    hooks: bool = False
    shares_memories: bool = False
    sends_trace: bool = True
    enabled: bool = True
    config_secrets: frozenset[str] | None = None


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
        PluginDisabled: The operator has switched it off.
        ModuleError: The file is no module this host runs, or misses a declared function.
        IntegrityError: It is not the pinned one.
        LimitExceeded: It is over a limit before it ever ran.
        CapabilityDenied: It imports, or requires, what it was not given.
        ConfigInvalid: Its configuration is not what its schema says.
    """
    manifest = source.manifest
    plugin = manifest.plugin.id
    if not word.enabled:
        raise PluginDisabled(plugin)
    limits = resolve_limits(manifest.limits, word.limits)
    data, module = read_module_file(source, limits)
    rights = rights_of(manifest, word)
    host = linked_functions(module.imports, rights, source)
    require_granted(plugin, rights)
    exports = module.callable_exports()
    check_functions(source, exports)
    runnable = Runnable(
        plugin=plugin,
        digest=module.sha256,
        exports=exports,
        host=host,
        initial_pages=sum(memory.minimum for memory in module.memories),
        lifecycle=tuple(sorted(LIFECYCLE & set(exports))),
        config=_config(source, word) if "ConfigAccess" in rights.effective else {},
        wasi=manifest.runtime.wasi,
        isolation=_isolation(manifest.runtime.isolation, word.isolation),
        limits=limits,
    )
    return PluginVersion(source, module, data, rights, runnable, _version_digest(source, module.sha256), word)


def rights_of(manifest: Manifest, word: OperatorWord) -> Rights:
    """Ceiling ∩ grant, down to hosts and paths."""
    asked: list[tuple[str, paths.Mode]] = [(rule.path, rule.mode) for rule in manifest.filesystem.allow]
    return decide_rights(
        manifest.capabilities.required,
        manifest.capabilities.optional,
        word.granted,
        denied=word.denied,
        network=network.intersect(manifest.network.allow, word.network, word.http_limits, manifest.network.numbers()),
        files=paths.intersect(asked, word.files, word.denied_paths, word.file_limits, manifest.filesystem.numbers()),
        llm=word.llm,
        storage_quota=word.storage_quota,
        sends_trace=word.sends_trace,
        hooks=word.hooks,
        shares_memories=word.shares_memories,
    )


def _config(source: LoadedManifest, word: OperatorWord) -> dict[str, Any]:
    """The author's values under the operator's, checked; a secret fits wherever its schema wants a text."""
    config = merged(source.manifest.config, word.config, word.config_secrets)
    schema = source.config_schema
    secrets = {path.replace(".", "/") for path, _ in named_secrets(config)}
    problems = schema.problems(unnamed(config)) if schema else []
    problems = [problem for problem in problems if problem.partition(":")[0] not in secrets]
    if problems:
        plugin = source.manifest.plugin.id
        raise ConfigInvalid(
            f"the configuration of plugin '{plugin}' is not what its config_schema says: {'; '.join(problems)}",
            fix=f"set these keys under [config.{plugin}] (`agentmem-mcp config show --origin` says where they are set)",
            data={"plugin": plugin, "problems": problems},
        )
    return config


def _isolation(asked: str, least: str | None) -> Mode:
    modes = [_MODES[asked]] + ([_MODES[least]] if least else [])
    return max(modes, key=lambda mode: _STRICTNESS[mode])


def _version_digest(source: LoadedManifest, sha256: str) -> str:
    stated = source.manifest.model_dump_json().encode() if source.declared else b""
    schemas = "".join(repr((given.source, out.source if out else None)) for given, out in source.schemas).encode()
    schemas += repr(source.config_schema.source).encode() if source.config_schema else b""
    return hashlib.sha256(sha256.encode() + b"\0" + stated + b"\0" + schemas).hexdigest()
