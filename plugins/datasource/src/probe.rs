//! What can be said of a source by a first look: that it answers, its columns, its first record, a count where cheap.

use agentmem_plugin_sdk::prelude::*;

use crate::cursor::Place;
use crate::files;
use crate::libsql;
use crate::page::{Item, Page, Problem, Stop};
use crate::parts::Parts;
use crate::source::Source;
use crate::walk::pages;

/// How many records are looked at.
const LOOKED_AT: usize = 5;
/// A file up to this length is counted through.
const COUNTED_BYTES: u64 = 1024 * 1024;

/// What is known of a source that could be reached.
#[response]
pub struct Connection {
    /// What the source is called in memories
    pub source: String,
    /// The names of its fields, by its first records
    pub columns: Vec<String>,
    /// How many records there are, where that is known
    pub count: Option<u64>,
    /// Whether the count is exact, an estimate, or the least there is
    pub count_is: Option<CountIs>,
    /// How many files a folder has
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<usize>,
    /// The first record
    pub sample: Option<Item>,
    /// What is wrong with some of the first records
    pub problems: Vec<Problem>,
}

/// What a count is worth.
#[data]
#[derive(Copy, Eq)]
#[serde(rename_all = "snake_case")]
pub enum CountIs {
    /// Counted
    Exact,
    /// Told by the source's statistics
    Estimate,
    /// There are more
    AtLeast,
}

/// Look at a source.
///
/// # Errors
/// It cannot be reached, or not be read.
pub fn probe(source: &Source, timeout_ms: u64) -> Result<Connection, Stop> {
    let first = pages(source, timeout_ms).page(&Place::Start, LOOKED_AT)?;
    let (count, files) = counted(source, &first, timeout_ms)?;
    let mut connection = Connection {
        source: source.label(),
        columns: Vec::new(),
        count: count.map(|(count, _)| count),
        count_is: count.map(|(_, is)| is),
        files,
        sample: None,
        problems: Vec::new(),
    };
    for item in first.items.into_iter().take(LOOKED_AT) {
        match item {
            Ok(item) => connection.look(item),
            Err(problem) => connection.problems.push(problem),
        }
    }
    Ok(connection)
}

impl Connection {
    fn look(&mut self, item: Item) {
        for column in item.data.keys() {
            if !self.columns.contains(column) {
                self.columns.push(column.clone());
            }
        }
        self.sample.get_or_insert(item);
    }
}

type Counted = Option<(u64, CountIs)>;

fn counted(source: &Source, first: &Page, timeout_ms: u64) -> Result<(Counted, Option<usize>), Stop> {
    let seen = first.items.len().saturating_add(first.more) as u64;
    let worth = |count, most| (count, if count > most { CountIs::AtLeast } else { CountIs::Exact });
    Ok(match source {
        Source::File(file) => {
            let mut reading = files::Reading::new(file);
            let found = reading.files()?;
            let folder = found.folder.then_some(found.paths.len());
            let count = if folder.is_some() { None } else { small(&mut reading, &file.path)? };
            (count.map(|count| worth(count, files::COUNTED)), folder)
        }
        Source::Http(_) => (first.next.is_none().then_some((seen, CountIs::Exact)), None),
        Source::Postgrest(_) => {
            let estimate = first.left.map(|left| (left.saturating_add(seen), CountIs::Estimate));
            (estimate.or((seen == 0).then_some((0, CountIs::Exact))), None)
        }
        Source::Libsql(query) => {
            let count = libsql::Reading::new(query, timeout_ms).count()?;
            (count.map(|count| worth(count, libsql::COUNTED)), None)
        }
    })
}

fn small(reading: &mut files::Reading, path: &str) -> Result<Option<u64>, Stop> {
    if Parts::open(path.trim_end_matches('/'), 0)?.size > COUNTED_BYTES {
        return Ok(None);
    }
    reading.count()
}
