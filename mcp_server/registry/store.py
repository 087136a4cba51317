"""The one owner of plugin records: loads them, swaps versions, holds back what is broken, never stops for one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from mcp_server.errors import (
    AgentMemError,
    ApprovalPending,
    LifecycleError,
    ManifestError,
    PluginNotFound,
)
from mcp_server.manifest.load import LoadedManifest
from mcp_server.policy.rights import Rights
from mcp_server.registry.approval import Approvals
from mcp_server.registry.candidates import Candidate, candidates
from mcp_server.registry.claims import id_of_broken, second_claim
from mcp_server.registry.discovery import Found, PluginFolders
from mcp_server.registry.errors import PluginDisabled, RequirementConflict
from mcp_server.registry.judged import Judged, judge, together
from mcp_server.registry.lifecycle import State
from mcp_server.registry.lockfile import Entry
from mcp_server.registry.needs import Lack, unserved
from mcp_server.registry.notes import notes_on, same
from mcp_server.registry.record import PluginRecord
from mcp_server.registry.stamps import files_of, settled_stamp
from mcp_server.registry.version import OperatorWord, PluginVersion, read_manifest, rights_of
from mcp_server.runtime.fleet import Fleet

__all__ = ["Registry"]

logger = logging.getLogger(__name__)


class Registry:
    """Every discovered plugin by id, in the order of discovery.

    Args:
        folders: Where to look.
        fleet: Makes the runners of loaded versions.
        word: What the operator says about a plugin id.
        host_version: For ``requires_host``.
        approvals: Says which versions may run.
        decided: Told of every version that serves from now on, and of every one whose rights were refused.
    """

    def __init__(
        self,
        folders: PluginFolders,
        fleet: Fleet,
        word: Callable[[str], OperatorWord],
        host_version: str,
        approvals: Approvals,
        decided: Callable[[str, PluginVersion | AgentMemError], None],
    ) -> None:
        self._folders = folders
        self._fleet = fleet
        self._word = word
        self._host_version = host_version
        self._approvals = approvals
        self._decided = decided
        self._alone = approvals.rules.launch.alone
        self._began = 0  # nanoseconds; files written since are not trusted to be what was read
        self.records: dict[str, PluginRecord] = {}

    def get(self, plugin: str) -> PluginRecord:
        """The record of ``plugin``.

        Raises:
            PluginNotFound: Nothing of that id was discovered.
        """
        record = self.records.get(plugin)
        if record is None:
            raise PluginNotFound(
                f"there is no plugin '{plugin}'; known: {', '.join(self.records) or 'none'}",
                fix="agentmem-mcp plugin list",
            )
        return record

    def scan(self, drain: float = 0.0) -> set[str]:
        """Look at the folders and take what is new, changed or gone; the ids that changed.

        A changed plugin that does not load keeps its old version serving and shows why. Calls that run on a
        replaced version end on it within ``drain`` seconds.

        Raises:
            SettingsError: A configured folder is missing or unreadable.
        """
        self._began = time.time_ns()
        self._approvals.begin()
        looked: dict[str, Judged] = {}
        seen: set[str] = set()
        # what cannot be read comes last: a guess at its id must not take that of a plugin that states its own
        for found, source, error in sorted(self._candidates(), key=lambda candidate: candidate[1] is None):
            plugin = source.manifest.plugin.id if source else id_of_broken(self.records, found, seen)
            if plugin in seen:
                plugin, error, source = *second_claim(self.records, plugin, found), None
            seen.add(plugin)
            record = self.records.setdefault(plugin, PluginRecord(plugin, found.path))
            if record.state is not State.STOPPED:
                looked[plugin] = self._judge(record, found.path, source, error)
        served, lacking = together(looked, alone=self._alone)
        changed = {
            plugin for plugin, one in looked.items() if self._take(one, served.get(plugin), lacking.get(plugin), drain)
        }
        for plugin in [plugin for plugin in self.records if plugin not in seen]:
            self.remove(plugin, drain)
            changed.add(plugin)
        return changed | self._commit()

    def approve(self, plugin: str, by: str = "") -> Entry:
        """Approve the version of ``plugin`` that lies on disk, in the name of ``by``; the next scan serves it.

        Raises:
            PluginNotFound: There is none of that id.
            LockDamaged: The approval cannot be written.
            AgentMemError: Why there is nothing that could be approved.
        """
        record = self.get(plugin)
        version = record.newest or record.version
        pending = isinstance(record.error, ApprovalPending | None) or record.newest is not None
        if version is None or not pending:
            raise record.error or LifecycleError(f"plugin '{plugin}' has no version that could be approved")
        return self._approvals.approve(version, self._word(plugin), by)

    def hold_back(self, errors: Mapping[str, AgentMemError]) -> set[str]:
        """Put plugins into Error from outside, as when tool names collide; their ids, and of those that need them."""
        for plugin, error in errors.items():
            record = self.get(plugin)
            self._retire(record, 0.0)
            record.fail(error)
            _tell(plugin, error)
        return {*errors, *(self._hold_needy() if errors else ())}

    def stop(self, plugin: str, drain: float = 0.0) -> None:
        """Take a plugin's tools away until it is restarted; running calls end first.

        Raises:
            PluginNotFound: There is none of that id.
            LifecycleError: It is not in a state that can be stopped.
        """
        record = self.get(plugin)
        record.move(State.STOPPED)
        self._retire(record, drain)
        self._hold_needy(drain)

    def rights(self, plugin: str) -> Rights | None:
        """What ``plugin`` asks for and is granted, also where that holds it back; None when its manifest is unreadable.

        Raises:
            PluginNotFound: There is none of that id.
        """
        record = self.get(plugin)
        if record.version is not None and record.serving:
            return record.version.rights
        try:
            source = self._read(record)
        except ManifestError:
            return None
        return rights_of(source.manifest, self._word(plugin))

    def restart(self, plugin: str) -> None:
        """Load a plugin anew from Stopped or Error, with its crashes forgotten.

        Raises:
            PluginNotFound: There is none of that id.
            LifecycleError: It serves already.
            AgentMemError: Why it cannot be loaded; it is then in Error.
        """
        record = self.get(plugin)
        if record.serving:
            raise LifecycleError(f"plugin '{plugin}' is {record.shown_state} and need not be restarted; stop it first")
        self._load(record)
        while any(self._load(other) for other in self.records.values() if other is not record and _misses(other)):
            pass  # each of them may be what another one waits for
        self._hold_needy()
        if record.error is not None and not record.serving:
            raise record.error

    def _load(self, record: PluginRecord) -> bool:
        """Load what lies on disk; whether it serves now."""
        record.move(State.LOADING)
        self._began = time.time_ns()
        self._approvals.begin()
        source, unread = None, None
        try:
            source = self._read(record)
        except ManifestError as error:
            unread = error
        looked = self._beside() | {record.id: self._judge(record, record.path, source, unread)}
        served, lacking = together(looked, alone=self._alone)
        self._take(looked[record.id], served.get(record.id), lacking.get(record.id), 0.0)
        self._commit()
        return record.serving

    def _hold_needy(self, drain: float = 0.0) -> set[str]:
        """Hold back each plugin that misses another one which is served no longer; their ids."""
        looked = {plugin: one for plugin, one in self._beside().items() if one.record.serving}
        _, lacking = together(looked, alone=self._alone)
        for plugin, lack in lacking.items():
            self._take(looked[plugin], None, lack, drain)
        return set(lacking)

    def remove(self, plugin: str, drain: float = 0.0) -> None:
        """Forget a plugin; its running calls end first."""
        record = self.records.pop(plugin)
        self._retire(record, drain)
        record.move(State.UNREGISTERED)

    def _read(self, record: PluginRecord) -> LoadedManifest:
        kind = "module" if record.path.suffix == ".wasm" else "manifest"
        return read_manifest(Found(record.path, kind), self._folders.roots, self._host_version)

    def _candidates(self) -> Iterable[Candidate]:
        return candidates(self._folders, self.records, self._host_version, self._stored)

    def _judge(
        self, record: PluginRecord, path: Path, source: LoadedManifest | None, error: AgentMemError | None
    ) -> Judged:
        return judge(record, path, source, error, self._word(record.id), self._approvals, self._fleet.modules)

    def _beside(self) -> dict[str, Judged]:
        """What is served, and what would be if it did not miss another one."""
        there = {plugin: record for plugin, record in self.records.items() if record.serving or _misses(record)}
        return {plugin: Judged(record, record.path, current=record.version) for plugin, record in there.items()}

    def _take(self, one: Judged, version: PluginVersion | None, lack: list[Lack] | None, drain: float) -> bool:
        """Serve ``version``, or nothing, and say why it is not the newest; whether anything changed by that."""
        record = one.record
        error = unserved(lack, self.records) if lack else one.why(serves=version is not None)
        if version is None:
            self._retire(record, drain)
        elif version is one.fresh and record.serving and record.version and same(record.version, version):
            self._note(record, one.path, version)
            return False
        elif version is not one.current:
            if record.state is not State.LOADING:
                record.move(State.LOADING)
            self._retire(record, drain)
            self._serve(record, one.path if version is one.fresh else record.path, version)
            if version is one.kept:
                record.stamp = None  # of files it was not made of
            return error is None or self._keep_old(record, error) or True
        return error is not None and self._keep_old(record, error)

    def _commit(self) -> set[str]:
        """Write down what was approved by being there; the ids of plugins that are held back for it."""
        return self.hold_back(self._approvals.commit())

    def _stored(self, version: PluginVersion) -> bool:
        return self._fleet.modules.has(version.module.sha256)

    def _keep_old(self, record: PluginRecord, error: AgentMemError) -> bool:
        repeated = record.error is not None and record.error.message == error.message
        if record.serving:
            record.error = error
        else:
            record.fail(error)
        if not repeated:
            self._decided(record.id, error)
            _tell(record.id, error)
        return not repeated

    def _serve(self, record: PluginRecord, path: Path, version: PluginVersion) -> None:
        record.runner = self._fleet.runner(version.runnable)
        self._note(record, path, version)
        record.move(State.LOADED)
        self._decided(record.id, version)

    def _note(self, record: PluginRecord, path: Path, version: PluginVersion) -> None:
        record.path = path
        record.version = replace(version, data=b"")
        record.error = None
        record.notes = notes_on(version)
        record.stamp = settled_stamp(files_of(version.source), self._began)

    def _retire(self, record: PluginRecord, drain: float) -> None:
        runner, record.runner = record.runner, None
        if runner is not None:
            self._fleet.retire(runner, drain)


def _misses(record: PluginRecord) -> bool:
    """Whether it is held back for lack of another plugin."""
    return not record.serving and isinstance(record.error, RequirementConflict)


def _tell(plugin: str, error: AgentMemError) -> None:
    fix = f"; fix: {error.fix}" if error.fix else ""
    level = logging.INFO if isinstance(error, PluginDisabled) else logging.WARNING
    logger.log(level, "plugin %s: [%s] %s%s", plugin, error.error_code, error.message, fix)
