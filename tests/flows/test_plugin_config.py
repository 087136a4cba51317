"""A plugin's configuration through the real server: held against its schema, and secrets in it told by name."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import anyio
import pytest

from tests.canary import slot
from tests.commands import answer, run
from tests.conftest import Serve
from tests.flows.test_capabilities_from_wasm import Envelope, ask, configure, relay
from tests.guests import module, write_plugin
from tests.requirements import requirement
from tests.stdio_server import stdio_server, text_of

ASKS = '[capabilities]\nrequired = ["ConfigAccess"]\n'
SCHEMA = """
[config_schema]
type = "object"
additionalProperties = false
properties.word = { type = "string", maxLength = 8 }
properties.api_key = { type = "string", minLength = 4 }
"""
KEY = "k-5a1f0c77"


def reader(plugins: Path, more: str = "") -> None:
    write_plugin(plugins, "reader", relay("get_config"), f"{ASKS}{more}")


async def whole(serve: Serve, tmp_path: Path, config: str, environment: dict[str, str] | None = None) -> Envelope:
    file = configure(tmp_path, config)
    async with serve(arguments=["--config", str(file)], environment=environment or {}) as server:
        return await ask(server, "reader__get_config", {})


@requirement("config:schema")
async def test_a_configuration_that_fits_is_served(serve: Serve, plugins: Path, tmp_path: Path) -> None:
    reader(plugins, f'[config]\nword = "Hi"\n{SCHEMA}')
    got = await whole(serve, tmp_path, '[config.reader]\nword = "Servus"\n')
    assert got["data"] == {"word": "Servus"}


@requirement("config:schema")
@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("word = 5", "word: the value is not of type"),
        ('word = "much too long"', "word: the value is longer than 8"),
        ("wrod = 1", "'wrod' was unexpected"),
    ],
)
def test_a_configuration_that_does_not_fit_holds_the_plugin_back(
    plugins: Path, tmp_path: Path, config: str, told: str
) -> None:
    reader(plugins, SCHEMA)
    configure(tmp_path, f"[config.reader]\n{config}\n")
    words = ("--plugins", str(plugins), "--config", str(tmp_path / "config.toml"))
    shown = answer(tmp_path, "plugin", "show", "reader", *words)
    assert shown["state"] == "Error"
    assert shown["reason"].startswith("[config_invalid]")
    assert told in shown["reason"]
    assert "[config.reader]" in shown["fix"]
    assert "much too long" not in json.dumps(shown)


@requirement("config:schema")
def test_a_schema_may_lie_in_a_file_and_must_be_one(plugins: Path, tmp_path: Path) -> None:
    reader(plugins)
    manifest = plugins / "reader" / "plugin.toml"
    manifest.write_text('config_schema = "config.json"\n' + manifest.read_text(encoding="utf-8"), encoding="utf-8")
    words = ("--plugins", str(plugins))
    for schema, told in (('{"type": "string"}', "a configuration is a table"), ("{", "is not JSON")):
        (plugins / "reader" / "config.json").write_text(schema, encoding="utf-8")
        assert told in answer(tmp_path, "plugin", "show", "reader", *words)["reason"]
    (plugins / "reader" / "config.json").write_text('{"type": "object"}', encoding="utf-8")
    assert answer(tmp_path, "plugin", "show", "reader", *words)["state"] == "Loaded"


@requirement("config:secret")
async def test_a_secret_reaches_the_plugin_by_the_name_the_operator_gave(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    reader(plugins, SCHEMA)
    config = '[config.reader]\napi_key = { secret = "READER" }\n'
    got = await whole(serve, tmp_path, config, {"AGENTMEM_SECRET_READER": KEY})
    assert got["data"] == {"api_key": KEY}


@requirement("config:secret")
async def test_a_secret_that_a_plugin_reads_and_keeps_is_nowhere_but_in_the_plugin(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    imports = '(import "agentmem" "get_config" (func $config (param i64) (result i64)))'
    measures = """(func (export "run") (result i32)
        (i64.gt_u (call $length (call $config (call $in))) (i64.const 90)) (if (then) (else unreachable))
        (i32.const 0))"""
    write_plugin(plugins, "reader", module(measures, imports), ASKS)
    file = configure(tmp_path, '[config.reader]\napi_key = { secret = "READER" }\n')
    (tmp_path / "home").mkdir()  # the watch over the suite looks through it
    environment = {
        "AGENTMEM_SECRET_READER": slot("config secret"),
        "AGENTMEM_HOME": str(tmp_path / "home"),
        "AGENTMEM_LOG__LEVEL": "debug",
    }
    async with serve(arguments=["--config", str(file)], environment=environment) as server:
        result = await server.call("reader__run", {})
        assert result["isError"] is False  # the envelope was long enough to hold the secret
        assert await server.close() == 0
    assert slot("config secret") not in str(result)


@requirement("config:secret")
async def test_an_author_cannot_take_a_secret_by_naming_it(serve: Serve, plugins: Path, tmp_path: Path) -> None:
    reader(plugins, '[config]\napi_key = { secret = "READER" }\n')
    got = await whole(serve, tmp_path, "", {"AGENTMEM_SECRET_READER": KEY})
    assert got["data"] == {"api_key": None}


@requirement("config:secret")
async def test_a_secret_without_a_value_is_refused_by_its_name(serve: Serve, plugins: Path, tmp_path: Path) -> None:
    reader(plugins)
    got = await whole(serve, tmp_path, '[config.reader]\napi_key = { secret = "READER" }\n')
    assert got["metadata"]["code"] == "secret_unavailable"
    assert "READER" in got["error"]


@requirement("config:secret")
async def test_a_secret_never_lies_in_the_configuration_a_plugin_is_initialised_with(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    tells = module(
        """(func (export "initialize") (result i32) (call $err (call $in)) (i32.const 1))
        (func (export "run") (result i32) (i32.const 0))"""
    )
    write_plugin(plugins, "reader", tells, ASKS)
    file = configure(tmp_path, '[config.reader]\nword = "x"\napi_key = { secret = "READER" }\n')
    environment = {"AGENTMEM_SECRET_READER": KEY}
    async with serve(arguments=["--config", str(file)], environment=environment) as server:
        result = await server.call("reader__run", {})
    assert KEY not in json.dumps(result)
    assert '{"word": "x", "api_key": null}' in text_of(result)


@requirement("config:secret")
async def test_the_keyring_of_the_operating_system_gives_what_the_environment_lacks(
    plugins: Path, tmp_path: Path
) -> None:
    ring = {"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring", "XDG_DATA_HOME": str(tmp_path / "share")}
    command = [sys.executable, "-m", "keyring", "set", "agentmem-mcp", "READER"]
    await anyio.run_process(command, env=ring, input=KEY.encode())
    reader(plugins)
    file = configure(tmp_path, '[config.reader]\napi_key = { secret = "READER" }\n[secrets]\nkeyring = true\n')
    arguments = ["--config", str(file)]
    (tmp_path / "home").mkdir()
    async with stdio_server(plugins, home=tmp_path / "home", arguments=arguments, environment=ring) as server:
        assert (await ask(server, "reader__get_config", {"key": "api_key"}))["data"] == KEY


@requirement("config:secret")
def test_a_secret_that_is_handed_out_after_an_approval_waits_for_another(tmp_path: Path) -> None:
    write_plugin(tmp_path / "data" / "plugins", "reader", relay("get_config"), ASKS)
    environment = {"AGENTMEM_SECRET_READER": KEY}
    assert run(tmp_path, "tool", "call", "reader__get_config", environment=environment).returncode == 0
    (tmp_path / "config").mkdir()
    configure(tmp_path / "config", '[config.reader]\napi_key = { secret = "READER" }\n')
    before = run(tmp_path, "tool", "call", "reader__get_config", environment=environment).stdout
    assert KEY not in before  # the approved version goes on without it
    pending = answer(tmp_path, "plugin", "pending")
    assert "secret READER as config api_key" in json.dumps(pending)
    assert run(tmp_path, "plugin", "approve", "reader").returncode == 0
    assert KEY in run(tmp_path, "tool", "call", "reader__get_config", environment=environment).stdout
