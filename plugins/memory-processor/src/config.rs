//! The configuration: how long a content may be.

use agentmem_plugin_sdk::{config, Error};

/// What the operator can set.
#[config]
#[derive(Copy, PartialEq)]
pub struct Config {
    /// Longest content in characters that process_memory takes
    #[schemars(range(min = 1))]
    pub max_content_length: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_content_length: 10_000 }
    }
}

impl Config {
    /// The longest content, in characters.
    ///
    /// # Errors
    /// When it is 0.
    pub fn longest(self) -> Result<usize, Error> {
        match self.max_content_length {
            0 => Err("The config value max_content_length is 0; it must be a whole number above 0.".into()),
            length => Ok(usize::try_from(length).unwrap_or(usize::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_above_0_is_taken() {
        assert_eq!(Config::default().longest(), Ok(10_000));
        assert_eq!(Config { max_content_length: 1 }.longest(), Ok(1));
        assert!(Config { max_content_length: 0 }.longest().is_err());
    }
}
