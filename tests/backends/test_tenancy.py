"""Two principals and three plugins on one store, against a model of each: nothing ever crosses.

``AGENTMEM_TENANCY_EXAMPLES`` runs of up to 60 steps each; the nightly program takes 2 000, which is 100 000 steps.
"""

from __future__ import annotations

import os  # a test's own switch
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mcp_server.backends.conditions import AllOf, Column, Comparison
from mcp_server.backends.errors import ConfirmationNeeded, MemoryNotFound, VersionConflict
from mcp_server.backends.sqlite import SqliteStore
from mcp_server.backends.values import MemoryChanges
from mcp_server.memory.analysis import analyze
from mcp_server.memory.model import content_hash
from tests.backends.conftest import MORNING, PLENTY, Clock
from tests.backends.test_contract import memory

EXAMPLES = int(os.environ.get("AGENTMEM_TENANCY_EXAMPLES", "40"))  # noqa: TID251
PRINCIPALS = ("ann", "ann'--")
PLUGINS = ("notes", "n", "notes%")
WORDS = ("tea", "coffee", "milk", "water", "wine")
NAMES = ("1", "2", "3", "%", "' OR '1'='1")
KEYS = ("k", "k%", "k_", "../k", "ann:notes:k")
OWNERS = [(principal, plugin) for principal in PRINCIPALS for plugin in PLUGINS]
owners = st.sampled_from(OWNERS)
keys = st.sampled_from(KEYS)
contents = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
names = st.sampled_from(NAMES)


@dataclass
class Mine:
    """What one owner must see."""

    values: dict[str, tuple[bytes, int]] = field(default_factory=dict[str, tuple[bytes, int]])
    memories: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])


class Tenancy(RuleBasedStateMachine):
    """Every step acts for one owner; the invariant then looks through the eyes of all."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="tenancy-")
        self.store = SqliteStore(Path(self.folder.name) / "store.db", clock=Clock())
        self.models = {owner: Mine() for owner in OWNERS}
        self.written = 0

    @rule(owner=owners, key=keys)
    def store_value(self, owner: tuple[str, str], key: str) -> None:
        self.written += 1
        value = f"{owner} {self.written}".encode()
        version = self.store.keys.store(*owner, key, value, quota=PLENTY)
        self.models[owner].values[key] = (value, version)

    @rule(owner=owners, key=keys, version=st.integers(0, 4))
    def store_if_version(self, owner: tuple[str, str], key: str, version: int) -> None:
        stored = self.models[owner].values.get(key, (b"", 0))[1]
        try:
            new = self.store.keys.store(*owner, key, b"conditional", quota=PLENTY, if_version=version)
        except VersionConflict:
            assert version != stored
        else:
            assert version == stored
            self.models[owner].values[key] = (b"conditional", new)

    @rule(owner=owners, key=keys)
    def delete_value(self, owner: tuple[str, str], key: str) -> None:
        assert self.store.keys.delete(*owner, key) == (self.models[owner].values.pop(key, None) is not None)

    @rule(owner=owners, content=contents, name=names)
    def add_memory(self, owner: tuple[str, str], content: str, name: str) -> None:
        model = self.models[owner].memories
        twins = {identifier for identifier, (text, _) in model.items() if text == content}
        outcome = self.store.memories.add(*owner, [memory(content, name)], quota=PLENTY)[0]
        assert outcome.duplicate == bool(twins or name in model)
        assert outcome.record.user_id == owner[0]
        if outcome.duplicate:
            assert outcome.record.id in twins | {name}
        else:
            model[name] = (content, 1)

    @rule(owner=owners, name=names, content=contents)
    def update_memory(self, owner: tuple[str, str], name: str, content: str) -> None:
        model = self.models[owner].memories
        fields = {"content": content, "analyzed": analyze(content), "hash": content_hash(content)}
        try:
            changed = self.store.memories.update(*owner, name, MemoryChanges(fields, MORNING), quota=PLENTY)
        except MemoryNotFound:
            assert name not in model
        else:
            model[name] = (content, model[name][1] + 1)
            assert changed.version == model[name][1]

    @rule(owner=owners, name=names)
    def delete_memory(self, owner: tuple[str, str], name: str) -> None:
        deleted = self.store.memories.delete(*owner, name, at=MORNING)
        assert deleted == (self.models[owner].memories.pop(name, None) is not None)

    @rule(owner=owners, word=st.sampled_from(WORDS))
    def delete_where(self, owner: tuple[str, str], word: str) -> None:
        model = self.models[owner].memories
        doomed = [name for name, (text, _) in model.items() if word in text]
        condition = AllOf((Comparison(Column("content"), "contains", word),))
        try:
            assert self.store.memories.delete_where(*owner, condition, at=MORNING, expected=len(doomed)) == len(doomed)
        except ConfirmationNeeded as needed:
            raise AssertionError(f"{len(doomed)} are mine, {needed.data['count']} were chosen") from needed
        for name in doomed:
            del model[name]

    @rule(owner=owners, name=names)
    def put_vector(self, owner: tuple[str, str], name: str) -> None:
        count = self.store.memories.put_vectors(*owner, "m", [(name, [1.0])])
        assert count == (name in self.models[owner].memories)

    @invariant()
    def everybody_sees_what_is_theirs_and_nothing_else(self) -> None:
        for owner, model in self.models.items():
            self._check_values(owner, model)
            self._check_memories(owner, model)

    def _check_values(self, owner: tuple[str, str], model: Mine) -> None:
        listed = {entry.key: entry.version for entry in self.store.keys.list(*owner, prefix="", after="", limit=99)}
        assert listed == {key: version for key, (_, version) in model.values.items()}
        assert self.store.keys.used(*owner) == sum(len(key) + len(value) for key, (value, _) in model.values.items())
        for key in KEYS:
            found = self.store.keys.load(*owner, key)
            assert (found and (found.value, found.version)) == model.values.get(key)

    def _check_memories(self, owner: tuple[str, str], model: Mine) -> None:
        store = self.store.memories
        page = store.page(*owner, AllOf(()), after=None, limit=99, now=0)
        assert {one.id: (one.content, one.version) for one in page} == model.memories
        terms = [analyze(word) for word in WORDS]
        matched = store.match(*owner, terms, AllOf(()), limit=99, now=0)
        assert {one.record.id for one in matched} == set(model.memories)
        known = store.vocabulary(*owner, terms)
        counts = {term: sum(term in analyze(text).split() for text, _ in model.memories.values()) for term in terms}
        assert dict(known.documents) == {term: count for term, count in counts.items() if count}
        near = store.nearest(*owner, "m", [1.0], AllOf(()), limit=99, now=0)
        assert {one.record.id for one in near} <= set(model.memories)
        assert {one.id for one in store.without_vector(*owner, "other", limit=99)} == set(model.memories)
        assert store.stats(*owner).records == len(model.memories)
        for name in NAMES:
            one = store.get(*owner, name, now=0)
            assert (one and (one.content, one.version)) == model.memories.get(name)
        for name in model.memories:
            assert store.history(*owner, name, limit=1)[0].version == model.memories[name][1]

    def teardown(self) -> None:
        assert self.store.problems() == []
        self.store.close()
        self.folder.cleanup()


TestTenancy: Any = Tenancy.TestCase
TestTenancy.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
)
