"""The list of the codes of host functions is that of the code: every place that refuses is looked up in the sources."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_server.backends import errors as store_errors
from mcp_server.backends.llm import errors as llm_errors
from mcp_server.capabilities.codes import HOST_CODES
from mcp_server.errors import AgentMemError
from mcp_server.memory import errors as memory_errors
from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2] / "mcp_server"
SOURCES = sorted(
    [
        *(ROOT / "capabilities").rglob("*.py"),
        *(ROOT / "backends").rglob("*.py"),
        *(ROOT / "memory").rglob("*.py"),
        *(ROOT / "policy").glob("*.py"),
        ROOT / "runtime" / "bridge.py",
    ]
)
REFUSALS = ("HostRefusal", "NetworkDenied", "PathDenied")
PASSED_ON = {"error.error_code", "denied.code", "refusal.code", "code"}
"""Codes that come from an error of the tree, from rules, or from the table of the file system's errors."""
ELSEWHERE = {"request_too_large"}
"""From the worker's side of the channel."""

listed = {code for codes in HOST_CODES.values() for code in codes}


def parts(value: ast.JoinedStr, owner: ast.FunctionDef | ast.AsyncFunctionDef, tree: ast.Module) -> Iterator[str]:
    """What an f-string with one name in it can be: the name's texts come from its function, or from its callers."""
    pieces = [piece.value if isinstance(piece, ast.Constant) else None for piece in value.values]
    name = next(ast.unparse(piece.value) for piece in value.values if isinstance(piece, ast.FormattedValue))
    for text in texts_of(name, owner, tree):
        yield "".join(text if piece is None else str(piece) for piece in pieces)


def texts_of(name: str, owner: ast.FunctionDef | ast.AsyncFunctionDef, tree: ast.Module) -> set[str]:
    names = [argument.arg for argument in owner.args.args]
    if name not in names:  # the variable of a loop over tuples of this function
        return {
            node.elts[0].value
            for node in ast.walk(owner)
            if isinstance(node, ast.Tuple) and isinstance(node.elts[0], ast.Constant)
            if isinstance(node.elts[0].value, str)
        }
    at = names.index(name) - (names[0] == "self")
    return {
        argument.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] == owner.name
        for argument in call.args[at : at + 1]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def refused(path: Path) -> Iterator[str]:
    """Every code that a function of this file refuses with."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for owner in ast.walk(tree):
        if not isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for call in ast.walk(owner):
            if not isinstance(call, ast.Call) or ast.unparse(call.func) not in (*REFUSALS, "QuotaReached"):
                continue
            prefix = "limit_" if ast.unparse(call.func) == "QuotaReached" else ""
            match call.args[0]:
                case ast.Constant(value=str(code)):
                    yield prefix + code
                case ast.JoinedStr() as text:
                    yield from parts(text, owner, tree)
                case other:
                    assert ast.unparse(other) in PASSED_ON, f"{path.name}:{call.lineno} {ast.unparse(other)}"


def raised() -> set[str]:
    """The codes of the errors that stores, the memory engine and providers raise."""
    found: set[str] = set()
    for module in (store_errors, llm_errors, memory_errors):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, AgentMemError) and value.__module__ == module.__name__:
                found.add(value.code)
    return found - {"limit_exceeded"}  # these two name their limit


@requirement("docs:errors")
def test_every_code_that_a_host_function_can_answer_is_listed_and_no_other() -> None:
    from mcp_server.capabilities.filesystem.access import _TOLD  # noqa: PLC0415  # pyright: ignore[reportPrivateUsage]

    found = {code for path in SOURCES for code in refused(path)}
    found |= raised() | {code for code, _ in _TOLD.values()} | ELSEWHERE
    found |= {"limit_llm_tokens", "limit_llm_cost"}  # the units of a budget, see the next test
    assert found == listed


@requirement("docs:errors")
@pytest.mark.parametrize("unit", ["tokens", "cost"])
def test_a_budget_answers_with_its_unit(unit: str) -> None:
    reached = store_errors.BudgetReached("plugin", unit, allowed=1, needed=2)
    assert reached.error_code in listed


@requirement("docs:errors")
def test_no_code_is_listed_twice_and_each_has_one_form() -> None:
    codes = [code for group in HOST_CODES.values() for code in group]
    assert len(codes) == len(set(codes))
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []
