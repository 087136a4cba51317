"""What somebody asks for, read from one word of a command line: a folder, a file, a URL, a registry, an id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mcp_server.distribution.errors import PackageNotFound
from mcp_server.policy.versions import VersionRange

__all__ = ["Asked", "FromIndex", "FromPath", "FromRegistry", "FromUrl", "parse_asked"]

_ID = re.compile(r"([a-z0-9-]{1,48})(?:@(.+))?")
_PIN = re.compile(r"(.*)#sha256=([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class FromPath:
    """A folder or a file of this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class FromUrl:
    """A file on a server, perhaps with the digest that it must have: ``https://…#sha256=…``."""

    url: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class FromRegistry:
    """``oci://host/repository:tag`` or ``oci://host/repository@sha256:…``, without the scheme."""

    reference: str


@dataclass(frozen=True, slots=True)
class FromIndex:
    """An id, and which versions of it will do."""

    plugin: str
    wanted: VersionRange


Asked = FromPath | FromUrl | FromRegistry | FromIndex


def parse_asked(text: str, folder: Path) -> Asked:
    """Read ``text``; a path is below ``folder`` when it is not absolute.

    A word that can be an id is one, whatever lies in the folder: a path says so by a ``/``, a ``.`` or its ending.

    Raises:
        PackageNotFound: It is nothing of these.
    """
    if text.startswith("oci://"):
        return FromRegistry(text.removeprefix("oci://"))
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        if not text.lower().startswith(("https://", "http://")):
            raise _not_found(text)
        pinned = _PIN.fullmatch(text)
        return FromUrl(pinned[1], pinned[2]) if pinned else FromUrl(text, None)
    found = _ID.fullmatch(text)
    if found is None:
        path = folder / Path(text).expanduser()
        if not text or not path.exists():
            raise _not_found(text)
        return FromPath(path)
    try:
        return FromIndex(found[1], VersionRange.parse(found[2] or "*"))
    except ValueError as error:
        raise PackageNotFound(str(error), fix=f"agentmem-mcp add '{found[1]}@^1.2'") from None


def _not_found(text: str) -> PackageNotFound:
    return PackageNotFound(
        f"{text[:200]!r} is no folder or file, no https or oci URL, and no ID@VERSION",
        fix="agentmem-mcp add --help",
    )
