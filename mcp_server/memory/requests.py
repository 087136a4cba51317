"""What may be asked of the engine: one shape for every way in, whether a plugin, a tool or a program asks.

Whose memories they are is never in here: principal and plugin come from the authenticated context.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from mcp_server.memory.errors import InvalidRequest
from mcp_server.memory.times import from_text, to_text
from mcp_server.problems import json_problems, problems_of

__all__ = [
    "AddMemory",
    "DeleteMemories",
    "DeleteMemory",
    "GetMemory",
    "ListMemories",
    "MemoryType",
    "Mode",
    "Request",
    "SearchMemories",
    "UpdateMemory",
    "read",
]

MemoryType = Literal["episodic", "semantic", "procedural", "working", "core", "resource", "knowledge", "contextual"]
Mode = Literal["auto", "lexical", "semantic", "hybrid"]
MOST_CONTENT_BYTES = 65_536
MOST_METADATA_BYTES = 16_384
MOST_RESULTS = 100
_LONGEST_LIFE_SECONDS = 100 * 366 * 86_400


def _text(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not hold U+0000")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError("must not hold half a surrogate pair") from None
    if size > MOST_CONTENT_BYTES:
        raise ValueError(f"must have at most {MOST_CONTENT_BYTES} bytes, has {size}")
    return value


def _worded(value: str) -> str:
    if not value.strip():
        raise ValueError("must hold more than blanks")
    return value


def _label(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be printable")
    return value


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    problems = json_problems(value, "metadata")
    if problems:
        raise ValueError("; ".join(problems))
    text = json.dumps(value, ensure_ascii=False)
    if "\\u0000" in text:
        raise ValueError("must not hold U+0000")
    size = len(_text(text).encode())
    if size > MOST_METADATA_BYTES:
        raise ValueError(f"must have at most {MOST_METADATA_BYTES} bytes as JSON, has {size}")
    return value


def _known_type(value: object) -> object:
    return "semantic" if value == "factual" else value  # its name in older records


def _time(value: str) -> str:
    try:
        return to_text(from_text(value))
    except (ValueError, OverflowError):
        raise ValueError("must be a time such as 2026-11-23T09:00:00Z") from None


Text = Annotated[str, AfterValidator(_text)]
Content = Annotated[Text, AfterValidator(_worded)]
Label = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_label)]
Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]
KnownType = Annotated[MemoryType, BeforeValidator(_known_type)]
Time = Annotated[str, AfterValidator(_time)]
Importance = Annotated[float, Field(ge=0, le=1)]
Version = Annotated[int, Field(ge=1)]
Life = Annotated[int, Field(ge=1, le=_LONGEST_LIFE_SECONDS)]


class Request(BaseModel):
    """What all have in common: unknown keys are refused, values are not bent into shape."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    user_id: str | None = Field(default=None, description="Left out, or the caller's own id as a memory shows it.")


class AddMemory(Request):
    """Store a text."""

    content: Content = Field(description="What to remember.")
    memory_type: KnownType = Field(default="semantic", description="Kind of memory.")
    agent_id: Label | None = Field(default=None, description="Label: which agent it belongs to.")
    run_id: Label | None = Field(default=None, description="Label: which run or conversation it belongs to.")
    metadata: Metadata = Field(default_factory=dict, description="Anything to filter by.")
    importance: Importance | None = Field(default=None, description="0 to 1.")
    expires_at: Time | None = Field(default=None, description="When to forget it.")
    ttl_seconds: Life | None = Field(default=None, description="After how many seconds to forget it.")

    @model_validator(mode="after")
    def _one_end(self) -> AddMemory:
        if self.expires_at is not None and self.ttl_seconds is not None:
            raise ValueError("'expires_at' and 'ttl_seconds' say the same; give one")
        return self


class GetMemory(Request):
    """Read one memory."""

    id: Label


class UpdateMemory(Request):
    """Replace what is given, keep the rest; null takes a label, the importance or the end away."""

    id: Label
    content: Content | None = None
    memory_type: KnownType | None = None
    agent_id: Label | None = None
    run_id: Label | None = None
    metadata: Metadata | None = Field(default=None, description="The whole metadata, not a part of it.")
    importance: Importance | None = None
    expires_at: Time | None = None
    if_version: Version | None = Field(default=None, description="Only when this is the version that is stored.")

    @model_validator(mode="after")
    def _something(self) -> UpdateMemory:
        given = self.model_fields_set - {"id", "if_version", "user_id"}
        if not given:
            raise ValueError("names nothing to change")
        nothing = [
            name for name in ("content", "memory_type", "metadata") if name in given and getattr(self, name) is None
        ]
        if nothing:
            raise ValueError(f"'{nothing[0]}' cannot be null")
        return self


class DeleteMemory(Request):
    """Delete one memory."""

    id: Label
    if_version: Version | None = None


class _Choosing(Request):
    filters: dict[str, Any] | None = Field(
        default=None, description="Conditions; see the documentation of the memory engine."
    )
    memory_types: list[KnownType] | None = Field(default=None, max_length=8)
    agent_id: Label | None = None
    run_id: Label | None = None


class DeleteMemories(_Choosing):
    """Delete every memory that is chosen; all of the caller's when nothing is."""

    confirm: int | None = Field(
        default=None, description="How many memories this deletes; left out to learn the number."
    )


class ListMemories(_Choosing):
    """Memories, the newest first."""

    limit: Annotated[int, Field(ge=1, le=MOST_RESULTS)] = 50
    cursor: str | None = None
    include_expired: bool = False


class SearchMemories(_Choosing):
    """Memories that fit a question, the best first."""

    query: Text
    limit: Annotated[int, Field(ge=1, le=MOST_RESULTS)] = 10
    mode: Mode = "auto"
    threshold: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="Leave out what scores lower, by words or by meaning."
    )
    explain: bool = False
    include_expired: bool = False


R = TypeVar("R", bound=BaseModel)


def read(model: type[R], arguments: dict[str, Any]) -> R:
    """``arguments`` as a request.

    Raises:
        InvalidRequest: Every problem of it at once.
    """
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        problems = [text.removeprefix("(file): ") for text in problems_of(error, model)]
        raise InvalidRequest("; ".join(problems)) from None
