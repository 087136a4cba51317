"""Golden cases, read from ``tests/*.toml`` of a plugin: a call, the rights it is made with, and what it comes to."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from mcp_server.authoring.errors import CasesInvalid
from mcp_server.authoring.findings import key_path
from mcp_server.authoring.places import toml_places
from mcp_server.memory.requests import AddMemory
from mcp_server.problems import problems_of

__all__ = ["Case", "CaseFile", "Located", "Setting", "read_cases"]

FOLDER = "tests"
FIXTURES = "fixtures"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Setting(_Table):
    """What a plugin is loaded with, as :func:`open_plugin_async` takes it."""

    grants: dict[str, Any] = Field(default_factory=dict[str, Any])
    config: dict[str, Any] = Field(default_factory=dict[str, Any])
    limits: dict[str, int] = Field(default_factory=dict[str, int])
    settings: dict[str, Any] = Field(default_factory=dict[str, Any])

    def under(self, other: Setting) -> Setting:
        """These, where ``other`` says nothing else, key by key."""
        return Setting(
            grants=self.grants | other.grants,
            config=self.config | other.config,
            limits=self.limits | other.limits,
            settings=self.settings | other.settings,
        )


def _text_or_table(memory: object) -> object:
    return {"content": memory} if isinstance(memory, str) else memory


class Case(Setting):
    """One ``[[case]]``."""

    name: Annotated[str, Field(min_length=1)]
    tool: str | None = None
    function: str | None = None
    input: Any = None
    input_json: str | None = None
    expect: Any = None
    expect_json: str | None = None
    error: str | None = None
    memories: tuple[Annotated[AddMemory, BeforeValidator(_text_or_table)], ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Case:
        if (self.tool is None) is (self.function is None):
            raise ValueError("names either a tool or a function, any export that takes JSON")
        if len({"expect", "expect_json", "error"} & self.model_fields_set) > 1:
            raise ValueError("expects either a value or an error")
        for name in ("input_json", "expect_json"):
            if not _is_json(getattr(self, name)):
                raise ValueError(f"{name}: is no JSON")
        if self.tool is not None and not isinstance(self.given(), dict):
            raise ValueError("input: a tool is given a table of arguments")
        return self

    def given(self) -> Any:
        """What the function is called with."""
        if self.input_json is not None:
            return json.loads(self.input_json)
        return self.input if "input" in self.model_fields_set or self.function else {}

    def expected(self) -> Any:
        """The value it should answer."""
        return json.loads(self.expect_json) if self.expect_json is not None else self.expect

    @property
    def wants_a_value(self) -> bool:
        """Whether it says which."""
        return bool({"expect", "expect_json"} & self.model_fields_set)


class CaseFile(_Table):
    """One file of cases."""

    defaults: Setting = Setting()
    case: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True)
class Located:
    """A case and where it stands.

    Attributes:
        case: As written.
        setting: With the file's defaults under it.
        file: The file.
        number: Which of its cases, from 0.
        line: Where it begins.
        fixture: Where the answers of host functions are kept, if they are.
    """

    case: Case
    setting: Setting
    file: Path
    number: int
    line: int
    fixture: Path


def read_cases(folder: Path, only: str = "") -> list[Located]:
    """The cases of the plugin in ``folder`` whose name contains ``only``, in the order of files and lines.

    Raises:
        CasesInvalid: With every problem of every file; or there are none.
    """
    found: list[Located] = []
    problems: list[str] = []
    for path in sorted((folder / FOLDER).glob("*.toml")):
        try:
            text = path.read_text(encoding="utf-8")
            found += _located(path, text, CaseFile.model_validate(tomllib.loads(text)))
        except ValidationError as error:
            problems += [_placed(path, problem) for problem in problems_of(error, CaseFile)]
        except (OSError, ValueError) as error:
            problems.append(f"{path}: {error}")
    problems += _doubles(found)
    if problems:
        raise CasesInvalid("; ".join(problems), fix="see docs/authoring.md", data={"problems": problems})
    chosen = [located for located in found if only.casefold() in located.case.name.casefold()]
    if not chosen:
        which = f" whose name contains '{only}'" if only else ""
        raise CasesInvalid(f"there are no cases{which} in {folder / FOLDER}/*.toml", fix="write one: docs/authoring.md")
    return chosen


def _located(path: Path, text: str, file: CaseFile) -> list[Located]:
    places = toml_places(text)
    return [
        Located(
            case,
            file.defaults.under(case),
            path,
            number,
            places.line(("case", number)),
            path.parent / FIXTURES / f"{path.stem}.{_slug(case.name)}.json",
        )
        for number, case in enumerate(file.case)
    ]


def _placed(path: Path, problem: str) -> str:
    """``problem``, which begins with its key, with the line of that."""
    line = toml_places(path.read_text(encoding="utf-8")).line(key_path(problem.partition(": ")[0]))
    return f"{path}:{line}: {problem}"


def _is_json(text: str | None) -> bool:
    try:
        json.loads(text or "null")
    except ValueError:
        return False
    return True


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:80] or "case"


def _doubles(found: Sequence[Located]) -> list[str]:
    """A recording belongs to one case, so two of them must not come to one name."""
    seen: dict[Path, Located] = {}
    problems: list[str] = []
    for located in found:
        other = seen.setdefault(located.fixture, located)
        if other is not located:
            problems.append(f"{located.file}:{located.line}: '{located.case.name}' is too like line {other.line}")
    return problems
