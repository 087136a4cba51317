//! The configuration: how much one request and one call may take.

use agentmem_plugin_sdk::{config, Error};

/// Tokens of an answer where nobody says: what an alias has unless the operator sets it.
const ANSWER_TOKENS: u32 = 1_024;

/// What the operator can set.
#[config]
#[derive(Copy, PartialEq)]
pub struct Config {
    /// Tokens of material in one request, 200 to 200000; about what the model has room for, less the answer
    #[schemars(range(min = 200, max = 200_000))]
    pub context_tokens: u32,
    /// Longest answer in tokens, 50 to 100000; the alias's own bound where it is not set
    #[schemars(range(min = 50, max = 100_000))]
    pub answer_tokens: Option<u32>,
    /// Requests to the model in one call, 1 to 1000; the limit max_llm_calls holds beside it
    #[schemars(range(min = 1, max = 1_000))]
    pub max_calls: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { context_tokens: 6_000, answer_tokens: None, max_calls: 8 }
    }
}

/// The configuration as numbers that are known to be in bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// Tokens of material in one request.
    pub context_tokens: usize,
    /// Tokens of an answer; the alias's own bound where none is set.
    pub answer_tokens: Option<u32>,
    /// Requests to the model in one call.
    pub most_calls: usize,
}

impl Room {
    /// Check the configuration.
    ///
    /// # Errors
    /// When a value is out of its bounds.
    pub fn new(config: Config) -> Result<Self, Error> {
        let answer_tokens = config.answer_tokens.map(|tokens| bounded("answer_tokens", tokens, 50, 100_000));
        Ok(Self {
            context_tokens: bounded("context_tokens", config.context_tokens, 200, 200_000)? as usize,
            answer_tokens: answer_tokens.transpose()?,
            most_calls: bounded("max_calls", config.max_calls, 1, 1_000)? as usize,
        })
    }

    /// Tokens that an answer can be expected to have room for.
    pub fn expected_answer(&self) -> usize {
        self.answer_tokens.unwrap_or(ANSWER_TOKENS) as usize
    }
}

fn bounded(name: &str, value: u32, least: u32, most: u32) -> Result<u32, Error> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(Error::new(format!("The config value {name} is {value}; it must be between {least} and {most}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_holds_within_bounds() {
        let room = Room { context_tokens: 6_000, answer_tokens: None, most_calls: 8 };
        assert_eq!(Room::new(Config::default()), Ok(room));
        assert_eq!(room.expected_answer(), 1_024);
        let given = Config { answer_tokens: Some(50), ..Config::default() };
        assert_eq!(Room::new(given).map(|room| room.expected_answer()), Ok(50));
        for odd in [
            Config { context_tokens: 199, ..Config::default() },
            Config { answer_tokens: Some(100_001), ..Config::default() },
            Config { max_calls: 0, ..Config::default() },
        ] {
            assert!(Room::new(odd).is_err(), "{odd:?}");
        }
    }
}
