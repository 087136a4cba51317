"""A server that speaks the two APIs of Open-Meteo as they are documented, over a few towns; for tests.

Geocoding: ``/v1/search`` with ``name``, ``count``, ``language``; a name that nobody knows has no ``results``. Forecast:
``/v1/forecast``, one place or several separated by commas, whose answer then is a list. What is wrong with a request is
told with status 400 as ``{"error": true, "reason": …}``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from mcp_server.testing import Reply
from mcp_server.testing.servers import WebRequest

__all__ = ["answer"]

US = {"country": "United States", "country_code": "US"}
TOWNS: list[dict[str, Any]] = [
    {"name": "Vienna", "latitude": 48.20849, "longitude": 16.37208, "country": "Austria", "country_code": "AT"}
    | {"admin1": "Vienna", "population": 1691468},
    {"name": "Vienna", "latitude": 38.90122, "longitude": -77.26526, "admin1": "Virginia", "population": 16522} | US,
    {"name": "Graz", "latitude": 47.06667, "longitude": 15.45, "country": "Austria", "country_code": "AT"}
    | {"admin1": "Styria", "population": 222326},
    {"name": "Springfield", "latitude": 37.21533, "longitude": -93.29824, "admin1": "Missouri", "population": 166810}
    | US,
    {"name": "Springfield", "latitude": 39.80172, "longitude": -89.64371, "admin1": "Illinois", "population": 116565}
    | US,
    {"name": "Nowhere", "latitude": 89.5, "longitude": 0.0, "country": "Sea", "country_code": "XS"},
]
CURRENT = {
    "temperature_2m": 7.4,
    "relative_humidity_2m": 81,
    "apparent_temperature": 4.9,
    "is_day": 1,
    "precipitation": 0.2,
    "weather_code": 61,
    "cloud_cover": 100,
    "wind_speed_10m": 11.2,
    "wind_direction_10m": 284,
    "wind_gusts_10m": 24.5,
}
DAILY = {
    "weather_code": 63,
    "temperature_2m_max": 8.1,
    "temperature_2m_min": 3.6,
    "precipitation_sum": 4.7,
    "precipitation_probability_max": 88,
    "wind_speed_10m_max": 18.4,
    "uv_index_max": 1.35,
    "sunrise": "2026-11-{day}T07:14",
    "sunset": "2026-11-{day}T16:08",
}
UNREACHABLE_NORTH = 89.0
"""North of this the forecast API refuses, so that one place of several can be the wrong one."""


def answer(request: WebRequest) -> Reply:
    """What the site answers."""
    url = urlsplit(request.path)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    if url.path == "/v1/search":
        return _search(query)
    if url.path == "/v1/forecast":
        return _forecast(query)
    return Reply({"error": True, "reason": "Not Found"}, status=404)


def _search(query: dict[str, str]) -> Reply:
    found = [town for town in TOWNS if town["name"].lower() == query["name"].lower()][: int(query["count"])]
    return Reply({"generationtime_ms": 0.5} | ({"results": found} if found else {}))


def _forecast(query: dict[str, str]) -> Reply:
    latitudes, longitudes = (list(map(float, query[name].split(","))) for name in ("latitude", "longitude"))
    days = int(query["forecast_days"])
    if any(latitude > UNREACHABLE_NORTH for latitude in latitudes):
        return Reply({"error": True, "reason": "No data is available for this location."}, status=400)
    forecasts = [_one(*place, days, query) for place in zip(latitudes, longitudes, strict=True)]
    return Reply(forecasts if len(forecasts) > 1 else forecasts[0])


def _one(latitude: float, longitude: float, days: int, query: dict[str, str]) -> dict[str, Any]:
    imperial = query.get("temperature_unit") == "fahrenheit"
    dates = [str(23 + number) for number in range(days)]
    return {
        "latitude": latitude,
        "longitude": longitude,
        "generationtime_ms": 0.1,
        "utc_offset_seconds": 3600,
        "timezone": "Europe/Vienna",
        "elevation": 171.0,
        "current_units": {
            "temperature_2m": "°F" if imperial else "°C",
            "wind_speed_10m": "mp/h" if query.get("wind_speed_unit") == "mph" else "km/h",
            "precipitation": "inch" if query.get("precipitation_unit") == "inch" else "mm",
        },
        "current": {"time": "2026-11-23T14:15", "interval": 900}
        | {name: value for name, value in CURRENT.items() if name in query["current"].split(",")},
        "daily": {"time": [f"2026-11-{day}" for day in dates]}
        | {name: [_dated(DAILY[name], day) for day in dates] for name in query["daily"].split(",")},
    }


def _dated(value: Any, day: str) -> Any:
    return value.replace("{day}", day) if isinstance(value, str) else value
