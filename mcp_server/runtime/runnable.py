"""What the registry hands to the runtime: one version of one plugin, ready to be loaded by a worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_server.policy.limits import Limits
from mcp_server.policy.plugin_config import unnamed
from mcp_server.worker.frames import Mode
from mcp_server.worker.order import LoadOrder

__all__ = ["Runnable"]

_CALL_GRACE_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Runnable:
    """Frozen facts of one loaded version.

    Attributes:
        plugin: Its id.
        digest: sha256 of the module; the bytes are fetched by it when a worker starts.
        exports: Callable exports in module order.
        host: Host functions to link, ``(import module, name)``.
        initial_pages: Pages of linear memory the module starts with.
        lifecycle: Those of initialize, start, warmup, stop it exports.
        config: Its configuration, with a name where a secret belongs; empty without ConfigAccess.
        wasi: Whether WASI is linked.
        isolation: How long an instance lives.
        limits: The limits in force.
    """

    plugin: str
    digest: str
    exports: tuple[str, ...]
    host: tuple[tuple[str, str], ...]
    initial_pages: int
    lifecycle: tuple[str, ...]
    config: Mapping[str, Any]
    wasi: bool
    isolation: Mode
    limits: Limits
    index: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {name: number for number, name in enumerate(self.exports)})

    def load_order(self) -> LoadOrder:
        """The order for a worker. Extism's ``max_pages`` counts on top of the initial memory, so that is taken off."""
        return LoadOrder(
            exports=self.exports,
            host=self.host,
            fuel=self.limits.instructions,
            max_pages=max(self.limits.memory_pages - self.initial_pages, 1),
            max_output=self.limits.output_bytes,
            call_seconds=self.limits.execution_time // 1_000 + _CALL_GRACE_SECONDS,
            lifecycle=self.lifecycle,
            config=json.dumps(unnamed(self.config)),
            wasi=self.wasi,
        )
