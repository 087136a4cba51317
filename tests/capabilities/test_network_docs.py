"""The pages about network and files tell every code and every number that the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mcp_server.policy.network import NetworkLimits
from mcp_server.policy.paths import FileLimits

ROOT = Path(__file__).resolve().parents[2]


def codes_in(*sources: str) -> set[str]:
    files = [file for source in sources for file in sorted((ROOT / "mcp_server").glob(source))]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    raised = re.findall(r'(?:HostRefusal|Denied|_over)\(\s*f?"([a-z_{}]+)"', text) + re.findall(
        r': \("([a-z_]+)", "', text
    )
    return {code for code in raised if "{" not in code}


@pytest.mark.parametrize(
    ("page", "sources"),
    [
        ("network.md", ("capabilities/network/*.py", "policy/network.py")),
        ("files.md", ("capabilities/filesystem/*.py", "policy/paths.py")),
    ],
)
def test_every_code_is_on_its_page(page: str, sources: tuple[str, ...]) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    codes = codes_in(*sources)
    assert len(codes) > 5
    assert {code for code in codes if f"`{code}`" not in text and f"`limit_{code}`" not in text} == set()


def test_the_limits_on_the_pages_are_those_in_force() -> None:
    network, files = ((ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("network.md", "files.md"))
    http, mib = NetworkLimits(), 1024 * 1024
    for row in (
        f"| {http.requests} | `limit_http_requests`",
        f"| {http.at_once} | `limit_http_at_once`",
        f"| {http.rate_per_second:g} a second, {http.burst} at once | `rate_limited`",
        f"| {http.response_bytes // mib} MiB | `limit_http_response`",
        f"| {http.request_bytes // mib} MiB | `limit_http_request_bytes`",
        f"| {http.headers} | `limit_http_headers`",
        f"| {http.header_bytes // 1024} KiB | `limit_http_header_bytes`",
        f"| {http.redirects} | `limit_http_redirects`",
    ):
        assert row in network
    limits = FileLimits()
    for row in (
        f"| {limits.operations:,} | `limit_file_operations`".replace(",", " "),
        f"| {limits.bytes_read // mib} MiB | `limit_file_bytes_read`",
        f"| {limits.bytes_written // mib} MiB | `limit_file_bytes_written`",
        f"| entries of one listing | {limits.list_entries:,} |".replace(",", " "),
    ):
        assert row in files
