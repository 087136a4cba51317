"""What an operator sets: built-in default < user file < project file < environment < command line.

The user file is ``config.toml`` in the user's configuration folder, or ``--config FILE``. The project file is
``agentmem.toml`` in the working directory; a stranger may have written it, so it grants nothing unless the user's own
file trusts that folder. One variable, ``AGENTMEM_HOME``, moves configuration, data, state and cache into one folder.
"""

from mcp_server.settings.folders import HOME_VARIABLE, Folders, user_folders
from mcp_server.settings.layers import Configuration, SourceFile, load_configuration, load_settings
from mcp_server.settings.model import (
    ApprovalSettings,
    AuditSettings,
    FolderSection,
    Grant,
    MemorySettings,
    PluginSettings,
    Settings,
)
from mcp_server.settings.principals import PrincipalSettings
from mcp_server.settings.secrets import Secrets

__all__ = [
    "ApprovalSettings",
    "AuditSettings",
    "Configuration",
    "FolderSection",
    "Folders",
    "Grant",
    "HOME_VARIABLE",
    "MemorySettings",
    "PluginSettings",
    "PrincipalSettings",
    "Secrets",
    "Settings",
    "SourceFile",
    "load_configuration",
    "load_settings",
    "user_folders",
]
