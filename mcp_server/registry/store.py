"""The one owner of plugin records: loads them, swaps versions, holds back what is broken, never stops for one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from mcp_server.errors import AgentMemError, LifecycleError, ManifestError, NameCollision, PluginNotFound
from mcp_server.manifest.load import LoadedManifest
from mcp_server.policy.rights import Rights
from mcp_server.registry.discovery import Found, PluginFolders, discover, lone_modules
from mcp_server.registry.lifecycle import State
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
    """

    def __init__(
        self, folders: PluginFolders, fleet: Fleet, word: Callable[[str], OperatorWord], host_version: str
    ) -> None:
        self._folders = folders
        self._fleet = fleet
        self._word = word
        self._host_version = host_version
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
        changed: set[str] = set()
        seen: set[str] = set()
        # what cannot be read comes last: a guess at its id must not take that of a plugin that states its own
        for found, source, error in sorted(self._candidates(), key=lambda candidate: candidate[1] is None):
            plugin = source.manifest.plugin.id if source else self._id_of_broken(found, seen)
            if plugin in seen:
                plugin, error, source = *self._second_claim(plugin, found), None
            seen.add(plugin)
            if self._take(plugin, found, source, error, drain):
                changed.add(plugin)
        for plugin in [plugin for plugin in self.records if plugin not in seen]:
            self.remove(plugin, drain)
            changed.add(plugin)
        return changed

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
        except AgentMemError as error:
            record.fail(error)
            raise
        self._serve(record, record.path, version)

    def remove(self, plugin: str, drain: float = 0.0) -> None:
        """Forget a plugin; its running calls end first."""
        record = self.records.pop(plugin)
        self._retire(record, drain)
        record.move(State.UNREGISTERED)

    def _read(self, record: PluginRecord) -> LoadedManifest:
        kind = "module" if record.path.suffix == ".wasm" else "manifest"
        return read_manifest(Found(record.path, kind), self._folders.roots, self._host_version)

    def _candidates(self) -> Iterable[tuple[Found, LoadedManifest | None, AgentMemError | None]]:
        claimed: list[Path] = []
        for found in discover(self._folders):
            known = self._by_path(found.path)
            if known is not None and known.version is not None and known.untouched and self._stored(known.version):
                claimed.append(known.version.source.wasm)
                yield found, known.version.source, None
                continue
            try:
                source = read_manifest(found, self._folders.roots, self._host_version)
            except ManifestError as error:
                yield found, None, error
                # a module whose manifest is broken must not slip in as a lone one, without its manifest's limits
                claimed += [path / found.guessed_id / f"{found.guessed_id}.wasm" for path in self._folders.plugins]
                claimed += found.path.parent.glob("*.wasm")
                continue
            claimed.append(source.wasm)
            yield found, source, None
        for found in lone_modules(self._folders, claimed):
            try:
                yield found, read_manifest(found, self._folders.roots, self._host_version), None
            except ManifestError as error:
                yield found, None, error

    def _second_claim(self, plugin: str, found: Found) -> tuple[str, NameCollision]:
        first = self.records[plugin].path
        error = NameCollision(
            f"two plugins claim the id '{plugin}': {first} and {found.path}; the first keeps it",
            fix="change the id in one of the two manifests, or remove one",
        )
        return self._numbered(plugin, found), error

    def _id_of_broken(self, found: Found, seen: set[str]) -> str:
        """The id it had while its manifest could be read, else one made of its path that nobody else has."""
        known = self._by_path(found.path)
        if known is not None and known.id not in seen:
            return known.id
        taken = found.guessed_id in seen or found.guessed_id in self.records
        return self._numbered(found.guessed_id, found) if taken else found.guessed_id

    def _numbered(self, plugin: str, found: Found) -> str:
        number = 2
        while f"{plugin}#{number}" in self.records and self.records[f"{plugin}#{number}"].path != found.path:
            number += 1
        return f"{plugin}#{number}"

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
        if source is not None and error is None:
            try:
                version = read_version(source, word)
            except AgentMemError as refused:
                error = refused
        if version is None:
            if not same_word:
                self._retire(record, drain)  # no version outlives the rights it was given
            return self._keep_old(record, error or NameCollision(f"'{plugin}' could not be read"))
        if record.version is not None and record.serving and _same(record.version, version):
            self._fleet.modules.put(version.module.sha256, version.data)
            self._note(record, found.path, version)
            return False
        record.move(State.LOADING)
        self._retire(record, drain)
        self._serve(record, found.path, version)
        return True

    def _stored(self, version: PluginVersion) -> bool:
        return self._fleet.modules.has(version.module.sha256)

    def _keep_old(self, record: PluginRecord, error: AgentMemError) -> bool:
        repeated = record.error is not None and record.error.message == error.message
        if record.serving:
            record.error = error
        else:
            record.fail(error)
        if not repeated:
            _tell(record.id, error)
        return not repeated

    def _serve(self, record: PluginRecord, path: Path, version: PluginVersion) -> None:
        self._fleet.modules.put(version.module.sha256, version.data)
        record.runner = self._fleet.runner(version.runnable)
        self._note(record, path, version)
        record.move(State.LOADED)

    def _note(self, record: PluginRecord, path: Path, version: PluginVersion) -> None:
        record.path = path
        record.version = replace(version, data=b"")  # stored by now; a hundred modules do not belong into memory
        record.error = None
        record.notes = _notes(version)
        record.stamp = settled_stamp(files_of(version.source), self._began)

    def _retire(self, record: PluginRecord, drain: float) -> None:
        runner, record.runner = record.runner, None
        if runner is not None:
            self._fleet.retire(runner, drain)

    def _by_path(self, path: Path) -> PluginRecord | None:
        return next((record for record in self.records.values() if record.path == path), None)


def _tell(plugin: str, error: AgentMemError) -> None:
    fix = f"; fix: {error.fix}" if error.fix else ""
    logger.warning("plugin %s: [%s] %s%s", plugin, error.error_code, error.message, fix)


def _same(old: PluginVersion, new: PluginVersion) -> bool:
    return old.digest == new.digest and old.runnable == new.runnable and old.rights == new.rights


def _notes(version: PluginVersion) -> tuple[str, ...]:
    manifest = version.source.manifest
    notes: list[str] = []
    if not version.source.declared:
        notes.append("no manifest: no rights, tools taken from the module's exports")
    if any(manifest.hooks.model_dump().values()):
        notes.append("declares [hooks]; this version of the host calls none")
    refused = sorted(set(manifest.capabilities.optional) - version.rights.granted)
    if refused:
        fix = version.rights.fix(version.source.manifest.plugin.id, refused)
        notes.append(f"optional capabilities not granted: {', '.join(refused)}; {fix}")
    return tuple(notes)
