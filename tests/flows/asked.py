"""What every host function is asked in ``test_every_host_function.py``: one case each, a missing one fails a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

__all__ = ["CASES", "RAW", "Case"]

RAW: Mapping[str, tuple[bytes | int, str]] = MappingProxyType(
    {
        "malformed": (b'{"key": ', "invalid_request"),
        "list": (b"[1]", "invalid_request"),
        "nan": (b'{"limit": NaN}', "invalid_request"),
        "utf8": (b'{"key": "\xff\xfe", "path": "\xff", "content": "\xff"}', "invalid_request"),
        "deep": (b"[" * 5_000, "invalid_request"),
        "long": (20_000_000, "request_too_large"),
    }
)
"""Requests that are no JSON object, or so many zeros, with the code that each gets from every function."""
HUGE = "x" * 900_000


@dataclass(frozen=True, slots=True)
class Case:
    """One host function.

    Attributes:
        request: In order, and allowed by the grant.
        past: In order, and past a bound of the grant or of the function.
        code: What that is refused with.
        bound: Names the bound; a part of the envelope.
        missing: Fields without which the request is none.
        wrong: Fields with values of another type, each put into ``request`` by itself.
        huge: Fields with much too long a value, each put into ``request`` by itself, with what they are refused with;
            None where they are cut, or may be as long.
    """

    request: dict[str, Any]
    past: dict[str, Any]
    code: str
    bound: str
    missing: tuple[str, ...] = ()
    wrong: dict[str, Any] = field(default_factory=dict[str, Any])
    huge: dict[str, str | None] = field(default_factory=dict[str, str | None])


_SOMEBODY = {"user_id": "somebody-else"}
_LONG_KEY = "k" * 513

CASES: Mapping[str, Case] = MappingProxyType(
    {
        "add_memory": Case(
            {"content": "tea"},
            {"content": "x" * 65_537},
            "invalid_request",
            "65536",
            ("content",),
            {"content": 5, "metadata": [1], "importance": "much", "ttl_seconds": 1.5, "nonsense": 1},
            {"content": "invalid_request", "agent_id": "invalid_request"},
        ),
        "get_memory": Case(
            {"id": "0"},
            {"id": "0", **_SOMEBODY},
            "invalid_request",
            "user_id",
            ("id",),
            {"id": 5, "nonsense": 1},
            {"id": "invalid_request"},
        ),
        "update_memory": Case(
            {"id": "0", "content": "tea"},
            {"id": "0", "content": "tea", **_SOMEBODY},
            "invalid_request",
            "user_id",
            ("id", "content"),
            {"id": 5, "content": [], "if_version": "1", "nonsense": 1},
            {"content": "invalid_request"},
        ),
        "delete_memory": Case(
            {"id": "0"},
            {"id": "0", **_SOMEBODY},
            "invalid_request",
            "user_id",
            ("id",),
            {"id": 5, "if_version": "1", "nonsense": 1},
            {"id": "invalid_request"},
        ),
        "search_memories": Case(
            {"query": "tea"},
            {"query": "tea", "limit": 101},
            "invalid_request",
            "100",
            ("query",),
            {"query": 5, "limit": "9", "mode": "loud", "filters": [1], "threshold": "low", "nonsense": 1},
            {"query": "invalid_request"},
        ),
        "store_data": Case(
            {"key": "a", "value": 1},
            {"key": "fat", "value": "x" * 600_000},  # the quota is 1 MiB, and as much is there already
            "limit_kv_bytes",
            "1048576",
            ("key", "value"),
            {"key": 5, "ttl_seconds": "1", "if_version": "1", "nonsense": 1},
            {"key": "invalid_request"},
        ),
        "load_data": Case(
            {"key": "a"},
            {"key": _LONG_KEY},
            "invalid_request",
            "512",
            ("key",),
            {"key": 5, "nonsense": 1},
            {"key": "invalid_request"},
        ),
        "delete_data": Case(
            {"key": "a"},
            {"key": _LONG_KEY},
            "invalid_request",
            "512",
            ("key",),
            {"key": 5, "if_version": "1", "nonsense": 1},
            {"key": "invalid_request"},
        ),
        "list_data": Case(
            {"prefix": "a"},
            {"limit": 1_001},
            "invalid_request",
            "1000",
            (),
            {"prefix": 5, "limit": "9", "cursor": 5, "nonsense": 1},
            {"prefix": "invalid_request", "cursor": "cursor_invalid"},
        ),
        "search": Case(
            {"query": "tea", "candidates": ["tea", "car"]},
            {"query": "tea", "candidates": ["x"] * 1_001},
            "invalid_request",
            "1000",
            ("query", "candidates"),
            {"query": 5, "candidates": "tea", "mode": "loud", "limit": 0, "nonsense": 1},
            {"query": "invalid_request"},
        ),
        "embed": Case(
            {"texts": ["tea"]},
            {"texts": ["x"] * 257},
            "invalid_request",
            "256",
            ("texts",),
            {"texts": "tea", "nonsense": 1},
            {"texts": "invalid_request"},
        ),
        "call_llm": Case(
            {"prompt": "Say hello."},
            {"prompt": "Say hello.", "model": "costly"},
            "llm_alias_denied",
            '"bound": "alias"',
            ("prompt",),
            {"prompt": 5, "max_tokens": "9", "temperature": "hot", "messages": "hi", "nonsense": 1},
            {"prompt": "limit_llm_tokens", "model": "invalid_request"},
        ),
        "http_request": Case(
            {"url": "{address}/api/x"},
            {"url": "{address}/private/x"},
            "network_denied",
            '"bound": "path"',
            ("url",),
            {"url": 5, "method": "STEAL", "headers": [1], "timeout_ms": "9", "nonsense": 1},
            {"url": "invalid_url", "body": None},
        ),
        "read_file": Case(
            {"path": "notes/today.txt"},
            {"path": "attic/today.txt"},
            "path_denied",
            '"bound": "root"',
            ("path",),
            {"path": 5, "offset": "9", "encoding": "rot13", "nonsense": 1},
            {"path": "invalid_path"},
        ),
        "write_file": Case(
            {"path": "notes/new.txt", "content": "milk"},
            {"path": "books/new.txt", "content": "milk"},
            "path_denied",
            '"bound": "mode"',
            ("path", "content"),
            {"path": 5, "content": 5, "if_exists": "append", "create_folders": "yes", "nonsense": 1},
            {"path": "invalid_path"},
        ),
        "list_files": Case(
            {"path": "notes"},
            {"path": "attic"},
            "path_denied",
            '"bound": "root"',
            (),
            {"path": 5, "limit": 0, "after": 5, "nonsense": 1},
            {"path": "invalid_path"},
        ),
        "delete_file": Case(
            {"path": "notes/old.txt"},
            {"path": "books/novel.txt"},
            "path_denied",
            '"bound": "mode"',
            ("path",),
            {"path": 5, "nonsense": 1},
            {"path": "invalid_path"},
        ),
        "log": Case(
            {"message": "whisper"},
            {"message": "x" * 3_000},
            "limit_log_bytes",
            '"allowed": 2000',
            ("message",),
            {"message": 5, "level": "loud", "fields": [1]},
            {"message": "limit_log_bytes", "level": "invalid_request"},
        ),
        "get_config": Case(
            {"key": "word"},
            {"key": "token"},
            "secret_unavailable",
            '"secret": "NOBODY"',
            (),
            {"key": 5},
            {"key": None},
        ),
    }
)
