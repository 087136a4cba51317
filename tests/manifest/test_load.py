"""Reading ``plugin.toml``: what is taken, where the module is looked for, and every way to be told what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcp_server.errors import ManifestError
from mcp_server.manifest import Manifest, load_manifest, lone_module_manifest
from mcp_server.manifest.load import LoadedManifest

HEAD = 'manifest_version = 1\n[plugin]\nid = "p"\nname = "P"\nversion = "0.1.0"\n'


def write(folder: Path, text: str | bytes, *, wasm: str | None = "p.wasm") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if wasm is not None:
        (folder / wasm).write_bytes(b"")
    path = folder / "plugin.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def load(folder: Path, text: str, *roots: Path) -> LoadedManifest:
    return load_manifest(write(folder, text), roots=roots, host_version="0.1.0")


def problems(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        load_manifest(write(folder, text), host_version="0.1.0")
    assert caught.value.message.startswith(f"{folder / 'plugin.toml'}: ")
    return list(caught.value.problems)


def test_a_whole_manifest_is_read_into_frozen_values(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        HEAD
        + """description = "Cleans"
author = "Me"
type = "MemoryProcessor"
requires_host = ">=0.1,<1"
[runtime]
isolation = "session"
wasi = true
[capabilities]
required = ["MemoryAccess"]
optional = ["NetworkAccess"]
[network]
allow = ["https://api.example.com/*"]
[filesystem]
allow = [{ path = "notes", mode = "read" }]
[config]
words = ["a", "b"]
[limits]
max_memory_mb = 16
[[tools]]
function = "run"
operation = "clean"
[hooks]
before_add = "run"
""",
    )
    manifest = loaded.manifest
    assert manifest.plugin.type == "MemoryProcessor"
    assert (manifest.runtime.isolation, manifest.runtime.wasi) == ("session", True)
    assert manifest.capabilities.required == ("MemoryAccess",)
    assert manifest.filesystem.allow[0].path == "notes"
    assert manifest.config == {"words": ["a", "b"]}
    assert manifest.limits == {"max_memory_mb": 16}
    assert manifest.tools[0].word == "clean"
    assert [(point, hook.function) for point, hook in manifest.hooks.entries()] == [("before_add", "run")]
    assert loaded.declared
    assert isinstance(hash(manifest.plugin), int)


def test_the_least_manifest_is_four_keys(tmp_path: Path) -> None:
    loaded = load(tmp_path, HEAD)
    assert loaded.manifest == Manifest(manifest_version=1, plugin=loaded.manifest.plugin)
    assert loaded.wasm == tmp_path / "p.wasm"


def test_the_module_is_looked_for_at_the_key_then_beside_then_in_each_plugin_root(tmp_path: Path) -> None:
    home, root = tmp_path / "manifests" / "p", tmp_path / "plugins"
    (root / "p").mkdir(parents=True)
    (root / "p" / "p.wasm").write_bytes(b"")
    (root / "p" / "other.wasm").write_bytes(b"")
    path = write(home, HEAD, wasm=None)
    assert load_manifest(path, roots=[root], host_version="0.1.0").wasm == root / "p" / "p.wasm"
    write(home, HEAD)
    assert load_manifest(path, roots=[root], host_version="0.1.0").wasm == home / "p.wasm"
    write(home, HEAD + 'wasm = "../../plugins/p/other.wasm"\n')
    assert load_manifest(path, roots=[root], host_version="0.1.0").wasm.resolve() == root / "p" / "other.wasm"


@pytest.mark.parametrize("stated", ["../outside.wasm", "/etc/hostname", "link/outside.wasm", "round.wasm"])
def test_a_module_path_leaves_the_folder_only_into_a_plugin_root(tmp_path: Path, stated: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "outside.wasm").write_bytes(b"")
    (home / "link").symlink_to(tmp_path)
    (home / "round.wasm").symlink_to(home / "round.wasm")
    assert problems(home, HEAD + f'wasm = "{stated}"\n') == [
        f"plugin.wasm: '{stated}' leaves the manifest's folder and every plugin root"
    ]


@pytest.mark.parametrize("stated", ["gone.wasm", "x" * 1_000, "folder"])
def test_a_module_that_is_not_there_is_a_problem_of_its_key(tmp_path: Path, stated: str) -> None:
    (tmp_path / "folder").mkdir()
    assert problems(tmp_path, HEAD + f'wasm = "{stated}"\n') == [f"plugin.wasm: there is no file '{stated}'"]


def test_a_module_that_is_nowhere_is_told_with_every_place_that_was_tried(tmp_path: Path) -> None:
    path = write(tmp_path / "home", HEAD, wasm=None)
    with pytest.raises(ManifestError) as caught:
        load_manifest(path, roots=[tmp_path / "a", tmp_path / "b"], host_version="0.1.0")
    for place in ("home/p.wasm", "a/p/p.wasm", "b/p/p.wasm"):
        assert str(tmp_path / place) in caught.value.problems[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('verison = "1"', "plugin.verison: unknown key, did you mean 'version'?"),
        ("[capabilites]", "capabilites: unknown key, did you mean 'capabilities'?"),
        ('[capabilities]\nrequired = ["NetworkAcess"]', "capabilities.required[0]: 'NetworkAcess' is not allowed, did"),
        ("[limits]\nmax_memory = 1", "limits.max_memory: unknown key, did you mean 'max_memory_mb'?"),
        ("[limits]\nmax_memory_mb = 1_025", "limits.max_memory_mb: 1025 is outside 1 … 1024 MiB"),
        ('[limits]\nmax_memory_mb = "10"', "limits.max_memory_mb: Input should be a valid integer (got '10')"),
        ("[limits]\nmax_memory_mb = true", "limits.max_memory_mb: Input should be a valid integer (got True)"),
        ("[runtime]\nwasi = 1", "runtime.wasi: Input should be a valid boolean (got 1)"),
        ("[config]\nsince = 2024-01-01", "config.since: a date has no form in JSON; write it as a string"),
        ("[config]\na.b = [1, nan]", "config.a.b[1]: nan is no JSON number"),
        ("[config]\na = " + "[" * 40 + "]" * 40, "config: is nested deeper than 32 levels"),
        ('sha256 = "abc"', "plugin.sha256: String should match pattern"),
        ('wasm = "a\\u0000b"', "plugin.wasm: holds the invisible or control character U+0000; remove it"),
        ('[[tools]]\nfunction = ""', "tools[0].function: String should have at least 1 character (got '')"),
        ('[[tools]]\nfunction = "f"\ntitel = "x"', "tools[0].titel: unknown key, did you mean 'title'?"),
        (
            '[[tools]]\nfunction = "f"\ninput_schema = 5',
            "tools[0].input_schema: must be a table, or the path of a JSON",
        ),
        (
            '[[tools]]\nfunction = "f"\ninput = "text"\ninput_schema = { type = "object" }',
            "tools[0].input_schema: needs the required property 'text' of type string",
        ),
        (
            '[[tools]]\nfunction = "f"\n[[tools]]\nfunction = "F"',
            "tools: the name 'F' is shown twice (names are compared without case)",
        ),
        (
            '[capabilities]\nrequired = ["LLMAccess"]\noptional = ["LLMAccess"]',
            "capabilities: LLMAccess cannot be both required and optional",
        ),
        ("[hooks]\nbefore_ad = 'f'", "hooks.before_ad: unknown key, did you mean 'before_add'?"),
        ('description = "\\u202e"', "plugin.description: holds the invisible or control character U+202E; remove it"),
        ('author = "\\U000E0041"', "plugin.author: holds the invisible or control character U+E0041; remove it"),
    ],
)
def test_a_wrong_value_is_told_by_its_key(tmp_path: Path, text: str, told: str) -> None:
    found = problems(tmp_path, HEAD + text + "\n")
    assert len(found) == 1
    assert found[0].startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('id = "Upper"', "plugin.id: String should match pattern '^[a-z0-9-]{1,48}$' (got 'Upper')"),
        ('id = "a_b"', "plugin.id: String should match pattern"),
        ('id = "' + "a" * 49 + '"', "plugin.id: String should match pattern"),
        ('version = "1"', "plugin.version: String should match pattern"),
        ('name = ""', "plugin.name: String should have at least 1 character (got '')"),
    ],
)
def test_a_wrong_identity_is_told_by_its_key(tmp_path: Path, text: str, told: str) -> None:
    key = text.partition(" ")[0]
    lines = [line for line in HEAD.splitlines() if not line.startswith(f"{key} ")]
    found = problems(tmp_path, "\n".join([*lines, text]))
    assert len(found) == 1
    assert found[0].startswith(told)


def test_a_file_of_another_version_is_refused_with_the_known_one(tmp_path: Path) -> None:
    text = HEAD.replace("manifest_version = 1", "manifest_version = 2")
    assert problems(tmp_path, text) == ["manifest_version: 2 is not allowed; known: 1"]


def test_an_empty_file_is_told_what_is_missing(tmp_path: Path) -> None:
    assert problems(tmp_path, "") == ["manifest_version: is required", "plugin: is required"]


def test_a_value_that_is_quoted_back_is_cut(tmp_path: Path) -> None:
    [found] = problems(tmp_path, HEAD + f'sha256 = "{"f" * 100_000}"\n')
    assert len(found) < 300


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\xff", "is not UTF-8 (byte 0)"),
        (b"a = ", "is not TOML: "),
        (b"a = " + b"[" * 5_000, "is not TOML: "),
        (b"a = " + b"1" * 5_000, "is not TOML: "),
        (b"a = 2024-02-31", "is not TOML: "),
        (b"# " + b"x" * 1_048_576, "is 1048578 bytes long; the limit is 1048576"),
    ],
)
def test_a_file_that_is_no_manifest_at_all_says_why(tmp_path: Path, data: bytes, told: str) -> None:
    [found] = problems(tmp_path, data)
    assert found.startswith(told)


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read: No such file"):
        load_manifest(tmp_path / "plugin.toml", host_version="0.1.0")


def test_a_schema_may_lie_in_a_file_below_the_manifest(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "run.json").write_text(json.dumps(schema))
    loaded = load(tmp_path, HEAD + '[[tools]]\nfunction = "f"\ninput_schema = "schemas/run.json"\n')
    assert loaded.schemas[0][0].source == schema
    assert loaded.schemas[0][1] is None


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("s.json", b"{", "'s.json' is not JSON: "),
        ("s.json", b"[]", "'s.json' holds a list, not a schema object"),
        ("s.json", b'{"minimum": NaN}', "'s.json' is not JSON: "),
        ("s.json", b'{"type": "object", "title": "\\ud800"}', "'s.json' is not JSON: "),
        ("s.json", b"[" * 100_000, "'s.json' is not JSON: "),
        ("../s.json", b"{}", "'../s.json' leaves the manifest's folder"),
        ("gone.json", b"{}", "there is no file 'gone.json'"),
    ],
)
def test_a_schema_file_that_cannot_be_used_says_why(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "s.json").write_bytes(content)
    (tmp_path / "s.json").write_bytes(content)
    [found] = problems(home, HEAD + f'[[tools]]\nfunction = "f"\ninput_schema = "{name}"\n')
    assert found.startswith(f"tools[0].input_schema: {told}")


@pytest.mark.parametrize(
    ("name", "plugin"), [("Count Vowels.wasm", "count-vowels"), ("a_b.wasm", "a-b"), ("x" * 60 + ".wasm", "x" * 48)]
)
def test_a_lone_module_gets_its_id_from_its_file_name(tmp_path: Path, name: str, plugin: str) -> None:
    loaded = lone_module_manifest(tmp_path / name)
    assert loaded.manifest.plugin.id == plugin
    assert loaded.manifest.capabilities.required == ()
    assert not loaded.declared


def test_a_lone_module_whose_name_has_no_usable_letter_is_told_to_be_renamed(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="rename it"):
        lone_module_manifest(tmp_path / "Ж.wasm")
