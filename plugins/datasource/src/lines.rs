//! JSON Lines: a JSON value on each line. A line that is none spoils no other.

use std::io::{BufRead, BufReader, Read};

use agentmem_plugin_sdk::serde_json;

use crate::page::{record, Item, Problem, Stop};
use crate::parts::{stop_of, Parts};

/// The longest line, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// A file while it is read.
pub struct Lines {
    reader: BufReader<Parts>,
    path: String,
    /// How many bytes of the file are read.
    pub byte: u64,
    /// How many lines are read, blank ones too.
    pub line: u64,
}

impl Lines {
    /// Open a file at a byte, before which `line` lines are.
    ///
    /// # Errors
    /// The host refuses.
    pub fn open(path: &str, byte: u64, line: u64) -> Result<Self, Stop> {
        let reader = BufReader::with_capacity(64 * 1024, Parts::open(path, byte)?);
        Ok(Lines { reader, path: path.to_owned(), byte, line })
    }

    /// When the file was changed last.
    pub fn modified(&self) -> Option<String> {
        self.reader.get_ref().modified.clone()
    }

    /// The next record, or nothing at the end.
    ///
    /// # Errors
    /// The host refuses.
    pub fn next(&mut self) -> Result<Option<Result<Item, Problem>>, Stop> {
        loop {
            self.pass_over_blanks()?;
            let mut line = Vec::new();
            let count = (&mut self.reader).take(LONGEST + 1).read_until(b'\n', &mut line).map_err(stop_of)?;
            if count == 0 {
                return Ok(None);
            }
            self.byte = self.byte.saturating_add(count as u64);
            self.line += 1;
            let position = format!("{}: line {}", self.path, self.line);
            if count as u64 > LONGEST {
                self.pass_over()?;
                return Ok(Some(Err(Problem { position, reason: format!("It has more than {LONGEST} bytes.") })));
            }
            let text = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| self.line == 1).unwrap_or(&line);
            if !text.trim_ascii().is_empty() {
                return Ok(Some(parsed(text, position)));
            }
        }
    }

    /// Many blank lines are passed over at once.
    fn pass_over_blanks(&mut self) -> Result<(), Stop> {
        loop {
            let buffer = self.reader.fill_buf().map_err(stop_of)?;
            let blanks = buffer.iter().take_while(|byte| byte.is_ascii_whitespace());
            let (count, lines) =
                blanks.fold((0, 0), |(count, lines), byte| (count + 1, lines + u64::from(*byte == b'\n')));
            let whole = count == buffer.len();
            self.reader.consume(count);
            self.byte = self.byte.saturating_add(count as u64);
            self.line += lines;
            if count == 0 || !whole {
                return Ok(());
            }
        }
    }

    fn pass_over(&mut self) -> Result<(), Stop> {
        loop {
            let buffer = self.reader.fill_buf().map_err(stop_of)?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let count = end.map_or(buffer.len(), |end| end + 1);
            self.reader.consume(count);
            self.byte = self.byte.saturating_add(count as u64);
            if end.is_some() || count == 0 {
                return Ok(());
            }
        }
    }
}

fn parsed(line: &[u8], position: String) -> Result<Item, Problem> {
    match serde_json::from_slice(line) {
        Ok(value) => record(position, value),
        Err(reason) => Err(Problem { position, reason: format!("It is no JSON: {reason}.") }),
    }
}
