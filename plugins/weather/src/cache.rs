//! Answers that are kept for the caller, where the operator grants `StorageAccess`; without it, nothing is kept.

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde::de::DeserializeOwned;
use agentmem_plugin_sdk::serde::Serialize;
use host::storage::{load, store_with, StoreOptions};

/// How long a place is kept: names and coordinates hardly change.
const PLACES_SECONDS: u64 = 30 * 24 * 3600;

/// What is kept in the course of one call.
pub struct Cache {
    open: bool,
    forecast_seconds: u64,
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Where a name is.
    Place,
    /// The weather somewhere.
    Forecast,
}

impl Cache {
    /// A cache that keeps forecasts so many minutes; with 0 it keeps nothing.
    pub fn new(minutes: u32) -> Self {
        Cache { open: minutes > 0, forecast_seconds: u64::from(minutes) * 60 }
    }

    /// What is kept under a key. What cannot be read is as good as nothing.
    pub fn get<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        if !self.open {
            return None;
        }
        match load(key) {
            Ok(found) => found.map(|found| found.value),
            Err(reason) => {
                // A value that an older version kept is read anew; without the right there is no use in asking again.
                self.open = reason.code == "unexpected_answer";
                None
            }
        }
    }

    /// Keep a value. That it cannot be kept fails no call.
    pub fn put<T: Serialize>(&mut self, kind: Kind, key: &str, value: &T) {
        if !self.open {
            return;
        }
        let seconds = if kind == Kind::Place { PLACES_SECONDS } else { self.forecast_seconds };
        let options = StoreOptions { ttl_seconds: Some(seconds), ..StoreOptions::default() };
        if let Err(reason) = store_with(key, value, options) {
            host::log::debug("an answer was not kept", json!({"code": reason.code}));
            self.open = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agentmem_plugin_sdk::testing::TestHost;

    #[test]
    fn what_is_kept_has_an_end() {
        let host = TestHost::new().on("store_data", |_| Ok(json!({"key": "k", "version": 1, "expires_at": null})));
        host.run(|| {
            let mut cache = Cache::new(10);
            cache.put(Kind::Forecast, "k", &1);
            cache.put(Kind::Place, "k", &1);
        });
        let stored = host.calls("store_data");
        assert_eq!([&stored[0]["ttl_seconds"], &stored[1]["ttl_seconds"]], [&json!(600), &json!(2_592_000)]);
    }

    #[test]
    fn without_the_right_it_asks_once_and_keeps_nothing() {
        let host = TestHost::new().refuse("load_data", HostError::new("capability_denied", "not granted"));
        host.run(|| {
            let mut cache = Cache::new(10);
            assert_eq!([cache.get::<u8>("a"), cache.get::<u8>("b")], [None, None]);
            cache.put(Kind::Place, "a", &1);
        });
        assert_eq!((host.calls("load_data").len(), host.calls("store_data").len()), (1, 0));
    }

    #[test]
    fn a_cache_of_no_minutes_asks_nothing() {
        let host = TestHost::new();
        assert_eq!(host.run(|| Cache::new(0).get::<u8>("a")), None);
        assert!(host.calls("load_data").is_empty());
    }

    #[test]
    fn a_value_of_another_form_is_read_anew() {
        let host = TestHost::new()
            .on("load_data", |_| Ok(json!({"value": "old", "version": 1, "expires_at": null})))
            .on("store_data", |_| Ok(json!({"key": "k", "version": 2, "expires_at": null})));
        host.run(|| {
            let mut cache = Cache::new(10);
            assert_eq!(cache.get::<u8>("k"), None);
            cache.put(Kind::Forecast, "k", &5);
        });
        assert_eq!(host.calls("store_data")[0]["value"], 5);
    }
}
