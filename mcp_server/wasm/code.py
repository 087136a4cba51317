"""The code section: how large each body is and how many locals it declares.

Instructions are not decoded; the engine validates them inside the worker.
"""

from __future__ import annotations

from mcp_server.wasm.limits import ModuleLimits
from mcp_server.wasm.reader import Reader, malformed, refused
from mcp_server.wasm.values import PLAIN_VALUES, read_value_type

__all__ = ["check_bodies"]

_END = 0x0B
_SMALLEST_BODY = 3  # its size, no locals, end


def check_bodies(reader: Reader, limits: ModuleLimits) -> int:
    """How many bodies there are, each within its limits.

    Raises:
        ModuleError: A body is cut short, too long, does not end, or its locals are malformed or too many.
    """
    number = reader.count("bodies", limit=limits.max_functions, smallest=_SMALLEST_BODY)
    body = Reader(reader.data, reader.position, reader.position, "a body")
    groups = 0
    for index in range(number):
        at = reader.position
        size = reader.u32()
        if size > limits.max_function_bytes:
            raise refused(
                f"function body {index} is {size} bytes long, more than {limits.max_function_bytes}",
                at,
                "split the function, or compile for size",
            )
        # One cursor serves every body: making 5 000 of them costs more than reading them.
        body.position = reader.skip(size)
        body.end = reader.position
        groups += _check_body(body, index, limits)
        if groups > limits.max_local_groups:
            raise refused(f"the code section declares locals more than {limits.max_local_groups} times", at)
    return number


def _check_body(body: Reader, index: int, limits: ModuleLimits) -> int:
    """How many declarations of locals one body begins with."""
    data, at = body.data, body.position
    groups = body.u32()
    if groups * 2 > body.remaining:
        raise malformed(f"body {index} declares locals {groups} times but is too short for that", at)
    total = 0
    for _ in range(groups):
        total += body.u32()
        if total > limits.max_locals:
            raise refused(f"function body {index} has more locals than {limits.max_locals}", at)
        if body.position < body.end and data[body.position] in PLAIN_VALUES:
            body.position += 1
        else:
            read_value_type(body, gc=limits.allow_gc)
    if body.position >= body.end or data[body.end - 1] != _END:
        raise malformed(f"body {index} does not finish with an end instruction", at)
    return groups
