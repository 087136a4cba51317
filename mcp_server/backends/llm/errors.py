"""What asking a language model fails with. ``message`` names no URL, no model, no key; ``fix`` may name the provider.

::

    LlmError
    ├── NotConfigured      llm_not_configured    no alias, or a provider without its key
    ├── Unavailable        llm_unavailable       unreachable, or busy until the attempts or the time were used up
    ├── Unsupported        llm_unsupported       this provider cannot do that, whoever asks
    ├── Rejected           llm_rejected          the provider refuses the request, for instance its key
    ├── ProviderFailed     llm_failed            it said so in the middle of its answer, or the connection was lost
    ├── AnswerInvalid      llm_answer_invalid    no answer of its dialect, or only a part of one
    ├── AnswerTooLong      limit_llm_answer
    └── TimedOut           llm_timeout
"""

from __future__ import annotations

from mcp_server.errors import AgentMemError
from mcp_server.exits import Exit

__all__ = [
    "AnswerInvalid",
    "AnswerTooLong",
    "LlmError",
    "NotConfigured",
    "ProviderFailed",
    "Rejected",
    "TimedOut",
    "Unavailable",
    "Unsupported",
]


class LlmError(AgentMemError):
    """No answer.

    Attributes:
        billed: Whether the provider may have worked for it; then the reserve of the budget stays spent.
    """

    code = "llm_failed"
    exit_code = Exit.UNREACHABLE
    billed = True


class NotConfigured(LlmError):
    """Nobody to ask."""

    code = "llm_not_configured"
    billed = False


class Unavailable(LlmError):
    """It was not reached, or asked to come later each time.

    Args:
        reason: ``connect`` or ``busy``.
        why: For the message.
        retry_after: Seconds it asked to wait, where it said so.
    """

    code = "llm_unavailable"
    billed = False

    def __init__(self, reason: str, why: str, *, retry_after: float | None = None, fix: str = "") -> None:
        data: dict[str, object] = {"reason": reason}
        if retry_after is not None:
            data["retry_after"] = retry_after
        super().__init__(why, fix=fix, data=data)


class Unsupported(LlmError):
    """Nothing was sent: the provider has no way to do it."""

    code = "llm_unsupported"
    billed = False


class Rejected(LlmError):
    """The provider understood and said no."""

    code = "llm_rejected"
    billed = False

    def __init__(self, status: int, *, fix: str) -> None:
        super().__init__(f"the provider refused the request with status {status}", fix=fix, data={"status": status})


class ProviderFailed(LlmError):
    """It began to answer and gave up."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__("the provider failed while it answered", fix=fix, data={"reason": reason})


class AnswerInvalid(LlmError):
    """What came is no whole answer of the dialect.

    Args:
        reason: ``shape``, ``type``, ``encoding``, ``protocol`` or ``cut_off``.
        why: For the message.
    """

    code = "llm_answer_invalid"

    def __init__(self, reason: str, why: str, *, fix: str = "") -> None:
        super().__init__(why, fix=fix, data={"reason": reason})


class AnswerTooLong(LlmError):
    """An answer, or one event of it, over the bound."""

    code = "limit_llm_answer"

    def __init__(self, allowed: int) -> None:
        super().__init__(f"the answer is longer than {allowed} bytes", data={"limit": "llm_answer", "allowed": allowed})


class TimedOut(LlmError):
    """The time was over before the whole answer was there."""

    code = "llm_timeout"

    def __init__(self, seconds: float) -> None:
        milliseconds = round(seconds * 1_000)
        super().__init__(
            f"no whole answer came within {milliseconds} ms",
            fix="raise max_execution_time_ms of the plugin, or timeout_seconds of the provider",
            data={"timeout_ms": milliseconds},
        )
