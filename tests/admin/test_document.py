"""The OpenAPI document: valid, whole, and shown by a page that needs nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from openapi_spec_validator import validate

from mcp_server.admin.api import management_api
from mcp_server.admin.desk import Desk
from tests.admin.conftest import API
from tests.guests import ECHO, module, write_plugin
from tests.http_server import HttpServer
from tests.requirements import requirement

ISSUE = """
GET /plugins, POST /plugins, GET /plugins/{plugin}, PATCH /plugins/{plugin}, DELETE /plugins/{plugin},
POST /plugins/{plugin}/start, POST /plugins/{plugin}/stop, POST /plugins/{plugin}/restart,
POST /plugins/{plugin}/reload, POST /plugins/{plugin}/approve, GET /plugins/{plugin}/grants,
PUT /plugins/{plugin}/grants, GET /plugins/{plugin}/config, PUT /plugins/{plugin}/config,
POST /plugins/{plugin}/call/{function}, GET /plugins/{plugin}/stats, GET /plugins/{plugin}/logs,
GET /stats, GET /tools, GET /events, GET /audit,
GET /memories, POST /memories, POST /memories/search, GET /memories/{memory}, PATCH /memories/{memory},
DELETE /memories/{memory}, GET /info, GET /openapi.json, GET /docs
"""
ROUTES = {tuple(route.split()) for route in ISSUE.replace("\n", " ").split(",")}


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))


def document() -> dict[str, Any]:
    return management_api(cast("Desk", SimpleNamespace())).openapi()


def described(found: dict[str, Any]) -> set[tuple[str, ...]]:
    return {(method.upper(), path) for path, item in found["paths"].items() for method in item}


@requirement("api:document")
async def test_the_document_that_is_served_is_valid_and_has_every_route(web: HttpServer) -> None:
    async with web.client() as client:
        served = (await client.get(f"{API}/openapi.json")).json()
    validate(served)
    assert served["openapi"].startswith("3.1")
    assert served == document()
    assert described(served) == ROUTES


@requirement("api:document")
def test_every_operation_says_what_it_answers_how_it_fails_and_that_it_wants_a_token() -> None:
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            assert operation["summary"] and operation["description"], (method, path)
            assert {"4XX", "5XX"} < operation["responses"].keys(), (method, path)
            assert [*operation["security"][0]] == ["bearer"], (method, path)


@requirement("api:document")
async def test_the_page_asks_for_nothing_and_runs_its_own_scripts_alone(web: HttpServer) -> None:
    async with web.client() as client:
        page = await client.get(f"{API}/docs")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.partition("style-src")[0]
    head = page.text.partition("<style>")[0]
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page.text.rpartition("</script>")[2] + head)
    assert '"openapi": "3.1' in page.text
