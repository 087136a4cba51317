"""How large a module may be before this host refuses it unread by any engine.

Plain numbers and their reasons. What a *running* module may use (memory growth, table growth, time, instructions) is
not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "ModuleLimits"]


@dataclass(frozen=True, slots=True)
class ModuleLimits:
    """The most of each thing that a module may declare.

    Compilation is outside every engine limit (40 000 small functions take seconds and hundreds of megabytes), so the
    numbers that drive it are bounded here. Each is far above what compilers emit for real plugins and at or below the
    engine's own bound.

    Attributes:
        max_bytes: The whole file.
        max_functions: Functions with a body.
        max_function_bytes: One body. An instruction takes at least one byte, so this also bounds the instructions of
            a function, without decoding them.
        max_locals: Locals one function declares, parameters apart (the engine's bound).
        max_local_groups: Declarations of locals in the whole module; a declaration may be empty, so the number of
            locals does not bound the time that reading them takes.
        max_memories: Linear memories, imported ones included.
        max_memory_pages: Initial size of a memory in pages of 64 KiB; 1600 are 100 MiB. A larger declared maximum is
            allowed: growth is limited where the module runs.
        max_tables: Tables, imported ones included.
        max_table_elements: Initial elements of all tables together, and the declared maximum of each. A table without
            a maximum is allowed, because compilers emit growable tables so; its growth is limited where it runs.
        max_types: Entries of the type section.
        max_parameters: Parameters, and results, of one function type (the engine's bound).
        max_imports: Imports of all kinds.
        max_exports: Exports of all kinds.
        max_globals: Globals, imported ones included.
        max_tags: Exception tags, imported ones included.
        max_element_segments: Element segments.
        max_data_segments: Data segments (the engine's bound; Go's linker emits thousands).
        max_custom_sections: Custom sections.
        max_section_bytes: A section that is read entry by entry: every one but code, data, elements and custom ones.
            Bounds the time that reading takes.
        max_name_bytes: One name (the engine's bound for imports and exports).
        allow_gc: Whether the type section may declare structs, arrays, subtypes and recursive groups. Their heap is
            not part of the linear memory.
    """

    max_bytes: int = 32 * 1024 * 1024
    max_functions: int = 50_000
    max_function_bytes: int = 1024 * 1024
    max_locals: int = 50_000
    max_local_groups: int = 1_000_000
    max_memories: int = 1
    max_memory_pages: int = 1_600
    max_tables: int = 16
    max_table_elements: int = 1_000_000
    max_types: int = 10_000
    max_parameters: int = 1_000
    max_imports: int = 5_000
    max_exports: int = 10_000
    max_globals: int = 10_000
    max_tags: int = 1_000
    max_element_segments: int = 10_000
    max_data_segments: int = 100_000
    max_custom_sections: int = 1_000
    max_section_bytes: int = 1024 * 1024
    max_name_bytes: int = 100_000
    allow_gc: bool = False


DEFAULT_LIMITS = ModuleLimits()
