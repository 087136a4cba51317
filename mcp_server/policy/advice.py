"""The operator's part of a refusal: the line to add to the configuration, and the command that adds it.

Nothing here decides. What it writes goes to the log, ``plugin list`` and the shell, never to a model or a plugin; parts
of it were chosen by a guest, so whatever is not plainly harmless is quoted for a shell.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping

__all__ = [
    "alias_fix",
    "at_start",
    "enough",
    "file_fix",
    "grant_fix",
    "grant_table",
    "hard_link_fix",
    "hooks_fix",
    "limit_fix",
    "manifest_fix",
    "network_fix",
    "number_fix",
    "principal_fix",
    "quota_fix",
    "quoted",
    "table_of",
    "range_fix",
    "secret_fix",
    "secret_value_fix",
    "setting_fix",
    "undeny_fix",
]

COMMAND = "agentmem-mcp plugin grant"
_ROOT_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def quoted(word: str) -> str:
    """``word`` as one word of a shell's command line."""
    return shlex.quote(word)


def grant_fix(plugin: str, capabilities: Iterable[str]) -> str:
    """For capabilities that are not granted."""
    names = list(capabilities)
    return _either(f"{quoted(plugin)} {' '.join(names)}", f"{grant_table(plugin)} capabilities = {_toml(names)}")


def undeny_fix(plugin: str, capability: str) -> str:
    """For a capability that the operator's own ``deny`` withholds."""
    return (
        f'"{capability}" stands in deny of {grant_table(plugin)} in the server\'s configuration; '
        f"take it out there, or run `{COMMAND} {quoted(plugin)} {capability}`"
    )


def principal_fix(capability: str, narrowed: str) -> str:
    """For a capability that is withheld from the principal of the call, by the entry ``narrowed`` of [principals]."""
    return f'"{capability}" stands in deny of {table_of("principals", narrowed)} in the server\'s configuration'


def network_fix(plugin: str, method: str, origin: str, path: str, *, bound: str, owner: str, rule: str = "") -> str:
    """For a request that no pattern allows, or that one denies.

    Args:
        plugin: Who asked.
        method: Of the request.
        origin: Scheme, host and port of the request.
        path: Percent-encoded, without query.
        bound: What said no, as in :meth:`NetworkRules.judge`.
        owner: ``manifest`` or ``grant``.
        rule: The pattern that denies.
    """
    if bound == "deny":
        table = grant_table(plugin, "network")
        return f"the rule {_toml(rule)} in deny of {table} forbids it; take it out if the request is meant"
    pattern = f"{method} {origin}{path if bound == 'path' else '/*'}"
    if owner == "manifest":
        return f"the author must ask for it: add {_toml(pattern)} to [network] allow in the plugin.toml of '{plugin}'"
    return _either(
        f"{quoted(plugin)} --host {quoted(pattern)}", f"{grant_table(plugin, 'network')} allow = {_toml([pattern])}"
    )


def range_fix(plugin: str, address: str) -> str:
    """For an address that no range opens."""
    size = 128 if ":" in address else 32
    return _either(
        f"{quoted(plugin)} --range {address}/{size}", f'{grant_table(plugin, "network")} ranges = ["{address}/{size}"]'
    )


def secret_fix(plugin: str, secret: str, method: str, origin: str) -> str:
    """For a secret that may not go to ``origin``."""
    pattern = f"{method} {origin}/*"
    return _either(
        f"{quoted(plugin)} --secret {quoted(f'{secret}={pattern}')}",
        f"{grant_table(plugin, 'network')} secrets = {{ {_toml(secret)} = {_toml([pattern])} }}",
    )


def secret_value_fix(variable: str) -> str:
    """For a secret that is granted and has no value."""
    return f"start the server with the variable {variable} set, to 8 visible ASCII characters or more"


def file_fix(plugin: str, segments: tuple[str, ...], mode: str, folder: str, data: Mapping[str, object]) -> str:
    """For a path that nothing allows, or that something denies.

    Args:
        plugin: Who asked.
        segments: Of the path.
        mode: ``read`` or ``write``.
        folder: Where the root is on this machine; empty when the grant has no such root.
        data: Of the refusal: ``bound`` and ``owner``.
    """
    bound, name = data.get("bound"), segments[0] if segments else ""
    if bound == "own":
        return ""  # no operator can allow that
    if bound == "deny":
        return f"deny of {grant_table(plugin, 'filesystem')} forbids it; take the entry out if that is meant"
    if bound == "path" or data.get("owner") == "manifest":
        asked = json.dumps("/".join(segments))
        return (
            f'the author must ask for it: add {{ path = {asked}, mode = "{mode}" }} to [filesystem] allow '
            f"in the plugin.toml of '{plugin}'"
        )
    if not _ROOT_NAME.fullmatch(name):
        name = "NAME"
    place = folder or "/path/of/the/folder"
    root = f'{{ name = "{name}", folder = {_toml(place)}, mode = "{mode}" }}'
    return _either(
        f"{quoted(plugin)} --folder {quoted(f'{name}={place}:{mode}')}",
        f"{grant_table(plugin, 'filesystem')} roots = [{root}]",
    )


def hard_link_fix(plugin: str, root: str) -> str:
    """For a file with more than one name, which may be read where the operator says so."""
    return (
        f"if every name of the files below '{root}' may be read, set hard_links = true at that root "
        f"in {grant_table(plugin, 'filesystem')} of the server's configuration"
    )


def number_fix(value: float, most: float, plugin: str, section: str, key: str) -> str:
    """For a number of ``[grants.<plugin>.<section>]`` that is reached; empty where it stands at the ``most`` it may."""
    return setting_fix(min(2 * value, most), "grants", plugin, section, key) if value < most else ""


def manifest_fix(plugin: str, section: str, key: str, value: float) -> str:
    """For a number that the plugin's own manifest keeps low, where no setting changes anything; ``value`` would do."""
    return (
        f"the author must ask for more: set {key} = {_toml(value)} under [{section}] in the plugin.toml of '{plugin}'"
    )


def quota_fix(plugin: str, megabytes: int) -> str:
    """For a key-value quota that is used up."""
    return _either(
        f"{quoted(plugin)} --quota-mb {megabytes}", f"{grant_table(plugin, 'storage')} quota_mb = {megabytes}"
    )


def hooks_fix(plugin: str) -> str:
    """For hooks that may not run."""
    return _either(f"{quoted(plugin)} --hooks", f"{grant_table(plugin)} hooks = true")


def alias_fix(plugin: str, alias: str) -> str:
    """For a language model that is not granted."""
    return _either(
        f"{quoted(plugin)} --model {quoted(alias)}", f"{grant_table(plugin, 'llm')} aliases = {_toml([alias])}"
    )


def setting_fix(value: float, *keys: str) -> str:
    """For a number that stands at ``keys`` of the configuration and is too low; ``value`` would do."""
    *table, key = keys
    line = f"add to the server's configuration: {table_of(*table)} {key} = {_toml(value)}"
    if not all(map(_BARE_KEY.fullmatch, keys)):
        return line
    return f"run `agentmem-mcp config set {'.'.join(keys)}={_toml(value)}`, or {line}"


def at_start(fix: str) -> str:
    """``fix`` of something that is read when the server starts and never again."""
    return f"{fix}; then start the server again"


def enough(allowed: float, needed: float, most: float) -> float:
    """What a number may be raised to: ``allowed`` doubled until it covers ``needed``, and ``most`` at most.

    Doubled, so that one piece of advice does for many requests: the log tells each only once.
    """
    value = allowed or needed
    while value < needed:
        value *= 2
    return min(value, most)


def _either(words: str, line: str) -> str:
    return f"run `{COMMAND} {words}`, or add to the server's configuration: {line}"


def grant_table(plugin: str, *more: str) -> str:
    """The header of a plugin's grant in the configuration, or of a table below it."""
    return table_of("grants", plugin, *more)


def table_of(*keys: str) -> str:
    """The header of a table of the configuration; keys that TOML wants in quotes are in quotes."""
    return f"[{'.'.join(key if _BARE_KEY.fullmatch(key) else _toml(key) for key in keys)}]"


def limit_fix(key: str, allowed: int, hard: int, *table: str) -> str:
    """For a limit of ``allowed`` that a call of a plugin has reached, that stands in ``table`` and ends at ``hard``."""
    if allowed >= hard:
        return f"{key} stands at its hard value, {hard}"
    return setting_fix(min(2 * allowed, hard), *table, key)


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
