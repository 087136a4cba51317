//! The weather somewhere, as the tools answer it.

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde_json::Number;

/// Units of what is measured.
#[data]
#[derive(Copy, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub enum Units {
    /// °C, km/h, mm
    #[default]
    Metric,
    /// °F, mph, inch
    Imperial,
}

/// Where it is.
#[data]
pub struct Location {
    /// The name, with state and country; coordinates where the place was asked for by them
    pub name: String,
    /// Degrees north
    pub latitude: f64,
    /// Degrees east
    pub longitude: f64,
}

/// The weather now.
#[data]
pub struct Current {
    /// Local time of the measure, such as 2026-11-23T14:15
    pub time: String,
    /// In words, such as "light rain"
    pub conditions: String,
    /// WMO code of the conditions
    pub weather_code: Option<Number>,
    /// Whether the sun is up
    pub is_day: Option<bool>,
    /// Air temperature
    pub temperature: Option<Number>,
    /// Temperature as it is felt
    pub feels_like: Option<Number>,
    /// Relative humidity in percent
    pub humidity: Option<Number>,
    /// Rain, showers and snow of the last quarter of an hour
    pub precipitation: Option<Number>,
    /// Share of the sky in clouds, in percent
    pub cloud_cover: Option<Number>,
    /// Speed of the wind
    pub wind_speed: Option<Number>,
    /// Where the wind comes from, in degrees; 0 is north
    pub wind_direction: Option<Number>,
    /// Speed of gusts
    pub wind_gusts: Option<Number>,
}

/// A day of the forecast.
#[data]
pub struct Day {
    /// The date there
    pub date: String,
    /// In words, the worst of the day
    pub conditions: String,
    /// WMO code of the conditions
    pub weather_code: Option<Number>,
    /// Highest temperature
    pub temperature_max: Option<Number>,
    /// Lowest temperature
    pub temperature_min: Option<Number>,
    /// Sum of rain, showers and snow
    pub precipitation: Option<Number>,
    /// Highest probability of it, in percent
    pub precipitation_probability: Option<Number>,
    /// Highest speed of the wind
    pub wind_speed_max: Option<Number>,
    /// Highest UV index
    pub uv_index_max: Option<Number>,
    /// Local time of sunrise
    pub sunrise: Option<String>,
    /// Local time of sunset
    pub sunset: Option<String>,
}

/// What the numbers are in.
#[data]
pub struct UnitNames {
    /// °C or °F
    pub temperature: String,
    /// km/h or mp/h
    pub wind_speed: String,
    /// mm or inch
    pub precipitation: String,
}

/// The weather somewhere, now and on the days to come.
#[data]
pub struct Weather {
    /// Where it is
    pub location: Location,
    /// Its time zone, such as Europe/Vienna; times are local
    pub timezone: String,
    /// What the numbers are in
    pub units: UnitNames,
    /// The weather now
    pub current: Current,
    /// Today and the days to come
    pub days: Vec<Day>,
    /// Whose data it is
    pub attribution: String,
}
