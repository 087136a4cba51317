"""The plugin ``weather``, loaded as a server loads it, against a real server that speaks Open-Meteo's APIs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.testing import LocalSite, Plugin, Reply, ToolFailed, local_site, open_plugin, readme_examples
from mcp_server.testing.fixtures import LoadPlugin
from tests.plugins import open_meteo
from tests.plugins.arbitrary import ANY_JSON
from tests.plugins.loopback import ROOT, manifest_for_loopback
from tests.requirements import requirement


@dataclass(frozen=True, slots=True)
class Weather:
    """The plugin and the site that it asks."""

    plugin: Plugin
    site: LocalSite

    def asked(self) -> list[str]:
        """The paths of the requests so far, without their queries; they are forgotten."""
        paths = [request.path.partition("?")[0] for request in self.site.requests]
        self.site.requests.clear()
        return paths


def options(site: LocalSite, *more: str, **config: Any) -> dict[str, Any]:
    """How the plugin is loaded to ask ``site``, with ``more`` capabilities."""
    grant = site.grant
    return {
        "grants": grant | {"capabilities": [*grant["capabilities"], *more]},
        "config": {"geocoding_url": site.url, "forecast_url": site.url, **config},
        "modules": ROOT / "plugins",
    }


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return manifest_for_loopback("weather", tmp_path_factory.mktemp("manifests"))


@pytest.fixture(scope="module")
def site() -> Iterator[LocalSite]:
    with local_site(open_meteo.answer) as site:
        yield site


@pytest.fixture
def weather(manifest: Path, site: LocalSite, load_plugin: LoadPlugin) -> Weather:
    site.requests.clear()
    return Weather(load_plugin(manifest, **options(site)), site)


@pytest.fixture
def keeping(manifest: Path, site: LocalSite, load_plugin: LoadPlugin) -> Weather:
    """With the right to keep answers."""
    site.requests.clear()
    return Weather(load_plugin(manifest, **options(site, "StorageAccess")), site)


def test_the_weather_of_a_name_is_that_of_its_largest_place(weather: Weather) -> None:
    answer = weather.plugin.call("get_weather", location="vienna", days=2)
    assert answer["location"] == {"name": "Vienna, Austria", "latitude": 48.20849, "longitude": 16.37208}
    assert answer["current"]["conditions"] == "light rain"
    assert answer["current"]["temperature"] == 7.4
    assert answer["current"]["is_day"] is True
    assert [(day["date"], day["conditions"]) for day in answer["days"]] == [
        ("2026-11-23", "moderate rain"),
        ("2026-11-24", "moderate rain"),
    ]
    assert answer["units"] == {"temperature": "°C", "wind_speed": "km/h", "precipitation": "mm"}
    assert weather.asked() == ["/v1/search", "/v1/forecast"]


def test_a_smaller_place_of_the_name_is_told_by_its_region(weather: Weather) -> None:
    for location in ("Vienna, VA", "vienna, virginia", "Vienna, Virginia, United States"):
        answer = weather.plugin.call("get_weather", location=location)
        assert answer["location"]["name"] == "Vienna, Virginia, United States"


def test_coordinates_need_no_look_up(weather: Weather) -> None:
    by_number = weather.plugin.call("get_weather", latitude=47.07, longitude=15.45)
    assert weather.asked() == ["/v1/forecast"]
    assert weather.plugin.call("get_weather", location="47.07, 15.45") == by_number


def test_imperial_units_are_asked_for_by_the_call_or_by_the_operator(
    weather: Weather, manifest: Path, load_plugin: LoadPlugin
) -> None:
    expected = {"temperature": "°F", "wind_speed": "mp/h", "precipitation": "inch"}
    assert weather.plugin.call("get_weather", location="Graz", units="imperial")["units"] == expected
    set_so = load_plugin(manifest, **options(weather.site, units="imperial"))
    assert set_so.call("get_weather", location="Graz")["units"] == expected


def test_a_name_of_several_places_is_refused_with_each_of_them(weather: Weather) -> None:
    with pytest.raises(ToolFailed) as caught:
        weather.plugin.call("get_weather", location="Springfield")
    assert caught.value.code == "plugin_error"
    assert "Springfield, Missouri, United States (37.21533, -93.29824)" in caught.value.text
    assert "Springfield, Illinois, United States (39.80172, -89.64371)" in caught.value.text
    assert weather.asked() == ["/v1/search"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"location": "Xyzzy"}, 'There is no place called "Xyzzy"'),
        ({"location": "Graz, Italy"}, 'There is no "Graz" in Italy. There is: Graz, Styria, Austria'),
        ({"location": "  "}, "The location is blank"),
        ({}, "Give either `location`, or both `latitude` and `longitude`."),
        ({"location": "Graz", "latitude": 1.0}, "Give either `location`"),
        ({"latitude": 89.9, "longitude": 0.0}, "refused the question (status 400): No data is available"),
    ],
)
def test_what_cannot_be_answered_is_said_with_the_reason(
    weather: Weather, arguments: dict[str, Any], told: str
) -> None:
    with pytest.raises(ToolFailed) as caught:
        weather.plugin.call("get_weather", **arguments)
    assert caught.value.code == "plugin_error"
    assert told in caught.value.text


def test_a_batch_looks_up_each_place_and_asks_once_for_all_forecasts(weather: Weather) -> None:
    answer = weather.plugin.call("get_batch_weather", locations=["Graz", "Vienna", "47.07, 15.45", "Graz"], days=1)
    assert [one["weather"]["location"]["name"] for one in answer["results"]] == [
        "Graz, Styria, Austria",
        "Vienna, Austria",
        "47.07, 15.45",
        "Graz, Styria, Austria",
    ]
    assert answer["failed"] == 0
    assert weather.asked() == ["/v1/search", "/v1/search", "/v1/forecast"]


def test_a_bad_place_of_a_batch_spoils_no_other(weather: Weather) -> None:
    asked = ["Xyzzy", "Graz", "Springfield", "Nowhere", "", "Vienna"]
    answer = weather.plugin.call("get_batch_weather", locations=asked)
    assert [one["asked"] for one in answer["results"]] == asked
    assert ["weather" in one for one in answer["results"]] == [False, True, False, False, False, True]
    errors = [one["error"].split(".")[0] for one in answer["results"] if "error" in one]
    assert errors == [
        'There is no place called "Xyzzy"',
        '"Springfield" is the name of several places',
        "Open-Meteo refused the question (status 400): No data is available for this location",
        'The location is blank; name a place, such as "Vienna" or "48',
    ]
    assert answer["failed"] == 4


def test_a_batch_without_any_answer_is_an_error_with_all_reasons(weather: Weather) -> None:
    with pytest.raises(ToolFailed) as caught:
        weather.plugin.call("get_batch_weather", locations=["Xyzzy", "Springfield"])
    assert "Xyzzy: There is no place" in caught.value.text
    assert "Springfield: " in caught.value.text


def test_a_service_that_fails_is_asked_no_further(manifest: Path) -> None:
    limit = {"error": True, "reason": "Minutely API request limit exceeded. Please try again in one minute."}
    with (
        local_site(lambda request: Reply(limit, status=429)) as site,
        open_plugin(manifest, **options(site)) as plugin,
    ):
        with pytest.raises(ToolFailed, match=r"no more requests for now \(status 429\): Minutely API request limit"):
            plugin.call("get_batch_weather", locations=["Graz", "Vienna", "Linz"])
        assert len(site.requests) == 1


def test_an_answer_that_is_no_json_is_the_services_failure(manifest: Path) -> None:
    with (
        local_site(lambda request: Reply("<html>", status=200)) as site,
        open_plugin(manifest, **options(site)) as plugin,
        pytest.raises(ToolFailed, match="answered what is not its JSON"),
    ):
        plugin.call("get_weather", location="Graz")


@requirement("plugins:no-panics")
@pytest.mark.timeout(120)
def test_whatever_the_service_answers_is_an_answer_or_an_error(manifest: Path) -> None:
    replies: list[Reply] = []
    near = st.fixed_dictionaries(
        {
            "results": st.lists(
                st.fixed_dictionaries(
                    {
                        "name": st.just("Graz") | ANY_JSON,
                        "latitude": st.floats(allow_nan=False, allow_infinity=False) | ANY_JSON,
                        "longitude": st.floats(allow_nan=False, allow_infinity=False) | ANY_JSON,
                    }
                ),
                max_size=3,
            )
        }
    )
    bodies = ANY_JSON | near | st.binary(max_size=80)
    with (
        local_site(lambda request: replies[0]) as site,
        open_plugin(manifest, **options(site)) as plugin,
    ):

        @settings(max_examples=60, deadline=None, database=None)
        @given(body=bodies, status=st.sampled_from([200, 201, 301, 400, 429, 500]))
        def check(body: Any, status: int) -> None:
            plugin.renew()
            replies[:] = [Reply(body, status=status)]
            for arguments in ({"location": "Graz"}, {"latitude": 1.0, "longitude": 1.0}):
                with pytest.raises(ToolFailed) as caught:
                    plugin.call("get_weather", **arguments)
                assert caught.value.code == "plugin_error"

        check()


def test_answers_are_kept_where_that_is_granted(keeping: Weather) -> None:
    first = keeping.plugin.call("get_weather", location="Graz")
    assert keeping.asked() == ["/v1/search", "/v1/forecast"]
    assert keeping.plugin.call("get_weather", location="graz") == first
    assert keeping.asked() == []
    keeping.plugin.call("get_weather", location="Graz", days=5)
    assert keeping.asked() == ["/v1/forecast"]
    keeping.plugin.call("get_batch_weather", locations=["Graz", "Vienna"])
    assert keeping.asked() == ["/v1/search", "/v1/forecast"]


def test_what_one_caller_asked_for_is_not_kept_for_another(keeping: Weather) -> None:
    keeping.plugin.call("get_weather", location="Graz")
    keeping.plugin.renew("somebody else")
    keeping.asked()
    keeping.plugin.call("get_weather", location="Graz")
    assert keeping.asked() == ["/v1/search", "/v1/forecast"]


def test_without_the_right_nothing_is_kept_and_all_works(weather: Weather) -> None:
    for _ in range(2):
        weather.plugin.call("get_weather", location="Graz")
        assert weather.asked() == ["/v1/search", "/v1/forecast"]


def test_the_manifest_that_ships_reaches_open_meteo_and_nothing_else(site: LocalSite) -> None:
    site.requests.clear()
    with (
        open_plugin(ROOT / "manifests/weather", **options(site)) as plugin,
        pytest.raises(ToolFailed, match="manifest allows no such host"),
    ):
        plugin.call("get_weather", location="Graz")
    assert site.requests == []


def test_it_says_what_is_missing_without_a_grant(load_plugin: LoadPlugin) -> None:
    plugin = load_plugin("manifests/weather")
    with pytest.raises(ToolFailed, match="NetworkAccess, which is not granted to 'weather'"):
        plugin.call("get_weather", location="Graz")


def test_the_readme_is_true(weather: Weather) -> None:
    for example in readme_examples(ROOT / "plugins/weather/README.md"):
        example.check(weather.plugin)
