//! Countries: which two letters are a country's (ISO 3166-1, and XK, which banks use for Kosovo).

use std::str::FromStr;

use iso_country::Country;

/// The name of the country with these two capitals.
pub fn name_of(code: &str) -> Option<&'static str> {
    if code == "XK" {
        return Some("Kosovo");
    }
    Country::from_str(code).ok().filter(|country| *country != Country::Unspecified).map(|country| country.name())
}

/// Whether two capitals are a country's.
pub fn is_country(code: &str) -> bool {
    name_of(code).is_some()
}
