//! A file of the host as a stream: it is read in parts, as far as somebody reads on.

use std::io::{self, Read};

use agentmem_plugin_sdk::prelude::*;
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use host::files::{read_part, Content, ReadOptions};

use crate::page::Stop;

/// Length of a part, in bytes.
const PART: u64 = 256 * 1024;

/// A file while it is read.
pub struct Parts {
    path: String,
    offset: u64,
    part: Vec<u8>,
    read: usize,
    ended: bool,
    /// When the file was changed last, as of the first part.
    pub modified: Option<String>,
    /// Length of the whole file.
    pub size: u64,
}

impl Parts {
    /// Open a file at a byte; its first part is read.
    ///
    /// # Errors
    /// The host refuses, or the file changed while it was read.
    pub fn open(path: &str, offset: u64) -> Result<Self, Stop> {
        let mut parts =
            Parts { path: path.to_owned(), offset, part: Vec::new(), read: 0, ended: false, modified: None, size: 0 };
        let first = parts.fetch()?;
        parts.modified = first.modified.clone();
        parts.size = first.size;
        parts.hold(first)?;
        Ok(parts)
    }

    /// All that is left of it, at most `most` bytes.
    ///
    /// # Errors
    /// The host refuses, the file has more than that, or it changed while it was read.
    pub fn rest(mut self, most: u64) -> Result<Vec<u8>, Stop> {
        if self.size > most {
            let reason = format!("{} has {} bytes; at most {most} of such a file are read.", self.path, self.size);
            return Err(Stop::new("file_too_long", reason));
        }
        let mut all = std::mem::take(&mut self.part);
        while !self.ended {
            self.go_on()?;
            all.append(&mut self.part);
        }
        Ok(all)
    }

    fn fetch(&self) -> Result<Content, Stop> {
        let options = ReadOptions { offset: Some(self.offset), limit: Some(PART), ..ReadOptions::default() };
        read_part(&self.path, options).map_err(Stop::from)
    }

    fn go_on(&mut self) -> Result<(), Stop> {
        let part = self.fetch()?;
        if part.modified != self.modified {
            return Err(Stop::new("source_changed", format!("{} changed while it was read.", self.path)));
        }
        self.hold(part)
    }

    fn hold(&mut self, part: Content) -> Result<(), Stop> {
        self.part = match (part.content, part.content_base64) {
            (Some(text), _) => text.into_bytes(),
            (None, bytes) => STANDARD.decode(bytes.unwrap_or_default()).map_err(|reason| {
                Stop::new("source_failed", format!("{} came in a form that cannot be read: {reason}.", self.path))
            })?,
        };
        self.read = 0;
        self.offset = self.offset.saturating_add(self.part.len() as u64);
        self.ended = part.eof || self.part.is_empty();
        Ok(())
    }
}

/// A stop, carried through readers that know only errors of input and output.
#[derive(Debug)]
struct Stopped(Stop);

impl std::fmt::Display for Stopped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str(&self.0.reason)
    }
}

impl std::error::Error for Stopped {}

/// The stop behind an error of reading.
pub fn stop_of(error: io::Error) -> Stop {
    let told = error.to_string();
    match error.into_inner().and_then(|inner| inner.downcast::<Stopped>().ok()) {
        Some(stopped) => stopped.0,
        None => Stop::new("source_failed", told),
    }
}

impl Read for Parts {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.read >= self.part.len() && !self.ended {
            self.go_on().map_err(|stop| io::Error::other(Stopped(stop)))?;
        }
        let rest = self.part.get(self.read..).unwrap_or_default();
        let count = rest.len().min(target.len());
        for (to, from) in target.iter_mut().zip(rest) {
            *to = *from;
        }
        self.read += count;
        Ok(count)
    }
}
