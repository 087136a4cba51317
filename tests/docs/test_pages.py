"""The pages of ``docs/`` name everything that the code has, and nothing that it has not."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, get_args

import pytest
import typer.main
from pydantic import BaseModel
from typer.core import TyperCommand, TyperGroup

import mcp_server
from mcp_server import errors
from mcp_server.capabilities.codes import HOST_CODES
from mcp_server.cli.main import app
from mcp_server.exits import Exit
from mcp_server.manifest.model import Manifest
from mcp_server.policy.embeddings import EmbeddingSettings
from mcp_server.policy.limits import LIMITS
from mcp_server.policy.narrowing import NARROWABLE_LIMITS
from mcp_server.policy.rights import CAPABILITIES, HOST_FUNCTIONS
from mcp_server.settings import HOME_VARIABLE, Settings
from mcp_server.settings.oauth import IssuerSettings, OAuthSettings
from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands between ``heading`` and the next heading of its rank or above."""
    rank = len(heading) - len(heading.lstrip("#"))
    _, found, rest = f"\n{text}".partition(f"\n{heading}\n")
    assert found, f"no heading {heading!r}"
    return re.split(rf"^#{{1,{rank}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def documented_keys(text: str) -> set[str]:
    """The words in the first column of the tables."""
    return set(re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE))


def model_in(annotation: object) -> type[BaseModel] | None:
    """The model that a field holds, alone or in a tuple or a dictionary."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part))), None)


def sections_of(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    found = {name: model_in(field.annotation) for name, field in model.model_fields.items()}
    return {name: inner for name, inner in found.items() if inner is not None}


SETTINGS_HEADINGS = {
    "grants": "## `[grants.<plugin id>]`",
    "plugins": "## `[plugins.<plugin id>]`",
    "principals": "## `[principals.<principal>]`",
}


@requirement("docs:settings")
@pytest.mark.parametrize("name", sections_of(Settings))
def test_every_setting_has_a_row_and_every_row_a_setting(name: str) -> None:
    text = section(page("settings.md"), SETTINGS_HEADINGS.get(name, f"## `[{name}]`"))
    assert documented_keys(text) == set(sections_of(Settings)[name].model_fields)


@requirement("docs:settings")
def test_every_section_of_the_settings_has_a_heading() -> None:
    headings = re.findall(r"^## `\[(\w+)[^`]*`", page("settings.md"), flags=re.MULTILINE)
    assert set(headings) == set(Settings.model_fields)
    assert HOME_VARIABLE in documented_keys(page("settings.md"))


@requirement("docs:settings")
@pytest.mark.parametrize("name", ["runtime", "log", "approval", "audit"])
def test_the_defaults_that_the_page_tells_are_those_in_force(name: str) -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| `([^`]+)` \|", section(page("settings.md"), f"## `[{name}]`"), flags=re.MULTILINE
    )
    in_force = getattr(Settings(), name)
    assert {key: str(getattr(in_force, key)).removesuffix(".0").replace("True", "true") for key, _ in rows} == {
        key: text.strip('"') for key, text in rows
    }


@requirement("docs:settings")
def test_every_setting_of_the_embeddings_has_a_row_with_its_default() -> None:
    text = section(page("memory.md"), "## Embeddings")
    assert documented_keys(text) == set(EmbeddingSettings.model_fields)
    told = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", text, flags=re.MULTILINE))
    assert {name: str(getattr(EmbeddingSettings(), name)).removesuffix(".0") for name in told} == told


@requirement("docs:settings")
@pytest.mark.parametrize(
    ("heading", "model"),
    [("## `[http.oauth]`", OAuthSettings), ("## `[http.oauth.issuers.<name>]`", IssuerSettings)],
)
def test_every_setting_of_oauth_has_a_row_with_its_default(heading: str, model: type[BaseModel]) -> None:
    text = section(page("oauth.md"), heading)
    assert documented_keys(text) == set(model.model_fields)
    told = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", text, flags=re.MULTILINE))
    defaults = {name: field.default for name, field in model.model_fields.items()}
    values = {name: json.dumps(defaults[name]).removesuffix(".0") for name in told if name != "audience"}
    assert values == {name: value for name, value in told.items() if name != "audience"}


@requirement("docs:settings")
def test_every_algorithm_and_every_limit_of_a_principal_is_named() -> None:
    words = get_args(get_args(IssuerSettings.model_fields["algorithms"].annotation)[0])
    assert all(f"`{word}`" in page("oauth.md") for word in words)
    text = section(page("settings.md"), SETTINGS_HEADINGS["principals"])
    assert all(f"`{key}`" in text for key in NARROWABLE_LIMITS)


MANIFEST_HEADINGS = {"tools": "## `[[tools]]`", "annotations": "### `annotations`"}


@requirement("docs:manifest")
@pytest.mark.parametrize("name", ["plugin", "runtime", "capabilities", "tools", "annotations"])
def test_every_key_of_a_manifest_has_a_row_and_every_row_a_key(name: str) -> None:
    sections = sections_of(Manifest)
    sections |= sections_of(sections["tools"])
    text = section(page("manifest.md"), MANIFEST_HEADINGS.get(name, f"## `[{name}]`"))
    own, *_ = text.split("### ")
    assert documented_keys(own) == set(sections[name].model_fields)


@requirement("docs:manifest")
def test_every_table_of_a_manifest_is_named() -> None:
    text = page("manifest.md")
    for name, field in Manifest.model_fields.items():
        assert re.search(rf"`\[?\[?{name}[\]`.]", text), name
        for key in getattr(model_in(field.annotation), "model_fields", {}):
            assert re.search(rf"[`.]{key}`", text), f"{name}.{key}"


def subclasses(error: type[errors.AgentMemError]) -> Iterator[type[errors.AgentMemError]]:
    yield error
    for child in error.__subclasses__():
        yield from subclasses(child)


@requirement("docs:errors")
def test_every_error_code_has_a_heading_and_every_heading_a_code() -> None:
    codes = {error.code for error in subclasses(errors.AgentMemError) if error.__module__ == errors.__name__}
    headings = re.findall(r"^## (\S+)$", page("errors.md"), flags=re.MULTILINE)
    assert set(headings) == codes - {errors.LimitExceeded.code} | {"limit_…"}


@requirement("docs:errors")
def test_every_code_that_a_host_function_answers_has_a_row() -> None:
    rows = documented_keys(section(page("errors.md"), "## What a host function refuses"))
    assert rows == {code for codes in HOST_CODES.values() for code in codes}


@requirement("docs:errors")
def test_every_code_on_another_page_is_one_of_the_errors_page() -> None:
    known = documented_keys(page("errors.md")) | set(re.findall(r"^## (\S+)$", page("errors.md"), flags=re.MULTILINE))
    known |= {f"limit_{spec.name}" for spec in LIMITS}
    for name in ("network.md", "files.md", "llm.md"):
        rows = documented_keys(section(page(name), "## Refusals"))
        assert rows - known <= {"store_…"}, name


@requirement("docs:errors")
def test_every_error_of_the_package_has_a_heading_or_a_row() -> None:
    for name in walk_packages(mcp_server.__path__, "mcp_server."):
        if not name.name.endswith("__main__"):
            importlib.import_module(name.name)
    codes = {error.code for error in subclasses(errors.AgentMemError) if error.__module__.startswith("mcp_server.")}
    headings = set(re.findall(r"^## (\S+)$", page("errors.md"), flags=re.MULTILINE))
    assert codes - headings - documented_keys(page("errors.md")) == {errors.LimitExceeded.code}


@requirement("docs:errors")
def test_every_exit_code_has_a_row() -> None:
    codes = {int(code) for code in Exit} | {0}
    rows = re.findall(r"^\| (\d) \|", section(page("commands.md"), "## Exit codes"), flags=re.MULTILINE)
    assert {int(row) for row in rows} == codes


@requirement("docs:limits")
def test_every_limit_has_a_row() -> None:
    assert documented_keys(page("limits.md")) == {spec.key for spec in LIMITS}


@requirement("docs:capabilities")
def test_every_capability_and_host_function_has_a_row() -> None:
    table, _ = page("capabilities.md").split("## How a host function is called")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", table, flags=re.MULTILINE)
    assert [capability for capability, _ in rows] == list(CAPABILITIES)
    assert {name for _, names in rows for name in re.findall(r"`(\w+)`", names)} == set(HOST_FUNCTIONS)


@requirement("docs:capabilities")
@pytest.mark.parametrize("function", HOST_FUNCTIONS)
def test_every_host_function_has_a_row_with_its_request(function: str) -> None:
    pages = "".join(page(name) for name in ("capabilities.md", "memory.md", "network.md", "files.md", "llm.md"))
    assert re.search(rf"^(\| `{function}` \||`{function}` belongs to)", pages, flags=re.MULTILINE)


def commands(group: Any, words: tuple[str, ...] = ("agentmem-mcp",)) -> Iterator[tuple[str, TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


def command_sections() -> dict[str, str]:
    """The sections of the page by command, its arguments apart."""
    parts = re.split(r"^## ", page("commands.md"), flags=re.MULTILINE)
    found = [re.match(r"`(agentmem-mcp[a-z -]*[a-z])", part) for part in parts]
    return {match[1]: part for match, part in zip(found, parts, strict=True) if match}


@requirement("docs:commands")
def test_every_command_has_a_heading_and_every_heading_a_command() -> None:
    assert set(command_sections()) == {name for name, _ in commands(typer.main.get_command(app))}


@requirement("docs:commands")
@pytest.mark.parametrize("name", command_sections())
def test_every_option_of_a_command_is_named_and_every_named_option_is_one(name: str) -> None:
    command = dict(commands(typer.main.get_command(app)))[name]
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    options = {option for parameter in shown for option in parameter.opts if option.startswith("--")}
    text = re.sub(r"```.*?```", "", command_sections()[name], flags=re.DOTALL)
    assert set(re.findall(r"--[a-z][a-z-]+", text)) - {"--help"} == options - {"--help"}
