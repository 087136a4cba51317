"""Two principals and three plugins on one store, against a model of each: nothing ever crosses.

The proof itself is tested too: with one condition on an owner taken out of one statement, it must fail.

``AGENTMEM_TENANCY_STEPS`` random steps, 100 000 in the nightly run, and ``AGENTMEM_TENANCY_EXAMPLES`` short runs that
are made shorter still when one fails.
"""

from __future__ import annotations

import os  # a test's own switch
import random
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mcp_server.backends.conditions import AllOf, Column, Comparison
from mcp_server.backends.errors import ConfirmationNeeded, MemoryNotFound, VersionConflict
from mcp_server.backends.sqlite import SqliteStore, database
from mcp_server.backends.sqlite.typed import Connection, connect
from mcp_server.backends.values import MemoryChanges
from mcp_server.errors import AgentMemError
from mcp_server.memory.analysis import analyze
from mcp_server.memory.model import content_hash
from tests.backends.conftest import MORNING, PLENTY, Clock
from tests.backends.test_contract import memory, vector
from tests.requirements import requirement

EXAMPLES = int(os.environ.get("AGENTMEM_TENANCY_EXAMPLES", "6"))  # noqa: TID251
STEPS = int(os.environ.get("AGENTMEM_TENANCY_STEPS", "300"))  # noqa: TID251
MOST_WALKS_TO_NOTICE = 40
ACTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("store_value", ("key",)),
    ("store_if_version", ("key", "version")),
    ("delete_value", ("key",)),
    ("add_memory", ("content", "name")),
    ("add_memory", ("content", "name")),
    ("update_memory", ("name", "content")),
    ("delete_memory", ("name",)),
    ("delete_where", ("word",)),
    ("put_vector", ("name",)),
    ("put_vector", ("name",)),
    ("put_vector", ("name",)),
)
PRINCIPALS = ("ann", "ann'--")
PLUGINS = ("notes", "n", "notes%")
WORDS = ("tea", "coffee", "milk", "water", "wine")
NAMES = ("1", "2", "3", "%", "' OR '1'='1")
STATEMENTS = {
    "get": "AND m.id = :id\n  AND (m.expires_at",
    "page": "ORDER BY m.created_at DESC, m.id DESC LIMIT",
    "match": "memories_fts MATCH :match",
    "scope": "SELECT scope_id, records, terms, size",
    "terms": "json_each(:terms)",
    "twin": "AND m.hash = :hash AND m.agent_id",
    "changed": "m.rid, m.analyzed FROM memories m WHERE",
    "history": "FROM history m",
    "vectors of whom": "SELECT m.scope_id, m.generation, m.records",
    "without a vector": "AND NOT EXISTS (SELECT 1 FROM embeddings",
    "load": "SELECT value, version, expires_at FROM keys",
    "version": "SELECT version, length(value)",
    "drop": "DELETE FROM keys",
    "list": "octet_length(value), version, expires_at FROM keys",
    "used": "SELECT size FROM key_usage",
}
"""Those that read or choose by owner, each by a part of its text that no other one has.

The target of a vector is not among them: that takes equal ids and texts of two owners, as the contract test has them.
"""
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
    vectors: set[str] = field(default_factory=set[str])


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
            assert name in model
            if content != model[name][0]:
                self.models[owner].vectors.discard(name)
            model[name] = (content, model[name][1] + 1)
            assert changed.version == model[name][1]

    @rule(owner=owners, name=names)
    def delete_memory(self, owner: tuple[str, str], name: str) -> None:
        deleted = self.store.memories.delete(*owner, name, at=MORNING)
        assert deleted == (self.models[owner].memories.pop(name, None) is not None)
        self.models[owner].vectors.discard(name)

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
            self.models[owner].vectors.discard(name)

    @rule(owner=owners, name=names)
    def put_vector(self, owner: tuple[str, str], name: str) -> None:
        count = self.store.memories.put_vectors(
            *owner, "m", [vector(name, self.models[owner].memories.get(name, ("?", 0))[0], 1.0)]
        )
        assert count == (name in self.models[owner].memories)
        if count:
            self.models[owner].vectors.add(name)

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
        assert {one.record.id for one in near} == model.vectors
        assert store.count_without_vector(*owner, "m") == len(model.memories) - len(model.vectors)
        assert {one.id for one in store.without_vector(*owner, "other", limit=99)} == set(model.memories)
        assert store.stats(*owner).records == len(model.memories)
        for name in NAMES:
            one = store.get(*owner, name, now=0)
            assert (one and (one.content, one.version)) == model.memories.get(name)
        for name in model.memories:
            assert store.history(*owner, name, limit=1)[0].version == model.memories[name][1]

    def teardown(self) -> None:
        try:
            assert self.store.problems() == []
        finally:
            self.close()

    def close(self) -> None:
        """Take the store away, whatever became of it."""
        self.store.close()
        self.folder.cleanup()


def walk(machine: Tenancy, steps: int, seed: int) -> None:
    """Take ``steps`` random steps, and look through everybody's eyes after each."""
    chance = random.Random(seed)  # noqa: S311  # a walk
    pick: dict[str, Callable[[], object]] = {
        "owner": lambda: chance.choice(OWNERS),
        "key": lambda: chance.choice(KEYS),
        "name": lambda: chance.choice(NAMES),
        "word": lambda: chance.choice(WORDS),
        "version": lambda: chance.randint(0, 4),
        "content": lambda: " ".join(chance.choices(WORDS, k=chance.choice((1, 1, 1, 2)))),
    }
    for _ in range(steps):
        action, needs = chance.choice(ACTIONS)
        getattr(machine, action)(owner=chance.choice(OWNERS), **{name: pick[name]() for name in needs})
        machine.everybody_sees_what_is_theirs_and_nothing_else()


@requirement("tenancy:no-crossing")
@pytest.mark.timeout(120 + STEPS // 20)
def test_nothing_crosses_in_many_random_steps() -> None:
    machine = Tenancy()
    try:
        walk(machine, STEPS, seed=STEPS)
    finally:
        machine.teardown()


TestTenancy: Any = Tenancy.TestCase
TestTenancy.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
)


class Weakened:
    """A connection that leaves one condition on an owner's column out of one statement."""

    def __init__(self, connection: Connection, statement: str, column: str) -> None:
        self._connection, self._statement = connection, statement
        self._condition = re.compile(rf"(?:m\.)?\b{column} = ([:?]\w*)")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def cursor(self) -> Any:
        """Itself: reads go the same way."""
        return self

    def execute(self, sql: str, bindings: Any = None) -> Any:
        """As the connection would, but for the one statement."""
        if self._statement in sql and not sql.startswith("SELECT count(*)"):  # those are the store's own checks
            sql = self._condition.sub(r"\1 IS NOT NULL", sql)
        return self._connection.execute(sql, bindings)


@requirement("tenancy:no-crossing")
@pytest.mark.parametrize("column", ["principal", "plugin"])
@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_the_proof_fails_when_one_condition_on_the_owner_is_missing(
    statement: str, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:

    def weakened(path: Path) -> Weakened:
        return Weakened(connect(path), statement, column)

    monkeypatch.setattr(database, "connect", weakened)
    with pytest.raises((AssertionError, AgentMemError, ValueError)):
        for seed in range(MOST_WALKS_TO_NOTICE):  # young stores: later an index hint hides some of them
            machine = Tenancy()
            try:
                walk(machine, 50, seed)
            finally:
                machine.close()
