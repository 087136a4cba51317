"""What is taken from a principal: nothing widens, whatever is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mcp_server.policy.limits import LIMITS, Limits, resolve_limits
from mcp_server.policy.narrowing import NARROWABLE_LIMITS, WIDE, Narrowing, narrowing_of
from mcp_server.policy.rights import CAPABILITIES, Capability, decide_rights
from mcp_server.problems import problems_of
from mcp_server.settings import PrincipalSettings, Settings
from mcp_server.settings.document import merge
from tests.requirements import requirement

capabilities = st.frozensets(st.sampled_from(CAPABILITIES))
plugins = st.frozensets(st.sampled_from(["a", "b", "memory"]))
narrowings = st.builds(
    Narrowing,
    plugins=st.none() | plugins,
    deny=capabilities,
    limits=st.dictionaries(st.sampled_from(NARROWABLE_LIMITS), st.integers(1, 1_000_000)),
    calls=st.none() | st.integers(1, 4_096),
)


@requirement("principals:narrow")
@given(narrowings, capabilities, capabilities, st.integers(1, 4_096))
def test_a_narrowing_takes_and_never_gives(
    narrowing: Narrowing, asked: frozenset[Capability], granted: frozenset[Capability], calls: int
) -> None:
    rights, limits = decide_rights(asked, (), granted), Limits()
    assert narrowing.rights(rights).effective == rights.effective - narrowing.deny
    assert all(getattr(narrowing.limit(limits), spec.name) <= getattr(limits, spec.name) for spec in LIMITS)
    assert narrowing.share(calls) <= calls


@requirement("principals:narrow")
def test_who_is_named_is_judged_by_that_alone_and_the_local_user_never_by_the_star() -> None:
    star, own = Narrowing(plugins=frozenset()), Narrowing(deny=frozenset({"LLMAccess"}))
    said = {"*": star, "ann": own}
    assert [narrowing_of(said, name) for name in ("ann", "ben", "local")] == [own, star, WIDE]
    assert narrowing_of({"local": own}, "local") is own


@requirement("principals:narrow")
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"deny": ["ConfigAccess"]}, "cannot be denied to one principal"),
        ({"deny": ["NetworkAcess"]}, "did you mean 'NetworkAccess'"),
        ({"limits": {"max_memory_mb": 10}}, "is built into the workers"),
        ({"limits": {"max_host_calls": 0}}, "outside 1"),
        ({"limits": {"max_nothing": 1}}, "unknown key"),
        ({"max_calls": 0}, "greater than or equal to 1"),
        ({"capabilities": ["NetworkAccess"]}, "Extra inputs"),
    ],
)
def test_what_cannot_be_enforced_or_would_grant_is_no_setting(said: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        PrincipalSettings.model_validate(said)


@requirement("principals:narrow")
def test_denials_of_two_files_add_up() -> None:
    both = merge({"principals": {"a": {"deny": ["LLMAccess"]}}}, {"principals": {"a": {"deny": ["NetworkAccess"]}}})
    assert Settings.model_validate(both).principals["a"].deny == ("LLMAccess", "NetworkAccess")


@requirement("principals:narrow")
def test_the_operator_is_told_where_a_capability_is_withheld() -> None:
    rights = decide_rights(("StorageAccess", "LLMAccess"), (), ("StorageAccess",))
    deny: frozenset[Capability] = frozenset({"StorageAccess"})
    narrowed = Narrowing(deny=deny, name="https://login.example.com|ann").rights(rights)
    fix = narrowed.fix("p", ["StorageAccess", "LLMAccess"])
    assert '"StorageAccess" stands in deny of [principals."https://login.example.com|ann"] in' in fix
    assert "agentmem-mcp plugin grant p LLMAccess" in fix


@requirement("principals:narrow")
@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"max_host_calls": 3}, 'add to the server\'s configuration: [principals."*".limits] max_host_calls = 6'),
        (
            {"max_log_lines": 3},
            (
                "run `agentmem-mcp config set plugins.p.limits.max_host_calls=20`, "
                "or add to the server's configuration: [plugins.p.limits] max_host_calls = 20"
            ),
        ),
    ],
)
def test_the_operator_is_told_the_key_that_holds(limits: dict[str, int], told: str) -> None:
    narrowing = Narrowing(limits=limits, name="*")
    assert narrowing.limit_fix("p", "host_calls", narrowing.limit(Limits(host_calls=10))) == told


@requirement("principals:narrow")
def test_where_the_manifest_holds_a_limit_low_for_everybody_it_is_named() -> None:
    own = resolve_limits({"max_host_calls": 10}, {})
    loose, tight = (Narrowing(limits={"max_host_calls": most}, name="*") for most in (11, 10))
    assert "[limits] in the plugin.toml of 'p'" in loose.limit_fix("p", "host_calls", loose.limit(own))
    assert '[principals."*".limits]' in tight.limit_fix("p", "host_calls", tight.limit(own))


@requirement("principals:narrow")
def test_a_limit_at_its_hard_value_is_not_told_to_be_raised() -> None:
    most = Limits(host_calls=100_000)
    assert Narrowing().limit_fix("p", "host_calls", most) == "max_host_calls stands at its hard value, 100000"


@requirement("principals:narrow")
def test_a_limit_that_is_nothing_for_a_principal_is_told_with_its_table_and_what_could_be_meant() -> None:
    said = {"principals": {"https://x|ann": {"limits": {"max_host_call": 1, "max_memory_mb": 10}}}}
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(said)
    (problem,) = problems_of(refused.value, Settings)
    assert problem.startswith('principals."https://x|ann".limits: max_host_call: unknown key, did you mean')
    assert problem.count("max_host_call:") == 1
    assert "max_memory_mb: is built into the workers" in problem
    assert "[plugins.<id>.limits]" in problem
