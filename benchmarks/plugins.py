"""Plugins that were never on disk: runnables, contexts and a fleet for programs that measure below the registry."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp_server.capabilities.base import CallContext, HostFunction, LogLine
from mcp_server.policy.limits import Limits
from mcp_server.policy.rights import decide_rights
from mcp_server.runtime.fleet import Fleet
from mcp_server.runtime.modules import ModuleStore
from mcp_server.runtime.runnable import Runnable
from mcp_server.runtime.runner import PluginRunner
from mcp_server.worker.frames import Mode

__all__ = ["LOG_THAT_WAITS", "WAIT_SECONDS", "Plant", "context", "open_plant", "write_plugins"]

WAIT_SECONDS = 0.1


async def _wait(_context: CallContext, _request: dict[str, Any]) -> None:
    await asyncio.sleep(WAIT_SECONDS)


# Under the name of a function that exists: rights are by name, and no plugin has a right to one that does not.
LOG_THAT_WAITS = HostFunction("log", _wait, waits=True)
"""A host function that answers after 100 ms, for the guest ``WAIT``."""


class Plant:
    """A fleet and the folder its modules lie in."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def runner(
        self,
        wasm: bytes,
        function: str = "echo",
        *,
        isolation: Mode = Mode.SHARED,
        name: str = "bench",
        host: tuple[tuple[str, str], ...] = (),
        limits: Limits | None = None,
    ) -> PluginRunner:
        """A runner for ``wasm``, as the registry would make one."""
        digest = hashlib.sha256(wasm).hexdigest()
        self.fleet.modules.put(digest, wasm)
        return self.fleet.runner(
            Runnable(
                plugin=name,
                digest=digest,
                exports=(function,),
                host=host,
                initial_pages=1,
                lifecycle=(),
                config={},
                wasi=False,
                isolation=isolation,
                limits=limits or Limits(),
            )
        )


@asynccontextmanager
async def open_plant(
    *, max_workers: int = 1, idle_seconds: float = 60.0, functions: Iterable[HostFunction] = ()
) -> AsyncGenerator[Plant]:
    """A fleet on a cache folder of its own."""
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as folder:
        modules = ModuleStore(Path(folder))
        async with Fleet(modules, functions, max_workers=max_workers, idle_seconds=idle_seconds) as fleet:
            yield Plant(fleet)


def context(runner: PluginRunner) -> CallContext:
    """A call's context, as the pipeline would make one."""
    limits = runner.runnable.limits
    return CallContext(
        plugin=runner.runnable.plugin,
        principal="local",
        session="",
        call_id="c0",
        rights=decide_rights(("LoggingAccess",), (), ()),
        limits=limits,
        config={},
        depth=0,
        deadline=time.monotonic() + limits.execution_time / 1_000,
        log=_drop,
    )


def write_plugins(
    folder: Path, modules: dict[str, bytes], isolation: str = "call", function: str = "echo", tools: int = 1
) -> None:
    """Bundles ``folder/<id>/`` with a manifest that shows ``function`` as a tool with a small schema.

    Args:
        folder: Made when it is missing.
        modules: By plugin id.
        isolation: Of all of them.
        function: An export they all have.
        tools: How many times it is shown, as ``echo``, ``echo-1``, ``echo-2`` and so on.
    """
    for plugin, wasm in modules.items():
        home = folder / plugin
        home.mkdir(parents=True)
        (home / f"{plugin}.wasm").write_bytes(wasm)
        entries = (_tool(function, f"{function}-{number}" if number else function) for number in range(tools))
        (home / "plugin.toml").write_text(
            f'manifest_version = 1\n[plugin]\nid = "{plugin}"\nname = "{plugin}"\nversion = "0.1.0"\n'
            f'[runtime]\nisolation = "{isolation}"\n' + "".join(entries),
            encoding="utf-8",
        )


def _tool(function: str, name: str) -> str:
    return (
        f'[[tools]]\nfunction = "{function}"\nname = "{name}"\ndescription = "Answers with what it is given."\n'
        '[tools.input_schema]\ntype = "object"\nrequired = ["message"]\n'
        '[tools.input_schema.properties.message]\ntype = "string"\n'
    )


def _drop(_line: LogLine) -> None:
    return None
