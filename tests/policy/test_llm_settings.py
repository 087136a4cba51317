"""What an operator may say about language models, and what is refused with a reason before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_server.errors import SettingsError
from mcp_server.host import PluginHost
from mcp_server.policy.llm import Prices
from mcp_server.settings import Settings, load_settings
from tests.flows.test_capabilities_from_wasm import relay
from tests.guests import write_plugin

PROVIDER = '[llm.providers.p]\ndialect = "openai"\nbase_url = "http://127.0.0.1:1/v1/"\n'
ALIAS = '[llm.aliases.fast]\nprovider = "p"\nmodel = "m"\n'


def load(folder: Path, text: str) -> Settings:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environment={})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[llm.providers.p]\n", "dialect"),
        ('[llm.providers.p]\ndialect = "bard"\n', "dialect"),
        ('[llm.providers.p]\ndialect = "openai"\n', "needs a base_url"),
        ('[llm.providers.p]\ndialect = "extractive"\nkey = "K"\n', "asks nobody"),
        ('[llm.providers.p]\ndialect = "openai"\nbase_url = "ftp://x"\n', "must be like https://"),
        ('[llm.providers.p]\ndialect = "openai"\nbase_url = "http://me:pw@x"\n', "without a user name"),
        ('[llm.providers.p]\ndialect = "openai"\nbase_url = "http://x/?key=1"\n', "no query"),
        (PROVIDER + "attempts = 0\n", "attempts"),
        (PROVIDER + 'api_key = "sk-x"\n', "did you mean 'key'"),
        (PROVIDER + 'key = "not a name"\n', "key"),
        ('[llm.aliases.fast]\nprovider = "p"\nmodel = "m"\n', "there is no provider 'p'"),
        (PROVIDER + '[llm.aliases.fast]\nprovider = "pp"\nmodel = "m"\n', "did you mean 'p'"),
        (PROVIDER + '[llm.aliases.fast]\nprovider = "p"\n', "needs a model"),
        (PROVIDER + '[llm.aliases."a b"]\nprovider = "p"\nmodel = "m"\n', "a b"),
        (PROVIDER + ALIAS + "prices = { input = -1, output = 1 }\n", "input"),
        (PROVIDER + ALIAS + '[grants.x.llm]\naliases = ["fats"]\n', "did you mean 'fast'"),
        (PROVIDER + ALIAS + '[grants.x.llm]\naliases = ["fast"]\ncost_per_day = 1\n', "'fast' has no prices"),
        (PROVIDER + ALIAS + '[grants.x.llm]\naliases = ["fast"]\nmax_cost_per_call = 1\n', "'fast' has no prices"),
        (PROVIDER + ALIAS + "[llm]\ncost_per_day = 1\n", "'fast' has no prices"),
        (PROVIDER + ALIAS + "[llm]\nprincipal_cost_per_day = 1\n", "'fast' has no prices"),
        ("[grants.x.llm]\ntokens_per_day = 0\n", "tokens_per_day"),
        ("[grants.x.llm]\ncost_per_day = nan\n", "cost_per_day"),
    ],
)
def test_what_cannot_work_is_refused_with_its_reason(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, text)
    assert told in refused.value.message


def test_a_budget_of_costs_over_what_is_free_needs_no_prices(tmp_path: Path) -> None:
    text = (
        '[llm.providers.own]\ndialect = "extractive"\n[llm.aliases.short]\nprovider = "own"\n[llm]\ncost_per_day = 1\n'
    )
    assert load(tmp_path, text).llm.cost_per_day == 1


def test_a_cost_is_rounded_up_to_a_millionth() -> None:
    assert Prices(input=0.15, output=0.6).of(1, 0) == 1
    assert Prices(input=3, output=15).of(1_000_000, 1_000_000) == 18_000_000
    assert Prices(input=3, output=15).of(0, 0) == 0


async def test_what_a_plugin_may_ask_of_models_is_frozen_with_its_rights(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    write_plugin(plugins, "writer", relay("call_llm"), '[capabilities]\nrequired = ["LLMAccess"]')
    grant = '[grants.writer]\ncapabilities = ["LLMAccess"]\nllm = { aliases = ["fast", "fast"], cost_per_day = 0.5 }\n'
    settings = load(tmp_path, PROVIDER + ALIAS + "prices = { input = 1, output = 1 }\n" + grant)
    host = PluginHost(settings, cache=tmp_path / "cache", data=tmp_path / "data").load_plugins_from_dir(plugins)
    async with host:
        version = host.registry.get("writer").version
        assert version is not None
        llm = version.rights.llm
        assert (llm.aliases, llm.cost_per_day, llm.tokens_per_day) == (("fast",), 500_000, 1_000_000)
