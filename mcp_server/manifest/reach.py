"""``[network]`` and ``[filesystem]`` of ``plugin.toml``: how far a plugin asks to reach at most, and how often."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from mcp_server.policy.file_limits import FileMegabytes, Operations
from mcp_server.policy.http_limits import AtOnce, BodyMegabytes, Burst, PerSecond, Requests
from mcp_server.policy.network import rule_problems
from mcp_server.policy.paths import path_problems

__all__ = ["FileRule", "FilesystemSection", "NetworkSection"]


class _Reach(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_serializer(mode="wrap")
    def _said(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # What is not said is left out: an approval and a digest stay what they were when a number is added here.
        return {key: value for key, value in serialize(self).items() if value is not None}

    def numbers(self) -> dict[str, float]:
        """Those that are said, by key."""
        return {key: value for key, value in self if key != "allow" and value is not None}


class NetworkSection(_Reach):
    """``[network]``: URL patterns the plugin may at most ask for, and the most requests it makes."""

    allow: tuple[str, ...] = ()
    requests_per_call: Requests | None = None
    requests_at_once: AtOnce | None = None
    requests_per_second: PerSecond | None = None
    burst: Burst | None = None
    max_request_mb: BodyMegabytes | None = None
    max_response_mb: BodyMegabytes | None = None

    @field_validator("allow")
    @classmethod
    def _readable(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        problems = rule_problems(allow)
        if problems:
            raise ValueError("; ".join(problems))
        return allow


class FileRule(BaseModel):
    """One entry of ``[filesystem] allow``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    path: str
    mode: Literal["read", "write"] = "read"

    @field_validator("path")
    @classmethod
    def _readable(cls, path: str) -> str:
        problems = path_problems([path])
        if problems:
            raise ValueError("; ".join(problems))
        return path


class FilesystemSection(_Reach):
    """``[filesystem]``: paths the plugin may at most ask for, and the most it does with them."""

    allow: tuple[FileRule, ...] = ()
    operations_per_call: Operations | None = None
    max_read_mb: FileMegabytes | None = None
    max_write_mb: FileMegabytes | None = None
