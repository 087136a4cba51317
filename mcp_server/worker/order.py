"""The load order: what the parent tells a worker to load. Plain values, shared by both ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

__all__ = ["LoadOrder"]


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """What the parent tells a worker to load.

    Attributes:
        exports: Callable exports, in the order that CALL frames index.
        host: Host functions to link, ``(import module, name)``, in the order that HOST frames index.
        fuel: Instructions of one instance's start and of each call.
        max_pages: Pages that may be added to the module's initial memory (Extism counts it so).
        max_output: Bytes of output accepted.
        call_seconds: Longest a call may take; the CPU limit of the process follows from it.
        lifecycle: Those of initialize, start, warmup, stop that the module exports.
        config: The plugin's configuration, for ``initialize`` and Extism's own ``config_get``.
        wasi: Whether to link WASI (no files, no network, no environment).
    """

    exports: tuple[str, ...]
    host: tuple[tuple[str, str], ...]
    fuel: int
    max_pages: int
    max_output: int
    call_seconds: int
    lifecycle: tuple[str, ...] = ()
    config: str = "{}"
    wasi: bool = False

    def to_json(self) -> bytes:
        return json.dumps({name: getattr(self, name) for name in self.__slots__}).encode()

    @classmethod
    def from_json(cls, data: bytes) -> LoadOrder:
        fields: dict[str, Any] = json.loads(data)
        for name in ("exports", "lifecycle"):
            fields[name] = tuple(fields[name])
        fields["host"] = tuple((module, name) for module, name in fields["host"])
        return cls(**fields)
