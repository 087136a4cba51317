//! Why a call was refused, as one sentence that says what is wrong and what would be right.

use std::fmt;

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub String);

impl Refusal {
    /// A refusal because a file's bytes are not what its kind promises.
    #[must_use]
    pub fn broken(kind: &str, reason: &dyn fmt::Display) -> Self {
        Self(format!("The {kind} data cannot be read: {reason}."))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}
