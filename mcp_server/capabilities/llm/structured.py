"""An answer that was to be JSON: read and compared with the schema that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from mcp_server.capabilities.base import HostRefusal
from mcp_server.manifest.schema import JsonSchema

__all__ = ["require_form"]


def require_form(text: str, schema: Mapping[str, Any]) -> None:
    """Refuse an answer that is not what was asked for.

    Raises:
        HostRefusal: ``llm_schema_mismatch``, with what is wrong; the text is not repeated.
    """
    try:
        value: object = from_json(text, allow_inf_nan=False)
    except ValueError:
        raise _mismatch(["(root): is no JSON"]) from None
    problems = JsonSchema(schema).problems(value)
    if problems:
        raise _mismatch(problems)


def _mismatch(problems: list[str]) -> HostRefusal:
    return HostRefusal(
        "llm_schema_mismatch",
        f"call_llm: the answer does not fit 'json_schema': {'; '.join(problems)}",
        {"problems": problems},
    )
