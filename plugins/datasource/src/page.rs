//! Records, and pages of them: what all kinds of sources come to.

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde_json::Map;

use crate::cursor::Place;

/// The deepest nesting of a record: what goes on has to fit the host's 64 levels with room around it.
const DEEPEST: usize = 32;

/// A record.
#[data]
pub struct Item {
    /// Where it stands in its source, such as "people.csv: record 7"
    pub position: String,
    /// Its fields
    pub data: Map<String, Value>,
}

/// A record that could not be read, or not be made a memory of.
#[data]
pub struct Problem {
    /// Where it stands in its source
    pub position: String,
    /// What is wrong with it
    pub reason: String,
}

/// Some records in their order, and where the next ones are.
#[derive(Debug, Default)]
pub struct Page {
    /// The records.
    pub items: Vec<Result<Item, Problem>>,
    /// Where the next page is; nothing at the end.
    pub next: Option<Place>,
    /// How many records of the page are not among `items`, since more were there than were asked for.
    pub more: usize,
    /// How many records follow this page, where the source says so.
    pub left: Option<u64>,
}

/// Why reading or storing cannot go on now.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// The host's code, or one of `http_status`, `source_changed`, `source_failed`, `paging_stuck`, `cursor_invalid`.
    pub code: String,
    /// The sentence.
    pub reason: String,
}

impl Stop {
    /// A reason of the plugin's own.
    pub fn new(code: &str, reason: impl Into<String>) -> Self {
        Stop { code: code.to_owned(), reason: reason.into() }
    }
}

impl From<HostError> for Stop {
    fn from(error: HostError) -> Self {
        Stop { code: error.code, reason: error.message }
    }
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        stop.reason.into()
    }
}

/// Something that can be read page by page.
pub trait Pages {
    /// The page at a place. Where it has more than `most` records, those after the first `most` and one may be left out.
    ///
    /// # Errors
    /// It cannot be read now.
    fn page(&mut self, place: &Place, most: usize) -> Result<Page, Stop>;
}

/// A record of a JSON value: an object as it is, anything else as its only field, `value`.
pub fn record(position: String, value: Value) -> Result<Item, Problem> {
    if nested_beyond(&value, DEEPEST) {
        return Err(Problem { position, reason: format!("It is nested more than {DEEPEST} levels deep.") });
    }
    let data = match value {
        Value::Object(data) => data,
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    Ok(Item { position, data })
}

fn nested_beyond(value: &Value, levels: usize) -> bool {
    let mut inner: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => return false,
    };
    levels == 0 || inner.any(|value| nested_beyond(value, levels - 1))
}
