"""MCP content blocks that a plugin may return itself (``result = "content"``), checked before they leave.

The shapes are those of the MCP specification 2025-11-25 and 2026-07-28, ``ContentBlock``.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

__all__ = ["ContentProblem", "check_content"]

MAX_BLOCKS = 256


class ContentProblem(ValueError):
    """Why a plugin's blocks are not MCP content."""


def _base64(text: str) -> str:
    b64decode(text, validate=True)  # for the check only; the text is what travels
    return text


Base64 = Annotated[str, AfterValidator(_base64)]
Uri = Annotated[str, Field(min_length=1, max_length=8_192)]
Mime = Annotated[str, Field(pattern=r"^[\w.+-]+/[\w.+-]+(;.*)?$", max_length=256)]


class _Table(BaseModel):
    # Built when a plugin first returns blocks: most never do, and 20 ms of a start are theirs.
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class _Annotations(_Table):
    audience: list[Literal["user", "assistant"]] | None = None
    priority: Annotated[float, Field(ge=0, le=1)] | None = None
    lastModified: str | None = None


class _Block(_Table):
    annotations: _Annotations | None = None


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
    uri: Uri
    name: str
    title: str | None = None
    description: str | None = None
    mimeType: Mime | None = None
    size: Annotated[int, Field(ge=0)] | None = None


class _Contents(_Table):
    uri: Uri
    mimeType: Mime | None = None
    text: str | None = None
    blob: Base64 | None = None

    @model_validator(mode="after")
    def _one_form(self) -> _Contents:
        if (self.text is None) == (self.blob is None):
            raise ValueError("either 'text' or 'blob' is expected")
        return self


class _Resource(_Block):
    type: Literal["resource"]
    resource: _Contents


_blocks: TypeAdapter[list[Any]] = TypeAdapter(
    Annotated[
        list[Annotated[_Text | _Image | _Audio | _Link | _Resource, Field(discriminator="type")]],
        Field(max_length=MAX_BLOCKS),
    ],
    config=ConfigDict(defer_build=True),
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
