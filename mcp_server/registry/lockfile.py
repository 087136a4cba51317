"""``plugins.lock``: what was approved, by digest, and where what is installed came from. Judges nothing.

A write takes a lock that every process on this file takes, reads again, and replaces the file as a whole.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcp_server.errors import LockDamaged
from mcp_server.whole_file import replace_file

__all__ = ["LOCK_NAME", "PARTS", "Entries", "Entry", "LockFile", "Origin", "Origins"]

LOCK_NAME = "plugins.lock"
"""Its name in the data folder."""
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


class Origin(BaseModel):
    """Where an installed plugin came from.

    Attributes:
        source: Exactly what was installed: a path, a URL, an ``oci://`` reference with its digest.
        follows: What was asked for, and what an update asks for again.
        version: Of its manifest.
        sha256: Of the archive that ``agentmem-mcp package`` makes of its files, however they were sent.
        bundle: The name of its folder in the store.
        signer: The name under which its key or identity is trusted; None where nobody that is trusted signed it.
        key: The public key behind ``signer``, or the identity and its issuer.
        installed_at: RFC 3339.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    follows: str = ""
    version: str
    sha256: str = Field(pattern=_DIGEST)
    bundle: str = Field(pattern=_DIGEST)
    signer: str | None = None
    key: str | None = None
    installed_at: str


Origins = dict[str, Origin]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lock_version: Literal[1]
    plugins: Entries
    installed: Origins = Field(default_factory=Origins)
    newest_signed: dict[str, str] = Field(default_factory=dict)
    """The highest version that was installed with a signature; stays when the plugin is removed."""


class LockFile:
    """The file at ``path``; missing is the same as empty."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Entries:
        """Every approval by plugin id.

        Raises:
            LockDamaged: It cannot be read or is not what :meth:`change` writes; then nothing counts as approved.
        """
        return self._document().plugins

    def origins(self) -> Origins:
        """Where each installed plugin came from, as far as that was written down.

        Raises:
            LockDamaged: As :meth:`read`.
        """
        return self._document().installed

    def newest_signed(self, plugin: str) -> str | None:
        """The highest version of ``plugin`` that was ever installed with a signature.

        Raises:
            LockDamaged: As :meth:`read`.
        """
        return self._document().newest_signed.get(plugin)

    def change(self, work: Callable[[Entries], Mapping[str, Entry]]) -> Entries:
        """Let ``work`` look at the newest entries and add those it returns; the entries afterwards.

        Raises:
            LockDamaged: As :meth:`read`, or it cannot be written.
        """
        try:
            with self._alone():
                document = self._document()
                added = work(dict(document.plugins))
                if added:
                    document.plugins |= added
                    self._replace(document)
                return document.plugins
        except OSError as error:
            raise self._damaged(f"cannot be written: {error.strerror}") from None

    def note(self, changed: Mapping[str, Origin | None], newest_signed: Mapping[str, str]) -> None:
        """Write down where plugins came from; None for one that was removed.

        Raises:
            LockDamaged: As :meth:`read`.
            OSError: It cannot be written.
        """
        with self._alone():
            document = self._document()
            before = document.model_dump()
            kept = {plugin: origin for plugin, origin in document.installed.items() if plugin not in changed}
            document.installed = kept | {plugin: origin for plugin, origin in changed.items() if origin}
            document.newest_signed |= newest_signed
            if document.model_dump() != before:
                self._replace(document)

    def _document(self) -> _Document:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return _Document(lock_version=1, plugins={})
        except OSError as error:
            raise self._damaged(f"cannot be read: {error.strerror}") from None
        try:
            return _Document.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise self._damaged(f"is damaged: {place + ': ' if place else ''}{first['msg']}") from None

    @contextmanager
    def _alone(self) -> Generator[None]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.with_name(f".{self.path.name}.guard").open("a") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            yield

    def _replace(self, document: _Document) -> None:
        shown = document.model_dump()
        for table in ("plugins", "installed", "newest_signed"):
            shown[table] = {plugin: shown[table][plugin] for plugin in sorted(shown[table])}
        text = json.dumps(shown, indent=2) + "\n"
        replace_file(self.path, text.encode("utf-8"), durable=True)

    def _damaged(self, why: str) -> LockDamaged:
        return LockDamaged(
            f"the approvals in {self.path.name} {why}; nothing counts as approved",
            fix=f"restore {self.path} from a copy, or remove it and approve again: agentmem-mcp plugin approve --all",
        )
