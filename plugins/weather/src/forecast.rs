//! The forecast API: one request for one or many places, and its answer as [`Weather`].

use agentmem_plugin_sdk::serde::Deserialize;
use agentmem_plugin_sdk::serde_json::Number;

use crate::client::{get, url_of, Failure};
use crate::codes;
use crate::config::Config;
use crate::weather::{Current, Day, Location, UnitNames, Units, Weather};

const CURRENT: &str = "temperature_2m,relative_humidity_2m,apparent_temperature,is_day,precipitation,weather_code,\
                       cloud_cover,wind_speed_10m,wind_direction_10m,wind_gusts_10m";
const DAILY: &str = "weather_code,temperature_2m_max,temperature_2m_min,precipitation_sum,\
                     precipitation_probability_max,wind_speed_10m_max,uv_index_max,sunrise,sunset";
const ATTRIBUTION: &str = "Weather data by Open-Meteo.com, CC BY 4.0";

/// For many places the API answers a list, for one the place alone.
#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde", untagged)]
enum Answer {
    Many(Vec<Forecast>),
    One(Box<Forecast>),
}

#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
struct Forecast {
    timezone: String,
    current_units: CurrentUnits,
    current: Now,
    daily: Daily,
}

#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
struct CurrentUnits {
    temperature_2m: String,
    wind_speed_10m: String,
    precipitation: String,
}

#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
struct Now {
    time: String,
    temperature_2m: Option<Number>,
    relative_humidity_2m: Option<Number>,
    apparent_temperature: Option<Number>,
    is_day: Option<Number>,
    precipitation: Option<Number>,
    weather_code: Option<Number>,
    cloud_cover: Option<Number>,
    wind_speed_10m: Option<Number>,
    wind_direction_10m: Option<Number>,
    wind_gusts_10m: Option<Number>,
}

type Column<T> = Vec<Option<T>>;

#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
struct Daily {
    time: Vec<String>,
    #[serde(default)]
    weather_code: Column<Number>,
    #[serde(default)]
    temperature_2m_max: Column<Number>,
    #[serde(default)]
    temperature_2m_min: Column<Number>,
    #[serde(default)]
    precipitation_sum: Column<Number>,
    #[serde(default)]
    precipitation_probability_max: Column<Number>,
    #[serde(default)]
    wind_speed_10m_max: Column<Number>,
    #[serde(default)]
    uv_index_max: Column<Number>,
    #[serde(default)]
    sunrise: Column<String>,
    #[serde(default)]
    sunset: Column<String>,
}

/// Ask for the weather of some places, in their order.
///
/// # Errors
/// The API refuses one of them, or fails.
pub fn fetch(config: &Config, places: &[Location], days: u8, units: Units) -> Result<Vec<Weather>, Failure> {
    let url = url_of(&config.forecast_url, "/v1/forecast", &query(places, days, units));
    let forecasts = match get(url, config.timeout_ms)? {
        Answer::Many(forecasts) => forecasts,
        Answer::One(forecast) => vec![*forecast],
    };
    if forecasts.len() != places.len() {
        return Err(Failure::Service(format!(
            "Open-Meteo answered {} forecasts for {} places.",
            forecasts.len(),
            places.len()
        )));
    }
    Ok(places.iter().zip(forecasts).map(|(place, forecast)| weather(place, forecast)).collect())
}

fn query(places: &[Location], days: u8, units: Units) -> Vec<(&'static str, String)> {
    let listed =
        |of: fn(&Location) -> f64| places.iter().map(|place| of(place).to_string()).collect::<Vec<String>>().join(",");
    let mut query = vec![
        ("latitude", listed(|place| place.latitude)),
        ("longitude", listed(|place| place.longitude)),
        ("current", CURRENT.to_owned()),
        ("daily", DAILY.to_owned()),
        ("timezone", "auto".to_owned()),
        ("forecast_days", days.to_string()),
    ];
    if units == Units::Imperial {
        query.push(("temperature_unit", "fahrenheit".to_owned()));
        query.push(("wind_speed_unit", "mph".to_owned()));
        query.push(("precipitation_unit", "inch".to_owned()));
    }
    query
}

fn weather(place: &Location, forecast: Forecast) -> Weather {
    Weather {
        location: place.clone(),
        timezone: forecast.timezone,
        units: UnitNames {
            temperature: forecast.current_units.temperature_2m,
            wind_speed: forecast.current_units.wind_speed_10m,
            precipitation: forecast.current_units.precipitation,
        },
        current: current(forecast.current),
        days: days(&forecast.daily),
        attribution: ATTRIBUTION.to_owned(),
    }
}

fn current(now: Now) -> Current {
    Current {
        time: now.time,
        conditions: conditions(now.weather_code.as_ref()),
        weather_code: now.weather_code,
        is_day: now.is_day.and_then(|number| number.as_f64()).map(|number| number != 0.0),
        temperature: now.temperature_2m,
        feels_like: now.apparent_temperature,
        humidity: now.relative_humidity_2m,
        precipitation: now.precipitation,
        cloud_cover: now.cloud_cover,
        wind_speed: now.wind_speed_10m,
        wind_direction: now.wind_direction_10m,
        wind_gusts: now.wind_gusts_10m,
    }
}

fn days(daily: &Daily) -> Vec<Day> {
    fn at<T: Clone>(column: &Column<T>, index: usize) -> Option<T> {
        column.get(index).cloned().flatten()
    }
    let day = |(index, date): (usize, &String)| Day {
        date: date.clone(),
        conditions: conditions(at(&daily.weather_code, index).as_ref()),
        weather_code: at(&daily.weather_code, index),
        temperature_max: at(&daily.temperature_2m_max, index),
        temperature_min: at(&daily.temperature_2m_min, index),
        precipitation: at(&daily.precipitation_sum, index),
        precipitation_probability: at(&daily.precipitation_probability_max, index),
        wind_speed_max: at(&daily.wind_speed_10m_max, index),
        uv_index_max: at(&daily.uv_index_max, index),
        sunrise: at(&daily.sunrise, index),
        sunset: at(&daily.sunset, index),
    };
    daily.time.iter().enumerate().map(day).collect()
}

fn conditions(code: Option<&Number>) -> String {
    let words = code.and_then(Number::as_f64).map_or("unknown", |code| codes::words(code as u16));
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use agentmem_plugin_sdk::prelude::*;
    use agentmem_plugin_sdk::testing::TestHost;

    fn answer(body: Value) -> Result<Vec<Weather>, Failure> {
        let place = Location { name: "Here".to_owned(), latitude: 48.2, longitude: -16.37 };
        let host = TestHost::new().on("http_request", move |_| Ok(json!({"status": 200, "body": body.to_string()})));
        host.run(|| fetch(&Config::default(), &[place], 2, Units::Imperial))
    }

    fn forecast() -> Value {
        json!({
            "timezone": "Europe/Vienna",
            "current_units": {"temperature_2m": "°F", "wind_speed_10m": "mp/h", "precipitation": "inch"},
            "current": {"time": "2026-11-23T14:15", "temperature_2m": 45, "weather_code": 61, "is_day": 1},
            "daily": {"time": ["2026-11-23", "2026-11-24"], "weather_code": [3, null], "temperature_2m_max": [50.5]},
        })
    }

    #[test]
    fn what_was_not_measured_is_null_and_never_made_up() {
        let weather = answer(forecast()).expect("weather").remove(0);
        assert_eq!((weather.current.conditions.as_str(), weather.current.humidity), ("light rain", None));
        assert_eq!(weather.current.is_day, Some(true));
        let told: Vec<(&str, Option<f64>)> = weather
            .days
            .iter()
            .map(|day| (day.conditions.as_str(), day.temperature_max.as_ref().and_then(Number::as_f64)))
            .collect();
        assert_eq!(told, [("overcast", Some(50.5)), ("unknown", None)]);
    }

    #[test]
    fn one_place_may_come_in_a_list() {
        assert_eq!(answer(json!([forecast()])), answer(forecast()));
        let none = answer(json!([])).unwrap_err();
        assert_eq!(none.message(), "Open-Meteo answered 0 forecasts for 1 places.");
    }

    #[test]
    fn an_answer_without_a_forecast_is_the_services_failure() {
        assert!(matches!(answer(json!({"latitude": 48.2})), Err(Failure::Service(_))));
    }
}
