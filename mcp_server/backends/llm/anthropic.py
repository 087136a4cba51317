"""The dialect of Anthropic's messages.

https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from mcp_server.backends.llm.base import Draft, FinishReason, Prompt
from mcp_server.backends.llm.errors import AnswerInvalid

__all__ = ["AnthropicDialect"]

VERSION = "2023-06-01"
_TOOL = "answer"
_REASONS: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "stop",  # the one tool is the form of the answer
    "max_tokens": "length",
    "refusal": "content_filter",
}
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class _Usage(BaseModel):
    input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    output_tokens: Count | None = None


class _Message(BaseModel):
    usage: _Usage = _Usage()


class _Delta(BaseModel):
    text: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class _Event(BaseModel):
    type: str
    message: _Message | None = None
    delta: _Delta = _Delta()
    usage: _Usage | None = None


class AnthropicDialect:
    """``POST <base_url>/v1/messages``. A JSON answer is asked for as the arguments of a tool that must be used."""

    path = "/v1/messages"
    most_temperature = 1.0

    def headers(self, key: str | None) -> dict[str, str]:
        """As the contract says."""
        return {"anthropic-version": VERSION} | ({} if key is None else {"x-api-key": key})

    def body(self, model: str, prompt: Prompt) -> dict[str, Any]:
        """As the contract says."""
        body: dict[str, Any] = {
            "model": model,
            "messages": [message._asdict() for message in prompt.messages],
            "max_tokens": prompt.max_tokens,
            "stream": True,
        }
        if prompt.system is not None:
            body["system"] = prompt.system
        if prompt.temperature is not None:
            body["temperature"] = prompt.temperature
        if prompt.schema is not None:
            body["tools"] = [{"name": _TOOL, "description": "The answer.", "input_schema": dict(prompt.schema)}]
            body["tool_choice"] = {"type": "tool", "name": _TOOL}
        return body

    def reading(self) -> _Reading:
        """As the contract says."""
        return _Reading()


class _Reading:
    def __init__(self) -> None:
        self.draft = Draft()
        self._form = False

    def take(self, data: str) -> None:
        try:
            event = _Event.model_validate_json(data)
        except ValidationError:
            raise AnswerInvalid("shape", "the provider's answer is no message") from None
        match event.type:
            case "message_start" if event.message is not None:
                self._count(event.message.usage)
            case "content_block_delta":
                self._add(event.delta)
            case "message_delta":
                self._end(event)
            case "message_stop":
                self.draft.done = True
            case "error":
                raise self.draft.fail("an error event")
            case _:
                pass  # ping, the bounds of blocks, and what later versions add

    def _add(self, delta: _Delta) -> None:
        if delta.partial_json is not None and not self._form:
            self._form = True  # what a model says before it fills in the form is no part of the answer
            self.draft.parts.clear()
        self.draft.add((delta.partial_json if self._form else delta.text) or "")

    def _end(self, event: _Event) -> None:
        if event.delta.stop_reason is not None:
            self.draft.finish_reason = _REASONS.get(event.delta.stop_reason, "other")
        if event.usage is not None:
            self._count(event.usage)

    def _count(self, usage: _Usage) -> None:
        read = (usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens)
        if usage.input_tokens is not None:
            self.draft.tokens_in = sum(count or 0 for count in read)
        if usage.output_tokens is not None:
            self.draft.tokens_out = usage.output_tokens  # each message_delta tells the sum so far
