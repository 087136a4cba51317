"""The name of an artifact: ``host[:port]/repository[:tag][@sha256:digest]``. The host is always said."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mcp_server.distribution.errors import PackageNotFound

__all__ = ["Reference"]

# https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"((?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:]+\])(?::[0-9]{{1,5}})?)/({_PART}(?:/{_PART})*)"
    r"(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@sha256:([0-9a-f]{64}))?"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that was read.

    Attributes:
        host: With its port, where that is said; in lower case.
        repository: Below it.
        tag: Empty when none is said.
        digest: In hexadecimal, without ``sha256:``; empty when none is said.
    """

    host: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read ``text``, without its scheme.

        Raises:
            PackageNotFound: It is none.
        """
        found = _REFERENCE.fullmatch(text)
        if found is None or len(found[2]) > 255:
            raise PackageNotFound(
                f"'oci://{text[:200]}' names no artifact of a registry", fix="write oci://ghcr.io/owner/plugin:1.2.0"
            )
        return cls(found[1].lower(), found[2], found[3] or "", found[4] or "")

    @property
    def wanted(self) -> str:
        """What a registry is asked for: the digest, else the tag, else ``latest``."""
        return f"sha256:{self.digest}" if self.digest else self.tag or "latest"

    def pinned(self, digest: str) -> Reference:
        """The same artifact by its digest alone."""
        return replace(self, tag="", digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"oci://{self.host}/{self.repository}{tag}{f'@sha256:{self.digest}' if self.digest else ''}"
