"""What a look at one plugin comes to: the versions of it that may be served, and why the newest is none of them.

Nothing is loaded and nothing is taken away here; which version it will be, what plugins need of each other decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mcp_server.errors import AgentMemError, NameCollision
from mcp_server.manifest.load import LoadedManifest
from mcp_server.manifest.model import PluginSection
from mcp_server.registry.approval import Approvals, Verdict
from mcp_server.registry.needs import Lack, fitting
from mcp_server.registry.record import PluginRecord
from mcp_server.registry.version import OperatorWord, PluginVersion, read_version
from mcp_server.runtime.modules import ModuleStore

__all__ = ["Judged", "judge", "sections", "together"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One plugin, looked at.

    Attributes:
        record: Of the plugin.
        path: Where it was found.
        fresh: What lies there, if it may be served.
        current: What is served, if it may go on.
        kept: The approved version from its copy, where a changed one has taken the place of its files.
        error: Why what lies there is not served.
        verdict: In place of ``error``: it waits for an approval.
    """

    record: PluginRecord
    path: Path
    fresh: PluginVersion | None = None
    current: PluginVersion | None = None
    kept: PluginVersion | None = None
    error: AgentMemError | None = None
    verdict: Verdict | None = None

    @property
    def options(self) -> list[PluginVersion]:
        """What may be served, the best first."""
        return [version for version in (self.fresh, self.current, self.kept) if version is not None]

    def why(self, *, serves: bool) -> AgentMemError | None:
        """Why what lies there is not served; ``serves`` when another version is."""
        return self.verdict.error(self.record.id, serves=serves) if self.verdict is not None else self.error


def judge(
    record: PluginRecord,
    path: Path,
    source: LoadedManifest | None,
    error: AgentMemError | None,
    word: OperatorWord,
    approvals: Approvals,
    modules: ModuleStore,
) -> Judged:
    """Read what lies at ``path``, and hold it against the operator's word and the approvals.

    Args:
        record: What is known of the plugin; its approval is written down there.
        path: Its manifest, or a lone module.
        source: The manifest; None when it cannot be read.
        error: Why that is so, or why the plugin may not be served whatever it is.
        word: What the operator says about it.
        approvals: Says which versions may run.
        modules: Keeps the bytes.
    """
    old = record.version
    current = old if record.serving and old is not None and old.word == word else None  # none outlives its rights
    if current is not None and source is current.source:
        return Judged(record, path, current=current)
    record.newest = record.approval = None
    if source is None or error is not None:
        failed = error or NameCollision(f"'{record.id}' could not be read")
        return Judged(record, path, current=current, error=failed)
    try:
        version = read_version(source, word)
        verdict = approvals.judge(version, word)
    except AgentMemError as refusal:
        return Judged(record, path, current=current, error=refusal)
    modules.put(version.module.sha256, version.data)  # what is served or approved are these bytes
    version = replace(version, data=b"")  # a hundred modules do not belong into memory
    record.approval = verdict
    if verdict.may_run:
        return Judged(record, path, version, current)
    record.newest = version
    kept = None if current else approvals.restored(record.id, record.path, modules.path, word)
    return Judged(record, path, current=current, kept=kept, verdict=verdict)


def together(looked: Mapping[str, Judged], *, alone: bool) -> tuple[dict[str, PluginVersion], dict[str, list[Lack]]]:
    """Which version of each plugin is served beside the others, and what those lack that are not served first-hand.

    Args:
        looked: By id.
        alone: Whether nobody asks what plugins need of each other.
    """
    options = {plugin: one.options for plugin, one in looked.items()}
    if alone:
        return {plugin: versions[0] for plugin, versions in options.items() if versions}, {}
    at, lacking = fitting({plugin: sections(*versions) for plugin, versions in options.items()})
    return {plugin: options[plugin][place] for plugin, place in at.items()}, lacking


def sections(*versions: PluginVersion) -> list[PluginSection]:
    """What ``versions`` say of themselves."""
    return [version.source.manifest.plugin for version in versions]
