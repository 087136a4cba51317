"""What SIGTERM and SIGINT do to a process that serves: the first asks for an end in order, the second ends at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import anyio

__all__ = ["ask_on_signal"]


async def ask_on_signal(ask: Callable[[signal.Signals], None]) -> None:
    """Call ``ask`` at the first of them, and wait for the second, until cancelled."""
    asked = False
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            if asked:
                os._exit(128 + number)
            asked = True
            ask(signal.Signals(number))
