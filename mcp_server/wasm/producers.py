"""The "producers" section: which language, compilers and libraries a module says that it was made with.

It is the author's word and nothing more: anybody can write any name there.
https://github.com/WebAssembly/tool-conventions/blob/main/ProducersSection.md
"""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.errors import ModuleError
from mcp_server.wasm.foreign import HEADER_BYTES
from mcp_server.wasm.limits import DEFAULT_LIMITS
from mcp_server.wasm.reader import Reader

__all__ = ["Producer", "read_producers"]

SECTION = "producers"
_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Producer:
    """One of them.

    Attributes:
        field: ``language``, ``processed-by`` or ``sdk``.
        name: Such as ``rustc``.
        version: May be empty.
    """

    field: str
    name: str
    version: str


def read_producers(data: bytes) -> tuple[Producer, ...]:
    """What the module in ``data``, which :func:`read_module` accepted, says; nothing where the section is malformed."""
    try:
        section = _find(data)
        return tuple(_read(section)) if section is not None else ()
    except ModuleError:  # engines pass over it, so it is no reason to refuse a module
        return ()


def _find(data: bytes) -> Reader | None:
    file = Reader(data, HEADER_BYTES, len(data), "the module")
    while file.remaining:
        section = file.u8()
        part = file.part(file.u32(), "a section")
        if section == 0 and part.name(DEFAULT_LIMITS.max_name_bytes) == SECTION:
            return part
    return None


def _read(section: Reader) -> list[Producer]:
    found: list[Producer] = []
    limit = DEFAULT_LIMITS.max_name_bytes
    for _ in range(section.count("fields", limit=_MOST)):
        field = section.name(limit)
        count = section.count("values", limit=_MOST)
        found += [Producer(field, section.name(limit), section.name(limit)) for _ in range(count)]
    return found
