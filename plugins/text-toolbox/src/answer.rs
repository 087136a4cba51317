//! Answers: how long one may be, so that it is refused with a reason here and not cut off by the host.

use std::io::{self, Write};

use agentmem_plugin_sdk::serde::Serialize;
use agentmem_plugin_sdk::Error;

/// How many bytes an answer may have: somewhat less than the host's own limit of 1 MiB.
pub const LONGEST: usize = 1_000_000;

/// An answer, if it is not too long.
///
/// # Errors
/// When it is.
pub fn checked<T: Serialize>(answer: T) -> Result<T, Error> {
    serde_json::to_writer(Room(LONGEST), &answer).map_err(|_| too_long())?;
    Ok(answer)
}

/// The refusal of an answer that is too long.
pub fn too_long() -> Error {
    format!("The answer would have more than {LONGEST} bytes. Ask for less at once, or give a shorter text.").into()
}

/// A writer that keeps nothing and has room for so many bytes.
struct Room(usize);

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or_else(|| io::Error::from(io::ErrorKind::WriteZero))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_as_long_as_it_may_be() {
        assert!(checked("x".repeat(LONGEST - 2)).is_ok());
        assert!(checked("x".repeat(LONGEST - 1)).unwrap_err().to_string().contains("more than 1000000 bytes"));
    }
}
