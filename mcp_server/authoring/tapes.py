"""What host functions answered in a real run, kept beside the cases and given again.

Rights, limits and the shape of requests are judged before a tape is asked, so a replayed plugin is denied what it would
be denied in production. The log and the plugin's own configuration are always real.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from mcp_server.authoring.matching import like
from mcp_server.capabilities.base import CallContext, HostFunction, HostRefusal
from mcp_server.whole_file import replace_file

__all__ = ["Recorder", "Tape"]

ALWAYS_REAL = frozenset({"log", "get_config"})
MISSING = "fixture_missing"
_SHOWN = 400


@dataclass(slots=True)
class Tape:
    """The host calls of one case.

    Attributes:
        calls: ``{function, request, data}`` or ``{function, request, refused: {code, message, data}}``, in order.
        replaying: Whether they are given, or taken.
        problems: What did not go as recorded.
    """

    calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    replaying: bool = False
    problems: list[str] = field(default_factory=list[str])
    _next: int = 0

    @classmethod
    def load(cls, path: Path) -> Tape:
        """The tape in the file ``path``.

        Raises:
            ValueError: It is no tape.
        """
        document = json.loads(path.read_text(encoding="utf-8"))
        calls = cast("dict[str, Any]", document).get("calls") if isinstance(document, dict) else None
        if not isinstance(calls, list):
            raise ValueError(f"{path}: a recording is an object with the list 'calls'")
        return cls(cast("list[dict[str, Any]]", calls), replaying=True)

    def save(self, path: Path) -> None:
        """Keep what was taken; a case that asked nobody has no file."""
        if self.calls:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"calls": self.calls}, indent=2, ensure_ascii=False) + "\n"
            replace_file(path, text.encode("utf-8"), mode=0o644)
        else:
            path.unlink(missing_ok=True)

    def take(self, function: str, request: dict[str, Any], **answer: Any) -> None:
        """Add what ``function`` answered."""
        self.calls.append({"function": function, "request": request, **answer})

    def give(self, function: str, request: dict[str, Any]) -> Any:
        """What ``function`` answered the last time.

        Raises:
            HostRefusal: It refused then, or this is not what was asked then.
        """
        known = self.calls[self._next] if self._next < len(self.calls) else None
        if known is None or known.get("function") != function or not like(known.get("request"), request):
            wanted = f"{known['function']} {_shown(known.get('request'))}" if known else "no further host call"
            self.problems.append(f"it asks {function} {_shown(request)}; recorded is {wanted}")
            raise HostRefusal(MISSING, f"{function}: there is no recorded answer to this request")
        self._next += 1
        refused = known.get("refused")
        if refused is not None:
            raise HostRefusal(refused["code"], refused["message"], refused.get("data") or {})
        return known.get("data")

    def unused(self) -> int:
        """How many recorded answers nobody asked for."""
        return len(self.calls) - self._next if self.replaying else 0


class Recorder:
    """Stands between a plugin and its host functions; each principal has a tape of its own, or none."""

    def __init__(self) -> None:
        self.tapes: dict[str, Tape] = {}

    def around(self, function: HostFunction) -> HostFunction:
        """``function``, answered from the tape of whoever asks, or taken down on it."""
        if function.name in ALWAYS_REAL:
            return function

        async def answer(context: CallContext, request: dict[str, Any]) -> Any:
            tape = self.tapes.get(context.principal)
            if tape is not None and tape.replaying:
                return tape.give(function.name, request)
            asked = json.loads(json.dumps(request))  # a function may change what it is given
            try:
                answered = function.answer(context, request)
                data = await cast("Awaitable[Any]", answered) if function.waits else answered
            except HostRefusal as refusal:
                if tape is not None:
                    told = {"code": refusal.code, "message": refusal.message, "data": dict(refusal.data)}
                    tape.take(function.name, asked, refused=told)
                raise
            if tape is not None:
                tape.take(function.name, asked, data=json.loads(json.dumps(data, default=str)))
            return data

        return HostFunction(function.name, answer, waits=True)


def _shown(request: Any) -> str:
    text = json.dumps(request, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
