"""MCP content blocks that a plugin may return itself (``result = "content"``), checked before they leave.

The shapes are those of the MCP specification 2025-11-25 and 2026-07-28, ``ContentBlock``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Base64Str, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

__all__ = ["ContentProblem", "check_content"]

MAX_BLOCKS = 256


class ContentProblem(ValueError):
    """Why a plugin's blocks are not MCP content."""


def _base64(text: object) -> object:
    TypeAdapter(Base64Str).validate_python(text)  # decoded for the check only; the text is what travels
    return text


Base64 = Annotated[str, BeforeValidator(_base64)]
Mime = Annotated[str, Field(pattern=r"^[\w.+-]+/[\w.+-]+(;.*)?$", max_length=256)]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class _Text(_Block):
    type: Literal["text"]
    text: str


class _Image(_Block):
    type: Literal["image"]
    data: Base64
    mimeType: Mime  # the wire's name


class _Audio(_Block):
    type: Literal["audio"]
    data: Base64
    mimeType: Mime


class _Link(_Block):
    type: Literal["resource_link"]
    uri: str
    name: str
    title: str | None = None
    description: str | None = None
    mimeType: Mime | None = None
    size: int | None = None


class _Contents(_Block):
    uri: str
    mimeType: Mime | None = None
    text: str | None = None
    blob: Base64 | None = None


class _Resource(_Block):
    type: Literal["resource"]
    resource: _Contents


_blocks: TypeAdapter[list[Any]] = TypeAdapter(
    Annotated[
        list[Annotated[_Text | _Image | _Audio | _Link | _Resource, Field(discriminator="type")]],
        Field(max_length=MAX_BLOCKS),
    ]
)


def check_content(value: object) -> list[dict[str, Any]]:
    """``value`` as a list of wire-shaped blocks.

    Raises:
        ContentProblem: With the first problems, each with its place.
    """
    try:
        blocks = _blocks.validate_python(value)
    except ValidationError as error:
        told = [f"{'/'.join(str(step) for step in e['loc']) or '(root)'}: {e['msg']}" for e in error.errors()[:4]]
        raise ContentProblem("; ".join(told)) from None
    return [block.model_dump(exclude_none=True) for block in blocks]
