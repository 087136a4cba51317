"""``[sharing]``: where plugins are fetched from, and whose signature counts. Grants and approves nothing."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mcp_server.settings.whole_paths import whole_paths

__all__ = ["SharingSettings", "TrustedIdentity"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_KEY = re.compile(r"RW[A-Za-z0-9+/]{54}")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?")


class TrustedIdentity(BaseModel):
    """Who signs by Sigstore: exactly that identity, as exactly that issuer vouched for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    identity: str = Field(pattern=r"^\S{1,512}$")
    issuer: str = Field(pattern=r"^https?://\S{1,500}$")

    def __str__(self) -> str:
        return f"{self.identity} via {self.issuer}"  # no blank is in either


class SharingSettings(BaseModel):
    """Read by the commands that fetch, check and publish packages; a server judges by it what is sent to it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    indexes: dict[str, str] = Field(default_factory=dict)
    origins: tuple[str, ...] = ()
    keys: dict[str, str] = Field(default_factory=dict)
    identities: dict[str, TrustedIdentity] = Field(default_factory=dict)
    sigstore_trust: Path | None = None
    require_signature: bool = False
    credentials: dict[str, str] = Field(default_factory=dict)
    ranges: tuple[str, ...] = ()
    plain_http: tuple[str, ...] = ()
    idle_seconds: float = Field(default=30.0, gt=0, le=3_600)
    total_seconds: float = Field(default=600.0, gt=0, le=86_400)

    @field_validator("indexes", "keys", "identities")
    @classmethod
    def _named(cls, table: dict[str, object]) -> dict[str, object]:
        for name in table:
            if not _NAME.fullmatch(name):
                raise ValueError(f"'{name}' is no name; use letters, digits, '.', '_', '@' and '-'")
        return table

    @field_validator("sigstore_trust")
    @classmethod
    def _whole(cls, path: Path | None) -> Path | None:
        return whole_paths((path,))[0] if path else None

    @field_validator("indexes")
    @classmethod
    def _urls(cls, indexes: dict[str, str]) -> dict[str, str]:
        for url in indexes.values():
            if urlsplit(url).scheme not in ("https", "http"):
                raise ValueError(f"'{url}' is no URL of an index; write https://example.com/plugins/index.json")
        return indexes

    @field_validator("keys")
    @classmethod
    def _keys(cls, keys: dict[str, str]) -> dict[str, str]:
        for name, key in keys.items():
            if not _KEY.fullmatch(key):
                raise ValueError(f"the key of '{name}' is no public key of minisign, one line of 56 characters: RW…")
        return keys

    @field_validator("origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}":
                raise ValueError(f"'{origin}' is no origin; write https://files.example.com, without a path")
        return tuple(origin.lower() for origin in origins)

    @field_validator("ranges")
    @classmethod
    def _networks(cls, ranges: tuple[str, ...]) -> tuple[str, ...]:
        for text in ranges:
            ipaddress.ip_network(text)
        return ranges

    @field_validator("plain_http")
    @classmethod
    def _hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(f"'{host}' is no host; write registry.local:5000")
        return tuple(host.lower() for host in hosts)
