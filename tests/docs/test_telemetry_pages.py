"""``docs/alerts.yml`` and ``docs/traces.md`` speak of metrics and attributes that exist."""

from __future__ import annotations

import re
from pathlib import Path

from mcp_server.telemetry.metrics.families import FAMILIES
from mcp_server.telemetry.tracing import attributes, spans
from mcp_server.transport import traced
from tests.requirements import requirement

DOCS = Path(__file__).resolve().parents[2] / "docs"


@requirement("docs:telemetry")
def test_alerts_ask_for_metrics_and_labels_that_there_are() -> None:
    text = (DOCS / "alerts.yml").read_text(encoding="utf-8")
    kinds = {family.name: family for family in FAMILIES}
    asked = re.findall(r"\b(agentmem_\w+?)(_bucket)?\b(?:\{([^}]*)\})?", text)
    assert len(asked) > 10
    for name, bucket, matchers in asked:
        assert (kinds[name].kind == "histogram") == bool(bucket), name
        assert set(re.findall(r"(\w+)[!=]", matchers)) <= set(kinds[name].labels), name
    assert set(re.findall(r"\$labels\.(\w+)", text)) <= {"plugin", "capability"}


@requirement("docs:telemetry")
def test_each_attribute_of_a_span_is_told_and_each_that_is_told_is_one() -> None:
    page = (DOCS / "traces.md").read_text(encoding="utf-8")
    told = {name for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", page) if not name.endswith((".md", ".yml"))}
    ours = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (attributes, spans, traced))
    named = set(re.findall(r'"((?:agentmem|gen_ai|http|url|server|network|error)\.[a-z_.]+)"', ours))
    named |= {"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"}  # put together
    by_sdk = {"mcp.method.name", "mcp.protocol.version", "jsonrpc.request.id", "gen_ai.tool.name"}
    assert told == named | by_sdk | {"rpc.response.status_code"}
