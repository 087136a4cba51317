"""What every provider takes and gives, and what a dialect has to know; no HTTP here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from mcp_server.backends.llm.errors import AnswerInvalid, AnswerTooLong, ProviderFailed

__all__ = ["Completion", "Dialect", "Draft", "FinishReason", "Message", "Prompt", "Provider", "Reading", "Tokens"]

MOST_TEXT = 1024 * 1024
FinishReason = Literal["stop", "length", "content_filter", "other"]
Kind = Literal["model", "extractive"]


class Message(NamedTuple):
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    content: str


class Tokens(NamedTuple):
    """What a provider says it read and wrote."""

    input: int
    output: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question, whoever answers it.

    Attributes:
        messages: At least one.
        max_tokens: Longest answer.
        schema: What the answer must fit, a JSON Schema of an object; None for text.
    """

    messages: Sequence[Message]
    max_tokens: int
    system: str | None = None
    temperature: float | None = None
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer; ``tokens`` is None where the provider does not say."""

    text: str
    finish_reason: FinishReason
    tokens: Tokens | None


class Provider(Protocol):
    """Somebody who answers."""

    @property
    def kind(self) -> Kind:
        """A model, or one that only ever repeats sentences of the prompt."""
        ...

    @property
    def most_temperature(self) -> float:
        """The highest temperature it takes."""
        ...

    async def complete(
        self, model: str, prompt: Prompt, seconds: float, trace: Mapping[str, str] | None = None
    ) -> Completion:
        """Ask, and wait at most ``seconds`` for the whole answer.

        Args:
            model: As the provider calls it.
            prompt: What is asked.
            seconds: For all attempts together.
            trace: Headers of a W3C trace context, where the provider is to join the trace.

        Raises:
            LlmError: There is none.
        """
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...


@dataclass(slots=True)
class Draft:
    """An answer on its way in."""

    parts: list[str] = field(default_factory=list[str])
    size: int = 0
    finish_reason: FinishReason | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    done: bool = False

    def add(self, text: str) -> None:
        """Append.

        Raises:
            AnswerTooLong: It is longer than anybody needs.
        """
        self.size += len(text.encode("utf-8", "surrogatepass"))
        if self.size > MOST_TEXT:
            raise AnswerTooLong(MOST_TEXT)
        self.parts.append(text)

    def finished(self) -> Completion:
        """The whole of it.

        Raises:
            AnswerInvalid: The stream ended before the answer did.
        """
        if self.finish_reason is None:
            raise AnswerInvalid("cut_off", "the answer was cut off before its end")
        known = self.tokens_in is not None and self.tokens_out is not None
        tokens = Tokens(self.tokens_in or 0, self.tokens_out or 0) if known else None
        # half a surrogate pair is no text that an envelope could carry
        text = "".join(self.parts).encode("utf-8", "replace").decode("utf-8")
        return Completion(text, self.finish_reason, tokens)

    def fail(self, words: str) -> ProviderFailed:
        """The error that a provider told in the middle of its answer."""
        return ProviderFailed("stream", f"in the stream: {words}")


class Reading(Protocol):
    """One answer while it is read."""

    @property
    def draft(self) -> Draft: ...

    def take(self, data: str) -> None:
        """One server-sent event.

        Raises:
            LlmError: It makes no sense, or says that there will be no answer.
        """
        ...


class Dialect(Protocol):
    """How one kind of provider is asked and understood."""

    @property
    def path(self) -> str:
        """Below the base URL."""
        ...

    @property
    def most_temperature(self) -> float: ...

    def headers(self, key: str | None) -> dict[str, str]:
        """Beside the usual ones."""
        ...

    def body(self, model: str, prompt: Prompt) -> dict[str, Any]:
        """The request, for a streamed answer."""
        ...

    def reading(self) -> Reading:
        """For one answer."""
        ...
