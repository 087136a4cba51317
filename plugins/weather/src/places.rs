//! Where a name is: the geocoding API's answer, and which of several places of a name is meant.

use agentmem_plugin_sdk::prelude::*;

use crate::client::{get, url_of, Failure};
use crate::config::Config;
use crate::states;
use crate::weather::Location;

/// How many places are told apart.
const CHOICES: usize = 8;
/// A place with so many times the people of the next of its name is meant by the bare name.
const DOMINANT: u64 = 10;
/// Two places of a name nearer than this, in degrees, are one: a town and its district.
const SAME: f64 = 0.3;

#[data]
#[derive(Default)]
struct Answer {
    #[serde(default)]
    results: Vec<Place>,
}

#[data]
struct Place {
    name: String,
    latitude: f64,
    longitude: f64,
    country: Option<String>,
    country_code: Option<String>,
    admin1: Option<String>,
    admin2: Option<String>,
    admin3: Option<String>,
    population: Option<u64>,
}

impl Place {
    fn label(&self) -> String {
        let region = self.admin1.as_ref().filter(|region| **region != self.name);
        let parts: Vec<&str> =
            [Some(&self.name), region, self.country.as_ref()].into_iter().flatten().map(String::as_str).collect();
        parts.join(", ")
    }

    fn choice(&self) -> String {
        format!("{} ({}, {})", self.label(), self.latitude, self.longitude)
    }

    /// Whether it lies in what a name calls: a country, a state, a district.
    fn lies_in(&self, region: &str) -> bool {
        let region = region.to_lowercase();
        let regions = [&self.country, &self.country_code, &self.admin1, &self.admin2, &self.admin3];
        let state = states::name_of(&region).filter(|_| matches!(self.country_code.as_deref(), Some("US" | "CA")));
        regions.into_iter().flatten().any(|name| {
            let name = name.to_lowercase();
            name == region || Some(name.as_str()) == state
        })
    }

    fn rivals(&self, other: &Place) -> bool {
        let near = (self.latitude - other.latitude).abs() < SAME && (self.longitude - other.longitude).abs() < SAME;
        let people = other.population.unwrap_or(0).saturating_mul(DOMINANT);
        !near && self.name.to_lowercase() == other.name.to_lowercase() && people >= self.population.unwrap_or(0)
    }
}

/// Find the one place that a name means.
///
/// # Errors
/// There is none, several are as likely (all are named), or the service fails.
pub fn find(config: &Config, name: &str, within: &[String]) -> Result<Location, Failure> {
    // All of a name are asked for where something tells them apart, for the one that is meant may be small.
    let count = if within.is_empty() { "10" } else { "100" };
    let query = [
        ("name", name.to_owned()),
        ("count", count.to_owned()),
        ("language", config.language.clone()),
        ("format", "json".to_owned()),
    ];
    let answer: Answer = get(url_of(&config.geocoding_url, "/v1/search", &query), config.timeout_ms)?;
    choose(name, within, &answer.results)
}

fn choose(name: &str, within: &[String], places: &[Place]) -> Result<Location, Failure> {
    let fitting: Vec<&Place> =
        places.iter().filter(|place| within.iter().all(|region| place.lies_in(region))).collect();
    let Some((first, others)) = fitting.split_first() else {
        return Err(Failure::Question(nowhere(name, within, places)));
    };
    let rivals: Vec<&Place> = others.iter().copied().filter(|other| first.rivals(other)).collect();
    if rivals.is_empty() {
        return Ok(Location { name: first.label(), latitude: first.latitude, longitude: first.longitude });
    }
    let choices = told(std::iter::once(*first).chain(rivals));
    Err(Failure::Question(format!(
        "\"{name}\" is the name of several places. Call again with one of these, or with its coordinates: {choices}."
    )))
}

fn nowhere(name: &str, within: &[String], places: &[Place]) -> String {
    if places.is_empty() {
        return format!("There is no place called \"{name}\". Check the spelling, or give latitude and longitude.");
    }
    format!("There is no \"{name}\" in {}. There is: {}.", within.join(", "), told(places.iter()))
}

fn told<'a>(places: impl Iterator<Item = &'a Place>) -> String {
    let choices: Vec<String> = places.take(CHOICES).map(Place::choice).collect();
    choices.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, region: &str, country: [&str; 2], at: [f64; 2], population: u64) -> Place {
        Place {
            name: name.to_owned(),
            latitude: at[0],
            longitude: at[1],
            country: Some(country[0].to_owned()),
            country_code: Some(country[1].to_owned()),
            admin1: Some(region.to_owned()),
            admin2: None,
            admin3: None,
            population: Some(population),
        }
    }

    const US: [&str; 2] = ["United States", "US"];

    fn springfields() -> Vec<Place> {
        vec![
            place("Springfield", "Missouri", US, [37.2153, -93.2982], 166_810),
            place("Springfield", "Massachusetts", US, [42.1015, -72.5898], 154_341),
            place("Springfield", "Illinois", US, [39.8017, -89.6437], 116_565),
            place("Springfield", "Colorado", US, [37.4083, -102.6144], 1_428),
        ]
    }

    fn chosen(name: &str, within: &[&str], places: &[Place]) -> Result<String, String> {
        let within: Vec<String> = within.iter().map(|region| (*region).to_owned()).collect();
        choose(name, &within, places).map(|found| found.name).map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn a_place_that_is_larger_than_all_others_of_its_name_is_meant() {
        let places = [
            place("Paris", "Île-de-France", ["France", "FR"], [48.85341, 2.3488], 2_138_551),
            place("Paris", "Texas", US, [33.66094, -95.55551], 24_782),
        ];
        assert_eq!(chosen("paris", &[], &places), Ok("Paris, Île-de-France, France".to_owned()));
        assert_eq!(chosen("paris", &["TX"], &places), Ok("Paris, Texas, United States".to_owned()));
        assert_eq!(chosen("paris", &["texas", "us"], &places), Ok("Paris, Texas, United States".to_owned()));
    }

    #[test]
    fn places_of_a_name_that_are_as_likely_are_named() {
        let told = chosen("Springfield", &[], &springfields()).unwrap_err();
        let expected = "\"Springfield\" is the name of several places. Call again with one of these, or with its \
                        coordinates: Springfield, Missouri, United States (37.2153, -93.2982); Springfield, \
                        Massachusetts, United States (42.1015, -72.5898); Springfield, Illinois, United States \
                        (39.8017, -89.6437).";
        assert_eq!(told, expected);
        let again = chosen("Springfield", &["Illinois", "United States"], &springfields());
        assert_eq!(again, Ok("Springfield, Illinois, United States".to_owned()));
    }

    #[test]
    fn a_place_that_is_not_where_it_was_looked_for_is_not_taken_for_another() {
        let told = chosen("Springfield", &["Austria"], &springfields()[..1]).unwrap_err();
        let expected = "There is no \"Springfield\" in Austria. There is: Springfield, Missouri, United States \
                        (37.2153, -93.2982).";
        assert_eq!(told, expected);
        let nowhere = chosen("Xyzzy", &[], &[]).unwrap_err();
        assert!(nowhere.starts_with("There is no place called \"Xyzzy\"."), "{nowhere}");
    }

    #[test]
    fn a_town_and_its_district_are_one_place() {
        let vienna = ["Austria", "AT"];
        let places = [
            place("Vienna", "Vienna", vienna, [48.20849, 16.37208], 1_691_468),
            place("Vienna", "Vienna", vienna, [48.20, 16.38], 1_600_000),
        ];
        assert_eq!(chosen("Vienna", &[], &places), Ok("Vienna, Austria".to_owned()));
    }
}
