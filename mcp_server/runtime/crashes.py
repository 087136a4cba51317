"""When a plugin whose worker crashed may be tried again: at once, then later and later, then not for a while."""

from __future__ import annotations

from collections import deque

from mcp_server.errors import PluginUnavailable

__all__ = ["CrashRecord"]

WINDOW = 60.0
"""Seconds over which crashes are counted."""
QUARANTINE_AFTER = 5
QUARANTINE = 300.0
LONGEST_PAUSE = 60.0


class CrashRecord:
    """The crashes of one plugin's workers. Times are monotonic seconds, given by the caller."""

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._times: deque[float] = deque(maxlen=QUARANTINE_AFTER)
        self._blocked_until = 0.0
        self.total = 0
        self.quarantined = False

    def add(self, now: float) -> None:
        """A worker died that nobody asked to die."""
        self.total += 1
        self._times.append(now)
        recent = [time for time in self._times if now - time <= WINDOW]
        self.quarantined = len(recent) >= QUARANTINE_AFTER
        # The first crash costs no pause: one bad input must not close the plugin to the next caller.
        pause = QUARANTINE if self.quarantined else min(2.0 ** (len(recent) - 2), LONGEST_PAUSE)
        self._blocked_until = now + (pause if len(recent) > 1 else 0.0)

    def check(self, now: float) -> None:
        """Let a worker be started, or say when it may.

        Raises:
            PluginUnavailable: With ``retry_after_ms``.
        """
        left = self._blocked_until - now
        if left <= 0:
            return
        state = "quarantined" if self.quarantined else "held back"
        raise PluginUnavailable(
            f"plugin '{self._plugin}' is {state} after {len(self._times)} crashes of its worker; retry in {left:.0f} s",
            fix="look at the plugin's log; reload or restart it to try again at once",
            data={"plugin": self._plugin, "retry_after_ms": round(left * 1000), "quarantined": self.quarantined},
        )

    def forget(self) -> None:
        """A person restarted the plugin, or it was replaced: start counting anew."""
        self._times.clear()
        self._blocked_until = 0.0
        self.quarantined = False
