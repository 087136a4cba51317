//! Cursors: where a call stopped, as a text that the caller hands back to go on. It comes from outside, so that what
//! it says is checked where it is used.

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde_json;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;

use crate::page::Stop;
use crate::source::Source;

/// A place in a source.
#[data]
#[serde(tag = "at", rename_all = "lowercase", deny_unknown_fields)]
pub enum Place {
    /// The beginning.
    Start,
    /// In a file.
    File {
        /// Its path.
        path: String,
        /// How many bytes are read.
        byte: u64,
        /// How many records are read.
        record: u64,
        /// When the file was changed last.
        modified: Option<String>,
    },
    /// After so many records.
    Offset {
        /// How many.
        offset: u64,
    },
    /// At a page with a number.
    Page {
        /// The number.
        page: u64,
    },
    /// Where an API's own cursor says.
    Token {
        /// That cursor.
        token: String,
    },
    /// At a URL.
    Url {
        /// The URL.
        url: String,
    },
}

/// Where to go on.
#[data]
pub struct Cursor {
    /// The page.
    pub place: Place,
    /// How many records of it are done.
    pub skip: usize,
    /// Which source it is of.
    of: String,
}

impl Cursor {
    /// A place in a source.
    pub fn new(source: &Source, place: Place, skip: usize) -> Self {
        Cursor { place, skip, of: fingerprint(source) }
    }

    /// Read what [`Cursor::text`] wrote; the beginning where there is nothing.
    ///
    /// # Errors
    /// It is no cursor, or one of another source.
    pub fn read(text: Option<&str>, source: &Source) -> Result<Self, Stop> {
        let Some(text) = text else { return Ok(Cursor::new(source, Place::Start, 0)) };
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let cursor: Option<Cursor> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(cursor) = cursor else {
            return Err(Stop::new("cursor_invalid", "The cursor is none that this plugin gave."));
        };
        if cursor.of != fingerprint(source) {
            return Err(Stop::new(
                "cursor_invalid",
                "The cursor belongs to another source, or its description changed.",
            ));
        }
        Ok(cursor)
    }

    /// As a text.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Tells descriptions apart (FNV-1a); nothing rests on its being hard to forge.
fn fingerprint(source: &Source) -> String {
    let described = serde_json::to_vec(source).unwrap_or_default();
    let hash = described
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}
