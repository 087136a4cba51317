"""``[http]``: who may reach the HTTP server under which names, and how much of it anybody gets."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mcp_server.settings.oauth import OAuthSettings
from mcp_server.settings.whole_paths import whole_paths

__all__ = ["HttpSettings"]

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:([0-9]{1,5}|\*))?")


class HttpSettings(BaseModel):
    """Read when the server starts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    sse: bool = True
    local_token: bool = True
    header_seconds: float = Field(default=10.0, gt=0, le=600)
    body_seconds: float = Field(default=30.0, gt=0, le=3_600)
    idle_seconds: float = Field(default=5.0, gt=0, le=3_600)
    max_body_kb: int = Field(default=4_096, ge=1, le=65_536)
    max_upload_mb: int = Field(default=64, ge=1, le=64)
    upload_seconds: float = Field(default=300.0, gt=0, le=3_600)
    plugin_roots: tuple[Path, ...] = ()
    max_connections: int = Field(default=1_000, ge=1, le=65_536)
    max_requests: int = Field(default=1_000, ge=1, le=65_536)
    max_requests_per_principal: int = Field(default=256, ge=1, le=65_536)
    max_streams_per_principal: int = Field(default=64, ge=1, le=65_536)
    requests_per_second: float = Field(default=500.0, gt=0, le=1_000_000)
    burst: int = Field(default=1_000, ge=1, le=1_000_000)
    max_sessions: int = Field(default=1_000, ge=1, le=100_000)
    max_sessions_per_principal: int = Field(default=256, ge=1, le=100_000)
    recheck_seconds: float = Field(default=15.0, gt=0, le=3_600)
    session_idle_seconds: float = Field(default=1_800.0, gt=0, le=86_400)
    page: bool = True
    page_idle_seconds: float = Field(default=1_800.0, gt=0, le=86_400)
    page_total_seconds: float = Field(default=43_200.0, gt=0, le=604_800)
    oauth: OAuthSettings = OAuthSettings()

    _whole = field_validator("plugin_roots")(whole_paths)

    @field_validator("hosts")
    @classmethod
    def _names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(f"'{host}' is no host; write mcp.example.com, mcp.example.com:8443 or [::1]:*")
        return tuple(host.lower() for host in hosts)

    @field_validator("origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or not parts.hostname
                or origin != f"{parts.scheme}://{parts.netloc}"
            ):
                raise ValueError(f"'{origin}' is no origin; write https://app.example.com, without a path")
        return tuple(origin.lower() for origin in origins)
