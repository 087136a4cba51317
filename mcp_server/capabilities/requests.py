"""What the capabilities share: a request checked against its model, and an error of ours as a refusal."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel

from mcp_server.capabilities.base import CallContext, HostRefusal
from mcp_server.errors import AgentMemError
from mcp_server.memory.requests import Request, read

__all__ = ["checked", "refusing"]

R = TypeVar("R", bound=BaseModel)


def checked(context: CallContext, name: str, model: type[R], request: dict[str, Any]) -> R:
    """``request`` as a ``model``.

    Raises:
        HostRefusal: ``invalid_request`` with every problem; also where the guest names another user than its caller.
    """
    with refusing(name):
        asked = read(model, request)
    if isinstance(asked, Request) and asked.user_id not in (None, context.principal):
        raise HostRefusal("invalid_request", f"{name}: 'user_id' is set by the host; leave it out")
    return asked


@contextmanager
def refusing(name: str) -> Generator[None]:
    """What fails in this block with one of our errors is refused with its code; the bridge logs the operator's part."""
    try:
        yield
    except AgentMemError as error:
        raise HostRefusal(error.error_code, f"{name}: {error.message}", error.data, fix=error.fix) from error
