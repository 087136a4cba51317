"""``plugin grant``, ``plugin revoke``, ``plugin grants``: rights written into a configuration file and read from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mcp_server.cli.output import note, print_json, print_table, say
from mcp_server.cli.recorded import record_decision
from mcp_server.cli.rights import told_budgets
from mcp_server.cli.serve import load
from mcp_server.errors import InvalidArguments, SettingsError
from mcp_server.manifest.model import PLUGIN_ID
from mcp_server.policy.rights import CAPABILITIES
from mcp_server.problems import did_you_mean, problems_of
from mcp_server.settings import Configuration, FolderSection, Grant, user_folders
from mcp_server.settings.document import Document, dotted
from mcp_server.settings.edit import edit_file
from mcp_server.settings.folders import project_file, user_file
from mcp_server.settings.grants import Wanted, grant, revoke, without_effect
from mcp_server.telemetry.snapshot import read_snapshots

__all__ = ["grant_rights", "list_grants", "revoke_rights", "wanted_rights"]

Words = Sequence[str] | None


def wanted_rights(
    capabilities: Words,
    hosts: Words,
    folders: Words,
    ranges: Words,
    secrets: Words,
    quota_mb: int | None,
    models: Words = None,
    *,
    hooks: bool = False,
    deny: bool = False,
) -> Wanted:
    """What the words of the command line ask for.

    Raises:
        InvalidArguments: They ask for nothing, or in a form that cannot be read.
    """
    asked: dict[str, tuple[str, ...]] = {}
    for word in secrets or ():
        name, separator, pattern = word.partition("=")
        if not (separator and name and pattern):
            raise _usage(f"--secret {word}: is not NAME=PATTERN")
        asked[name] = (*asked.get(name, ()), pattern)
    wanted = Wanted(
        _known(capabilities),
        tuple(hosts or ()),
        tuple(ranges or ()),
        asked,
        tuple(map(_folder, folders or ())),
        quota_mb,
        deny,
        tuple(models or ()),
        hooks,
    )
    if wanted == Wanted(deny=deny):
        raise _usage("nothing to grant: name a capability, or give one of the options")
    if deny and (ranges or asked or folders or quota_mb or models or hooks):
        raise _usage("--deny goes with capabilities and --host only")
    return wanted


def grant_rights(plugin: str, wanted: Wanted, *, project: bool, config: Path | None, json: bool) -> None:
    """Write the grant and say what it changes."""
    what = "deny" if wanted.deny else "grant"
    configuration = _edit(
        plugin, what, lambda document: grant(document, plugin, wanted), project=project, config=config, json=json
    )
    held = configuration.settings.grants.get(plugin, Grant())
    for name in () if wanted.deny else wanted.with_details:
        if name in held.deny:
            place = configuration.origin(("grants", plugin, "deny"))
            note(f"note: {name} stays denied, and that beats every grant: {place}")


def revoke_rights(plugin: str, capabilities: Sequence[str], *, project: bool, config: Path | None, json: bool) -> None:
    """Take rights out of the file and say what is left."""
    names = _known(capabilities)
    configuration = _edit(
        plugin, "revoke", lambda document: revoke(document, plugin, names), project=project, config=config, json=json
    )
    held = configuration.settings.grants.get(plugin, Grant())
    for name in names:
        if name in held.capabilities:
            place = configuration.origin(("grants", plugin, "capabilities"))
            note(f"note: {name} is still granted: {place}")
    for name in without_effect(name for name in names if name not in held.deny):
        told = (
            f"note: every plugin that asks has {name}; `agentmem-mcp plugin grant {plugin} {name} --deny` withholds it"
        )
        note(told)


def list_grants(plugin: str | None, config: Path | None, *, json: bool) -> None:
    """Print the grants in force and where each stands."""
    configuration = load(config)
    grants = {
        name: held for name, held in sorted(configuration.settings.grants.items()) if plugin is None or name == plugin
    }
    if json:
        shown = {
            name: {**held.model_dump(mode="json"), "origin": _places(configuration, name)}
            for name, held in grants.items()
        }
        print_json({"grants": shown})
        return
    if not grants:
        print(f"nothing is granted{f' to {plugin}' if plugin else ''} beyond what every plugin has")
        return
    print_table(
        ["PLUGIN", "GRANTED", "DENIED", "DETAIL", "WHERE"],
        [
            [
                name,
                ", ".join(held.capabilities) or "-",
                ", ".join(held.deny) or "-",
                "; ".join(_details(held)) or "-",
                "; ".join(_places(configuration, name)),
            ]
            for name, held in grants.items()
        ],
    )


def _edit(
    plugin: str, what: str, change: Callable[[Document], list[str]], *, project: bool, config: Path | None, json: bool
) -> Configuration:
    """Change the file, say how, and put it on record; what is configured then."""
    if not re.fullmatch(PLUGIN_ID, plugin):
        raise _usage(f"'{plugin}' is no plugin id: at most 48 of a-z, 0-9 and '-'")
    if project and config is not None:
        raise _usage("--project and --config name two files")
    path = project_file(Path.cwd()) if project else user_file(config)
    said = edit_file(path, change)
    configuration = load(config)
    if said:
        record_decision(configuration.settings.audit, plugin, what, said)
    _tell(path, said, json=json)
    return configuration


def _tell(path: Path, said: list[str], *, json: bool) -> None:
    if json:
        print_json({"file": str(path), "changed": said})
        return
    say(f"{path}:" if said else f"{path}: nothing to change")
    for line in said:
        say(f"  {line}")
    if said:
        say(_next_step())


def _next_step() -> str:
    running = [str(server["pid"]) for server in read_snapshots(user_folders().servers) if not server["ended"]]
    if not running:
        return "No server of yours is running; the next one starts with it."
    return f"A running server takes it up with --watch, or when you run: kill -HUP {' '.join(running)}"


def _known(words: Words) -> tuple[Any, ...]:
    for word in words or ():
        if word not in CAPABILITIES:
            raise _usage(f"'{word}' is no capability{did_you_mean(word, CAPABILITIES)}")
    return tuple(words or ())


def _folder(word: str) -> FolderSection:
    name, separator, rest = word.partition("=")
    path, _, mode = rest.rpartition(":")
    if mode not in ("read", "write"):
        path, mode = rest, "read"
    if not (separator and name and path):
        raise _usage(f"--folder {word}: is not NAME=PATH[:read|write]")
    place = Path(path).expanduser().absolute()
    if not place.is_dir():
        raise SettingsError(f"--folder {word}: there is no folder {place}", fix="make it, or correct the path")
    try:
        return FolderSection.model_validate({"name": name, "folder": place, "mode": mode})
    except ValidationError as error:
        raise _usage(f"--folder {word}: {'; '.join(problems_of(error, FolderSection))}") from None


def _details(held: Grant) -> list[str]:
    network = held.network
    found = [f"hosts {', '.join(network.allow)}"] if network.allow else []
    found += [f"not {', '.join(network.deny)}"] if network.deny else []
    found += [f"ranges {', '.join(network.ranges)}"] if network.ranges else []
    found += [f"secret {name} to {', '.join(to)}" for name, to in network.secrets.items()]
    found += [f"{root.name} = {root.folder} ({root.mode})" for root in held.filesystem.roots]
    found += [f"not {path}" for path in held.filesystem.deny]
    found += [f"stores {held.storage.quota_mb} MiB"] if held.storage != Grant().storage else []
    if held.llm.aliases:
        found += [f"models {', '.join(held.llm.aliases)}", *told_budgets(held.llm.rules())]
    found += ["hooks"] if held.hooks else []
    found += ["memories of the principal"] if held.memories == "principal" else []
    return found + (["asks the user"] if held.ask else [])


def _places(configuration: Configuration, plugin: str) -> list[str]:
    """The files and variables that a grant stands in, without the keys."""
    found = [
        part.removesuffix(f" {dotted(key)}")
        for key, origin in configuration.origins.items()
        if key[:2] == ("grants", plugin)
        for part in origin.split("; ")
    ]
    return list(dict.fromkeys(found))


def _usage(message: str) -> InvalidArguments:
    return InvalidArguments(message, fix="agentmem-mcp plugin grant --help")
