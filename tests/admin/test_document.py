"""The OpenAPI document: valid, whole, and shown by a page that needs nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from openapi_spec_validator import validate

from mcp_server.admin.api import management_api
from mcp_server.admin.desk import Desk
from tests.admin.conftest import API, make_token
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
BESIDE = {"/health", "/ready", "/metrics"}
"""They begin at the root."""
ROUTES = {tuple(route.split()) for route in ISSUE.replace("\n", " ").split(",")} | {("GET", path) for path in BESIDE}


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
            assert [list(one) for one in operation["security"]] == ([] if path == "/health" else [["bearer"]]), path


@requirement("api:document")
async def test_the_routes_beside_the_api_answer_what_the_document_says(web: HttpServer) -> None:
    paths = document()["paths"]
    assert {path for path, item in paths.items() if item.get("get", {}).get("servers") == [{"url": "/"}]} == BESIDE
    scraper = make_token(web.home, "scraper", *(paths["/metrics"]["get"]["security"][0]["bearer"]))
    async with web.client(scraper) as client, web.client("") as nobody:
        for path in BESIDE:
            operation = paths[path]["get"]
            got, told = await client.get(path), operation["responses"]["200"]["content"]
            media = got.headers["content-type"].partition(";")[0]
            assert (got.status_code, media in told) == (200, True), path
            if media == "application/json":
                assert got.json() == {"status": told[media]["schema"]["properties"]["status"]["const"]}
            asked = (await nobody.get(path)).status_code
            assert asked == (401 if operation["security"] else 200), path
            head = await client.head(path)
            assert (head.status_code, head.content, head.headers["content-type"]) == (
                200,
                b"",
                got.headers["content-type"],
            )


@requirement("api:problems")
async def test_a_method_that_a_route_beside_the_api_has_not_is_refused_in_the_one_shape(web: HttpServer) -> None:
    async with web.client() as client:
        for path in BESIDE:
            for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
                refused = await client.request(method, path)
                assert refused.headers["content-type"] == "application/problem+json", (method, path)
                assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
                assert refused.headers["allow"] == "GET, HEAD"


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
