//! The tools: a question, or several, and what is known of the weather there.

use agentmem_plugin_sdk::prelude::*;

use crate::cache::{Cache, Kind};
use crate::client::Failure;
use crate::config::Config;
use crate::forecast;
use crate::places;
use crate::question::Question;
use crate::weather::{Location, Units, Weather};

/// What `get_weather` is called with: `location`, or `latitude` and `longitude`.
#[request]
pub struct WeatherRequest {
    /// A place, such as "Vienna", "Springfield, Illinois" or "48.21, 16.37"
    #[serde(default)]
    pub location: Option<String>,
    /// Degrees north, in place of a location
    #[serde(default)]
    #[schemars(range(min = -90, max = 90))]
    pub latitude: Option<f64>,
    /// Degrees east, in place of a location
    #[serde(default)]
    #[schemars(range(min = -180, max = 180))]
    pub longitude: Option<f64>,
    /// Days of forecast, today included
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 16))]
    pub days: u8,
    /// Metric or imperial; left out, what the operator has set
    #[serde(default)]
    pub units: Option<Units>,
}

/// What `get_batch_weather` is called with.
#[request]
pub struct BatchRequest {
    /// Places, each such as "Vienna", "Springfield, Illinois" or "48.21, 16.37"
    #[schemars(length(min = 1, max = 10))]
    pub locations: Vec<String>,
    /// Days of forecast, today included
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 16))]
    pub days: u8,
    /// Metric or imperial; left out, what the operator has set
    #[serde(default)]
    pub units: Option<Units>,
}

/// What is known of one place: its weather, or why there is none.
#[response]
pub struct Outcome {
    /// The place, as it was asked for
    pub asked: String,
    /// Its weather
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weather: Option<Weather>,
    /// Why there is none
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What `get_batch_weather` answers.
#[response]
pub struct BatchResponse {
    /// One for each place, in the order they were asked for
    pub results: Vec<Outcome>,
    /// How many have an error
    pub failed: usize,
}

/// The most places of one call.
const MOST_PLACES: usize = 10;

fn three() -> u8 {
    3
}

/// What one call works with.
struct Call {
    config: Config,
    cache: Cache,
    days: u8,
    units: Units,
}

/// The weather of one place.
///
/// # Errors
/// The place is not known or is one of several, or the service does not answer.
pub fn get_weather(request: WeatherRequest) -> Result<Weather, Error> {
    let question = match (&request.location, request.latitude, request.longitude) {
        (Some(location), None, None) => Question::read(location)?,
        (None, Some(latitude), Some(longitude)) => Question::at(latitude, longitude)?,
        _ => return Err("Give either `location`, or both `latitude` and `longitude`.".into()),
    };
    let mut call = Call::begin(request.days, request.units)?;
    let place = call.place(question)?;
    Ok(call.weather(&place)?)
}

/// The weather of several places; one that fails leaves the others as they are.
///
/// # Errors
/// None of them has an answer; or there are none, or too many.
pub fn get_batch_weather(request: BatchRequest) -> Result<BatchResponse, Error> {
    let count = request.locations.len();
    if count == 0 || count > MOST_PLACES {
        return Err(format!("There are {count} locations; one call takes 1 to {MOST_PLACES}.").into());
    }
    let mut call = Call::begin(request.days, request.units)?;
    let places = call.places(&request.locations);
    let answers = call.weathers(places);
    let failed = answers.iter().filter(|answer| answer.is_err()).count();
    let results: Vec<Outcome> = request.locations.into_iter().zip(answers).map(outcome).collect();
    host::log::info("asked for weather", json!({"places": count, "failed": failed}));
    if failed == count {
        let told: Vec<String> =
            results.iter().map(|one| format!("{}: {}", one.asked, one.error.as_deref().unwrap_or_default())).collect();
        return Err(told.join("\n").into());
    }
    Ok(BatchResponse { results, failed })
}

fn outcome((asked, answer): (String, Result<Weather, Failure>)) -> Outcome {
    match answer {
        Ok(weather) => Outcome { asked, weather: Some(weather), error: None },
        Err(failure) => Outcome { asked, weather: None, error: Some(failure.message().to_owned()) },
    }
}

impl Call {
    fn begin(days: u8, units: Option<Units>) -> Result<Self, Error> {
        if !(1..=16).contains(&days) {
            return Err(format!("`days` is {days}; it goes from 1 to 16.").into());
        }
        let config = Config::read()?;
        let cache = Cache::new(config.cache_minutes);
        let units = units.unwrap_or(config.units);
        Ok(Call { config, cache, days, units })
    }

    fn place(&mut self, question: Question) -> Result<Location, Failure> {
        let (name, within) = match question {
            Question::At { latitude, longitude } => {
                return Ok(Location { name: format!("{latitude}, {longitude}"), latitude, longitude });
            }
            Question::Named { name, within } => (name, within),
        };
        let key = format!("place/{}/{}, {}", self.config.language, name, within.join(", ")).to_lowercase();
        if let Some(known) = self.cache.get(&key) {
            return Ok(known);
        }
        let found = places::find(&self.config, &name, &within)?;
        self.cache.put(Kind::Place, &key, &found);
        Ok(found)
    }

    /// Look places up, one after the other, until the service fails; what is asked for twice is looked up once.
    fn places(&mut self, locations: &[String]) -> Vec<Result<Location, Failure>> {
        let mut found: Vec<Result<Location, Failure>> = Vec::with_capacity(locations.len());
        let mut down: Option<Failure> = None;
        for (index, location) in locations.iter().enumerate() {
            let before = locations.iter().take(index).position(|other| other == location);
            let answer = match (before.and_then(|before| found.get(before)), &down) {
                (Some(known), _) => known.clone(),
                (None, Some(failure)) => Err(failure.clone()),
                (None, None) => Question::read(location).map_err(Failure::from).and_then(|asked| self.place(asked)),
            };
            if let Err(failure @ Failure::Service(_)) = &answer {
                down = Some(failure.clone());
            }
            found.push(answer);
        }
        found
    }

    fn key_of(&self, place: &Location) -> String {
        format!("forecast/{}/{}/{}/{:?}", place.latitude, place.longitude, self.days, self.units)
    }

    fn known(&mut self, place: &Location) -> Option<Weather> {
        let kept: Weather = self.cache.get(&self.key_of(place))?;
        Some(Weather { location: place.clone(), ..kept })
    }

    fn weather(&mut self, place: &Location) -> Result<Weather, Failure> {
        if let Some(known) = self.known(place) {
            return Ok(known);
        }
        let found = forecast::fetch(&self.config, std::slice::from_ref(place), self.days, self.units)?;
        let weather = found.into_iter().next().ok_or_else(|| Failure::Service("There is no forecast.".to_owned()))?;
        self.cache.put(Kind::Forecast, &self.key_of(place), &weather);
        Ok(weather)
    }

    /// All forecasts in one request; one by one where the API refuses that, to find the place that it does not like.
    fn weathers(&mut self, places: Vec<Result<Location, Failure>>) -> Vec<Result<Weather, Failure>> {
        let mut answers: Vec<Result<Option<Weather>, Failure>> =
            places.iter().map(|place| place.clone().map(|place| self.known(&place))).collect();
        let mut open: Vec<Location> = Vec::new();
        for (place, answer) in places.iter().zip(&answers) {
            if let (Ok(place), Ok(None)) = (place, answer) {
                open.push(place.clone());
            }
        }
        let fetched = self.fetch_all(&open);
        for (slot, answer) in answers.iter_mut().filter(|slot| matches!(slot, Ok(None))).zip(fetched) {
            *slot = answer.map(Some);
        }
        let missing = || Failure::Service("There is no forecast.".to_owned());
        answers.into_iter().map(|answer| answer.and_then(|weather| weather.ok_or_else(missing))).collect()
    }

    fn fetch_all(&mut self, places: &[Location]) -> Vec<Result<Weather, Failure>> {
        if places.is_empty() {
            return Vec::new();
        }
        match forecast::fetch(&self.config, places, self.days, self.units) {
            Ok(found) => {
                for (place, weather) in places.iter().zip(&found) {
                    let key = self.key_of(place);
                    self.cache.put(Kind::Forecast, &key, weather);
                }
                found.into_iter().map(Ok).collect()
            }
            Err(Failure::Question(_)) if places.len() > 1 => places.iter().map(|place| self.weather(place)).collect(),
            Err(failure) => places.iter().map(|_| Err(failure.clone())).collect(),
        }
    }
}
