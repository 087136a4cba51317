"""What has been read of a module so far: its index spaces, and the limits on how they may grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mcp_server.wasm.limits import ModuleLimits
from mcp_server.wasm.reader import malformed, refused
from mcp_server.wasm.types import Export, ExternKind, ExternType, FuncType, GlobalType, Import, MemoryType, TableType

__all__ = ["Draft"]

# 65 536 pages of 64 KiB are the 4 GiB that a 32-bit address reaches.
_ADDRESSABLE_PAGES = 65_536


@dataclass(slots=True)
class Draft:
    """The state that one section leaves for the next.

    Each index space holds the imported entries first, as the format counts them. The spaces are bounded as they grow,
    because an import and a section both add to them.
    """

    limits: ModuleLimits
    types: list[FuncType | None] = field(default_factory=list[FuncType | None])
    functions: list[FuncType] = field(default_factory=list[FuncType])
    tables: list[TableType] = field(default_factory=list[TableType])
    memories: list[MemoryType] = field(default_factory=list[MemoryType])
    globals: list[GlobalType] = field(default_factory=list[GlobalType])
    tags: list[FuncType] = field(default_factory=list[FuncType])
    imports: list[Import] = field(default_factory=list[Import])
    exports: list[Export] = field(default_factory=list[Export])
    has_start: bool = False
    has_names: bool = False
    function_count: int = 0
    body_count: int = 0
    data_count: int | None = None
    segment_count: int = 0

    def signature(self, index: int, at: int) -> FuncType:
        """The function type at `index` of the type section.

        Raises:
            ModuleError: There is none, or it is a struct or an array.
        """
        if index >= len(self.types):
            raise malformed(f"type {index} is used but the module has {len(self.types)}", at)
        found = self.types[index]
        if found is None:
            raise malformed(f"type {index} is used as a function's but is none", at)
        return found

    def add_memory(self, memory: MemoryType, at: int) -> None:
        """Take in a memory.

        Raises:
            ModuleError: It is one too many, too large at the start, or has a maximum no 32-bit address reaches.
        """
        limits = self.limits
        if len(self.memories) >= limits.max_memories:
            raise refused(f"the module has more memories than the {limits.max_memories} this host takes", at)
        if max(memory.minimum, memory.maximum or 0) > _ADDRESSABLE_PAGES:
            raise malformed(f"a memory has more than {_ADDRESSABLE_PAGES} pages", at)
        if memory.minimum > limits.max_memory_pages:
            raise refused(
                f"the memory starts with {memory.minimum} pages of 64 KiB, more than {limits.max_memory_pages}",
                at,
                "link with a smaller --initial-memory",
            )
        self.memories.append(memory)

    def add_table(self, table: TableType, at: int) -> None:
        """Take in a table.

        Raises:
            ModuleError: It is one too many, too large at the start with the others, or declared to grow too large.
        """
        limits = self.limits
        if len(self.tables) >= limits.max_tables:
            raise refused(f"the module has more tables than the {limits.max_tables} this host takes", at)
        if table.maximum is not None and table.maximum > limits.max_table_elements:
            raise refused(f"a table may grow to {table.maximum} elements, more than {limits.max_table_elements}", at)
        self.tables.append(table)
        elements = sum(table.minimum for table in self.tables)
        if elements > limits.max_table_elements:
            raise refused(f"the tables start with {elements} elements, more than {limits.max_table_elements}", at)

    def add_global(self, value: GlobalType, at: int) -> None:
        """Take in a global, or raise `ModuleError` when it is one too many."""
        if len(self.globals) >= self.limits.max_globals:
            raise refused(f"the module has more globals than the {self.limits.max_globals} this host takes", at)
        self.globals.append(value)

    def add_tag(self, carried: FuncType, at: int) -> None:
        """Take in an exception tag, or raise `ModuleError` when it is one too many or carries a result."""
        if len(self.tags) >= self.limits.max_tags:
            raise refused(f"the module has more tags than the {self.limits.max_tags} this host takes", at)
        if carried.results:
            raise malformed(f"a tag has the type {carried}, which has results", at)
        self.tags.append(carried)

    def extern(self, kind: ExternKind, index: int, at: int) -> ExternType:
        """The type of entry `index` in the index space of `kind`, or `ModuleError` when there is none."""
        spaces: dict[ExternKind, Sequence[ExternType]] = {
            "func": self.functions,
            "table": self.tables,
            "memory": self.memories,
            "global": self.globals,
            "tag": self.tags,
        }
        space = spaces[kind]
        if index >= len(space):
            raise malformed(f"{kind} {index} is used but the module has {len(space)}", at)
        return space[index]

    def check_counts(self, end: int) -> None:
        """Raise `ModuleError` when sections that count the same things disagree."""
        if self.function_count != self.body_count:
            raise malformed(f"{self.function_count} functions are declared but {self.body_count} have a body", end)
        if self.data_count is not None and self.data_count != self.segment_count:
            raise malformed(f"{self.data_count} data segments are declared but {self.segment_count} follow", end)
