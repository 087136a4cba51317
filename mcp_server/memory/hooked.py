"""The memory engine as everybody asks it: asynchronous, and with the hooks around each operation.

The engine itself knows no hooks and no plugins. What a hook may change is in :mod:`.answers`; how a plugin's function
is run is behind :class:`HookCall`, which the host fills.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar

from mcp_server.backends.errors import MemoryNotFound
from mcp_server.backends.values import Added, MemoryRecord
from mcp_server.errors import AgentMemError
from mcp_server.memory.answers import R, after_search, before, shown, shown_found
from mcp_server.memory.bounds import UNBOUND
from mcp_server.memory.breaker import FAILURES, PAUSE_SECONDS, Breaker
from mcp_server.memory.deferred import Deferred
from mcp_server.memory.engine import MemoryEngine, Page
from mcp_server.memory.errors import HookFailed, HookVetoed
from mcp_server.memory.hooks import AnswerRefused, Hook, Point, Scope
from mcp_server.memory.model import memory_as_json
from mcp_server.memory.requests import AddMemory, DeleteMemory, ListMemories, SearchMemories, UpdateMemory
from mcp_server.memory.search import Found

__all__ = ["HookCall", "HookCalls", "HookedMemory", "Listener"]

logger = logging.getLogger(__name__)
T = TypeVar("T")


class HookCall(Protocol):
    """A hook that can be called now."""

    @property
    def hook(self) -> Hook:
        """What it is."""
        ...

    @property
    def breaker(self) -> Breaker:
        """Its failures; kept while the same version of the plugin serves."""
        ...

    async def call(self, scope: Scope, given: Mapping[str, Any], judge: Callable[[Any], T]) -> T:
        """What ``judge`` makes of the answer, within the hook's budget.

        Raises:
            AnswerRefused: By ``judge``, or because the answer is no JSON.
            AgentMemError: By ``judge``, or what ended the call.
        """
        ...


class HookCalls(Protocol):
    """The hooks of all plugins that may hook."""

    def any(self, point: Point) -> bool:
        """Whether there are hooks at ``point``."""
        ...

    def held(self, point: Point) -> AbstractContextManager[Sequence[HookCall]]:
        """The hooks at ``point``, in their order; their plugins' versions stay while the block lasts."""
        ...


class Listener(Protocol):
    """Hears of writes."""

    def __call__(self, scope: Scope, identifier: str, *, listed: bool) -> None:
        """A memory of ``scope`` is new or gone (``listed``), or was changed."""
        ...


class HookedMemory:
    """Every operation of the engine, with the hooks that apply.

    Args:
        engine: Does the work.
        hooks: None where nobody hooks.
        deferred: Takes the after-hooks; must be there when ``hooks`` is.
        changed: Told of each memory that was written, and whether it is new or gone.
    """

    def __init__(
        self,
        engine: MemoryEngine,
        hooks: HookCalls | None = None,
        deferred: Deferred | None = None,
        changed: Sequence[Listener] = (),
    ) -> None:
        self._engine, self._hooks, self._deferred, self._changed = engine, hooks, deferred, changed
        self._caller = engine.store.caller

    async def add(self, scope: Scope, request: AddMemory) -> Added:
        """Store one memory.

        Raises:
            QuotaReached: ``memory_bytes``.
            HookVetoed: A hook said no.
            HookFailed: A hook that nothing may pass by failed.
        """
        request = scope.bounds.narrowed(await self._before("before_add", scope, scope.bounds.narrowed(request)))
        added = await self._write(lambda: self._engine.add(scope.principal, scope.space, request))
        if not added.duplicate:
            self._tell_changed(scope, added.record.id, listed=True)
        shown = {"memory": memory_as_json(added.record), "duplicate": added.duplicate}
        self._after("after_add", scope, shown)
        return added

    async def get(self, scope: Scope, identifier: str) -> MemoryRecord:
        """One memory.

        Raises:
            MemoryNotFound: It is not there, or is somebody else's.
        """
        return await self._caller.soon(lambda: self._get(scope, identifier))

    async def list(self, scope: Scope, request: ListMemories) -> Page:
        """A page of memories, the newest first.

        Raises:
            InvalidRequest: The filters.
            CursorInvalid: The cursor is not of this listing.
        """
        inside = scope.bounds.narrowed(request)
        return await self._caller.away(lambda: self._engine.get_all(scope.principal, scope.space, inside))

    async def update(self, scope: Scope, request: UpdateMemory) -> MemoryRecord:
        """Replace what the request names.

        Raises:
            MemoryNotFound: It is not there.
            VersionConflict: ``if_version`` is not the stored version.
            QuotaReached: ``memory_bytes``.
            HookVetoed: A hook said no.
            HookFailed: A hook that nothing may pass by failed.
        """
        request = await self._before("before_update", scope, request)
        changed = await self._write(lambda: self._update(scope, request))
        self._tell_changed(scope, changed.id, listed=False)
        self._after("after_update", scope, {"memory": memory_as_json(changed)})
        return changed

    async def delete(self, scope: Scope, request: DeleteMemory) -> bool:
        """Whether there was something to delete.

        Raises:
            VersionConflict: ``if_version`` is not the stored version.
            HookVetoed: A hook said no.
            HookFailed: A hook that nothing may pass by failed.
        """
        request = await self._before("before_delete", scope, request)
        deleted = await self._write(lambda: self._delete(scope, request))
        if deleted:
            self._tell_changed(scope, request.id, listed=True)
            self._after("after_delete", scope, {"id": request.id})
        return deleted

    async def search(self, scope: Scope, request: SearchMemories) -> Found:
        """The memories that fit best; never more than the request asked for, whatever hooks made of it.

        Raises:
            InvalidRequest: The filters.
            EmbeddingsNotConfigured: The mode needs an embedder.
            HookVetoed: A hook said no.
            HookFailed: A hook that nothing may pass by failed.
        """
        wanted = scope.bounds.narrowed(await self._before("before_search", scope, scope.bounds.narrowed(request)))
        found = await self._caller.away(lambda: self._engine.search(scope.principal, scope.space, wanted))
        if self._hooks is not None and not scope.in_hook and self._hooks.any("after_search"):
            with self._hooks.held("after_search") as calls:
                for one in calls:
                    judge = partial(after_search, one.hook, found)
                    found = await _ask(one, scope, shown_found(scope, wanted, found), judge, found)
        return replace(found, hits=found.hits[: request.limit])

    def _get(self, scope: Scope, identifier: str) -> MemoryRecord:
        record = self._engine.get(scope.principal, scope.space, identifier)
        if not scope.bounds.hold(record):
            raise MemoryNotFound(identifier)
        return record

    def _update(self, scope: Scope, request: UpdateMemory) -> MemoryRecord:
        if scope.bounds != UNBOUND:
            scope.bounds.check(request)
            self._get(scope, request.id)
        return self._engine.update(scope.principal, scope.space, request)

    def _delete(self, scope: Scope, request: DeleteMemory) -> bool:
        if scope.bounds != UNBOUND:
            try:
                self._get(scope, request.id)
            except MemoryNotFound:
                return False
        return self._engine.delete(scope.principal, scope.space, request)

    async def _write(self, work: Callable[[], T]) -> T:
        if self._engine.embeds:  # a model takes milliseconds, or asks the network
            return await self._caller.away(work)
        return await self._caller.soon(work)

    async def _before(self, point: Point, scope: Scope, request: R) -> R:
        if self._hooks is None or scope.in_hook or not self._hooks.any(point):
            return request
        with self._hooks.held(point) as calls:
            for one in calls:
                given = shown(point, scope, request)
                request = await _ask(one, scope, given, partial(before, one.hook, request, given), request)
        return request

    def _tell_changed(self, scope: Scope, identifier: str, *, listed: bool) -> None:
        for listener in self._changed:
            listener(scope, identifier, listed=listed)

    def _after(self, point: Point, scope: Scope, told: Mapping[str, Any]) -> None:
        hooks = self._hooks
        if hooks is None or self._deferred is None or scope.in_hook or not hooks.any(point):
            return
        given = {"hook": point, "space": scope.space, "user_id": scope.principal, **told}

        async def tell() -> None:
            with hooks.held(point) as calls:
                for one in calls:
                    await _ask(one, scope, given, _ignored, None)

        self._deferred.put(tell)


async def _ask(one: HookCall, scope: Scope, given: Mapping[str, Any], judge: Callable[[Any], T], unchanged: T) -> T:
    """What the hook makes of it; ``unchanged`` where it failed and may be passed by.

    Raises:
        HookVetoed: It said no.
        HookFailed: It failed, or is held back for its failures, and nothing may pass it by.
    """
    if not one.breaker.admits(time.monotonic()):
        return _passed_by(one.hook, f"it is held back for {PAUSE_SECONDS:.0f} s after {FAILURES} failures", unchanged)
    try:
        outcome = await one.call(scope, given, judge)
    except HookVetoed:
        one.breaker.succeeded()
        raise
    except AnswerRefused as refused:
        why = f"its answer {refused}"
    except AgentMemError as error:
        why = f"[{error.error_code}] {error.message}"
    except BaseException:
        one.breaker.withdrawn()
        raise
    else:
        one.breaker.succeeded()
        return outcome
    held_back = one.breaker.failed(time.monotonic())
    ending = f"; it is held back for {PAUSE_SECONDS:.0f} s now" if held_back else ""
    logger.warning("hook %s of plugin %s failed: %s%s", one.hook.point, one.hook.plugin, why, ending)
    return _passed_by(one.hook, why, unchanged)


def _passed_by(hook: Hook, why: str, unchanged: T) -> T:
    if hook.closed:
        raise HookFailed(hook.plugin, hook.point, why)
    return unchanged


def _ignored(answer: Any) -> None:
    """An after-hook has nothing to say."""
    del answer
