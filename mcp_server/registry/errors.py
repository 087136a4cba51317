"""What goes wrong when a plugin is installed or removed, is switched off, or misses another one."""

from __future__ import annotations

from mcp_server.errors import AgentMemError
from mcp_server.exits import Exit

__all__ = ["BundleInvalid", "InstallFailed", "NotInstalled", "PluginDisabled", "RequirementConflict"]


class BundleInvalid(AgentMemError):
    """What was sent is no bundle of a plugin: no zip, a name that is not taken, too many or too large parts."""

    code = "bundle_invalid"
    exit_code = Exit.PLUGIN_INVALID


class InstallFailed(AgentMemError):
    """The disk said no while a plugin was installed or removed; what was installed before still is."""

    code = "install_failed"
    exit_code = Exit.UNREACHABLE


class NotInstalled(AgentMemError):
    """The plugin lies in a folder of the operator's, or its place is taken there; only the operator changes it."""

    code = "not_installed"
    exit_code = Exit.DENIED


class PluginDisabled(AgentMemError):
    """The operator has switched the plugin off: ``[plugins.<id>] enabled = false``."""

    code = "plugin_disabled"
    exit_code = Exit.DENIED

    def __init__(self, plugin: str) -> None:
        super().__init__(
            f"plugin '{plugin}' is disabled", fix=f"agentmem-mcp plugin enable {plugin}", data={"plugin": plugin}
        )


class RequirementConflict(AgentMemError):
    """Plugins that need each other in versions that are not, or would not be, there."""

    code = "requirement_conflict"
    exit_code = Exit.PLUGIN_INVALID
