"""``add``, ``update``, ``remove`` and ``search``: plugins that come to this machine and go."""

from __future__ import annotations

import shlex
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from mcp_server.cli.output import print_json, print_table
from mcp_server.cli.progress import progress_bar
from mcp_server.cli.serve import find_folders, load
from mcp_server.distribution.adding import Added, Allowed, Offer, add_offers, remove_plugins
from mcp_server.distribution.changes import offers_as_locked, offers_asked_for, offers_of_updates
from mcp_server.distribution.downloads import Downloads
from mcp_server.distribution.errors import DownloadFailed
from mcp_server.distribution.fetching import Fetching
from mcp_server.distribution.index import search as search_in
from mcp_server.distribution.signing import Trust
from mcp_server.distribution.web import Web
from mcp_server.errors import InvalidArguments
from mcp_server.manifest import Manifest
from mcp_server.policy.rights import DEFAULT_GRANTS
from mcp_server.registry.errors import InstallFailed
from mcp_server.registry.installed import InstalledPlugins
from mcp_server.services import open_audit
from mcp_server.settings import Secrets, Settings, user_folders

__all__ = ["How", "add_plugins", "fetching_with", "remove_them", "search_indexes", "update_plugins"]


@dataclass(frozen=True, slots=True)
class How:
    """What the options of these commands say."""

    config: Path | None = None
    roots: tuple[Path, ...] = ()
    locked: bool = False
    offline: bool = False
    downgrade: bool = False
    other_signer: bool = False
    quiet: bool = False
    json: bool = False


def add_plugins(texts: Sequence[str], how: How) -> None:
    """Install what ``texts`` name, or with ``--locked`` alone all that the lock has.

    Raises:
        AgentMemError: Why not; nothing was installed then.
    """
    if not texts and not how.locked:
        raise InvalidArguments(
            "name what to add, or say --locked for all of plugins.lock", fix="agentmem-mcp add --help"
        )

    async def offers(fetching: Fetching) -> list[Offer]:
        return await (offers_asked_for(fetching, texts) if texts else offers_as_locked(fetching, _installed()))

    _install(offers, how, "add", "added")


def update_plugins(plugins: Sequence[str], how: How) -> None:
    """Install what the plugins follow, where that has changed.

    Raises:
        AgentMemError: Why not; nothing was installed then.
    """
    _install(lambda fetching: offers_of_updates(fetching, _installed(), plugins), how, "update", "updated")


def remove_them(plugins: Sequence[str], how: How) -> None:
    """Remove plugins, all or none.

    Raises:
        AgentMemError: Why not.
    """
    remove_plugins(_installed(), plugins)
    _record(load(how.config).settings, "remove", dict.fromkeys(plugins, ""))
    if how.json:
        print_json({"removed": list(plugins)})
    elif not how.quiet:
        for plugin in plugins:
            print(f"removed {plugin}; what was granted to it stays: agentmem-mcp plugin revoke {plugin}")


def search_indexes(words: Sequence[str], how: How) -> None:
    """Print the plugins of the configured indexes in which every word is found.

    Raises:
        AgentMemError: An index cannot be had.
    """
    settings = load(how.config).settings
    if not settings.sharing.indexes:
        raise InvalidArguments(
            "no index is configured", fix="[sharing.indexes] NAME = URL in the configuration, see docs/sharing.md"
        )
    found: list[dict[str, Any]] = []

    async def run() -> None:
        async with fetching_with(settings, how) as fetching:
            for index, plugin, entry in search_in(words, await fetching.indexes()):
                facts = {"id": plugin, "version": entry.versions[0].version, "index": index}
                found.append(facts | entry.model_dump(mode="json", exclude={"versions"}))

    anyio.run(run)
    if how.json:
        print_json({"plugins": found})
    elif found:
        rows = [[one["id"], one["version"], one["index"], one["description"] or one["name"]] for one in found]
        print_table(["PLUGIN", "VERSION", "INDEX", "WHAT IT DOES"], rows)
    elif not how.quiet:
        print("no plugin has all of these words")


@asynccontextmanager
async def fetching_with(settings: Settings, how: How) -> AsyncGenerator[Fetching]:
    """What gets packages, for one command.

    Raises:
        DownloadFailed: It took longer than `[sharing] total_seconds`.
        InstallFailed: The disk said no.
    """
    secrets = Secrets(keyring=settings.secrets.keyring)
    secrets.fetch(settings)
    sharing = settings.sharing
    try:
        with anyio.fail_after(sharing.total_seconds), progress_bar(quiet=how.quiet or how.json) as progress:
            async with Web(sharing) as web:
                downloads = Downloads(user_folders().cache, web, offline=how.offline, progress=progress)
                yield Fetching(sharing, web, downloads, secrets.value, Path.cwd(), how.roots)
    except TimeoutError:
        raise DownloadFailed(
            f"it was not done after {sharing.total_seconds:g} seconds", fix="again: it goes on from what has come"
        ) from None
    except OSError as error:
        raise InstallFailed(
            f"what was fetched cannot be kept: {error.strerror or error}; nothing was installed",
            fix="look at the space and the permissions of the cache folder",
        ) from None


def _install(wanted: Callable[[Fetching], Awaitable[list[Offer]]], how: How, function: str, verb: str) -> None:
    settings = load(how.config).settings
    offers: list[Offer] = []

    async def run() -> None:
        async with fetching_with(settings, how) as fetching:
            offers.extend(await wanted(fetching))

    anyio.run(run)
    sharing = settings.sharing
    allowed = Allowed(Trust.of(sharing), sharing.require_signature, how.downgrade, how.other_signer, how.locked)
    added = add_offers(_installed(), offers, allowed)
    _record(settings, function, {one.manifest.plugin.id: one.origin.source for one in added if not one.same})
    if how.json:
        print_json({verb: [_facts(one) for one in added]})
        return
    for one in () if how.quiet else added:
        _tell(one)
    if not added and not how.quiet:
        print(f"nothing to be {verb}")


def _record(settings: Settings, function: str, plugins: Mapping[str, str]) -> None:
    """Write into the audit log which plugins came from where, or went."""
    audit = open_audit(user_folders().state, settings.audit)
    if audit is None:
        return
    for plugin, source in plugins.items():
        row = {"event": "command", "principal": "local", "plugin": plugin, "function": function}
        audit.record({**row, "target": source.partition("#")[0].partition("?")[0], "code": "ok"})
    audit.close()


def _installed() -> InstalledPlugins:
    return InstalledPlugins(user_folders().data)


def _facts(one: Added) -> dict[str, Any]:
    manifest = one.manifest
    return {
        "id": manifest.plugin.id,
        "version": manifest.plugin.version,
        "before": one.before,
        "unchanged": one.same,
        **one.origin.model_dump(include={"source", "sha256", "signer", "key"}),
        "untrusted_key": one.signed.key_name if one.signed and one.signed.doubt else None,
        "doubt": one.signed.doubt if one.signed and one.signed.doubt else None,
        "requests": {
            "required": sorted(manifest.capabilities.required),
            "optional": sorted(manifest.capabilities.optional),
            "network": list(manifest.network.allow),
            "filesystem": [f"{rule.path} ({rule.mode})" for rule in manifest.filesystem.allow],
        },
        "next": _next(manifest),
    }


def _tell(one: Added) -> None:
    facts = _facts(one)
    instead = f" in place of {one.before}" if one.before and not one.same else ""
    print(f"{'already there:' if one.same else 'installed'} {facts['id']} {facts['version']}{instead}")
    print(f"  from {facts['source']}\n  sha256 {facts['sha256']}")
    if one.signed and one.signed.doubt:
        print(f"  {one.signed.doubt}: that says nothing\n  {one.signed.fix}")
    else:
        print(f"  signed by {facts['signer']}" if facts["signer"] else "  not signed")
    for kind in ("required", "optional"):
        for name in facts["requests"][kind]:
            print(f"  asks for {name} ({kind}{', which every plugin has' if name in DEFAULT_GRANTS else ''})")
    for kind in ("network", "filesystem"):
        for text in facts["requests"][kind]:
            print(f"  {kind}: {text}")
    print("  nothing was granted or approved; look at it, then:")
    for command in facts["next"]:
        print(f"    {command}")


def _next(manifest: Manifest) -> list[str]:
    """The commands that give the plugin what it must have, and let it run."""
    plugin = manifest.plugin.id
    names = [name for name in sorted(manifest.capabilities.required) if name not in DEFAULT_GRANTS]
    words = ["agentmem-mcp", "plugin", "grant", plugin, *names]
    if "NetworkAccess" in names:
        words += [word for pattern in manifest.network.allow for word in ("--host", pattern)]
    if "FileSystemAccess" in names:
        roots = {rule.path.split("/")[0]: rule.mode for rule in manifest.filesystem.allow}
        words += [word for name, mode in roots.items() for word in ("--folder", f"{name}=FOLDER:{mode}")]
    mine = user_folders().plugins
    found = find_folders(None, None).plugins
    where = [] if mine in found else ["--plugins", str(mine)]
    approve = shlex.join(["agentmem-mcp", "plugin", "approve", plugin, *where])
    return [shlex.join(words), approve] if names else [approve]
