"""``[principals."<subject>"]``: what the operator takes from one caller."""

from __future__ import annotations

from functools import cached_property
from typing import cast

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mcp_server.policy.limits import LIMIT_KEYS, limit_problems
from mcp_server.policy.narrowing import NARROWABLE_LIMITS, Narrowing
from mcp_server.policy.rights import CAPABILITIES, Capability
from mcp_server.problems import did_you_mean

__all__ = ["PrincipalSettings"]

_BUILT_IN = "ConfigAccess"


class PrincipalSettings(BaseModel):
    """One principal's; what is left out takes nothing away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plugins: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    max_calls: int | None = Field(default=None, ge=1, le=4_096)
    limits: dict[str, int] = Field(default_factory=dict)

    @field_validator("deny")
    @classmethod
    def _known(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        for word in words:
            if word == _BUILT_IN:
                raise ValueError(
                    f"{_BUILT_IN} cannot be denied to one principal: a plugin's configuration is in its worker, which "
                    "serves all; deny it in [grants], or leave the plugin out of plugins"
                )
            if word not in CAPABILITIES:
                raise ValueError(f"'{word}' is no capability{did_you_mean(word, CAPABILITIES)}")
        return words

    @field_validator("limits")
    @classmethod
    def _enforced(cls, limits: dict[str, int]) -> dict[str, int]:
        problems = limit_problems(limits, NARROWABLE_LIMITS)
        problems += [
            f"{key}: is built into the workers, which serve all principals; set it under [plugins.<id>.limits]; "
            f"here are {', '.join(NARROWABLE_LIMITS)}"
            for key in limits
            if key in LIMIT_KEYS and key not in NARROWABLE_LIMITS
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return limits

    @cached_property
    def narrowing(self) -> Narrowing:
        """The value that ``policy`` judges by."""
        return Narrowing(
            plugins=None if self.plugins is None else frozenset(self.plugins),
            deny=frozenset(cast("tuple[Capability, ...]", self.deny)),
            limits=self.limits,
            calls=self.max_calls,
        )
