"""``test``: golden cases with their rights, recordings of host functions, updates, and what CI reads."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Generator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from mcp_server.policy.rights import HOST_FUNCTIONS
from mcp_server.testing import LocalSite, Reply, local_site
from tests.commands import answer, run
from tests.flows.test_capabilities_from_wasm import relay
from tests.guests import ECHO, answers, module, write_plugin
from tests.requirements import requirement

REST = "'…' = '…'"
NETWORK = '[capabilities]\noptional = ["NetworkAccess"]\n[network]\nallow = ["http://127.0.0.1:*/*"]\n'


def cases(home: Path, text: str, name: str = "all") -> Path:
    (home / "tests").mkdir(exist_ok=True)
    path = home / "tests" / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def case(name: str, tool: str, more: str = "") -> str:
    return f'[[case]]\nname = "{name}"\ntool = "{tool}"\n{more}\n'


def requiring(*capabilities: str) -> str:
    return f"[capabilities]\nrequired = {json.dumps(capabilities)}\n"


def played(cache: Path, home: Path, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and what came of each case."""
    done = run(cache, "test", home, *words, "--json")
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(done.stdout)["cases"]


@pytest.fixture
def echo(tmp_path: Path) -> Path:
    return write_plugin(tmp_path, "echo", module(ECHO))


@pytest.fixture
def site() -> Generator[LocalSite]:
    with local_site(lambda request: Reply({"path": request.path})) as running:
        yield running


@pytest.fixture
def asking(tmp_path: Path) -> Path:
    return write_plugin(tmp_path, "asking", relay("http_request"), NETWORK)


def fetching(site: LocalSite, path: str = "/a", grants: bool = True) -> str:
    network = f'{{ allow = ["{site.url}/*"], ranges = ["127.0.0.1/32"] }}'
    granted = f'grants = {{ capabilities = ["NetworkAccess"], network = {network} }}' if grants else ""
    return case(f"fetches {path}", "http_request", f'input = {{ url = "{site.url}{path}" }}\n{granted}')


@requirement("author:cases")
@pytest.mark.parametrize(
    ("expectation", "problem"),
    [
        ("expect = { a = 1, b = [true, 'x'] }", None),
        ("expect = { a = 1, '…' = '…' }", None),
        ('expect_json = \'{"a": 1, "b": [true, "x"]}\'', None),
        ("", None),
        ("expect = { a = 2, b = [true, 'x'] }", 'expected {"a": 2'),
        ("expect = { a = true, b = [true, 'x'] }", 'expected {"a": true'),
        ("error = 'plugin_error: no'", "expected the error plugin_error: no"),
    ],
)
def test_what_came_is_held_against_what_is_expected(
    cache: Path, echo: Path, expectation: str, problem: str | None
) -> None:
    cases(echo, case("echoes", "echo", f"input = {{ a = 1, b = [true, 'x'] }}\n{expectation}"))
    code, (shown,) = played(cache, echo)
    assert code == (5 if problem else 0)
    assert (shown["problem"] or "").startswith(problem or "")
    assert (shown["passed"], shown["value"], shown["line"]) == (problem is None, {"a": 1, "b": [True, "x"]}, 1)


@requirement("author:cases")
def test_errors_exports_and_defaults_are_cases_too(cache: Path, tmp_path: Path) -> None:
    home = write_plugin(
        tmp_path,
        "logs",
        relay("log", "get_config"),
        '[capabilities]\nrequired = ["LoggingAccess"]\noptional = ["ConfigAccess"]\n',
    )
    text = 'defaults.config = { word = "Servus" }\n'
    text += case("configured", "get_config", "input = { key = 'word' }\nexpect = { data = 'Servus', '…' = '…' }")
    text += case(
        "other", "get_config", "input = { key = 'word' }\nconfig = { word = 'Hi' }\nexpect = { data = 'Hi', '…' = '…' }"
    )
    text += '[[case]]\nname = "by its export"\nfunction = "log"\ninput = 5\nexpect = { success = false, "…" = "…" }\n'
    text += case("denied", "log", "grants = { deny = ['LoggingAccess'] }\nerror = 'capability_denied: …LoggingAccess…'")
    cases(home, text)
    code, shown = played(cache, home)
    assert [(outcome["name"], outcome["problem"]) for outcome in shown] == [
        ("configured", None),
        ("other", None),
        ("by its export", None),
        ("denied", None),
    ]
    assert code == 0
    assert shown[0]["host_calls"] == [{"function": "get_config", "outcome": "ok"}]
    assert shown[0]["milliseconds"] > 0


@requirement("author:cases")
def test_memories_are_there_and_cases_do_not_see_each_other(cache: Path, tmp_path: Path) -> None:
    home = write_plugin(
        tmp_path, "finder", relay("search_memories", "add_memory"), '[capabilities]\nrequired = ["MemoryAccess"]\n'
    )
    find = "input = { query = 'tea' }\n"
    text = case(
        "finds", "search_memories", find + "memories = ['tea is green', { content = 'bread', memory_type = 'core' }]"
    )
    text += case("adds", "add_memory", "input = { content = 'tea' }\nexpect = { success = true, '…' = '…' }")
    text += case("finds nothing of the others", "search_memories", find)
    cases(home, text)
    _, (first, _, last) = played(cache, home)
    assert [hit["memory"]["content"] for hit in first["value"]["data"]["results"]] == ["tea is green"]
    assert last["value"]["data"]["results"] == []


@requirement("author:replay")
def test_a_recorded_answer_is_given_again_without_the_site(cache: Path, asking: Path, site: LocalSite) -> None:
    cases(asking, fetching(site))
    code, (recorded,) = played(cache, asking, "--record")
    assert (code, len(site.requests), recorded["replayed"]) == (0, 1, False)
    code, (replayed,) = played(cache, asking)
    assert (code, len(site.requests), replayed["replayed"]) == (0, 1, True)
    assert replayed["value"] == recorded["value"]
    assert json.loads(recorded["value"]["data"]["body"]) == {"path": "/a"}
    (tape,) = (asking / "tests" / "fixtures").iterdir()
    assert tape.name == "all.fetches-a.json"


@requirement("author:replay")
def test_a_replay_denies_what_is_not_granted_and_counts_what_is_limited(
    cache: Path, asking: Path, site: LocalSite
) -> None:
    cases(asking, fetching(site))
    assert played(cache, asking, "--record")[0] == 0
    cases(asking, fetching(site, grants=False))
    code, (denied,) = played(cache, asking)
    assert (denied["value"]["metadata"]["code"], code) == ("capability_denied", 5)
    assert "fewer than recorded" in denied["problem"]
    assert len(site.requests) == 1


@requirement("author:replay")
def test_another_request_than_the_recorded_one_fails_the_case(cache: Path, asking: Path, site: LocalSite) -> None:
    path = cases(asking, fetching(site))
    assert played(cache, asking, "--record")[0] == 0
    path.write_text(path.read_text(encoding="utf-8").replace(f"{site.url}/a", f"{site.url}/b"), encoding="utf-8")
    code, (shown,) = played(cache, asking)
    assert (code, shown["value"]["metadata"]["code"]) == (5, "fixture_missing")
    assert "/b" in shown["problem"]
    assert "--record" in shown["problem"]
    assert len(site.requests) == 1


@requirement("author:replay")
def test_refusals_are_recorded_and_cases_that_ask_nobody_have_no_recording(
    cache: Path, tmp_path: Path, site: LocalSite
) -> None:
    home = write_plugin(
        tmp_path, "stores", relay("get_memory", "log"), '[capabilities]\nrequired = ["MemoryAccess", "LoggingAccess"]\n'
    )
    cases(
        home, case("gets", "get_memory", "input = { id = 'gone' }") + case("logs", "log", "input = { message = 'x' }")
    )
    _, (recorded, _) = played(cache, home, "--record")
    _, (replayed, logged) = played(cache, home)
    assert recorded["value"] == replayed["value"]
    assert recorded["value"]["metadata"]["code"] == "memory_not_found"
    assert (replayed["replayed"], logged["replayed"]) == (True, False)
    assert [path.name for path in (home / "tests" / "fixtures").iterdir()] == ["all.gets.json"]


@requirement("author:replay")
@pytest.mark.parametrize("text", ["[]", "{", '{"calls": 5}'])
def test_a_recording_that_is_none_is_said(cache: Path, asking: Path, site: LocalSite, text: str) -> None:
    cases(asking, fetching(site))
    (asking / "tests" / "fixtures").mkdir()
    (asking / "tests" / "fixtures" / "all.fetches-a.json").write_text(text, encoding="utf-8")
    done = run(cache, "test", asking)
    assert (done.returncode, "error[cases_invalid]" in done.stderr) == (2, True)


@requirement("author:cases")
def test_an_update_takes_what_came_and_keeps_the_rest(cache: Path, tmp_path: Path) -> None:
    home = write_plugin(tmp_path, "null", answers('{"a": null}', "nothing", ECHO))
    text = "# kept\n" + case("right", "echo", "input = { a = 1 } # kept too\nexpect = { '…' = '…' }")
    text += case("wrong", "echo", "input = { a = 1 }\nexpect = { a = 2 }")
    text += case("table", "echo", "input = { b = { c = 'x' } }\n[case.expect]\na = 2")
    text += case("error", "echo", "error = 'plugin_error: x'\nconfig = { z = 1 }")
    text += case("null", "nothing", "expect = { a = 1 }")
    text += case("now an error", "echo", "config = { z = 1 }\nlimits = { max_input_bytes = 1 }\nexpect = 1")
    path = cases(home, text)
    done = answer(cache, "test", home, "--update")
    assert (done["failed"], done["updated"]) == (0, [str(path)])
    changed = path.read_text(encoding="utf-8")
    assert changed.startswith(text[: text.index('name = "wrong"')])
    found = {table["name"]: table for table in tomllib.loads(changed)["case"]}
    assert found["wrong"]["expect"] == {"a": 1}
    assert found["table"]["expect"] == {"b": {"c": "x"}}
    assert (found["error"]["expect"], "error" in found["error"], found["error"]["config"]) == ({}, False, {"z": 1})
    assert json.loads(found["null"]["expect_json"]) == {"a": None}
    assert found["now an error"]["error"].startswith("limit_input_bytes: ")
    assert played(cache, home)[0] == 0


@requirement("author:cases")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there are no cases"),
        ('[[case]]\nname = "x"\n', "either a tool or a function"),
        (case("x", "echo", "expect = 1\nerror = 'x'"), "either a value or an error"),
        (case("x", "echo", "expct = 1"), "did you mean 'expect'?"),
        (case("x", "echo", "input = 5"), "a table of arguments"),
        (case("x", "echo", "memories = [{ contents = 'x' }]"), "memories[0].contents"),
        (case("x", "echo", "memories = [{ content = 'x', memory_type = 'odd' }]"), "memories[0].memory_type"),
        (case("x", "echo", "expect_json = '{'"), "expect_json: is no JSON"),
        (case("A b!", "echo") + case("a b", "echo"), "too like line 1"),
        ("[[case", "all.toml"),
    ],
)
def test_what_is_no_case_is_said_with_its_file(cache: Path, echo: Path, text: str, said: str) -> None:
    cases(echo, text)
    done = run(cache, "test", echo)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


@requirement("author:cases")
def test_a_wrong_key_of_a_case_has_its_line(cache: Path, echo: Path) -> None:
    cases(echo, case("x", "echo") + "\n" + case("y", "echo", "input = {}\nexpct = 1"))
    assert f"{echo}/tests/all.toml:10: case[1].expct: unknown key" in run(cache, "test", echo).stderr


@requirement("author:cases")
@requirement("commands:exit-codes")
def test_ci_gets_an_exit_code_and_junit(cache: Path, echo: Path, tmp_path: Path) -> None:
    cases(echo, case("good \\u0007", "echo") + case("bad", "echo", "expect = { a = 1 }"))
    done = run(cache, "test", echo, "--junit", tmp_path / "report.xml")
    assert done.returncode == 5
    assert f"{echo}/tests/all.toml:5: expected" in done.stdout
    root = ElementTree.parse(tmp_path / "report.xml").getroot()  # noqa: S314  # our own
    assert root.attrib["tests"] == "2"
    found = [(item.attrib["name"], item.attrib["line"], len(item)) for item in root.iter("testcase")]
    assert found == [("good \ufffd", "1", 0), ("bad", "5", 1)]
    assert run(cache, "test", echo, "--case", "GOOD").returncode == 0
    quiet = run(cache, "test", echo, "--quiet")
    assert (quiet.returncode, quiet.stdout) == (5, "")


@requirement("author:cases")
def test_a_plugin_that_is_not_built_is_told_to_be(cache: Path, echo: Path) -> None:
    cases(echo, case("x", "echo"))
    (echo / "echo.wasm").unlink()
    done = run(cache, "test", echo)
    assert (done.returncode, "no module found" in done.stderr) == (6, True)


def test_every_host_function_that_is_not_local_goes_through_a_recording(cache: Path, tmp_path: Path) -> None:
    functions = [name for name in HOST_FUNCTIONS if name not in {"log", "get_config"}]
    owners = ", ".join(sorted({f'"{HOST_FUNCTIONS[name]}"' for name in functions}))
    home = write_plugin(tmp_path, "all", relay(*functions), f"[capabilities]\noptional = [{owners}]\n")
    text = f"defaults.grants = {{ capabilities = [{owners}] }}\n"
    cases(home, text + "".join(case(name, name) for name in functions))
    played(cache, home, "--record")
    _, shown = played(cache, home)
    assert [outcome["name"] for outcome in shown if not outcome["replayed"]] == []
    assert [outcome["problem"] for outcome in shown if outcome["problem"]] == []
