"""The plugin ``datasource`` over the network: servers on loopback that speak JSON with pages, PostgREST and Hrana."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mcp_server.testing import LocalSite, Plugin, Reply, ToolFailed, local_site, open_plugin
from mcp_server.testing.servers import WebRequest
from tests.plugins.databases import Hrana, Postgrest, notes
from tests.plugins.loopback import ROOT

ITEMS = [{"id": number, "name": f"Item {number}"} for number in range(1, 8)]
IDS = [item["id"] for item in ITEMS]
SIZE = 3
SECRET = "Kx7-opens-the-door-42"  # noqa: S105  # the secret of a test


@contextmanager
def reading(answer: Callable[[WebRequest], Reply], *secrets: str) -> Generator[tuple[Plugin, LocalSite]]:
    """The plugin, with the manifest that ships, beside a site that ``secrets`` may go to."""
    with local_site(answer) as site:
        network = site.grant["network"] | {"secrets": {name: [f"{site.url}/*"] for name in secrets}}
        grants = site.grant | {"network": network}
        with open_plugin(ROOT / "manifests/datasource", modules=ROOT / "plugins", grants=grants) as plugin:
            yield plugin, site


def records(plugin: Plugin, source: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """All records, by steps of ``limit``."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = plugin.call("fetch_data", source=source, limit=limit, cursor=cursor)
        assert answer["stopped"] is None
        items += answer["items"]
        cursor = answer["cursor"]
        if cursor is None:
            return items


def paged(request: WebRequest) -> Reply:
    """An API that has every kind of paging, each under a path of its own."""
    url = urlsplit(request.path)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    if url.path == "/all":
        return Reply(ITEMS)
    if url.path in {"/pages", "/ending"}:
        number = int(query["page"]) - 1
        found = ITEMS[number * SIZE : (number + 1) * SIZE]
        return Reply({"data": {"items": found}}, status=404 if url.path == "/ending" and not found else 200)
    begin = int(query.get("from", "0"))
    found, end = ITEMS[begin : begin + SIZE], begin + SIZE
    more = end < len(ITEMS)
    if url.path == "/cursor":
        return Reply({"items": found, "meta": {"next": str(end) if more else None}})
    if url.path == "/urls":
        return Reply({"items": found, "next": f"/urls?q=a%20b&from={end}" if more else ""})
    if url.path == "/linked":
        link = f'<{url.path}?from={end}>; rel="next", </linked?from=6>; rel="last"'
        return Reply(found, headers={"link": link} if more else {})
    return Reply(found)


SOURCES: dict[str, dict[str, Any]] = {
    "all": {},
    "pages": {"items": "data.items", "paging": {"style": "page", "parameter": "page"}},
    "ending": {"items": "data.items", "paging": {"style": "page", "parameter": "page", "start": 1}},
    "offset": {"paging": {"style": "offset", "parameter": "from"}},
    "cursor": {"items": "items", "paging": {"style": "cursor", "parameter": "from", "next": "meta.next"}},
    "urls": {"items": "items", "paging": {"style": "next_url", "next": "next"}},
    "linked": {"paging": {"style": "link"}},
}


@pytest.fixture(scope="module")
def loaded() -> Generator[tuple[Plugin, LocalSite]]:
    with reading(paged) as both:
        yield both


@pytest.fixture
def api(loaded: tuple[Plugin, LocalSite]) -> tuple[Plugin, LocalSite]:
    """Each test asks as somebody else: a caller may send 20 requests a second."""
    loaded[0].renew()
    return loaded


@pytest.mark.parametrize("path", SOURCES)
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 50])
def test_each_record_comes_once_by_every_kind_of_paging(api: tuple[Plugin, LocalSite], path: str, limit: int) -> None:
    plugin, site = api
    source = {"kind": "http", "url": f"{site.url}/{path}"} | SOURCES[path]
    assert [item["data"]["id"] for item in records(plugin, source, limit)] == IDS


def test_connecting_to_an_api_tells_its_fields(api: tuple[Plugin, LocalSite]) -> None:
    plugin, site = api
    answer = plugin.call("connect", source={"kind": "http", "url": f"{site.url}/all?key=hidden"})
    assert answer == {
        "source": f"{site.url}/all",
        "columns": ["id", "name"],
        "count": 7,
        "count_is": "exact",
        "sample": {"position": "record 1", "data": {"id": 1, "name": "Item 1"}},
        "problems": [],
    }


def test_a_list_that_is_not_where_it_was_looked_for_is_said_with_what_is_there(api: tuple[Plugin, LocalSite]) -> None:
    plugin, site = api
    source = {"kind": "http", "url": f"{site.url}/cursor", "items": "data"}
    with pytest.raises(ToolFailed, match='`items` is "data", and in the answer that is not there.*has items, meta'):
        plugin.call("connect", source=source)


def test_a_next_page_on_another_server_is_not_followed() -> None:
    def elsewhere(request: WebRequest) -> Reply:
        return Reply(ITEMS[:1], headers={"link": '<http://127.0.0.1:9/steal>; rel="next"'})

    with reading(elsewhere) as (plugin, site), pytest.raises(ToolFailed, match="on another server"):
        source = {"kind": "http", "url": f"{site.url}/", "paging": {"style": "link"}}
        plugin.call("fetch_data", source=source)


def test_an_api_that_names_the_same_page_again_is_left() -> None:
    def stuck(request: WebRequest) -> Reply:
        return Reply({"items": ITEMS, "next": "same"})

    paging = {"style": "cursor", "parameter": "c", "next": "next"}
    with reading(stuck) as (plugin, site):
        source = {"kind": "http", "url": f"{site.url}/", "items": "items", "paging": paging}
        answer = plugin.call("fetch_data", source=source)
        assert len(answer["items"]) == 14
        assert answer["stopped"] == "The source names the same page as the next one."
        assert answer["cursor"] is None


def test_an_api_that_has_enough_is_left_with_a_cursor() -> None:
    def busy(request: WebRequest) -> Reply:
        if "page=1" in request.path or open_again:
            return paged(request)
        return Reply({"error": "slow down"}, status=429, headers={"retry-after": "30"})

    open_again: list[bool] = []
    with reading(busy) as (plugin, site):
        source = {"kind": "http", "url": f"{site.url}/pages"} | SOURCES["pages"]
        answer = plugin.call("fetch_and_transform", source=source)
        assert (answer["added"], answer["fetched"]) == (3, 3)
        assert "takes no more requests for now (status 429)" in answer["stopped"]
        assert "Try again after 30 seconds." in answer["stopped"]
        open_again.append(True)
        rest = plugin.call("fetch_and_transform", source=source, cursor=answer["cursor"])
        assert (rest["added"], rest["duplicates"], rest["cursor"]) == (4, 0, None)
        assert len(plugin.memories) == 7


def test_the_hosts_limit_of_requests_ends_it_with_a_cursor() -> None:
    def endless(request: WebRequest) -> Reply:
        page = int(parse_qs(urlsplit(request.path).query)["page"][0])
        return Reply([{"id": page}])

    with reading(endless) as (plugin, site):
        source = {"kind": "http", "url": f"{site.url}/", "paging": {"style": "page", "parameter": "page"}}
        answer = plugin.call("fetch_data", source=source, limit=500)
        count = len(answer["items"])
        assert 50 < count <= 100
        assert answer["stopped"] is not None
        assert [item["data"]["id"] for item in answer["items"]] == list(range(1, count + 1))


@pytest.mark.parametrize(
    ("status", "told"),
    [(401, "does not let this request in"), (404, "knows no such thing"), (302, "points elsewhere"), (500, "failed")],
)
def test_a_status_that_is_none_of_success_is_said(status: int, told: str) -> None:
    with (
        reading(lambda request: Reply("why", status=status)) as (plugin, site),
        pytest.raises(ToolFailed, match=rf"The source {told}.*\(status {status}\): why"),
    ):
        plugin.call("connect", source={"kind": "http", "url": f"{site.url}/"})


def test_a_record_that_is_nested_too_deep_is_a_problem() -> None:
    deep: Any = 1
    for _ in range(60):
        deep = [deep]
    with reading(lambda request: Reply([{"a": deep}, {"a": 1}])) as (plugin, site):
        answer = plugin.call("fetch_data", source={"kind": "http", "url": f"{site.url}/"})
        assert [item["data"] for item in answer["items"]] == [{"a": 1}]
        assert answer["problems"] == [{"position": "record 1", "reason": "It is nested more than 32 levels deep."}]


def test_the_longest_answers_are_within_the_limits() -> None:
    many = [{"id": number, "a": number * 2, "b": [number, number]} for number in range(80_000)]
    with reading(lambda request: Reply(many)) as (plugin, site):
        source = {"kind": "http", "url": f"{site.url}/"}
        assert plugin.call("connect", source=source)["count"] == 80_000
        first = plugin.call("fetch_data", source=source, limit=2)
        rest = plugin.call("fetch_data", source=source, limit=2, cursor=first["cursor"])
        assert [item["data"]["id"] for item in (*first["items"], *rest["items"])] == [0, 1, 2, 3]


@pytest.mark.parametrize("most", [2, 1000])
@pytest.mark.parametrize("limit", [1, 4, 50])
def test_rows_behind_postgrest_come_once_and_are_counted(most: int, limit: int) -> None:
    with reading(Postgrest(notes(9), most).answer) as (plugin, site):
        source = {"kind": "postgrest", "url": site.url, "table": "notes", "select": "id,title", "order": "id.desc"}
        assert [item["data"]["id"] for item in records(plugin, source, limit)] == list(range(9, 0, -1))
        assert plugin.call("fetch_data", source=source, limit=2)["left"] == 7
        connected = plugin.call("connect", source=source)
        assert (connected["count"], connected["count_is"]) == (9, "estimate")
        assert connected["source"] == f"{site.url}/notes"


def test_conditions_and_errors_of_postgrest_are_its_own() -> None:
    with reading(Postgrest(notes(9)).answer) as (plugin, site):
        source = {"kind": "postgrest", "url": site.url, "table": "notes", "order": "id.asc"}
        filtered = source | {"filters": {"title": "eq.Note 3"}}
        assert [item["data"]["id"] for item in records(plugin, filtered, 50)] == [3]
        with pytest.raises(ToolFailed, match="no such table: nothing"):
            plugin.call("connect", source=source | {"table": "nothing"})


@pytest.mark.parametrize("limit", [1, 4, 9, 50])
def test_rows_of_libsql_come_once_with_their_types(limit: int) -> None:
    with reading(Hrana(notes(9)).answer) as (plugin, site):
        sql = "SELECT id, title, stars, picture, gone FROM notes ORDER BY id -- all of them"
        source = {"kind": "libsql", "url": site.url, "sql": sql}
        found = records(plugin, source, limit)
        assert [item["data"]["id"] for item in found] == list(range(1, 10))
        row = {"id": 2, "title": "Note 2", "stars": 1.0, "picture": "AP8", "gone": None}
        assert found[1] == {"position": "row 2", "data": row}


def test_values_go_to_libsql_as_parameters_and_rows_are_counted() -> None:
    with reading(Hrana(notes(9)).answer) as (plugin, site):
        sql = "SELECT * FROM notes WHERE title <> ? AND stars > ? AND id < ? AND ? ORDER BY id"
        source = {"kind": "libsql", "url": site.url, "sql": sql, "args": ["x' OR 1", 1.0, 8, True]}
        assert [item["data"]["id"] for item in records(plugin, source, 50)] == [3, 4, 5, 6, 7]
        connected = plugin.call("connect", source=source)
        assert (connected["count"], connected["count_is"]) == (5, "exact")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM notes",
        "INSERT INTO notes (id) VALUES (99) RETURNING id",
        "SELECT 1) ; DELETE FROM notes; SELECT * FROM (SELECT 1",
        "SELECT * FROM notes); DELETE FROM notes; --",
    ],
)
def test_a_query_that_writes_does_not_run(sql: str) -> None:
    server = Hrana(notes(3))
    with reading(server.answer) as (plugin, site):
        for tool in ("connect", "fetch_data", "fetch_and_transform"):
            with pytest.raises(ToolFailed) as caught:
                plugin.call(tool, source={"kind": "libsql", "url": site.url, "sql": sql})
            assert caught.value.code == "plugin_error"
        assert server.executed == []


def test_a_secret_goes_into_a_header_and_into_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMEM_SECRET_TURSO", SECRET)
    with reading(Hrana(notes(2), token=SECRET).answer, "TURSO") as (plugin, site):
        source = {"kind": "libsql", "url": site.url, "sql": "SELECT title FROM notes"}
        with pytest.raises(ToolFailed, match="does not let this request in"):
            plugin.call("fetch_and_transform", source=source)
        secret = source | {"headers": {"Authorization": "Bearer {{secret:TURSO}}"}}
        assert plugin.call("fetch_and_transform", source=secret)["added"] == 2
        assert SECRET not in repr(plugin.memories) + repr(plugin.host_calls) + repr(plugin.logs)
