"""Who may do what: a manifest's ceiling, the operator's grant, and nothing else."""

from __future__ import annotations

import itertools

import pytest

from mcp_server.errors import CapabilityDenied
from mcp_server.policy.rights import (
    CAPABILITIES,
    DEFAULT_GRANTS,
    HOST_FUNCTIONS,
    Capability,
    decide_rights,
    require_declared,
    require_granted,
)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_right_takes_a_declaration_and_a_grant(capability: Capability) -> None:
    default = capability in DEFAULT_GRANTS
    without_and_with: list[tuple[Capability, ...]] = [(), (capability,)]
    for required, optional, granted in itertools.product(without_and_with, repeat=3):
        rights = decide_rights(required, optional, granted)
        allowed = bool(required or optional) and (bool(granted) or default)
        assert (capability in rights.effective) == allowed
        assert rights.missing == ((capability,) if required and not granted and not default else ())
        for function, owner in HOST_FUNCTIONS.items():
            assert rights.allows(function) == (owner == capability and allowed)


def test_what_everyone_gets_is_its_own_memories_the_log_and_its_own_configuration() -> None:
    assert {"MemoryAccess", "LoggingAccess", "ConfigAccess"} == DEFAULT_GRANTS


def test_a_function_that_nobody_offers_is_never_allowed() -> None:
    assert not decide_rights(CAPABILITIES, (), CAPABILITIES).allows("open_door")


def test_a_plugin_without_a_required_grant_is_told_the_line_to_add() -> None:
    rights = decide_rights(("NetworkAccess", "LLMAccess", "LoggingAccess"), (), ())
    with pytest.raises(CapabilityDenied) as caught:
        require_granted("p", rights)
    assert caught.value.message == "plugin 'p' requires LLMAccess, NetworkAccess, which is not granted"
    assert "`agentmem-mcp plugin grant p LLMAccess NetworkAccess`" in caught.value.fix
    assert caught.value.fix.endswith('[grants.p] capabilities = ["LLMAccess", "NetworkAccess"]')
    assert caught.value.data == {"plugin": "p", "capabilities": ["LLMAccess", "NetworkAccess"]}


def test_a_plugin_with_all_its_grants_passes() -> None:
    rights = decide_rights(("NetworkAccess",), ("LLMAccess",), ("NetworkAccess",))
    require_granted("p", rights)
    assert rights.effective == {"NetworkAccess"}


@pytest.mark.parametrize("home", ["agentmem", "extism:host/user"])
def test_an_import_must_be_offered_and_declared(home: str) -> None:
    require_declared("p", decide_rights((), ("LoggingAccess",), ()), [(home, "log")])
    with pytest.raises(CapabilityDenied, match="does not declare that capability"):
        require_declared("p", decide_rights((), (), CAPABILITIES), [(home, "log")])
    with pytest.raises(CapabilityDenied, match="which this host does not offer"):
        require_declared("p", decide_rights(CAPABILITIES, (), CAPABILITIES), [(home, "open_door")])
