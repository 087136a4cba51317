"""Every route of a server over HTTP, read off the application that a server really runs; nobody has to keep a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
from starlette.routing import BaseRoute, Mount, Route, Router

from mcp_server.app import http_server
from mcp_server.host import PluginHost
from mcp_server.page.door import BASE
from mcp_server.reloading import Reloader
from mcp_server.settings import Folders, Settings
from mcp_server.transport.http.address import parse_address
from mcp_server.transport.http.face import HttpFace

__all__ = ["EveryRoute", "every_route"]

ANY_METHOD = ("GET", "POST", "DELETE")
"""Of routes that are whole applications, and answer 405 themselves."""
VALUES = {"plugin": "well", "function": "echo", "memory": "m"}


@dataclass(frozen=True)
class EveryRoute:
    """What there is.

    Attributes:
        all: Method and path of every route, with values in the place of its parameters.
        patterns: The paths as they were written.
        public: Those that are read without a token.
    """

    all: list[tuple[str, str]]
    patterns: set[str]
    public: set[str]

    @property
    def guarded(self) -> list[tuple[str, str]]:
        """The routes of programs that need a token."""
        return [
            (method, path)
            for method, path in self._of_programs
            if path not in self.public or method not in ("GET", "HEAD")
        ]

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The routes of programs that may have a body."""
        return [(method, path) for method, path in self._of_programs if method in ("POST", "PUT", "PATCH")]

    @property
    def _of_programs(self) -> list[tuple[str, str]]:
        """All but the operator's page, where people sign in; ``tests/page/test_fences.py`` goes round that one."""
        return [(method, path) for method, path in self.all if path != "/" and not path.startswith(f"{BASE}/")]


async def every_route(home: Path, settings: Settings | None = None) -> EveryRoute:
    """The routes of a server with ``settings``, which is made and not served.

    Args:
        home: For its files.
        settings: In force.
    """
    settings = settings or Settings()
    own = Folders(home / "config", home / "data", home / "cache", home / "state")
    async with PluginHost(settings, cache=own.cache, data=own.data) as host, anyio.create_task_group() as tasks:
        face = HttpFace(parse_address("127.0.0.1:0"), own.state, own.data)
        server = http_server(face, host, Reloader(host, None), own, tasks)
        server.close()
        found = sorted(set(_walk(server.site.routes)))
        known = [(method, _filled(path)) for method, path in found]
        tasks.cancel_scope.cancel()
        return EveryRoute(known, {path for _, path in found}, set(server.site.public))
    raise AssertionError  # for the checker: no context above hides an exception


def _walk(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Mount):
            inner = list(_walk(route.routes, prefix + route.path))
            yield from inner or [(method, f"{prefix}{route.path}/any") for method in ANY_METHOD]
        elif isinstance(route, Route):
            for method in (route.methods or set(ANY_METHOD)) - {"HEAD"}:
                yield method, prefix + route.path
        elif isinstance(included := getattr(route, "original_router", None), Router):  # FastAPI reads these late
            yield from _walk(included.routes, prefix)
        else:
            yield from ((method, prefix + getattr(route, "path", "/")) for method in ANY_METHOD)


def _filled(path: str) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: VALUES.get(found[1], "any"), path)
