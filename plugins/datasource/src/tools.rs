//! What every data source offers: `connect`, `fetch_data`, `transform_data`.

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde_json::{self, Map};
use agentmem_plugin_sdk::DataSource;

use crate::config::Config;
use crate::cursor::Cursor;
use crate::mapping::{memory, Mapping};
use crate::page::{Item, Problem, Stop};
use crate::probe::{probe, Connection};
use crate::source::SourceRef;
use crate::walk::{pages, walk, Walked};

/// The most records of one call.
pub const MOST: usize = 500;
/// An answer holds records up to this length, as JSON in bytes.
const MOST_BYTES: usize = 512 * 1024;
/// At most so many problems are told; all are counted.
pub const MOST_PROBLEMS: usize = 20;

/// The sources that calls describe or name.
pub struct Sources {
    /// What the operator has set.
    pub config: Config,
}

/// What `connect` is called with.
#[request]
pub struct ConnectRequest {
    /// A source that the operator has set, by its name, or a description
    pub source: SourceRef,
}

/// What `fetch_data` is called with.
#[request]
pub struct FetchRequest {
    /// A source that the operator has set, by its name, or a description
    pub source: SourceRef,
    /// How many records at most
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: usize,
    /// Where an earlier answer of the same source said to go on
    #[serde(default)]
    pub cursor: Option<String>,
}

/// What `fetch_data` answers.
#[response]
pub struct Fetched {
    /// The records, in their order
    pub items: Vec<Item>,
    /// Records that could not be read
    pub problems: Vec<Problem>,
    /// Where to go on; null at the end
    pub cursor: Option<String>,
    /// How many records are left, where the source says so
    pub left: Option<u64>,
    /// Why there are fewer than the limit, though there are more
    pub stopped: Option<String>,
}

/// What `transform_data` is called with.
#[request]
pub struct TransformRequest {
    /// The fields of a record, as `fetch_data` gives them
    pub data: Map<String, Value>,
    /// How a memory is made of it; left out, of its text or all of its fields
    #[serde(default)]
    pub mapping: Mapping,
    /// What the source is called, for the metadata
    #[serde(default)]
    pub source: Option<String>,
    /// Where the record stands in its source, for the metadata
    #[serde(default)]
    pub position: Option<String>,
}

/// 50 records are a page that a model can read.
pub fn fifty() -> usize {
    50
}

/// Check a limit, for callers that no schema let through.
///
/// # Errors
/// It is out of range.
pub fn checked(limit: usize) -> Result<usize, Error> {
    if (1..=MOST).contains(&limit) {
        return Ok(limit);
    }
    Err(format!("`limit` is {limit}; it goes from 1 to {MOST}.").into())
}

impl Plugin for Sources {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        Ok(Sources { config })
    }
}

impl DataSource for Sources {
    type Source = ConnectRequest;
    type Connection = Connection;
    type Query = FetchRequest;
    type Fetched = Fetched;
    type Data = TransformRequest;

    fn connect(&self, request: ConnectRequest) -> Result<Connection, Error> {
        let source = self.config.source(&request.source)?;
        Ok(probe(&source, self.config.timeout_ms)?)
    }

    fn fetch_data(&self, query: FetchRequest) -> Result<Fetched, Error> {
        let limit = checked(query.limit)?;
        let source = self.config.source(&query.source)?;
        let from = Cursor::read(query.cursor.as_deref(), &source)?;
        let mut reading = pages(&source, self.config.timeout_ms);
        let mut gathered = Gathered::default();
        let walked = walk(reading.as_mut(), &source, from, limit, |item| gathered.take(item))?;
        host::log::info("fetched", json!({"records": walked.taken, "problems": gathered.problems.len()}));
        Ok(gathered.answer(walked))
    }

    fn transform_data(&self, request: TransformRequest) -> Result<Memory, Error> {
        let item = Item { position: request.position.unwrap_or_default(), data: request.data };
        memory(&item, &request.mapping, request.source.as_deref())
    }
}

#[derive(Default)]
struct Gathered {
    items: Vec<Item>,
    problems: Vec<Problem>,
    bytes: usize,
}

impl Gathered {
    fn take(&mut self, item: Result<Item, Problem>) -> Result<(), Stop> {
        match item {
            Ok(item) => self.item(item),
            Err(problem) => {
                self.problems.push(problem);
                Ok(())
            }
        }
    }

    fn item(&mut self, item: Item) -> Result<(), Stop> {
        let bytes = serde_json::to_vec(&item).map_or(0, |json| json.len());
        if bytes > MOST_BYTES {
            let reason = format!("It has {bytes} bytes as JSON; an answer holds {MOST_BYTES}.");
            self.problems.push(Problem { position: item.position, reason });
            return Ok(());
        }
        if self.bytes + bytes > MOST_BYTES {
            let reason = format!("More than {MOST_BYTES} bytes do not go into one answer; go on with the cursor.");
            return Err(Stop::new("answer_full", reason));
        }
        self.bytes += bytes;
        self.items.push(item);
        Ok(())
    }

    fn answer(self, walked: Walked) -> Fetched {
        Fetched {
            items: self.items,
            problems: self.problems,
            cursor: walked.cursor.map(|cursor| cursor.text()),
            left: walked.left,
            stopped: walked.stopped.map(|stop| Error::from(stop).to_string()),
        }
    }
}
