"""The layers put on one another: which files and variables are looked at, which one wins, where each value came from.

Every layer is checked by itself first, so that a problem is told with the file or variable it stands in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import ValidationError

from mcp_server.errors import SettingsError
from mcp_server.policy.advice import quoted
from mcp_server.problems import problems_of
from mcp_server.settings.document import (
    Document,
    Key,
    Stamp,
    dotted,
    leaves,
    merge,
    problems_in,
    read_document,
    shown,
    stamp_of,
)
from mcp_server.settings.folders import project_file, user_file
from mcp_server.settings.model import Settings
from mcp_server.settings.trust import is_trusted, without_rights
from mcp_server.settings.variables import PREFIX, environment_of, variables_in

__all__ = ["Configuration", "SourceFile", "load_configuration", "load_settings"]

MOST_SHOWN_KEYS = 8
COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A configuration file that was looked at.

    Attributes:
        layer: Whose it is.
        path: Where it lies, or would lie.
        exists: Whether it is there.
        trusted: Whether all of it counts.
        stamp: What it was like just before it was read.
    """

    layer: Literal["user", "project"]
    path: Path
    exists: bool
    trusted: bool
    stamp: Stamp

    def now(self) -> Stamp:
        """What it is like now."""
        return stamp_of(self.path)


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings in force, and how they came about.

    Attributes:
        settings: All values.
        origins: Path of each value that is not a built-in default -> the file and key, variable, or command line.
        files: The files that were looked at, the one that wins last.
        warnings: What was ignored, and what to do about it.
    """

    settings: Settings
    origins: Mapping[Key, str]
    files: tuple[SourceFile, ...]
    warnings: tuple[str, ...]

    def origin(self, key: Key) -> str:
        """Where the value at ``key`` came from."""
        while key and key not in self.origins:
            key = key[:-1]
        return self.origins.get(key, "default")


@dataclass(frozen=True, slots=True)
class _Layer:
    document: Document
    origin_of: Mapping[Key, str]


def load_settings(
    file: Path | None = None,
    *,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """The settings in force, see :func:`load_configuration`."""
    return load_configuration(file, overrides=overrides, environment=environment, folder=folder).settings


def load_configuration(
    file: Path | None = None,
    *,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Configuration:
    """Read every layer.

    Args:
        file: Instead of the user's own file; must exist.
        overrides: From the command line, by section and key.
        environment: Instead of the process's.
        folder: Where a project file may lie; the working directory when omitted.

    Raises:
        SettingsError: With every problem of every layer.
    """
    environment = environment_of(environment)
    mine, project = user_file(file, environment), project_file(folder or Path.cwd())
    stamps = stamp_of(mine), stamp_of(project)
    problems: list[str] = []
    user = read_document(mine, required=file is not None)
    theirs = None if _same(mine, project) else read_document(project)
    above = [_variables(environment, problems), _command_line(overrides or {}, problems)]
    for path, document in ((mine, user), (project, theirs)):
        problems += [f"{path}: {problem}" for problem in problems_in(document or {})]
    if problems:
        raise SettingsError("; ".join(problems), fix=_fix(mine, project, theirs), data={"problems": problems})

    operators = [_Layer(user or {}, _in_file(mine, user or {})), *above]
    trusted = is_trusted(project.parent, _validated([layer.document for layer in operators]).trust.folders)
    kept, ignored = _counting(theirs or {}, user or {}, trusted=trusted)
    stack = [operators[0], _Layer(kept, _in_file(project, kept)), *above]
    files = (
        SourceFile("user", mine, user is not None, True, stamps[0]),
        SourceFile("project", project, theirs is not None, trusted, stamps[1]),
    )
    settings = _validated([layer.document for layer in stack])
    return Configuration(settings, _origins(stack), files, _warnings(project, mine, ignored, trusted=trusted))


def _same(one: Path, other: Path) -> bool:
    """Whether ``--config`` names the project file itself, which is then the user's word."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def _in_file(path: Path, document: Document) -> dict[Key, str]:
    return {key: f"{path} {dotted(key)}" for key, _ in leaves(document)}


def _variables(environment: Mapping[str, str], problems: list[str]) -> _Layer:
    document: Document = {}
    origins: dict[Key, str] = {}
    for variable in variables_in(environment):
        section, name = variable.path
        said: Document = {section: {name: variable.value}}
        problems += [f"{variable.name}: {problem}" for problem in problems_in(said)]
        document = merge(document, said)
        origins |= {key: variable.name for key, _ in leaves(said)}
    return _Layer(document, origins)


def _command_line(overrides: Mapping[str, Mapping[str, Any]], problems: list[str]) -> _Layer:
    document = merge({}, overrides)
    problems += [f"{COMMAND_LINE}: {problem}" for problem in problems_in(document)]
    return _Layer(document, {key: COMMAND_LINE for key, _ in leaves(document)})


def _counting(project: Document, user: Document, *, trusted: bool) -> tuple[Document, list[Key]]:
    """What of the project file counts; whom to trust it never says, not even where it is trusted."""
    if not trusted:
        return without_rights(project, _validated([user]))
    kept = {section: table for section, table in project.items() if section != "trust"}
    return kept, [("trust",)] if "trust" in project else []


def _validated(documents: Iterable[Document]) -> Settings:
    whole: Document = {}
    for document in documents:
        whole = merge(whole, document)
    try:
        return Settings.model_validate(whole)
    except ValidationError as error:  # each layer is in order and their sum is not
        problems = problems_of(error, Settings)
        raise SettingsError(
            f"the configuration files together: {'; '.join(problems)}",
            fix="look at `agentmem-mcp config path`",
            data={"problems": problems},
        ) from None


def _origins(stack: Iterable[_Layer]) -> Mapping[Key, str]:
    found: dict[Key, str] = {}
    for layer in stack:
        for key, value in leaves(layer.document):
            adds = key[0] in ("grants", "principals") and key[-1] == "deny" and key in found and value != []
            found[key] = f"{found[key]}; {layer.origin_of[key]}" if adds else layer.origin_of[key]
    return MappingProxyType(found)


def _warnings(project: Path, user: Path, ignored: list[Key], *, trusted: bool) -> tuple[str, ...]:
    if not ignored:
        return ()
    keys = ", ".join(map(dotted, ignored[:MOST_SHOWN_KEYS]))
    more = f" and {len(ignored) - MOST_SHOWN_KEYS} more" if len(ignored) > MOST_SHOWN_KEYS else ""
    if trusted:
        told = f"{project}: ignored: {keys}{more}: which folders are trusted stands in the user's own file, {user}"
        return (shown(told),)
    told = (
        f"{project}: ignored, because a file in this folder may be a stranger's and these keys allow more: "
        f"{keys}{more}. If you trust the folder, run: agentmem-mcp config trust {quoted(str(project.parent))}, "
        f"or add to {user}: [trust] folders = [{json.dumps(str(project.parent), ensure_ascii=False)}]"
    )
    return (shown(told),)


def _fix(user: Path, project: Path, theirs: Document | None) -> str:
    named = f"edit {user}" if theirs is None else f"edit {user} or {project}"
    return f"{named}, or the variables named {PREFIX}…"
