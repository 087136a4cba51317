"""Whether a version may run: compares what was read with what was approved, and writes approvals down.

Who is asked about at all, ``governed`` says.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from mcp_server.errors import AgentMemError, ApprovalPending, LockDamaged
from mcp_server.registry.facts import Facts, ServedTools, differences, facts_of, within
from mcp_server.registry.governed import ApprovalRules, Launch
from mcp_server.registry.installed import BUNDLES_NAME, finish_changes
from mcp_server.registry.kept import KeptVersions, granted_before, manifest_of
from mcp_server.registry.lockfile import LOCK_NAME, PARTS, Entries, Entry, LockFile
from mcp_server.registry.version import OperatorWord, PluginVersion, read_version
from mcp_server.settings import ApprovalSettings

__all__ = ["LOCK_NAME", "Approvals", "Verdict"]

Standing = Literal["trusted", "approved", "first-use", "pending", "unapproved"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found out about one version.

    Attributes:
        standing: ``pending`` and ``unapproved`` may not run.
        parts: Which of ``lockfile.PARTS`` differ from the approval.
        changes: The differences for a person, a line each.
        entry: The approval, where there is one.
        facts: Of the version; None where nobody needed them.
        trouble: Why nothing can be said: the lock is damaged.
        fix: The command that approves.
    """

    standing: Standing
    parts: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    entry: Entry | None = None
    facts: Facts | None = None
    trouble: LockDamaged | None = None
    fix: str = field(default="", repr=False)

    @property
    def may_run(self) -> bool:
        return self.standing in ("trusted", "approved", "first-use")

    def error(self, plugin: str, *, serves: bool) -> AgentMemError:
        """Why the version does not run; ``serves`` when an older one does."""
        if self.trouble is not None:
            return self.trouble
        rest = "the version that serves stays" if serves else "it is held back until it is approved"
        if self.standing == "unapproved":
            what = f"plugin '{plugin}' was never approved"
        else:
            what = f"plugin '{plugin}' changed since it was approved ({', '.join(self.parts)})"
        return ApprovalPending(f"{what}; {rest}", fix=self.fix, data={"plugin": plugin, "changed": list(self.parts)})


class Approvals:
    """Judges versions; one for each registry.

    Args:
        folder: Holds ``plugins.lock`` and the copies of what was approved.
        rules: Who is governed.
        served: The tools of a version as a client sees them.
    """

    def __init__(self, folder: Path, rules: ApprovalRules, served: ServedTools) -> None:
        self.rules = rules
        self._folder = folder
        self._lock = LockFile(folder / LOCK_NAME)
        self._kept = KeptVersions(folder / "approved")
        self._served = served
        self._entries: Entries | None = None
        self._first: dict[str, tuple[Facts, OperatorWord]] = {}

    @classmethod
    def below(cls, data: Path, settings: ApprovalSettings, launch: Launch, served: ServedTools) -> Approvals:
        """Those kept in ``data``, for the plugins that are not of the operator's own folders."""
        rules = ApprovalRules(
            settings.mode, data / "plugins", settings.trusted_folders, launch, sent=data / BUNDLES_NAME
        )
        return cls(data, rules, served)

    def begin(self) -> None:
        """Finish what a command left, and look at the lock again when it is next needed: it may be another one."""
        finish_changes(self._folder)
        self._entries = None
        self._first = {}

    def judge(self, version: PluginVersion, word: OperatorWord) -> Verdict:
        """Whether ``version`` may run.

        Raises:
            NameCollision: Its exports cannot be shown as tools.
        """
        plugin = version.source.manifest.plugin.id
        if not self.rules.governs((version.source.path, version.source.wasm)):
            return Verdict("trusted")
        facts = facts_of(version, self._served)
        locked = " --locked" if self.rules.launch.locked else ""
        fix = f"see `agentmem-mcp plugin pending{locked}{self.rules.launch.options}`, then run {self._command(plugin)}"
        try:
            entry = self._newest().get(plugin)
        except LockDamaged as trouble:
            return Verdict("unapproved", facts=facts, trouble=trouble, fix=trouble.fix)
        if entry is None:
            if not self.rules.first_use_counts((version.source.path, version.source.wasm)):
                return Verdict("unapproved", facts=facts, fix=fix)
            self._first[plugin] = facts, word
            return Verdict("first-use", facts=facts)
        old = self._kept.get(plugin, entry)
        before = old[0] if old else None
        parts = self._drift(entry, before, facts)
        if not parts:
            return Verdict("approved", entry=entry, facts=facts)
        changes = differences(before, facts) if before else [f"{part}: changed" for part in parts]
        return Verdict("pending", tuple(parts), tuple(changes), entry, facts, fix=fix)

    def commit(self) -> dict[str, AgentMemError]:
        """Write down what was seen for the first time; the plugins that could not be, and why."""
        first, self._first = self._first, {}
        if not first or self.rules.launch.looking:
            return {}
        try:
            entries = self._write(first, "first-use", keep_others=True)
        except LockDamaged as trouble:
            return dict.fromkeys(first, trouble)
        refused: dict[str, AgentMemError] = {}
        for plugin, (facts, _) in first.items():
            parts = self._drift(entries[plugin], None, facts)
            if parts:  # another process saw other bytes first
                verdict = Verdict("pending", tuple(parts), fix=f"run {self._command(plugin)}")
                refused[plugin] = verdict.error(plugin, serves=False)
        return refused

    def approve(self, version: PluginVersion, word: OperatorWord, by: str = "") -> Entry:
        """Approve ``version``, which the operator has seen; ``by`` is who said so, the process's user when omitted.

        Raises:
            LockDamaged: The approval cannot be written.
            NameCollision: Its exports cannot be shown as tools.
        """
        facts = facts_of(version, self._served)
        self._entries = self._write({facts.plugin: (facts, word)}, "approved", by, keep_others=False)
        return self._entries[facts.plugin]

    def restored(
        self, plugin: str, path: Path, module: Callable[[str], Path], word: OperatorWord
    ) -> PluginVersion | None:
        """The approved version of ``plugin`` from its kept copy; None when there is none that may run.

        Grants that were taken away since are gone from it, and grants that came since are not in it.
        """
        entry = (self._entries or {}).get(plugin)
        old = self._kept.get(plugin, entry) if entry else None
        if entry is None or old is None:
            return None
        facts, grant = old
        try:
            source = manifest_of(facts, path, module(facts.wasm))
            now = read_version(source, word)
            if not self._drift(entry, facts, facts_of(now, self._served)):
                return now
            before = read_version(source, replace(word, **granted_before(grant)))
        except (AgentMemError, ValueError, KeyError, TypeError):
            return None  # the module is gone, a right it requires was taken away, or the copy is no longer understood
        then = facts_of(before, self._served)
        fits = not self._drift(entry, facts, then) and within(then.grants, facts_of(now, self._served).grants)
        return before if fits else None

    def _drift(self, entry: Entry, before: Facts | None, facts: Facts) -> list[str]:
        """The parts that differ in a way that needs an approval: an operator who takes rights away has decided."""
        digests = facts.digests()
        parts = [part for part in PARTS if getattr(entry, part) != digests[part]]
        if before is None or self.rules.launch.exact:
            return parts
        if "grants" in parts and within(facts.grants, before.grants):
            parts.remove("grants")
        # Annotations follow from manifest, grants and isolation; the operator changed the last of them here.
        if parts == ["tools"] and _texts(before) == _texts(facts):
            return []
        return parts

    def _write(
        self,
        approved: Mapping[str, tuple[Facts, OperatorWord]],
        how: Literal["first-use", "approved"],
        by: str = "",
        *,
        keep_others: bool,
    ) -> Entries:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        made = {
            plugin: Entry(**facts.digests(), version=facts.version, approved_at=now, approved_by=by or _user(), how=how)
            for plugin, (facts, _) in approved.items()
        }

        def add(entries: Entries) -> Entries:
            added = {plugin: entry for plugin, entry in made.items() if not (keep_others and plugin in entries)}
            for plugin in added:
                self._kept.put(*approved[plugin])  # under the guard: lock and copies belong together
            return added

        return self._lock.change(add)

    def _newest(self) -> Entries:
        if self._entries is None:
            self._entries = self._lock.read()
        return self._entries

    def _command(self, plugin: str) -> str:
        return f"`agentmem-mcp plugin approve {plugin}{self.rules.launch.options}`"


def _texts(facts: Facts) -> list[dict[str, Any]]:
    return [{key: value for key, value in tool.items() if key != "annotations"} for tool in facts.tools]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unknown"
