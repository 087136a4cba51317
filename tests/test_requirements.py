"""Every promise of ``requirements.py`` has a test, and every flow test keeps a promise."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.requirements import REQUIREMENTS

TESTS = Path(__file__).resolve().parent


def ids_in(node: ast.AST) -> set[str]:
    """The ids of the ``requirement("…")`` calls below ``node``."""
    calls = (inner for inner in ast.walk(node) if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name))
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "requirement" and isinstance(call.args[0], ast.Constant)
        if isinstance(call.args[0].value, str)
    }


def functions_of(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def promises_of(path: Path) -> dict[str, set[str]]:
    """Test name -> ids, those of the whole module included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    marks = [
        node for node in tree.body if isinstance(node, ast.Assign) and "pytestmark" in ast.unparse(node.targets[0])
    ]
    everywhere = {name for mark in marks for name in ids_in(mark)}
    return {
        function.name: everywhere.union(*(ids_in(decorator) for decorator in function.decorator_list))
        for function in functions_of(tree)
    }


def test_every_promise_has_a_test() -> None:
    kept = {name for path in TESTS.rglob("test_*.py") for names in promises_of(path).values() for name in names}
    assert set(REQUIREMENTS) - kept == set()


def test_every_flow_test_keeps_a_promise() -> None:
    flows = {
        f"{path.name}::{name}": ids
        for path in (TESTS / "flows").glob("test_*.py")
        for name, ids in promises_of(path).items()
    }
    assert [name for name, ids in flows.items() if not ids] == []
