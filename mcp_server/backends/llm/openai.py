"""The dialect of OpenAI's chat completions, which Ollama, vLLM, LM Studio, llama.cpp and most gateways speak too.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from mcp_server.backends.llm.base import Draft, FinishReason, Prompt
from mcp_server.backends.llm.errors import AnswerInvalid

__all__ = ["OpenAiDialect"]

_REASONS: Mapping[str, FinishReason] = {"stop": "stop", "length": "length", "content_filter": "content_filter"}


class _Delta(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0, le=1_000_000_000)
    completion_tokens: int = Field(ge=0, le=1_000_000_000)


class _Chunk(BaseModel):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


class OpenAiDialect:
    """``POST <base_url>/chat/completions``.

    Args:
        token_limit: How the provider calls the bound of an answer: ``max_tokens``, or ``max_completion_tokens`` for
            OpenAI's reasoning models.
    """

    path = "/chat/completions"
    most_temperature = 2.0

    def __init__(self, token_limit: str = "max_tokens") -> None:  # noqa: S107  # a word of the dialect
        self._token_limit = token_limit

    def headers(self, key: str | None) -> dict[str, str]:
        """As the contract says."""
        return {} if key is None else {"authorization": f"Bearer {key}"}

    def body(self, model: str, prompt: Prompt) -> dict[str, Any]:
        """As the contract says."""
        system = [] if prompt.system is None else [{"role": "system", "content": prompt.system}]
        body: dict[str, Any] = {
            "model": model,
            "messages": [*system, *(message._asdict() for message in prompt.messages)],
            self._token_limit: prompt.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if prompt.temperature is not None:
            body["temperature"] = prompt.temperature
        if prompt.schema is not None:
            form = {"name": "answer", "schema": dict(prompt.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body

    def reading(self) -> _Reading:
        """As the contract says."""
        return _Reading()


class _Reading:
    def __init__(self) -> None:
        self.draft = Draft()

    def take(self, data: str) -> None:
        draft = self.draft
        if data.strip() == "[DONE]":
            draft.done = True
            return
        try:
            chunk = _Chunk.model_validate_json(data)
        except ValidationError:
            raise AnswerInvalid("shape", "the provider's answer is no chat completion") from None
        if chunk.error is not None:
            raise draft.fail("an error event")
        for choice in (chunk.choices or [])[:1]:
            draft.add(choice.delta.content or "")
            if choice.finish_reason is not None:
                draft.finish_reason = _REASONS.get(choice.finish_reason, "other")
        if chunk.usage is not None:
            draft.tokens_in, draft.tokens_out = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
