"""``config check``, ``config set`` and ``config unset``: is the configuration in order, and changing it key by key."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from mcp_server.cli.output import note, print_json, say
from mcp_server.cli.recorded import record_decision
from mcp_server.cli.serve import parse_sets
from mcp_server.errors import SettingsError
from mcp_server.settings import load_configuration
from mcp_server.settings.document import Document, Key, dotted, leaves
from mcp_server.settings.edit import edit_file
from mcp_server.settings.folders import project_file, user_file
from mcp_server.settings.shown import hidden_values

__all__ = ["check_config", "set_config", "unset_config"]


def check_config(config: Path | None, sets: Sequence[str], *, json: bool) -> None:
    """Say whether every file and variable is in order, and what of them is ignored.

    Raises:
        SettingsError: With all problems.
    """
    configuration = load_configuration(config, overrides=parse_sets(sets))
    files = [str(file.path) for file in configuration.files if file.exists]
    if json:
        print_json({"ok": True, "files": files, "warnings": list(configuration.warnings)})
        return
    for warning in configuration.warnings:
        print(f"warning: {warning}")
    print(f"in order: {', '.join(files) or 'there is no configuration file, so the defaults hold'}")


def set_config(words: Sequence[str], config: Path | None, *, project: bool, json: bool) -> None:
    """Write ``SECTION.KEY=VALUE`` into the file.

    Raises:
        SettingsError: A word has not that form, or the file would not be in order.
    """
    wanted = parse_sets(words)
    path = _file(config, project=project)
    said = edit_file(
        path, lambda document: [line for key, value in leaves(wanted) for line in _put(document, key, value)]
    )
    keys = [key for key, _ in leaves(wanted)]
    _record(config, keys, said)
    _show(path, said, json=json)
    _tell_shadowed(config, keys, path)


def unset_config(keys: Sequence[str], config: Path | None, *, project: bool, json: bool) -> None:
    """Take keys out of the file, so that the next layer or the default holds.

    Raises:
        SettingsError: A word is no key, or the file would not be in order.
    """
    paths = [tuple(key.strip().split(".")) for key in keys]
    if not all(len(path) > 1 and all(path) for path in paths):
        raise SettingsError("a key is SECTION.KEY", fix="agentmem-mcp config unset runtime.max_workers")
    path = _file(config, project=project)
    said = edit_file(path, lambda document: [line for key in paths for line in _take(document, key)])
    _record(config, paths, said)
    _show(path, said, json=json)


def _record(config: Path | None, keys: Sequence[Key], said: Sequence[str]) -> None:
    """A grant that was changed is on record, whichever command did it."""
    settings = load_configuration(config).settings
    for plugin in dict.fromkeys(key[1] for key in keys if key[0] == "grants" and len(key) > 1):
        changes = [line for line in said if f" grants.{plugin}." in line]
        if changes:
            record_decision(settings.audit, plugin, "config", changes)


def _file(config: Path | None, *, project: bool) -> Path:
    if project and config is not None:
        raise SettingsError("--project and --config name two files", fix="say one of them")
    return project_file(Path.cwd()) if project else user_file(config)


def _put(document: Document, key: Key, value: Any) -> list[str]:
    table = document
    for name in key[:-1]:
        inner = table.setdefault(name, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{dotted(key)}: '{name}' is a value, not a table", fix="config unset it first")
        table = table[name]
    old = table.get(key[-1])
    if old == value and type(old) is type(value):
        return []
    mark = "~" if key[-1] in table else "+"
    table[key[-1]] = value
    shown = hidden_values(key[:-1], {key[-1]: value})[key[-1]]
    return [f"{mark} {dotted(key)} = {json_text.dumps(shown, ensure_ascii=False)}"]


def _take(document: Document, key: Key) -> list[str]:
    tables: list[Document] = [document]
    for name in key[:-1]:
        inner: object = tables[-1].get(name)
        if not isinstance(inner, dict):
            return []
        tables.append(cast("Document", inner))
    if key[-1] not in tables[-1]:
        return []
    for name, table in reversed(list(zip(key, tables, strict=True))):
        if name == key[-1] and table is tables[-1] or not table[name]:
            del table[name]  # and the tables that it leaves empty
    return [f"- {dotted(key)}"]


def _show(path: Path, said: Sequence[str], *, json: bool) -> None:
    if json:
        print_json({"file": str(path), "changed": list(said)})
        return
    for line in said:
        say(f"{path}: {line}")
    if not said:
        say(f"{path}: nothing to change")


def _tell_shadowed(config: Path | None, keys: Sequence[Key], path: Path) -> None:
    """A value that another layer beats, or that a stranger's file may not say, has no effect: that is worth a word."""
    origin = load_configuration(config).origin
    for key in keys:
        if not origin(key).startswith(str(path)):
            note(f"note: {dotted(key)} is not what {path} says: it comes from {origin(key)}")
