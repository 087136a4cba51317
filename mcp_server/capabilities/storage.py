"""StorageAccess: ``store_data``, ``load_data``, ``delete_data``, ``list_data``, per plugin and principal."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticSerializationError, from_json, to_json

from mcp_server.backends.base import Store
from mcp_server.backends.cursors import open_cursor, seal_cursor
from mcp_server.capabilities.base import CallContext, HostFunction, HostRefusal
from mcp_server.capabilities.requests import checked, refusing
from mcp_server.memory.times import to_text
from mcp_server.policy.advice import quota_fix

__all__ = ["MOST_KEY_BYTES", "MOST_VALUE_BYTES", "functions"]

MIB = 1024 * 1024
MOST_KEY_BYTES = 512
MOST_VALUE_BYTES = 1024 * 1024
_MOST_ENTRIES = 1_000
_LONGEST_LIFE_SECONDS = 100 * 366 * 86_400
_SECOND = 1_000_000


def _key(key: str) -> str:
    if "\x00" in key:
        raise ValueError("must not hold U+0000")
    size = len(key.encode("utf-8", "surrogatepass"))
    if size > MOST_KEY_BYTES:
        raise ValueError(f"must have at most {MOST_KEY_BYTES} bytes, has {size}")
    key.encode()  # a UnicodeEncodeError is a ValueError: half a surrogate pair
    return key


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Key = Annotated[str, Field(min_length=1), AfterValidator(_key)]
Version = Annotated[int, Field(ge=0)]


class _StoreData(_Request):
    key: Key
    value: Any
    ttl_seconds: Annotated[int, Field(ge=1, le=_LONGEST_LIFE_SECONDS)] | None = None
    if_version: Version | None = None


class _LoadData(_Request):
    key: Key


class _DeleteData(_Request):
    key: Key
    if_version: Version | None = None


class _ListData(_Request):
    prefix: Annotated[str, AfterValidator(_key)] = ""
    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=_MOST_ENTRIES)] = 100


class _Storage:
    def __init__(self, store: Store, quota: Callable[[CallContext], int], clock: Callable[[], int]) -> None:
        self._store, self._quota, self._clock = store, quota, clock

    async def store_data(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "store_data", _StoreData, request)
        value = _encoded(asked.value)
        expires_at = None if asked.ttl_seconds is None else self._clock() + asked.ttl_seconds * _SECOND
        with _telling_the_quota(context.plugin), refusing("store_data"):
            version = await self._store.caller.soon(
                lambda: self._store.keys.store(
                    context.principal,
                    context.plugin,
                    asked.key,
                    value,
                    quota=self._quota(context),
                    expires_at=expires_at,
                    if_version=asked.if_version,
                )
            )
        return {"key": asked.key, "version": version, "expires_at": _shown(expires_at)}

    def load_data(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any] | None:
        asked = checked(context, "load_data", _LoadData, request)
        with refusing("load_data"):
            found = self._store.keys.load(context.principal, context.plugin, asked.key)
        if found is None:
            return None
        return {"value": from_json(found.value), "version": found.version, "expires_at": _shown(found.expires_at)}

    async def delete_data(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "delete_data", _DeleteData, request)
        with refusing("delete_data"):
            deleted = await self._store.caller.soon(
                lambda: self._store.keys.delete(
                    context.principal, context.plugin, asked.key, if_version=asked.if_version
                )
            )
        return {"deleted": deleted}

    def list_data(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "list_data", _ListData, request)
        principal, plugin, secret = context.principal, context.plugin, self._store.secret
        listing = f"keys:{asked.prefix}"
        with refusing("list_data"):
            after = open_cursor(secret, principal, plugin, listing, asked.cursor)[0] if asked.cursor is not None else ""
            entries = self._store.keys.list(principal, plugin, prefix=asked.prefix, after=after, limit=asked.limit + 1)
        more = len(entries) > asked.limit
        entries = entries[: asked.limit]
        cursor = seal_cursor(secret, principal, plugin, listing, [entries[-1].key]) if more else None
        shown = [
            {"key": one.key, "bytes": one.size, "version": one.version, "expires_at": _shown(one.expires_at)}
            for one in entries
        ]
        return {"entries": shown, "cursor": cursor}


def functions(
    store: Store,
    *,
    quota: Callable[[CallContext], int] = lambda context: context.rights.storage_quota,
    clock: Callable[[], int] = lambda: time.time_ns() // 1_000,
) -> tuple[HostFunction, ...]:
    """The host functions over ``store``.

    Args:
        store: Where the values lie.
        quota: Bytes the caller's plugin may keep for its principal.
        clock: Microseconds since 1970; the store's own.
    """
    storage = _Storage(store, quota, clock)
    reads_wait = not store.caller.reads_here
    return (
        HostFunction("store_data", storage.store_data, waits=True),
        HostFunction("load_data", _away(store, storage.load_data) if reads_wait else storage.load_data, reads_wait),
        HostFunction("delete_data", storage.delete_data, waits=True),
        HostFunction("list_data", _away(store, storage.list_data) if reads_wait else storage.list_data, reads_wait),
    )


def _away(
    store: Store, answer: Callable[[CallContext, dict[str, Any]], Any]
) -> Callable[[CallContext, dict[str, Any]], Any]:
    async def away(context: CallContext, request: dict[str, Any]) -> Any:
        return await store.caller.away(lambda: answer(context, request))

    return away


def _encoded(value: object) -> bytes:
    try:
        encoded = to_json(value)
    except PydanticSerializationError:
        raise HostRefusal("invalid_request", "store_data: 'value' is no JSON") from None
    if len(encoded) > MOST_VALUE_BYTES:
        raise HostRefusal(
            "limit_kv_value",
            f"store_data: the value has {len(encoded)} bytes as JSON, at most {MOST_VALUE_BYTES} are kept",
            {"limit": "kv_value", "allowed": MOST_VALUE_BYTES, "used": len(encoded)},
        )
    return encoded


@contextmanager
def _telling_the_quota(plugin: str) -> Generator[None]:
    try:
        yield
    except HostRefusal as refusal:
        if refusal.code == "limit_kv_bytes":
            refusal.fix = quota_fix(plugin, -(-2 * cast("int", refusal.data["used"]) // MIB))
        raise


def _shown(at: int | None) -> str | None:
    return None if at is None else to_text(at)
