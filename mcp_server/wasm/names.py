"""Custom sections: their names, and the names of functions that the "name" section gives.

A trap's backtrace prints function names, so what stands in them reaches error texts and logs. libextism cuts an error
text at a NUL, drops a whole log line that holds one, and prints a line break as it is; a guest could hide where it
trapped or forge where another function did. Such names are refused rather than stripped: honest modules have none,
stripping would run other bytes than those that were approved, and authors need the names to read a backtrace.

Other custom sections (debug information, producers, target features) are passed over: no engine text quotes them.
"""

from __future__ import annotations

from mcp_server.wasm.limits import ModuleLimits
from mcp_server.wasm.reader import Reader, malformed

__all__ = ["NAME_SECTION", "check_function_names"]

NAME_SECTION = "name"
_MODULE, _FUNCTIONS = 0, 1
_SMALLEST_NAMING = 2  # an index and an empty name


def check_function_names(reader: Reader, limits: ModuleLimits) -> None:
    """Check the module's and the functions' names; those of locals, types and the rest are never printed.

    Engines ignore a malformed name section, but only from the first broken byte on, so one is refused here.

    Raises:
        ModuleError: The section is malformed, or a name is too long, not UTF-8 or holds a control character.
    """
    reader.where = "the name section"
    seen: set[int] = set()
    while reader.remaining:
        at = reader.position
        kind = reader.u8()
        part = reader.part(reader.u32(), reader.where)
        if kind in seen:
            raise malformed(f"the name section has two parts of kind {kind}", at)
        seen.add(kind)
        if kind == _MODULE:
            part.name(limits.max_name_bytes)
        elif kind == _FUNCTIONS:
            _check_namings(part, limits)
        else:
            continue
        part.finish()


def _check_namings(part: Reader, limits: ModuleLimits) -> None:
    functions = limits.max_functions + limits.max_imports
    for _ in range(part.count("function names", limit=functions, smallest=_SMALLEST_NAMING)):
        part.u32()
        part.name(limits.max_name_bytes)
