"""What ``add``, ``update`` and ``add --locked`` fetch, before ``adding`` judges and installs it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mcp_server.distribution.adding import Offer
from mcp_server.distribution.errors import PackageNotFound
from mcp_server.distribution.fetching import Fetching
from mcp_server.registry.archive import archive_of, files_in
from mcp_server.registry.installed import InstalledPlugins
from mcp_server.registry.lockfile import Origin

__all__ = ["offers_as_locked", "offers_asked_for", "offers_of_updates"]


async def offers_asked_for(fetching: Fetching, texts: Sequence[str]) -> list[Offer]:
    """What ``texts`` ask for, in their order.

    Raises:
        AgentMemError: One of them cannot be had.
    """
    return [await fetching.offer(text) for text in texts]


async def offers_as_locked(fetching: Fetching, installed: InstalledPlugins) -> list[Offer]:
    """All that ``plugins.lock`` says is installed, each from exactly where it came from.

    Raises:
        AgentMemError: One of them cannot be had.
    """
    offers: list[Offer] = []
    for plugin, origin in installed.lock.origins().items():
        if not origin.follows:
            raise PackageNotFound(
                f"'{plugin}' was {origin.source}, and cannot be fetched from there",
                fix=f"agentmem-mcp remove {plugin}, and add it from a folder, a URL or a registry",
            )
        offer = await fetching.offer(origin.source)
        offers.append(replace(offer, source=origin.source, follows=origin.follows, plugin=plugin))
    return offers


async def offers_of_updates(fetching: Fetching, installed: InstalledPlugins, plugins: Sequence[str]) -> list[Offer]:
    """What ``plugins``, or all that are installed, would become now; those that stay as they are left out.

    Raises:
        NotInstalled: One was not installed here.
        AgentMemError: One of them cannot be had.
    """
    origins = installed.origins()
    for plugin in plugins:
        installed.require(plugin)
    offers: list[Offer] = []
    for plugin, origin in _followed(origins.items(), plugins):
        offer = replace(await fetching.offer(origin.follows), plugin=plugin)
        if archive_of(offer.files) != archive_of(_there(installed, plugin)):
            offers.append(offer)
    return offers


def _followed(origins: Iterable[tuple[str, Origin]], plugins: Sequence[str]) -> list[tuple[str, Origin]]:
    return [(plugin, origin) for plugin, origin in origins if origin.follows and (not plugins or plugin in plugins)]


def _there(installed: InstalledPlugins, plugin: str) -> dict[str, bytes]:
    return files_in(installed.folder / plugin)
