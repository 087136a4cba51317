"""Everything an operator can set, read in this one place: built-in default < file < environment < command line.

The file is ``config.toml`` in the user's configuration folder, or ``--config FILE``. An environment variable
``AGENTMEM_SECTION__KEY`` overrides ``[section] key``; its value is read as TOML, else taken as text. One variable,
``AGENTMEM_HOME``, moves configuration, data, state and cache into one folder.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from platformdirs import PlatformDirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mcp_server.errors import SettingsError
from mcp_server.policy.limits import limit_problems
from mcp_server.policy.llm import LlmGrant, LlmSettings
from mcp_server.policy.network import NetworkGrant, intersect
from mcp_server.policy.paths import path_problems
from mcp_server.policy.rights import CAPABILITIES
from mcp_server.problems import did_you_mean, json_problems, problems_of

__all__ = ["Folders", "Grant", "HOME_VARIABLE", "PluginSettings", "Settings", "load_settings", "secret", "user_folders"]

PREFIX = "AGENTMEM_"
HOME_VARIABLE = "AGENTMEM_HOME"
CONFIG_NAME = "config.toml"
SECRET_PREFIX = "AGENTMEM_SECRET_"  # noqa: S105  # the name of variables, not a secret


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RuntimeSettings(_Section):
    """``[runtime]``: worker processes and how much may run at one time."""

    max_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=64)
    idle_seconds: float = Field(default=60.0, gt=0)
    drain_seconds: float = Field(default=10.0, ge=0)
    max_calls_per_principal: int = Field(default=32, ge=1, le=4_096)
    max_queued_per_principal: int = Field(default=128, ge=0, le=65_536)
    compiled_cache_mb: int = Field(default=1_024, ge=1)


class LogSettings(_Section):
    """``[log]``: what goes to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class NetworkSection(_Section):
    """``[grants.<plugin id>.network]``: URL patterns, address ranges and secrets, as ``docs/network.md`` has them."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    secrets: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _readable(self) -> NetworkSection:
        try:
            intersect((), self.rules())
        except ValueError as error:
            raise ValueError(str(error)) from None
        return self

    def rules(self) -> NetworkGrant:
        """The value that ``policy.network`` judges by."""
        return NetworkGrant(self.allow, self.deny, self.ranges, self.secrets)


class FolderSection(_Section):
    """One of ``[grants.<plugin id>.filesystem] roots``: a folder and the name a plugin knows it by."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    folder: Path
    mode: Literal["read", "write"] = "read"
    hard_links: bool = False


class FilesystemSection(_Section):
    """``[grants.<plugin id>.filesystem]``: the folders a plugin may see, and paths that beat them."""

    roots: tuple[FolderSection, ...] = ()
    deny: tuple[str, ...] = ()

    @field_validator("deny")
    @classmethod
    def _readable(cls, deny: tuple[str, ...]) -> tuple[str, ...]:
        problems = path_problems(deny)
        if problems:
            raise ValueError("; ".join(problems))
        return deny


class Grant(_Section):
    """``[grants.<plugin id>]``: what the operator allows beyond the defaults, and what not even they allow."""

    capabilities: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    ask: bool = False
    ask_always: bool = False
    network: NetworkSection = NetworkSection()
    filesystem: FilesystemSection = FilesystemSection()
    llm: LlmGrant = LlmGrant()

    @field_validator("capabilities", "deny")
    @classmethod
    def _known(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        for word in words:
            if word not in CAPABILITIES:
                raise ValueError(f"'{word}' is no capability{did_you_mean(word, CAPABILITIES)}")
        return words


class PluginSettings(_Section):
    """``[plugins.<plugin id>]``: how the operator wants one plugin run."""

    isolation: Literal["call", "session", "shared"] | None = None
    limits: dict[str, int] = Field(default_factory=dict)

    @field_validator("limits")
    @classmethod
    def _known(cls, limits: dict[str, int]) -> dict[str, int]:
        problems = limit_problems(limits)
        if problems:
            raise ValueError("; ".join(problems))
        return limits


class Settings(_Section):
    """The whole configuration file."""

    runtime: RuntimeSettings = RuntimeSettings()
    log: LogSettings = LogSettings()
    llm: LlmSettings = LlmSettings()
    grants: dict[str, Grant] = Field(default_factory=dict)
    plugins: dict[str, PluginSettings] = Field(default_factory=dict)
    config: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @field_validator("config")
    @classmethod
    def _json(cls, config: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        problems = json_problems(config, "config")
        if problems:
            raise ValueError("; ".join(problems))
        return config

    @model_validator(mode="after")
    def _coherent(self) -> Settings:
        for plugin, grant in self.grants.items():
            grant.llm.check(plugin, self.llm)
        return self


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
    home = (os.environ if environment is None else environment).get(HOME_VARIABLE)
    if home:
        root = Path(home).expanduser().absolute()
        return Folders(root / "config", root / "data", root / "cache", root / "state")
    own = PlatformDirs("agentmem-mcp", appauthor=False)
    return Folders(own.user_config_path, own.user_data_path, own.user_cache_path, own.user_state_path)


def load_settings(
    file: Path | None = None,
    *,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in force.

    Args:
        file: Instead of the user's own file; must exist.
        overrides: From the command line, by section and key.
        environment: Instead of the process's.

    Raises:
        SettingsError: With every problem.
    """
    environment = os.environ if environment is None else environment
    path = file or user_folders(environment).config / CONFIG_NAME
    document = _read(path, required=file is not None)
    variables: dict[tuple[str, str], str] = {}
    for name, section, key, value in _from_environment(environment):
        variables[section, key] = name
        _put(document, section, {key: value})
    for section, values in (overrides or {}).items():
        _put(document, section, values)
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        problems = _with_origins(error, variables)
        fix = f"edit {path}" + (f", or the variables named {PREFIX}…" if variables else "")
        raise SettingsError(f"{path}: {'; '.join(problems)}", fix=fix, data={"problems": problems}) from None


def _put(document: dict[str, Any], section: str, values: Mapping[str, Any]) -> None:
    table = document.setdefault(section, {})
    if isinstance(table, dict):  # else the file has made the section something that is refused
        table.update(values)  # pyright: ignore[reportUnknownMemberType]  # TOML


def _with_origins(error: ValidationError, variables: Mapping[tuple[str, str], str]) -> list[str]:
    """Every problem, with the environment variable that its value came from."""
    problems: list[str] = []
    for detail, problem in zip(error.errors(), problems_of(error, Settings), strict=True):
        place = detail["loc"][:2]
        name = next((name for key, name in variables.items() if key[: len(place)] == place), "")
        problems.append(f"{problem} (from {name})" if name else problem)
    return problems


def secret(plugin: str, name: str) -> str | None:
    """The value of a secret that a grant names: the environment's ``AGENTMEM_SECRET_<NAME>``, or None.

    It is read when a request needs it and kept nowhere; which plugin may use it, and where to, the grant says.
    """
    del plugin
    return os.environ.get(f"{SECRET_PREFIX}{name}")


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise SettingsError(f"the configuration file {path} does not exist", fix="correct --config") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the configuration file {path} cannot be read: {error}", fix=f"look at {path}") from None
    except (ValueError, RecursionError) as error:  # ValueError: also an integer of more than 4 300 digits
        raise SettingsError(f"{path} is not TOML: {error}", fix=f"edit {path}") from None


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, str, str, Any]]:
    """``AGENTMEM_RUNTIME__MAX_WORKERS=2`` as that name and ``("runtime", "max_workers", 2)``."""
    found: list[tuple[str, str, str, Any]] = []
    for name, text in environment.items():
        section, separator, key = name.removeprefix(PREFIX).partition("__")
        if name.startswith(PREFIX) and separator:
            try:
                value: Any = tomllib.loads(f"value = {text}")["value"]
            except (ValueError, RecursionError):
                value = text
            found.append((name, section.lower(), key.lower(), value))
    return found
