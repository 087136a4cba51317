"""The official conformance suite against ``serve --http``, in both eras; what this server cannot meet is named.

Most of the suite calls tools, prompts and resources of its own "everything" server by name. Those scenarios end with
"method not found" or "unknown tool" here; all that are about the transport, headers, sessions and lists pass.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.http_server import http_server
from tests.requirements import requirement

pytestmark = pytest.mark.interop

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOL = "calls a tool of the suite's own server"
PROMPT = "this server has no prompts"
RESOURCE = "reads a resource of the suite's own server"
COMPLETION = "this server completes nothing"
SUBSCRIBE = "subscribes to a resource of the suite's own server"
TASKS = "an extension that this server does not have"
COMMON = {
    "completion-complete": COMPLETION,
    **{f"tools-call-{what}": TOOL for what in ("simple-text", "image", "audio", "embedded-resource", "mixed-content")},
    **{f"tools-call-{what}": TOOL for what in ("error", "with-progress")},
    **{f"resources-{what}": RESOURCE for what in ("read-text", "read-binary", "templates-read")},
    "prompts-list": PROMPT,
    **{f"prompts-get-{what}": PROMPT for what in ("simple", "with-args", "embedded-resource", "with-image")},
    "json-schema-2020-12": TOOL,
}
_INPUT = ("basic-elicitation", "basic-sampling", "basic-list-roots", "request-state", "multiple-input-requests")
_MORE_INPUT = ("multi-round", "result-type", "tampered-state", "capability-check")
_TASKS = (
    "lifecycle",
    "capability-negotiation",
    "wire-fields",
    "request-state-removal",
    "mrtr-input",
    "request-headers",
)
_MORE_TASKS = ("dispatch-and-envelope", "required-task-error", "mrtr-composition")
EXPECTED: dict[str, dict[str, str]] = {
    "2026-07-28": {
        **COMMON,
        "server-stateless": TOOL,
        "caching": PROMPT,
        **{f"input-required-result-{what}": TOOL for what in (*_INPUT, *_MORE_INPUT)},
        "input-required-result-non-tool-request": PROMPT,
        **{f"tasks-{what}": TASKS for what in (*_TASKS, *_MORE_TASKS)},
        "http-custom-header-server-validation": TOOL,
    },
    "2025-11-25": {
        **COMMON,
        **{f"tools-call-{what}": TOOL for what in ("with-logging", "sampling", "elicitation")},
        "elicitation-sep1034-defaults": TOOL,
        "elicitation-sep1330-enums": TOOL,
        "resources-subscribe": SUBSCRIBE,
        "resources-unsubscribe": SUBSCRIBE,
    },
}
EXPECTED_CHECKS = {
    "server-stateless": {
        "sep-2575-server-rejects-undeclared-capability",
        "sep-2575-missing-capability-http-400",
        "sep-2575-http-server-no-independent-requests-on-stream",
        "sep-2575-server-no-log-without-loglevel",
    },
    "caching": {"sep-2549-prompts-list-caching-hints"},
}
"""Of scenarios that pass but for these checks."""
MUST_RUN = {"tools-list", "resources-list", "dns-rebinding-protection", "server-sse-multiple-streams"}


Verdicts = dict[str, list[tuple[str, str]]]


def verdicts(folder: Path) -> Verdicts:
    """Scenario -> each check with what came of it, for every scenario that ran."""
    found: Verdicts = {}
    for file in folder.rglob("checks.json"):
        scenario = re.sub(r"-\d{4}-\d\d-\d\dT.*", "", file.parent.name.removeprefix("server-"))
        checks: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        found[scenario] = [(check["id"], check["status"]) for check in checks]
    return found


async def suite(revision: str, home: Path, fast_lane: bool) -> Verdicts:
    """What the suite says of a server."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}  # noqa: TID251  # a test's
    words = [
        "--no-auth",
        "--manifests",
        str(ROOT / "manifests"),
        "--set",
        f"runtime.fast_lane={str(fast_lane).lower()}",
    ]
    async with http_server(ROOT / "plugins", home=home, arguments=words) as server:
        command = ["node", "node_modules/.bin/conformance", "server", "--url", f"{server.url}/mcp"]
        command += ["--requirements", revision, "-o", str(home / "out")]
        with anyio.fail_after(150):
            await anyio.run_process(command, cwd=HERE, env=environment, check=False)
    return verdicts(home / "out")


@requirement("interop:conformance")
@requirement("lane:same")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("revision", EXPECTED)
async def test_the_official_suite_fails_only_where_it_asks_for_its_own_server_with_the_lane_and_without(
    tmp_path: Path, revision: str
) -> None:
    ran: dict[bool, Verdicts] = {}

    async def run(fast_lane: bool) -> None:
        home = tmp_path / str(fast_lane)
        home.mkdir()
        ran[fast_lane] = await suite(revision, home, fast_lane)

    async with anyio.create_task_group() as tasks:
        for fast_lane in (True, False):
            tasks.start_soon(run, fast_lane)
    assert ran[True] == ran[False]
    failed = {name: {check for check, status in checks if status == "FAILURE"} for name, checks in ran[True].items()}
    assert set(failed) >= MUST_RUN
    assert {name for name, checks in failed.items() if checks} == set(EXPECTED[revision])
    for name, checks in EXPECTED_CHECKS.items():
        assert failed.get(name, checks) == checks
