"""A request of ``call_llm`` as a plugin writes it, checked, and what it may take at most."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from mcp_server.backends.llm.base import Message, Prompt
from mcp_server.manifest.schema import JsonSchema

__all__ = ["Asked"]

MOST_MESSAGES = 256
MOST_BYTES = 1024 * 1024
_AROUND = 64
"""Tokens that a provider puts around each message and the whole: roles, separators, a template."""


def _sendable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold U+0000")
    text.encode()  # a UnicodeEncodeError is a ValueError: half a surrogate pair
    return text


def _of_object(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") != "object":
        raise ValueError('must be the schema of an object: its "type" must be "object"')
    JsonSchema(schema)
    return schema


Text = Annotated[str, Field(min_length=1), AfterValidator(_sendable)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Turn(_Part):
    role: Literal["user", "assistant"]
    content: Text


class Asked(_Part):
    """``{prompt | messages, system?, model?, max_tokens?, temperature?, json_schema?, timeout_ms?}``."""

    prompt: Text | None = None
    messages: Annotated[list[_Turn], Field(min_length=1, max_length=MOST_MESSAGES)] | None = None
    system: Text | None = None
    model: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_sendable)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    json_schema: Annotated[dict[str, Any], AfterValidator(_of_object)] | None = None
    timeout_ms: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_question(self) -> Asked:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give either 'prompt' or 'messages'")
        if self.messages and self.messages[-1].role != "user":
            raise ValueError("messages: the last one must be the user's")
        if self.size > MOST_BYTES:
            raise ValueError(f"may hold at most {MOST_BYTES} bytes of text, holds {self.size}")
        return self

    @property
    def turns(self) -> list[Message]:
        """The conversation."""
        if self.prompt is not None:
            return [Message("user", self.prompt)]
        return [Message(turn.role, turn.content) for turn in self.messages or ()]

    @property
    def size(self) -> int:
        """Bytes of everything that a model reads."""
        texts = [self.system or "", *(turn.content for turn in self.turns)]
        schema = json.dumps(self.json_schema) if self.json_schema is not None else ""
        return sum(len(text.encode()) for text in (*texts, schema))

    @property
    def most_tokens_in(self) -> int:
        """As many tokens as bytes, for none is shorter: a guess by characters could be talked below the truth."""
        return self.size + _AROUND * (len(self.turns) + 1)

    def as_prompt(self, max_tokens: int) -> Prompt:
        """What a provider is given."""
        return Prompt(self.turns, max_tokens, self.system, self.temperature, self.json_schema)
