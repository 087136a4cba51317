//! What is refused before it is read, and the sentence that says why.

use std::fmt;

use agentmem_plugin_sdk::Error;

/// The longest code in bytes that is read.
pub const MAX_CODE_BYTES: usize = 1_000_000;

/// Why a call was refused, as a sentence.
#[derive(Debug, PartialEq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        refusal.0.into()
    }
}

/// Hold code against the limit.
///
/// # Errors
/// It is too long.
pub fn check_length(code: &str) -> Result<(), Refusal> {
    if code.len() <= MAX_CODE_BYTES {
        return Ok(());
    }
    let length = code.len();
    Err(Refusal(format!("The code has {length} bytes; at most {MAX_CODE_BYTES} are read. Split the file.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_taken_up_to_the_limit() {
        assert_eq!(check_length(&" ".repeat(MAX_CODE_BYTES)), Ok(()));
        let refusal = check_length(&" ".repeat(MAX_CODE_BYTES + 1)).unwrap_err();
        assert!(refusal.0.starts_with("The code has 1000001 bytes; at most 1000000 are read."), "{refusal}");
    }
}
