"""Which exported names are not an author's own functions.

Decides by name alone; whether an export can be called at all is its type's business.
"""

from __future__ import annotations

__all__ = ["DESCRIBING", "LIFECYCLE", "is_reserved"]

LIFECYCLE = frozenset({"initialize", "start", "warmup", "stop"})
DESCRIBING = frozenset({"metadata", "describe"})

# What linkers and language runtimes export beside the author's functions.
_TOOLCHAIN = frozenset(
    {
        "_initialize",
        "_start",
        "aligned_alloc",
        "calloc",
        "free",
        "go_scheduler",
        "hs_exit",
        "hs_init",
        "malloc",
        "memory",
        "posix_memalign",
        "realloc",
        "stackSave",
    }
)
_TOOLCHAIN_PREFIXES = ("__", "_emscripten_", "asyncify_", "cabi_", "emscripten_", "hs_init_", "tinygo_", "wizer.")


def is_reserved(name: str) -> bool:
    """Whether `name` belongs to the plugin contract or to a toolchain, so that it is never offered as a tool."""
    return name in LIFECYCLE or name in DESCRIBING or name in _TOOLCHAIN or name.startswith(_TOOLCHAIN_PREFIXES)
