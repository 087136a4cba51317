//! libSQL databases (Turso, sqld) by Hrana over HTTP, version 2: `POST /v2/pipeline`.
//!
//! A query is wrapped, `SELECT * FROM (…) LIMIT ? OFFSET ?`, and described by the server before it runs: what is not
//! read-only does not run.

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde::Deserialize;
use agentmem_plugin_sdk::serde_json::{self, Map};
use host::http::{Method, Request};

use crate::cursor::Place;
use crate::page::{record, Page, Pages, Stop};
use crate::source::LibsqlSource;
use crate::web;

/// A count stops here: a count of everything may take long.
pub const COUNTED: u64 = 10_000;

/// A query while it is read.
pub struct Reading<'a> {
    source: &'a LibsqlSource,
    timeout_ms: u64,
    read_only: bool,
}

#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
struct Pipeline {
    results: Vec<Outcome>,
}

#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde", tag = "type", rename_all = "lowercase")]
enum Outcome {
    Ok { response: Done },
    Error { error: Complaint },
}

#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
struct Complaint {
    message: String,
}

#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde", tag = "type", rename_all = "lowercase")]
enum Done {
    Execute { result: Rows },
    Describe { result: Description },
    Close,
}

#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
struct Rows {
    cols: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
struct Column {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
struct Description {
    is_readonly: bool,
}

impl<'a> Reading<'a> {
    /// Begin; nothing is asked yet.
    pub fn new(source: &'a LibsqlSource, timeout_ms: u64) -> Self {
        Reading { source, timeout_ms, read_only: false }
    }

    /// How many rows there are, at most [`COUNTED`] and one.
    ///
    /// # Errors
    /// The server refuses.
    pub fn count(&mut self) -> Result<Option<u64>, Stop> {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM (\n{}\n) LIMIT {})", self.query(), COUNTED + 1);
        let rows = self.execute(&sql, &[])?;
        Ok(rows.rows.first().and_then(|row| plain(row.first()?).as_u64()))
    }

    fn query(&self) -> &str {
        self.source.sql.trim().trim_end_matches(';')
    }

    fn execute(&mut self, sql: &str, more: &[u64]) -> Result<Rows, Stop> {
        if !self.read_only {
            let Done::Describe { result } = self.ask(json!({"type": "describe", "sql": sql}))? else {
                return Err(odd());
            };
            if !result.is_readonly {
                return Err(Stop::new("source_failed", "The query is not read-only, so that it was not run."));
            }
            self.read_only = true;
        }
        let numbers = more.iter().map(|number| json!({"type": "integer", "value": number.to_string()}));
        let args = self.source.args.iter().map(hrana).chain(numbers.map(Ok)).collect::<Result<Vec<Value>, Stop>>()?;
        match self.ask(json!({"type": "execute", "stmt": {"sql": sql, "args": args, "want_rows": true}}))? {
            Done::Execute { result } => Ok(result),
            _ => Err(odd()),
        }
    }

    fn ask(&self, request: Value) -> Result<Done, Stop> {
        let body = json!({"baton": null, "requests": [request, {"type": "close"}]}).to_string();
        let url = [self.source.url.trim_end_matches('/'), "/v2/pipeline"].concat();
        let request = Request::new(Method::Post, url).header("content-type", "application/json").body(body);
        let answer = web::send(request, &self.source.headers, self.timeout_ms)?;
        let pipeline: Pipeline = answer.json().map_err(|reason: serde_json::Error| {
            Stop::new("source_failed", format!("The source answered what is not Hrana's JSON: {reason}."))
        })?;
        match pipeline.results.into_iter().next() {
            Some(Outcome::Ok { response }) => Ok(response),
            Some(Outcome::Error { error }) => {
                Err(Stop::new("source_failed", format!("The database refused the query: {}", error.message)))
            }
            None => Err(odd()),
        }
    }
}

impl Pages for Reading<'_> {
    fn page(&mut self, place: &Place, most: usize) -> Result<Page, Stop> {
        let offset = if let Place::Offset { offset } = place { *offset } else { 0 };
        let sql = format!("SELECT * FROM (\n{}\n) LIMIT ? OFFSET ?", self.query());
        let found = self.execute(&sql, &[most as u64, offset])?;
        let count = found.rows.len();
        let columns: Vec<String> = found
            .cols
            .into_iter()
            .enumerate()
            .map(|(index, column)| column.name.unwrap_or_else(|| format!("column_{}", index + 1)))
            .collect();
        let numbered = found.rows.into_iter().zip(offset.saturating_add(1)..);
        let items = numbered.map(|(row, number)| record(format!("row {number}"), object(&columns, &row))).collect();
        let end = offset.saturating_add(count as u64);
        let next = (count >= most && count > 0).then_some(Place::Offset { offset: end });
        Ok(Page { items, next, ..Page::default() })
    }
}

fn odd() -> Stop {
    Stop::new("source_failed", "The source answered something else than was asked for.")
}

fn object(columns: &[String], row: &[Value]) -> Value {
    let fields: Map<String, Value> = columns.iter().cloned().zip(row.iter().map(plain)).collect();
    Value::Object(fields)
}

/// A value of Hrana as plain JSON; bytes as base64.
fn plain(value: &Value) -> Value {
    let inner = value.get("value");
    match value.get("type").and_then(Value::as_str) {
        Some("integer") => {
            let text = inner.and_then(Value::as_str).unwrap_or_default();
            text.parse::<i64>().map_or_else(|_| text.into(), Value::from)
        }
        Some("float" | "text") => inner.cloned().unwrap_or(Value::Null),
        Some("blob") => value.get("base64").cloned().unwrap_or(Value::Null),
        _ => Value::Null,
    }
}

fn hrana(value: &Value) -> Result<Value, Stop> {
    Ok(match value {
        Value::Null => json!({"type": "null"}),
        Value::Bool(truth) => json!({"type": "integer", "value": u8::from(*truth).to_string()}),
        Value::Number(number) if number.is_f64() => json!({"type": "float", "value": number}),
        Value::Number(number) => json!({"type": "integer", "value": number.to_string()}),
        Value::String(text) => json!({"type": "text", "value": text}),
        _ => return Err(Stop::new("source_failed", "`args` holds a list or an object; values are texts and numbers.")),
    })
}
