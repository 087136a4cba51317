//! What was asked for: a place by its name, or by its coordinates. Reads texts; knows nothing of the network.

use agentmem_plugin_sdk::prelude::*;

/// The longest name of a place, in bytes.
const LONGEST: usize = 200;

/// A place, as it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// By its name.
    Named {
        /// The name.
        name: String,
        /// What tells it from others of the name: state, country.
        within: Vec<String>,
    },
    /// By its coordinates.
    At {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
    },
}

impl Question {
    /// Read a text: "Vienna", "Springfield, Illinois", "48.21, 16.37".
    ///
    /// # Errors
    /// There is no name in it, it is too long, or the coordinates are out of range.
    pub fn read(location: &str) -> Result<Question, Error> {
        if location.len() > LONGEST {
            return Err(format!("A location has {} bytes; at most {LONGEST} are taken.", location.len()).into());
        }
        let mut parts = location.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned);
        let Some(name) = parts.next() else {
            return Err("The location is blank; name a place, such as \"Vienna\" or \"48.21, 16.37\".".into());
        };
        let within: Vec<String> = parts.collect();
        if let (Ok(latitude), [Ok(longitude)]) =
            (name.parse(), &within.iter().map(|p| p.parse()).collect::<Vec<_>>()[..])
        {
            return Question::at(latitude, *longitude);
        }
        if name.chars().count() < 2 {
            return Err(format!("\"{name}\" is too short to look up: two characters are needed.").into());
        }
        Ok(Question::Named { name, within })
    }

    /// Take coordinates.
    ///
    /// # Errors
    /// They are out of range.
    pub fn at(latitude: f64, longitude: f64) -> Result<Question, Error> {
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(format!("The latitude is {latitude}; it goes from -90 to 90.").into());
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(format!("The longitude is {longitude}; it goes from -180 to 180.").into());
        }
        Ok(Question::At { latitude, longitude })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, within: &[&str]) -> Question {
        Question::Named { name: name.to_owned(), within: within.iter().map(|part| (*part).to_owned()).collect() }
    }

    fn refused(location: &str) -> String {
        Question::read(location).expect_err("refused").to_string()
    }

    #[test]
    fn a_name_may_say_where_the_place_is() {
        assert_eq!(Question::read(" Vienna "), Ok(named("Vienna", &[])));
        assert_eq!(
            Question::read("Springfield, Illinois,, United States"),
            Ok(named("Springfield", &["Illinois", "United States"]))
        );
        assert_eq!(Question::read("1010, Austria"), Ok(named("1010", &["Austria"])));
    }

    #[test]
    fn two_numbers_are_coordinates() {
        assert_eq!(Question::read("48.21, -16.37"), Ok(Question::At { latitude: 48.21, longitude: -16.37 }));
        assert_eq!(refused("91, 0"), "The latitude is 91; it goes from -90 to 90.");
        assert_eq!(refused("0, inf"), "The longitude is inf; it goes from -180 to 180.");
        assert_eq!(refused("NaN, 0"), "The latitude is NaN; it goes from -90 to 90.");
    }

    #[test]
    fn what_names_no_place_is_refused() {
        assert!(refused(" , ").starts_with("The location is blank"));
        assert_eq!(refused("x"), "\"x\" is too short to look up: two characters are needed.");
        assert_eq!(refused(&"x".repeat(201)), "A location has 201 bytes; at most 200 are taken.");
    }
}
