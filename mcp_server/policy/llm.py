"""What the operator says about language models: providers, aliases, prices, budgets; and the rules of one plugin.

A plugin knows aliases. Behind one stand a provider and a model, which only the operator's side ever sees. Values only:
the asking is in ``capabilities.llm``, the speaking in ``backends.llm``, the counting in the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from mcp_server.problems import did_you_mean

__all__ = [
    "MOST_ANSWER",
    "MOST_AT_ONCE",
    "MOST_COST",
    "MOST_TOKENS",
    "Alias",
    "LlmGrant",
    "LlmRules",
    "LlmSettings",
    "Prices",
    "ProviderSection",
    "micro",
]

MOST_TOKENS = 1_000_000_000_000
MOST_COST = 1_000_000_000
MOST_ANSWER = 1_000_000
"""Tokens that an alias may give an answer at most."""
MOST_AT_ONCE = 1_024
Dialect = Literal["openai", "anthropic", "extractive"]
AliasName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,64}$")]
Tokens = Annotated[int, Field(ge=1, le=MOST_TOKENS)]
Cost = Annotated[float, Field(ge=0, le=MOST_COST, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def micro(cost: float | None) -> int | None:
    """Millionths of the currency, in which costs are counted; None where there is no bound."""
    return None if cost is None else round(cost * 1_000_000)


class Prices(_Section):
    """``prices`` of an alias: units of the operator's currency for a million tokens."""

    input: Cost
    output: Cost

    def of(self, tokens_in: int, tokens_out: int) -> int:
        """Millionths of the currency, rounded up: a price for a million tokens is that of one in millionths."""
        return -int(-(tokens_in * self.input + tokens_out * self.output) // 1)


class ProviderSection(_Section):
    """``[llm.providers.<name>]``: a place that answers, and how it is spoken to."""

    dialect: Dialect
    base_url: str | None = None
    key: SecretName | None = None
    timeout_seconds: float = Field(default=60.0, gt=0, le=600)
    attempts: int = Field(default=4, ge=1, le=10)
    token_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"  # noqa: S105  # a word of the dialect
    trace: bool = False

    @model_validator(mode="after")
    def _complete(self) -> ProviderSection:
        if self.dialect == "extractive":
            if self.base_url is not None or self.key is not None:
                raise ValueError("an extractive provider has no base_url and no key: it asks nobody")
            if self.trace:
                raise ValueError("an extractive provider is sent nothing, so no trace either")
        elif self.base_url is None:
            raise ValueError(f"the dialect '{self.dialect}' needs a base_url")
        return self

    @field_validator("base_url")
    @classmethod
    def _readable(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError("must be like https://host[:port][/path], without a user name or password")
        if parts.query or parts.fragment:
            raise ValueError("must have no query and no fragment")
        return url.rstrip("/")


class Alias(_Section):
    """``[llm.aliases.<alias>]``: a model of a provider, under the name that plugins know.

    Attributes:
        max_tokens: Longest answer, and how long one may be where the plugin does not say.
    """

    provider: str
    model: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    max_tokens: int = Field(default=1_024, ge=1, le=MOST_ANSWER)
    prices: Prices | None = None


class LlmSettings(_Section):
    """``[llm]``: every provider and alias, and the budgets of a day (UTC) over all plugins."""

    providers: dict[str, ProviderSection] = Field(default_factory=dict)
    aliases: dict[AliasName, Alias] = Field(default_factory=dict)
    tokens_per_day: Tokens | None = None
    cost_per_day: Cost | None = None
    principal_tokens_per_day: Tokens | None = None
    principal_cost_per_day: Cost | None = None

    @model_validator(mode="after")
    def _coherent(self) -> LlmSettings:
        for name, alias in self.aliases.items():
            provider = self.providers.get(alias.provider)
            if provider is None:
                guess = did_you_mean(alias.provider, list(self.providers))
                raise ValueError(f"aliases.{name}: there is no provider '{alias.provider}'{guess}")
            if alias.model is None and provider.dialect != "extractive":
                raise ValueError(f"aliases.{name}: needs a model")
        if self.cost_per_day is not None or self.principal_cost_per_day is not None:
            self.require_prices(self.aliases, "a budget in [llm]")
        return self

    def free(self, alias: Alias) -> bool:
        """Whether ``alias`` costs nothing because nobody is asked."""
        return self.providers[alias.provider].dialect == "extractive"

    def require_prices(self, names: Mapping[str, object] | tuple[str, ...], budget: str) -> None:
        """Refuse a budget of costs over what has no price: it could not be kept.

        Raises:
            ValueError: Names the alias.
        """
        for name in names:
            alias = self.aliases.get(name)
            if alias is not None and alias.prices is None and not self.free(alias):
                raise ValueError(f"{budget} counts costs, but alias '{name}' has no prices")


@dataclass(frozen=True, slots=True)
class LlmRules:
    """What one plugin may ask of language models; frozen with its rights. Without aliases, nothing.

    Attributes:
        aliases: The ones it may name; the first is meant where it names none.
        tokens_per_call: Tokens, in and out, of one call of the plugin.
        tokens_per_day: The same of all its calls of a day, whoever calls.
        cost_per_day: Millionths of the currency; None is no bound.
        calls_at_once: ``call_llm`` under way at one time.
        cost_per_call: Millionths of the currency, of one call of the plugin; None is no bound.
    """

    aliases: tuple[str, ...] = ()
    tokens_per_call: int = 200_000
    tokens_per_day: int | None = 1_000_000
    cost_per_day: int | None = None
    calls_at_once: int = 4
    cost_per_call: int | None = None


class LlmGrant(_Section):
    """``[grants.<plugin id>.llm]``: the aliases a plugin may use, and how much of them."""

    aliases: tuple[str, ...] = ()
    max_tokens_per_call: Tokens = 200_000
    max_cost_per_call: Cost | None = None
    tokens_per_day: Tokens = 1_000_000
    cost_per_day: Cost | None = None
    calls_at_once: int = Field(default=4, ge=1, le=MOST_AT_ONCE)

    def rules(self) -> LlmRules:
        """The value that is frozen into a plugin's rights."""
        return LlmRules(
            tuple(dict.fromkeys(self.aliases)),
            self.max_tokens_per_call,
            self.tokens_per_day,
            micro(self.cost_per_day),
            self.calls_at_once,
            micro(self.max_cost_per_call),
        )

    def check(self, plugin: str, llm: LlmSettings) -> None:
        """Refuse a grant of what is not there. Where no alias at all is configured, calls say so themselves.

        Raises:
            ValueError: Names the plugin and the alias.
        """
        for name in self.aliases if llm.aliases else ():
            if name not in llm.aliases:
                guess = did_you_mean(name, list(llm.aliases))
                raise ValueError(f"grants.{plugin}.llm.aliases: there is no alias '{name}'{guess}")
        if self.cost_per_day is not None or self.max_cost_per_call is not None:
            llm.require_prices(self.aliases, f"grants.{plugin}.llm")
