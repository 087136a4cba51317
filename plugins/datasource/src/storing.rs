//! `fetch_and_transform`: records of a source, made into memories and stored.

use agentmem_plugin_sdk::prelude::*;
use host::memory::{add, NewMemory};

use crate::config::Config;
use crate::cursor::Cursor;
use crate::mapping::{memory, Mapping};
use crate::page::{Item, Problem, Stop};
use crate::source::SourceRef;
use crate::tools::{checked, MOST_PROBLEMS};
use crate::walk::{pages, walk};

/// Codes with which the host refuses this one memory, while the next one may do.
const OF_ONE: [&str; 3] = ["invalid_request", "hook_vetoed", "hook_failed"];

/// What `fetch_and_transform` is called with.
#[request]
pub struct StoreRequest {
    /// A source that the operator has set, by its name, or a description
    pub source: SourceRef,
    /// How memories are made of records; left out, of their text or all of their fields
    #[serde(default)]
    pub mapping: Mapping,
    /// How many records at most
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: usize,
    /// Where an earlier answer of the same source said to go on
    #[serde(default)]
    pub cursor: Option<String>,
    /// Label of the memories: which agent they belong to
    #[serde(default)]
    pub agent_id: Option<String>,
    /// Label of the memories: which run they belong to
    #[serde(default)]
    pub run_id: Option<String>,
}

/// What `fetch_and_transform` answers.
#[response]
#[derive(Default)]
pub struct Stored {
    /// How many records were read
    pub fetched: usize,
    /// How many memories are new
    pub added: usize,
    /// How many were there before
    pub duplicates: usize,
    /// How many records became no memory
    pub failed: usize,
    /// Why they did not, for the first 20
    pub problems: Vec<Problem>,
    /// Where to go on; null at the end
    pub cursor: Option<String>,
    /// How many records are left, where the source says so
    pub left: Option<u64>,
    /// Why it ended before the limit, though there is more
    pub stopped: Option<String>,
}

fn hundred() -> usize {
    100
}

/// Fetch records, make memories of them and store these.
///
/// # Errors
/// The source cannot be read, or the first memory not be stored for a reason that holds for all.
pub fn fetch_and_transform(request: StoreRequest) -> Result<Stored, Error> {
    let limit = checked(request.limit)?;
    let config = Config::read()?;
    let source = config.source(&request.source)?;
    let from = Cursor::read(request.cursor.as_deref(), &source)?;
    let label = source.label();
    let mut stored = Stored::default();
    let mut reading = pages(&source, config.timeout_ms);
    let walked = walk(reading.as_mut(), &source, from, limit, |item| match item {
        Ok(item) => stored.store(&item, &request, &label),
        Err(problem) => {
            stored.fail(problem);
            Ok(())
        }
    })?;
    stored.fetched = walked.taken;
    stored.cursor = walked.cursor.map(|cursor| cursor.text());
    stored.left = walked.left;
    stored.stopped = walked.stopped.map(|stop| Error::from(stop).to_string());
    let counts = json!({"fetched": stored.fetched, "added": stored.added, "failed": stored.failed});
    host::log::info("stored records as memories", counts);
    Ok(stored)
}

impl Stored {
    fn store(&mut self, item: &Item, request: &StoreRequest, label: &str) -> Result<(), Stop> {
        let made = match memory(item, &request.mapping, Some(label)) {
            Ok(made) => made,
            Err(reason) => {
                self.fail(Problem { position: item.position.clone(), reason: reason.to_string() });
                return Ok(());
            }
        };
        let labels = (request.agent_id.clone(), request.run_id.clone());
        let new = NewMemory { agent_id: labels.0, run_id: labels.1, ..NewMemory::from(&made) };
        match add(&new) {
            Ok(added) if added.duplicate => self.duplicates += 1,
            Ok(_) => self.added += 1,
            Err(error) if OF_ONE.contains(&error.code.as_str()) => {
                self.fail(Problem { position: item.position.clone(), reason: error.message });
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn fail(&mut self, problem: Problem) {
        self.failed += 1;
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }
}
