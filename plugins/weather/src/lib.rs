//! `weather`: the weather of places, from [Open-Meteo](https://open-meteo.com), which asks for no key.
//!
//! The way of a call: [`question`] reads what was asked for → [`places`] finds it with the geocoding API → [`forecast`]
//! reads the weather there → [`weather`] says it in words, by the [`codes`] of the WMO. [`client`] speaks HTTP,
//! [`cache`] keeps answers where the operator grants `StorageAccess`. [`tools`] puts them together.
//!
//! A batch looks its places up one after the other and asks for all forecasts in one request: a plugin is one thread,
//! so that never more than one request is open.

pub mod cache;
pub mod client;
pub mod codes;
pub mod config;
pub mod forecast;
pub mod places;
pub mod question;
pub mod states;
pub mod tools;
pub mod weather;

use agentmem_plugin_sdk::prelude::*;

use tools::{get_batch_weather, get_weather};

export_plugin!(
    name = "Weather",
    config = config::Config,
    requires = [ConfigAccess, LoggingAccess],
    tools = [get_weather, get_batch_weather]
);
