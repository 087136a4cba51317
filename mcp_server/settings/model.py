"""The shape of the configuration as frozen values: every section and key that an operator can set, with its default.

Where the values come from, and which place wins, is in :mod:`.layers`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mcp_server.policy.embeddings import EmbeddingSettings
from mcp_server.policy.file_limits import FileLimits, FileMegabytes, Operations
from mcp_server.policy.http_limits import AtOnce, BodyMegabytes, Burst, PerSecond, Requests
from mcp_server.policy.limits import limit_problems
from mcp_server.policy.llm import LlmGrant, LlmSettings
from mcp_server.policy.network import NetworkGrant, NetworkLimits, intersect
from mcp_server.policy.paths import path_problems
from mcp_server.policy.plugin_config import reference_problems
from mcp_server.policy.rights import CAPABILITIES, STORAGE_QUOTA
from mcp_server.problems import did_you_mean, json_problems
from mcp_server.settings.http import HttpSettings
from mcp_server.settings.principals import PrincipalSettings
from mcp_server.settings.sharing import SharingSettings
from mcp_server.settings.whole_paths import whole_paths

__all__ = ["AuditSettings", "FolderSection", "Grant", "MemorySettings", "PluginSettings", "Settings"]

MIB = 1024 * 1024


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RuntimeSettings(_Section):
    """``[runtime]``: worker processes and how much may run at one time."""

    max_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=64)
    idle_seconds: float = Field(default=60.0, gt=0)
    drain_seconds: float = Field(default=10.0, ge=0)
    max_calls_per_principal: int = Field(default=32, ge=1, le=4_096)
    max_queued_per_principal: int = Field(default=128, ge=0, le=65_536)
    compiled_cache_mb: int = Field(default=1_024, ge=1)
    fast_lane: bool = True
    uvloop: bool = True


class LogSettings(_Section):
    """``[log]``: what goes to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class ApprovalSettings(_Section):
    """``[approval]``: whose plugins must be approved before they, or a change of them, run."""

    mode: Literal["trust-on-first-use", "required", "off"] = "trust-on-first-use"
    trusted_folders: tuple[Path, ...] = ()


class AuditSettings(_Section):
    """``[audit]``: the record of what plugins were allowed and did."""

    enabled: bool = True
    max_file_mb: int = Field(default=16, ge=1, le=1_024)
    keep_files: int = Field(default=8, ge=2, le=1_000)


class SecretSettings(_Section):
    """``[secrets]``: where the values of secrets are, beside the environment."""

    keyring: bool = False


class NetworkSection(_Section):
    """``[grants.<plugin id>.network]``: URL patterns, address ranges and secrets, as ``docs/network.md`` has them."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    secrets: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    trace: bool = True
    requests_per_call: Requests = 100
    requests_at_once: AtOnce = 6
    requests_per_second: PerSecond = 20.0
    burst: Burst = 100
    max_request_mb: BodyMegabytes = 4
    max_response_mb: BodyMegabytes = 4

    @model_validator(mode="after")
    def _readable(self) -> NetworkSection:
        try:
            intersect((), self.rules())
        except ValueError as error:
            raise ValueError(str(error)) from None
        return self

    def rules(self) -> NetworkGrant:
        """The value that ``policy.network`` judges by."""
        return NetworkGrant(self.allow, self.deny, self.ranges, self.secrets)

    def limits(self) -> NetworkLimits:
        """The numbers of the plugin's requests."""
        return NetworkLimits(
            requests=self.requests_per_call,
            at_once=self.requests_at_once,
            request_bytes=self.max_request_mb * MIB,
            response_bytes=self.max_response_mb * MIB,
            rate_per_second=self.requests_per_second,
            burst=self.burst,
        )


class FolderSection(_Section):
    """One of ``[grants.<plugin id>.filesystem] roots``: a folder and the name a plugin knows it by."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    folder: Path
    mode: Literal["read", "write"] = "read"
    hard_links: bool = False


class FilesystemSection(_Section):
    """``[grants.<plugin id>.filesystem]``: the folders a plugin may see, and paths that beat them."""

    roots: tuple[FolderSection, ...] = ()
    deny: tuple[str, ...] = ()
    operations_per_call: Operations = 1_000
    max_read_mb: FileMegabytes = 10
    max_write_mb: FileMegabytes = 10

    @field_validator("deny")
    @classmethod
    def _readable(cls, deny: tuple[str, ...]) -> tuple[str, ...]:
        problems = path_problems(deny)
        if problems:
            raise ValueError("; ".join(problems))
        return deny

    def limits(self) -> FileLimits:
        """The numbers of one call's file operations."""
        return FileLimits(self.operations_per_call, self.max_read_mb * MIB, self.max_write_mb * MIB)


class StorageSection(_Section):
    """``[grants.<plugin id>.storage]``: how much a plugin may keep for each principal."""

    quota_mb: int = Field(default=STORAGE_QUOTA // MIB, ge=1, le=65_536)


class Grant(_Section):
    """``[grants.<plugin id>]``: what the operator allows beyond the defaults, and what not even they allow."""

    capabilities: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    ask: bool = False
    ask_always: bool = False
    hooks: bool = False
    memories: Literal["own", "principal"] = "own"
    network: NetworkSection = NetworkSection()
    filesystem: FilesystemSection = FilesystemSection()
    llm: LlmGrant = LlmGrant()
    storage: StorageSection = StorageSection()

    @field_validator("capabilities", "deny")
    @classmethod
    def _known(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        for word in words:
            if word not in CAPABILITIES:
                raise ValueError(f"'{word}' is no capability{did_you_mean(word, CAPABILITIES)}")
        return words


class PluginSettings(_Section):
    """``[plugins.<plugin id>]``: how the operator wants one plugin run, if at all."""

    enabled: bool = True
    isolation: Literal["call", "session", "shared"] | None = None
    limits: dict[str, int] = Field(default_factory=dict)

    @field_validator("limits")
    @classmethod
    def _known(cls, limits: dict[str, int]) -> dict[str, int]:
        problems = limit_problems(limits)
        if problems:
            raise ValueError("; ".join(problems))
        return limits


class MemorySettings(_Section):
    """``[memory]``: the memory engine and its own face."""

    tools: bool = True
    embeddings: EmbeddingSettings = EmbeddingSettings()


class TrustSettings(_Section):
    """``[trust]``: the folders whose ``agentmem.toml`` may grant; never read from such a file itself."""

    folders: tuple[Path, ...] = ()

    _whole = field_validator("folders")(whole_paths)


class Settings(_Section):
    """The whole configuration file."""

    runtime: RuntimeSettings = RuntimeSettings()
    log: LogSettings = LogSettings()
    llm: LlmSettings = LlmSettings()
    approval: ApprovalSettings = ApprovalSettings()
    audit: AuditSettings = AuditSettings()
    memory: MemorySettings = MemorySettings()
    http: HttpSettings = HttpSettings()
    secrets: SecretSettings = SecretSettings()
    trust: TrustSettings = TrustSettings()
    sharing: SharingSettings = SharingSettings()
    grants: dict[str, Grant] = Field(default_factory=dict)
    principals: dict[str, PrincipalSettings] = Field(default_factory=dict)
    plugins: dict[str, PluginSettings] = Field(default_factory=dict)
    config: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @field_validator("config")
    @classmethod
    def _json(cls, config: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        problems = json_problems(config, "config")
        for plugin, values in config.items() if not problems else ():
            problems += reference_problems(values, f"config.{plugin}")
        if problems:
            raise ValueError("; ".join(problems))
        return config

    @model_validator(mode="after")
    def _coherent(self) -> Settings:
        for plugin, grant in self.grants.items():
            grant.llm.check(plugin, self.llm)
        return self
