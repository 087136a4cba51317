"""Which versions of this server a plugin works with. What plugins need of each other is elsewhere."""

from __future__ import annotations

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from mcp_server.errors import ManifestError

__all__ = ["HostUnfit", "fits_host", "host_problem"]


class HostUnfit(ManifestError):
    """A manifest in which nothing is wrong but that it wants another version of this server."""

    code = "requirement_conflict"

    def __init__(self, path: str, plugin: str, wanted: str, host_version: str) -> None:
        super().__init__(path, [f"plugin.requires_host: needs a host {wanted}, this is {host_version}"])
        self.message = f"plugin {plugin} needs agentmem-mcp {wanted}, and this is {host_version}"
        self.fix = f"take a version of agentmem-mcp that is {wanted}, or a version of the plugin for {host_version}"


def fits_host(wanted: str | None, host_version: str) -> bool:
    """Whether ``host_version`` is one of those that are ``wanted``; what cannot be read wants none."""
    try:
        return SpecifierSet(wanted or "").contains(host_version, prereleases=True)
    except InvalidSpecifier:
        return False


def host_problem(wanted: object) -> str:
    """What is wrong with ``wanted`` as a specifier; empty when nothing is, or it is no text at all."""
    try:
        SpecifierSet(wanted if isinstance(wanted, str) else "")
    except InvalidSpecifier:
        return f"plugin.requires_host: {wanted!r} is not a version specifier such as '>=0.1,<1'"
    return ""
