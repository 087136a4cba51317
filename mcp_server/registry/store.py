"""The one owner of plugin records: loads them, swaps versions, holds back what is broken, never stops for one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from mcp_server.errors import (
    AgentMemError,
    ApprovalPending,
    LifecycleError,
    ManifestError,
    NameCollision,
    PluginNotFound,
)
from mcp_server.manifest.load import LoadedManifest
from mcp_server.policy.rights import Rights
from mcp_server.registry.approval import Approvals
from mcp_server.registry.candidates import Candidate, candidates
from mcp_server.registry.claims import id_of_broken, second_claim
from mcp_server.registry.discovery import Found, PluginFolders
from mcp_server.registry.errors import PluginDisabled
from mcp_server.registry.lifecycle import State
from mcp_server.registry.lockfile import Entry
from mcp_server.registry.notes import notes_on, same
from mcp_server.registry.record import PluginRecord
from mcp_server.registry.stamps import files_of, settled_stamp
from mcp_server.registry.version import OperatorWord, PluginVersion, read_manifest, read_version, rights_of
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
        changed: set[str] = set()
        seen: set[str] = set()
        # what cannot be read comes last: a guess at its id must not take that of a plugin that states its own
        for found, source, error in sorted(self._candidates(), key=lambda candidate: candidate[1] is None):
            plugin = source.manifest.plugin.id if source else id_of_broken(self.records, found, seen)
            if plugin in seen:
                plugin, error, source = *second_claim(self.records, plugin, found), None
            seen.add(plugin)
            if self._take(plugin, found, source, error, drain):
                changed.add(plugin)
        for plugin in [plugin for plugin in self.records if plugin not in seen]:
            self.remove(plugin, drain)
            changed.add(plugin)
        self._commit()
        return changed

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

    def hold_back(self, plugin: str, error: AgentMemError) -> None:
        """Put a plugin into Error from outside, as when its tool names collide."""
        record = self.get(plugin)
        self._retire(record, 0.0)
        record.fail(error)
        _tell(plugin, error)

    def stop(self, plugin: str, drain: float = 0.0) -> None:
        """Take a plugin's tools away until it is restarted; running calls end first.

        Raises:
            PluginNotFound: There is none of that id.
            LifecycleError: It is not in a state that can be stopped.
        """
        record = self.get(plugin)
        record.move(State.STOPPED)
        self._retire(record, drain)

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
        record.move(State.LOADING)
        self._began = time.time_ns()
        try:
            source = self._read(record)
            version = read_version(source, self._word(plugin))
            self._approvals.begin()
            refused = self._refused(record, version)
        except AgentMemError as error:
            record.fail(error)
            raise
        if refused is None:
            self._serve(record, record.path, version)
            self._commit()
        elif not self._serve_approved(record):
            record.fail(refused)
            raise refused
        else:
            record.error = self._refused(record, version)

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

    def _take(
        self, plugin: str, found: Found, source: LoadedManifest | None, error: AgentMemError | None, drain: float
    ) -> bool:
        record = self.records.get(plugin)
        if record is None:
            record = self.records[plugin] = PluginRecord(plugin, found.path)
        word = self._word(plugin)
        same_word = record.version is not None and record.version.word == word
        if record.state is State.STOPPED or (same_word and record.version and source is record.version.source):
            return False
        version: PluginVersion | None = None
        refused: AgentMemError | None = None
        if source is not None and error is None:
            try:
                version = read_version(source, word)
                refused = self._refused(record, version)
            except AgentMemError as refusal:
                version, error = None, refusal
        if version is None:
            record.newest = record.approval = None
            if not same_word:
                self._retire(record, drain)  # no version outlives the rights it was given
            return self._keep_old(record, error or NameCollision(f"'{plugin}' could not be read"))
        if refused is not None:
            if not same_word:
                self._retire(record, drain)  # the approved version goes on, under the rights it has now
            restored = not record.serving and self._serve_approved(record)
            return self._keep_old(record, self._refused(record, version) or refused) or restored
        if record.version is not None and record.serving and same(record.version, version):
            self._fleet.modules.put(version.module.sha256, version.data)
            self._note(record, found.path, version)
            return False
        record.move(State.LOADING)
        self._retire(record, drain)
        self._serve(record, found.path, version)
        return True

    def _refused(self, record: PluginRecord, version: PluginVersion) -> AgentMemError | None:
        """Why ``version`` may not run, if so; it is then the record's newest, and something to approve."""
        verdict = record.approval = self._approvals.judge(version, self._word(record.id))
        record.newest = None
        if not verdict.may_run:
            self._fleet.modules.put(version.module.sha256, version.data)  # what is approved are these bytes
            record.newest = replace(version, data=b"")
        return None if verdict.may_run else verdict.error(record.id, serves=record.serving)

    def _serve_approved(self, record: PluginRecord) -> bool:
        """Serve the approved version from its kept copy, where a changed one has taken the place of its files."""
        version = self._approvals.restored(record.id, record.path, self._fleet.modules.path, self._word(record.id))
        if version is None:
            return False
        if record.state is not State.LOADING:
            record.move(State.LOADING)
        self._serve(record, record.path, version)
        record.stamp = None  # of files it was not made of
        return True

    def _commit(self) -> None:
        for plugin, error in self._approvals.commit().items():
            self.hold_back(plugin, error)

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
        self._fleet.modules.put(version.module.sha256, version.data)
        record.runner = self._fleet.runner(version.runnable)
        self._note(record, path, version)
        record.move(State.LOADED)
        self._decided(record.id, version)

    def _note(self, record: PluginRecord, path: Path, version: PluginVersion) -> None:
        record.path = path
        record.version = replace(version, data=b"")  # stored by now; a hundred modules do not belong into memory
        record.error = None
        record.notes = notes_on(version)
        record.stamp = settled_stamp(files_of(version.source), self._began)

    def _retire(self, record: PluginRecord, drain: float) -> None:
        runner, record.runner = record.runner, None
        if runner is not None:
            self._fleet.retire(runner, drain)


def _tell(plugin: str, error: AgentMemError) -> None:
    fix = f"; fix: {error.fix}" if error.fix else ""
    level = logging.INFO if isinstance(error, PluginDisabled) else logging.WARNING
    logger.log(level, "plugin %s: [%s] %s%s", plugin, error.error_code, error.message, fix)
