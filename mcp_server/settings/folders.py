"""Where this user's files are, and the names of the two configuration files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs

from mcp_server.opening.place import HOME_VARIABLE, home_of
from mcp_server.policy.paths import PROJECT_FILE
from mcp_server.settings.variables import environment_of

__all__ = ["Folders", "HOME_VARIABLE", "project_file", "user_file", "user_folders"]

CONFIG_NAME = "config.toml"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where this user's files are."""

    config: Path
    data: Path
    cache: Path
    state: Path

    @property
    def servers(self) -> Path:
        """Figures of running servers: one file each."""
        return self.state / "servers"

    @property
    def plugins(self) -> Path:
        """Plugins installed for the user: one bundle folder each."""
        return self.data / "plugins"


def user_folders(environment: Mapping[str, str] | None = None) -> Folders:
    """The user's folders; all below ``AGENTMEM_HOME`` when that is set."""
    home = home_of(environment_of(environment))
    if home:
        root = Path(home)
        return Folders(root / "config", root / "data", root / "cache", root / "state")
    own = PlatformDirs("agentmem-mcp", appauthor=False)
    return Folders(own.user_config_path, own.user_data_path, own.user_cache_path, own.user_state_path)


def user_file(named: Path | None = None, environment: Mapping[str, str] | None = None) -> Path:
    """The user's own configuration file, or the one that was ``named`` in its place."""
    return named or user_folders(environment).config / CONFIG_NAME


def project_file(folder: Path) -> Path:
    """The project file of ``folder``, whether or not there is one."""
    return folder / PROJECT_FILE
