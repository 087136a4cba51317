"""How long a load is waited for: judged by the processor time that the worker used, and by the clock at the very end.

On a busy machine a module of 3 MB waits for the processor longer than it computes. What it is charged for is its own.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import Callable
from typing import Any

__all__ = ["LONGEST", "processor_seconds", "within"]

LONGEST = 4
"""How many times its processor time a load may last: a start function can sleep without using any."""
_LOOK_AGAIN = 0.01
_SCHED_CLOCK = 2  # CPUCLOCK_SCHED of linux/posix-timers.h: the time of all threads of a process, in ns


def processor_seconds(pid: int) -> float:
    """Return what a process has used since its start, by all of its threads; infinite where a kernel does not tell.

    A process that there is not, yet or any more, has used none.
    """
    if sys.platform != "linux":
        return math.inf
    if not pid:
        return 0.0
    try:
        return time.clock_gettime(~pid << 3 | _SCHED_CLOCK)  # what clock_getcpuclockid(3) gives for the process
    except OSError:
        return 0.0


async def within(seconds: float, loaded: asyncio.Future[dict[str, Any]], used: Callable[[], float]) -> dict[str, Any]:
    """Wait for ``loaded``: ``seconds``, then until ``used`` tells as many, at most :data:`LONGEST` as long.

    Raises:
        TimeoutError: It did not come.
    """
    now = asyncio.get_running_loop().time
    end = now() + LONGEST * seconds
    wait = seconds
    while wait > 0:
        await asyncio.wait([loaded], timeout=wait)
        if loaded.done():
            return loaded.result()
        left = seconds - used()
        wait = min(max(left, _LOOK_AGAIN) if left > 0 else 0, end - now())
    raise TimeoutError
