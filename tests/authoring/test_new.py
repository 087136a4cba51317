"""``new`` and ``build``: every language from nothing to passed cases, and what keeps a build from it.

``AGENTMEM_EVERY_TYPE=1``, as in the nightly run: every type that a language has, too. Each costs a build.
"""

from __future__ import annotations

import json
import os  # a test's own switch
from pathlib import Path

import pytest

from mcp_server.authoring.beginning import TYPES, begin_plugin
from mcp_server.authoring.building import build_plugin
from mcp_server.authoring.errors import ToolchainMissing
from mcp_server.authoring.languages import LANGUAGES, Language, language_of
from mcp_server.authoring.languages.golang import Go
from mcp_server.authoring.languages.rust import Rust
from mcp_server.registry.discovery import PluginFolders, lone_modules
from mcp_server.testing.fixtures import LoadPlugin
from tests.commands import answer, run
from tests.guests import answers
from tests.plugins.arbitrary import answers_whatever_it_is_given
from tests.requirements import requirement
from tests.toolchains import environment_for

EVERY_TYPE = os.environ.get("AGENTMEM_EVERY_TYPE") == "1"  # noqa: TID251
QUICK = {("c", "CodeAnalyzer"), ("zig", "SearchAlgorithm")}
EVERY = [(language, kind) for language in LANGUAGES for kind in TYPES]
TAKEN = [pair for pair in EVERY if EVERY_TYPE or pair[1] == "Custom" or pair in QUICK]


@requirement("author:new")
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize(("language", "kind"), TAKEN)
def test_a_new_plugin_builds_passes_its_cases_and_has_no_findings(
    cache: Path, tmp_path: Path, language: str, kind: str, load_plugin: LoadPlugin
) -> None:
    plugin = f"try-{kind.lower()}"  # cargo keeps what is made of all of them in one folder, by name
    home = tmp_path / plugin
    begun = run(cache, "new", plugin, "--lang", language, "--type", kind, "--into", home, "--json")
    assert begun.returncode == 0, begun.stderr
    assert {"plugin.toml", "README.md", ".gitignore"} <= set(json.loads(begun.stdout)["files"])
    built = run(cache, "build", home, "--json", environment=environment_for(language))
    assert built.returncode == 0, built.stderr
    facts = json.loads(built.stdout)
    assert (facts["language"], Path(facts["module"])) == (language, home / f"{plugin}.wasm")
    findings = answer(cache, "check", home)["findings"]
    assert {finding["code"] for finding in findings} <= {"schema_type_list"}  # what Rust's Option is written as
    cases = answer(cache, "test", home)["cases"]
    assert len(cases) >= 2
    assert {case["problem"] for case in cases} == {None}
    loaded = load_plugin(home)
    for tool in loaded.tools:
        answers_whatever_it_is_given(loaded, tool)


@requirement("author:new")
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_begun_is_of_its_language_and_holds_the_sdk(tmp_path: Path, language: str) -> None:
    place = begin_plugin("try-it", language, "Custom", tmp_path / "new")
    assert language_of(place).name == language
    assert any((place / "sdk").iterdir())
    names = ("Cargo.toml", "go.mod", "package.json", "package-lock.json", "plugin.toml")
    read = [path for name in names for path in place.rglob(name)]  # what says where other files are
    assert read
    assert [path for path in read if "../.." in path.read_text(encoding="utf-8")] == []  # it points at no checkout


@requirement("author:new")
def test_nothing_that_is_there_is_overwritten(cache: Path, tmp_path: Path) -> None:
    home = tmp_path / "mine"
    home.mkdir()
    (home / "notes.txt").write_text("mine", encoding="utf-8")
    refused = run(cache, "new", "mine", "--lang", "c", "--into", home, "--json")
    assert (refused.returncode, json.loads(refused.stderr)["error"]["code"]) == (2, "folder_taken")
    assert [path.name for path in home.iterdir()] == ["notes.txt"]


@requirement("author:new")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Try It", "--lang", "c"), "is no id"),
        (("1st", "--lang", "rust"), "the first of them a letter"),
        (("try", "--lang", "zigg"), "did you mean 'zig'?"),
        (("try", "--lang", "rust", "--type", "Multimodel"), "did you mean 'Multimodal'?"),
        (("try", "--lang", "c", "--author", 'A"'), "a quote"),
    ],
)
def test_what_cannot_be_begun_is_said_and_leaves_no_folder(
    cache: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    refused = run(cache, "new", *words, "--into", tmp_path / "new")
    assert (refused.returncode, said in refused.stderr) == (2, True)
    assert not (tmp_path / "new").exists()


@requirement("author:build")
def test_a_failed_build_leaves_the_module_that_was_there(cache: Path, tmp_path: Path) -> None:
    environment = environment_for("c")
    home = begin_plugin("try-it", "c", "Custom", tmp_path / "try-it")
    (home / "try-it.wasm").write_bytes(b"from before")
    source = home / "plugin.c"
    source.write_text(source.read_text(encoding="utf-8") + "int broken(", encoding="utf-8")
    failed = run(cache, "build", home, environment=environment)
    assert failed.returncode == 6
    assert "plugin.c" in failed.stderr  # the compiler's own words
    assert "error[build_failed]" in failed.stderr
    assert (home / "try-it.wasm").read_bytes() == b"from before"
    assert [path.name for path in home.iterdir() if path.name.startswith(".build")] == []


class Watched:
    """A language whose compiler looks whether a server that watches the folder would take up what it writes."""

    name = "watched"
    sources = (".watched",)

    def __init__(self) -> None:
        self.seen: list[Path] = []

    def owns(self, folder: Path) -> bool:
        return any(folder.glob("*.watched"))

    def build(self, folder: Path, module: Path) -> str:
        module.write_bytes(answers("1"))
        for watched in (folder, folder.parent):
            self.seen += [found.path for found in lone_modules(PluginFolders(plugins=(watched,)), ())]
        return "watched 1"


@requirement("author:build")
def test_no_server_takes_up_a_module_before_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = begin_plugin("try-it", "c", "Custom", tmp_path / "try-it")
    (home / "plugin.c").rename(home / "plugin.watched")
    language = Watched()
    monkeypatch.setitem(LANGUAGES, language.name, language)
    built = build_plugin(home)
    assert (language.seen, built.module, built.compiler) == ([], home / "try-it.wasm", "watched 1")
    assert built.module.read_bytes() == answers("1")


@requirement("author:build")
@pytest.mark.parametrize(
    ("language", "fix"), [(Rust(Path("/nowhere")), "rustup target add"), (Go("/nowhere/go"), "https://go.dev/dl/")]
)
def test_a_missing_compiler_is_named_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: Language, fix: str
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolchainMissing) as caught:
        language.build(begin_plugin("try-it", language.name, "Custom", tmp_path / "try-it"), tmp_path / "new.wasm")
    assert fix in caught.value.fix


@requirement("author:build")
def test_a_folder_without_sources_or_manifest_is_said(cache: Path, tmp_path: Path) -> None:
    assert "no plugin.toml" in run(cache, "build", tmp_path).stderr
    home = begin_plugin("try-it", "c", "Custom", tmp_path / "try-it")
    (home / "plugin.c").unlink()
    assert "no sources of a plugin" in run(cache, "build", home).stderr
    (home / "plugin.toml").write_text("[plugin]\nid = 'x'\nwasm = '../x.wasm'\nname = 'x'\nversion = '1.0.0'\n")
    assert "leaves the manifest's folder" in run(cache, "build", home).stderr
