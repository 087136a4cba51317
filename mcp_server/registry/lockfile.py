"""``plugins.lock``: what was approved, by digest, one entry per plugin id. Reads and writes it; judges nothing.

A write takes a lock that every process on this file takes, reads again, and replaces the file as a whole.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcp_server.errors import LockDamaged
from mcp_server.whole_file import replace_file

__all__ = ["PARTS", "Entries", "Entry", "LockFile"]

PARTS = ("wasm", "manifest", "tools", "grants")
"""What an approval binds."""

_DIGEST = r"^[0-9a-f]{64}$"


class Entry(BaseModel):
    """One approval: sha256 digests, the version they are of, when, who and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wasm: str = Field(pattern=_DIGEST)
    manifest: str = Field(pattern=_DIGEST)
    tools: str = Field(pattern=_DIGEST)
    grants: str = Field(pattern=_DIGEST)
    version: str
    approved_at: str
    approved_by: str
    how: Literal["first-use", "approved"]

    def same_as(self, other: Entry) -> bool:
        """Whether both approve the same thing, whoever did and when."""
        return all(getattr(self, part) == getattr(other, part) for part in PARTS)


Entries = dict[str, Entry]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lock_version: Literal[1]
    plugins: Entries


class LockFile:
    """The file at ``path``; missing is the same as empty."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Entries:
        """Every entry by plugin id.

        Raises:
            LockDamaged: It cannot be read or is not what :meth:`change` writes; then nothing counts as approved.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._damaged(f"cannot be read: {error.strerror}") from None
        try:
            return _Document.model_validate_json(data).plugins
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise self._damaged(f"is damaged: {place + ': ' if place else ''}{first['msg']}") from None

    def change(self, work: Callable[[Entries], Mapping[str, Entry]]) -> Entries:
        """Let ``work`` look at the newest entries and add those it returns; the entries afterwards.

        Raises:
            LockDamaged: As :meth:`read`, or it cannot be written.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.path.with_name(f".{self.path.name}.guard").open("a") as guard:
                fcntl.flock(guard, fcntl.LOCK_EX)
                entries = self.read()
                added = work(dict(entries))
                if added:
                    entries |= added
                    self._replace(entries)
                return entries
        except OSError as error:
            raise self._damaged(f"cannot be written: {error.strerror}") from None

    def _replace(self, entries: Entries) -> None:
        plugins = {plugin: entries[plugin].model_dump() for plugin in sorted(entries)}
        text = json.dumps({"lock_version": 1, "plugins": plugins}, indent=2) + "\n"
        replace_file(self.path, text.encode("utf-8"), durable=True)

    def _damaged(self, why: str) -> LockDamaged:
        return LockDamaged(
            f"the approvals in {self.path.name} {why}; nothing counts as approved",
            fix=f"restore {self.path} from a copy, or remove it and approve again: agentmem-mcp plugin approve --all",
        )
