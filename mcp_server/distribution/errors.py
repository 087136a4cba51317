"""What goes wrong on the way of a plugin from its author to this machine; nothing was installed then."""

from __future__ import annotations

from mcp_server.errors import AgentMemError
from mcp_server.exits import Exit

__all__ = [
    "AlreadyPublished",
    "DownloadFailed",
    "DownloadRefused",
    "IndexInvalid",
    "LockDrift",
    "PackageNotFound",
    "RollbackRefused",
    "SignatureProblem",
    "SigningFailed",
]


class SignatureProblem(AgentMemError):
    """A signature or key that is damaged, wrong or missing where one must be."""

    code = "signature_invalid"
    exit_code = Exit.DENIED


class SigningFailed(AgentMemError):
    """Servers that would sign and say no, or that are not there."""

    code = "signing_failed"
    exit_code = Exit.UNREACHABLE


class RollbackRefused(AgentMemError):
    """An older version than one that was installed before."""

    code = "rollback_refused"
    exit_code = Exit.DENIED


class LockDrift(AgentMemError):
    """``--locked`` found something else than ``plugins.lock`` says."""

    code = "lock_drift"
    exit_code = Exit.DENIED


class PackageNotFound(AgentMemError):
    """No source of that form, or nothing in it that fits."""

    code = "package_not_found"
    exit_code = Exit.USAGE


class AlreadyPublished(AgentMemError):
    """Another package has the name and the version already."""

    code = "already_published"
    exit_code = Exit.DENIED


class DownloadFailed(AgentMemError):
    """A server that is not there, hangs, breaks off or answers with an error."""

    code = "download_failed"
    exit_code = Exit.UNREACHABLE


class DownloadRefused(AgentMemError):
    """A place that nothing is fetched from: a private address, another origin, no TLS."""

    code = "download_refused"
    exit_code = Exit.DENIED


class IndexInvalid(AgentMemError):
    """What an index or a registry says about a package has not the form it must have."""

    code = "index_invalid"
    exit_code = Exit.PLUGIN_INVALID
