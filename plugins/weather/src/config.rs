//! What the operator can set.

use agentmem_plugin_sdk::prelude::*;

use crate::weather::Units;

/// What the operator can set.
#[config]
pub struct Config {
    /// Where the geocoding API is; `/v1/search` is added
    pub geocoding_url: String,
    /// Where the forecast API is; `/v1/forecast` is added
    pub forecast_url: String,
    /// Language of the names of places, such as "en" or "de"
    pub language: String,
    /// Units where a call names none
    pub units: Units,
    /// How long a forecast is kept, in minutes; 0 keeps nothing. Needs StorageAccess
    pub cache_minutes: u32,
    /// How long one request may take, in milliseconds
    #[schemars(range(min = 100, max = 60000))]
    pub timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            geocoding_url: "https://geocoding-api.open-meteo.com".to_owned(),
            forecast_url: "https://api.open-meteo.com".to_owned(),
            language: "en".to_owned(),
            units: Units::Metric,
            cache_minutes: 10,
            timeout_ms: 2000,
        }
    }
}
