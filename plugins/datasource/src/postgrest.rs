//! Tables behind [PostgREST](https://postgrest.org): pages by `limit` and `offset`, and the count that it tells.

use agentmem_plugin_sdk::prelude::*;
use host::http::{Method, Request};

use crate::cursor::Place;
use crate::page::{record, Page, Pages, Stop};
use crate::source::PostgrestSource;
use crate::urls;
use crate::web;

/// A table while it is read.
pub struct Reading<'a> {
    source: &'a PostgrestSource,
    timeout_ms: u64,
}

impl<'a> Reading<'a> {
    /// Begin; nothing is asked yet.
    pub fn new(source: &'a PostgrestSource, timeout_ms: u64) -> Self {
        Reading { source, timeout_ms }
    }

    fn url(&self, offset: u64, most: usize) -> String {
        let base = self.source.url.trim_end_matches('/');
        let mut url = format!("{base}/{}", urls::encoded(&self.source.table));
        for (column, condition) in &self.source.filters {
            url = urls::with(&url, column, condition);
        }
        if let Some(select) = &self.source.select {
            url = urls::with(&url, "select", select);
        }
        url = urls::with(&url, "order", &self.source.order);
        url = urls::with(&url, "limit", &most.to_string());
        urls::with(&url, "offset", &offset.to_string())
    }
}

impl Pages for Reading<'_> {
    fn page(&mut self, place: &Place, most: usize) -> Result<Page, Stop> {
        let offset = if let Place::Offset { offset } = place { *offset } else { 0 };
        let request = Request::new(Method::Get, self.url(offset, most)).header("prefer", "count=estimated");
        let answer = match web::send(request, &self.source.headers, self.timeout_ms) {
            // With a count, an offset past the end is an error of its own.
            Err(stop) if stop.code == "http_416" => return Ok(Page::default()),
            answer => answer?,
        };
        let Value::Array(rows) = web::json_of(&answer)? else {
            return Err(Stop::new("source_failed", "PostgREST answered no list of rows."));
        };
        let end = offset.saturating_add(rows.len() as u64);
        let total = answer.headers.get("content-range").and_then(|range| total(range));
        // A server may cap its pages, so that a short page is not the last one; an empty one is.
        let next = (!rows.is_empty()).then_some(Place::Offset { offset: end });
        let numbered = rows.into_iter().zip(offset.saturating_add(1)..);
        let items = numbered.map(|(row, number)| record(format!("row {number}"), row)).collect();
        Ok(Page { items, next, left: total.map(|total| total.saturating_sub(end)), more: 0 })
    }
}

/// The count in a header such as `0-24/3573`.
fn total(range: &str) -> Option<u64> {
    range.rsplit_once('/')?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_told_after_the_slash() {
        assert_eq!([total("0-24/3573"), total("*/0"), total("0-24/*"), total("")], [Some(3573), Some(0), None, None]);
    }
}
