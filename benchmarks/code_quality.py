"""How well and how fast `code-analyzer` reads Python: its answers beside those of Python's own `ast`.

Reads every file of the standard library of the Python that runs it. A function agrees when its qualified name, first
and last line, parameters with their kinds, `async` and cyclomatic complexity are the same; an import when module,
names, aliases and line are. The complexity is counted here by itself, from the definition of ruff's C901.
"""

from __future__ import annotations

import ast
import sysconfig
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.table import Bar, Row, alone, run_program
from mcp_server.testing import Plugin, ToolFailed, open_plugin

Fact = tuple[Any, ...]
ROOT = Path(__file__).resolve().parent.parent
KINDS = ("functions", "imports", "classes")
LONGEST = 200_000
"""Longer files end at the default of `max_instructions`."""


@dataclass
class Comparison:
    """What `ast` says of some files, and how much of it the plugin says too."""

    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    there: Counter[str] = field(default_factory=Counter[str])
    same: Counter[str] = field(default_factory=Counter[str])
    false_errors: list[str] = field(default_factory=list[str])

    def share(self, kind: str) -> float:
        """How much agrees, of what either side says."""
        return self.same[kind] / max(self.there[kind], 1)


def standard_library() -> list[Path]:
    """The files of the standard library that are not too long."""
    root = Path(sysconfig.get_path("stdlib"))
    files = (path for path in sorted(root.rglob("*.py")) if "site-packages" not in path.parts)
    return [path for path in files if path.stat().st_size <= LONGEST]


def compare(plugin: Plugin, files: Iterable[Path]) -> Comparison:
    """Read files with the plugin and with `ast`; those that are no Python 3 in UTF-8 are passed over."""
    result = Comparison()
    for path in files:
        try:
            code = path.read_bytes().decode("utf-8")
            with warnings.catch_warnings(action="ignore"):
                expected = facts_of_tree(ast.parse(code))
        except (SyntaxError, ValueError):
            continue
        compare_file(plugin, path, code, expected, result)
    return result


def compare_file(plugin: Plugin, path: Path, code: str, expected: dict[str, Counter[Fact]], result: Comparison) -> None:
    """Read one file and add it to the result."""
    begun = time.perf_counter()
    try:
        answer = plugin.call("analyze_code", code=code, file_path=path.name)
    except ToolFailed as failed:
        result.false_errors.append(f"{path}: {failed.code}")
        return
    result.seconds += time.perf_counter() - begun
    result.files += 1
    result.bytes += len(code.encode())
    if answer["syntax_errors"] or "truncated" in answer:
        result.false_errors.append(f"{path}: {answer['syntax_errors'][:1] or answer['truncated']}")
    found = facts_of_answer(answer)
    for kind in KINDS:
        result.there[kind] += (found[kind] | expected[kind]).total()
        result.same[kind] += (found[kind] & expected[kind]).total()


def facts_of_answer(answer: dict[str, Any]) -> dict[str, Counter[Fact]]:
    """What the plugin says, as values to compare."""
    functions = [
        (f["qualified_name"], f["line"], f["end_line"], f.get("async", False), f["complexity"])
        + tuple((parameter["name"], parameter.get("kind")) for parameter in f["parameters"])
        for f in answer["functions"]
    ]
    imports = [
        (i["module"], i.get("alias"), i["line"]) + tuple((n["name"], n.get("alias")) for n in i.get("names", []))
        for i in answer["imports"]
    ]
    classes = [(c["name"], c["line"], c["end_line"]) for c in answer["classes"]]
    return {"functions": Counter(functions), "imports": Counter(imports), "classes": Counter(classes)}


def facts_of_tree(tree: ast.Module) -> dict[str, Counter[Fact]]:
    """What `ast` says, as values to compare."""
    facts: dict[str, Counter[Fact]] = {kind: Counter() for kind in KINDS}
    waiting: list[tuple[ast.AST, str]] = [(tree, "")]
    while waiting:
        around, prefix = waiting.pop()
        for node in ast.iter_child_nodes(around):
            inner = prefix
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                facts["functions"][function_fact(node, prefix)] += 1
                inner = f"{prefix}{node.name}."
            elif isinstance(node, ast.ClassDef):
                facts["classes"][(node.name, node.lineno, node.end_lineno)] += 1
                inner = f"{prefix}{node.name}."
            elif isinstance(node, ast.Import | ast.ImportFrom):
                facts["imports"].update(import_facts(node))
            waiting.append((node, inner))
    return facts


def function_fact(node: ast.FunctionDef | ast.AsyncFunctionDef, prefix: str) -> Fact:
    """A function as a value to compare."""
    head = (prefix + node.name, node.lineno, node.end_lineno, isinstance(node, ast.AsyncFunctionDef))
    return (*head, 1 + ways(node.body), *parameters(node.args))


def parameters(arguments: ast.arguments) -> Iterator[tuple[str, str | None]]:
    """Names of parameters in order, each with its kind."""
    yield from ((each.arg, "positional_only") for each in arguments.posonlyargs)
    yield from ((each.arg, None) for each in arguments.args)
    if arguments.vararg:
        yield arguments.vararg.arg, "variadic"
    yield from ((each.arg, "keyword_only") for each in arguments.kwonlyargs)
    if arguments.kwarg:
        yield arguments.kwarg.arg, "keyword_variadic"


def import_facts(node: ast.Import | ast.ImportFrom) -> list[Fact]:
    """An import statement as values to compare: one for each module."""
    if isinstance(node, ast.Import):
        return [(alias.name, alias.asname, node.lineno) for alias in node.names]
    module = "." * node.level + (node.module or "")
    return [(module, None, node.lineno, *((alias.name, alias.asname) for alias in node.names))]


def ways(body: Iterable[ast.AST]) -> int:
    """How many ways statements add to the function around them, as ruff's C901 counts."""
    return sum(ways_of(node) for node in body)


def ways_of(node: ast.AST) -> int:
    """How many ways one statement adds, with all that is in it."""
    own = 0
    if isinstance(node, ast.If | ast.For | ast.AsyncFor | ast.While | ast.ExceptHandler):
        own = 1
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return 1 + ways(node.body)
    elif isinstance(node, ast.Try | ast.TryStar):
        own = bool(node.orelse)
    elif isinstance(node, ast.Match):
        last = node.cases[-1]
        own = len(node.cases) - (last.guard is None and takes_all(last.pattern))
    inner = (child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr))
    return own + ways(inner)


def takes_all(pattern: ast.pattern) -> bool:
    """Whether a pattern matches everything."""
    if isinstance(pattern, ast.MatchAs):
        return pattern.pattern is None or takes_all(pattern.pattern)
    return isinstance(pattern, ast.MatchOr) and any(takes_all(each) for each in pattern.patterns)


def measure(quick: bool) -> list[Row]:
    """Read the standard library, or every 20th file of it."""
    with open_plugin(ROOT / "manifests" / "code-analyzer") as plugin:
        result = compare(plugin, standard_library()[:: 20 if quick else 1])
    bar = Bar("least", 99, of="figure")
    shares = [alone(f"{kind} read as ast reads them", "%", 100 * result.share(kind), bar) for kind in KINDS]
    return [
        *shares,
        alone("files read", "files", result.files),
        alone("files with an error or a cut list", "files", len(result.false_errors)),
        alone("code read through the host, one call a file", "MB/s", result.bytes / 1e6 / max(result.seconds, 1e-9)),
    ]


if __name__ == "__main__":
    run_program(measure, str(__doc__))
