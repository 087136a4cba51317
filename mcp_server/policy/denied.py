"""What the rules of network and files raise; the capability that meets one tells it as a refusal."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["NetworkDenied", "PathDenied"]


class _Denied(Exception):
    """A request that nobody may make, or one that the rules do not allow; told like a HostRefusal."""

    def __init__(self, code: str, message: str, data: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data: Mapping[str, object] = data or {}
        self.fix = ""  # whoever knows the plugin fills it in


class NetworkDenied(_Denied):
    """About a URL."""


class PathDenied(_Denied):
    """About a path."""
