"""What plugins need of each other, as values: who would miss whom, and which of several versions go together.

It knows nothing of files and states: it is asked before plugins are installed, and each time that they are loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mcp_server.manifest.model import PluginSection
from mcp_server.policy.versions import VersionRange
from mcp_server.registry.errors import RequirementConflict

__all__ = ["Lack", "fitting", "lacks", "unserved"]


@dataclass(frozen=True, slots=True)
class Lack:
    """One requirement that is not met.

    Attributes:
        plugin: Whose it is: ``'top' 0.1.0``.
        needed: The id of the other plugin.
        wanted: Which versions of it would do.
        there: The version that is there; None where there is none.
    """

    plugin: str
    needed: str
    wanted: str
    there: str | None

    @property
    def asked(self) -> str:
        """What would help, for a shell: ``'ID@RANGE'``."""
        return f"'{self.needed}@{self.wanted}'"

    def told(self, missing: str) -> str:
        """As a sentence, in which ``missing`` says why no version is there."""
        what = missing if self.there is None else f"and {self.there} is there"
        return f"plugin {self.plugin} needs '{self.needed}' {self.wanted}, {what}"


def lacks(plugin: PluginSection, there: Mapping[str, PluginSection]) -> list[Lack]:
    """The requirements of ``plugin`` that are not met by the plugins ``there``, in the order of its manifest."""
    found: list[Lack] = []
    for needed, wanted in plugin.requires_plugins:
        other = there.get(needed)
        if other is None or not VersionRange.parse(wanted).fits(other.version):
            who = f"'{plugin.id}' {plugin.version}"
            found.append(Lack(who, needed, wanted, other.version if other else None))
    return found


def fitting(options: Mapping[str, Sequence[PluginSection]]) -> tuple[dict[str, int], dict[str, list[Lack]]]:
    """Which versions can be served together, where each may need others; plugins may need each other in a ring.

    Args:
        options: By id, the versions that could be served, the one that is wanted most first.

    Returns:
        The position of the one to serve, by id, where there is one; and what the first one lacks, where it is not that.
    """
    at = dict.fromkeys(options, 0)
    lacking: dict[str, list[Lack]] = {}
    while True:
        chosen = {plugin: options[plugin][place] for plugin, place in at.items() if place < len(options[plugin])}
        found = {plugin: lack for plugin, one in chosen.items() if (lack := lacks(one, chosen))}
        if not found:
            return {plugin: at[plugin] for plugin in chosen}, lacking
        for plugin, lack in found.items():
            lacking.setdefault(plugin, lack)
            at[plugin] += 1


def unserved(lacking: Sequence[Lack], known: Collection[str]) -> RequirementConflict:
    """Why a plugin that lacks this is held back; ``known`` are the ids of all plugins, served or not."""
    sentences: list[str] = []
    steps: list[str] = []
    for lack in lacking:
        held = lack.there is None and lack.needed in known
        sentences.append(lack.told("which is held back itself" if held else "which is not there"))
        steps.append(f"agentmem-mcp plugin show {lack.needed}" if held else f"agentmem-mcp add {lack.asked}")
    return RequirementConflict(
        "; ".join(sentences), fix="; ".join(dict.fromkeys(steps)), data={"needs": [lack.needed for lack in lacking]}
    )
