//! APIs that answer JSON, page by page.

use agentmem_plugin_sdk::prelude::*;
use host::http::{Method, Request, Response};

use crate::cursor::Place;
use crate::page::{record, Page, Pages, Stop};
use crate::paths;
use crate::source::{HttpSource, Paging};
use crate::template::shown;
use crate::urls;
use crate::web;

/// An API while it is read.
pub struct Reading<'a> {
    source: &'a HttpSource,
    timeout_ms: u64,
}

impl<'a> Reading<'a> {
    /// Begin; nothing is asked yet.
    pub fn new(source: &'a HttpSource, timeout_ms: u64) -> Self {
        Reading { source, timeout_ms }
    }

    fn url(&self, place: &Place) -> Result<String, Stop> {
        let url = &self.source.url;
        Ok(match (&self.source.paging, place) {
            (Paging::Page { parameter, .. }, Place::Page { page }) => urls::with(url, parameter, &page.to_string()),
            (Paging::Page { parameter, start }, _) => urls::with(url, parameter, &start.to_string()),
            (Paging::Offset { parameter }, Place::Offset { offset }) => urls::with(url, parameter, &offset.to_string()),
            (Paging::Cursor { parameter, .. }, Place::Token { token }) => urls::with(url, parameter, token),
            (Paging::NextUrl { .. } | Paging::Link, Place::Url { url: next }) => urls::followed(url, next)?,
            _ => url.clone(),
        })
    }

    fn next(
        &self,
        place: &Place,
        url: &str,
        answer: &Response,
        body: &Value,
        count: usize,
    ) -> Result<Option<Place>, Stop> {
        let at = |path: &str| paths::within(body, path).filter(|value| !matches!(value, Value::Null | Value::Bool(_)));
        let told = |path: &str| at(path).map(|value| shown(value).into_owned()).filter(|text| !text.is_empty());
        let follow = |next: Option<String>| next.map(|next| urls::followed(url, &next)).transpose();
        Ok(match &self.source.paging {
            Paging::None => None,
            Paging::Page { start, .. } => {
                let page = if let Place::Page { page } = place { *page } else { *start };
                (count > 0).then_some(Place::Page { page: page.saturating_add(1) })
            }
            Paging::Offset { .. } => {
                let offset = if let Place::Offset { offset } = place { *offset } else { 0 };
                (count > 0).then_some(Place::Offset { offset: offset.saturating_add(count as u64) })
            }
            Paging::Cursor { next, .. } => told(next).map(|token| Place::Token { token }),
            Paging::NextUrl { next } => follow(told(next))?.map(|url| Place::Url { url }),
            Paging::Link => {
                let link = answer.headers.get("link").and_then(|header| urls::next_link(header));
                follow(link)?.map(|url| Place::Url { url })
            }
        })
    }

    fn items(&self, body: &Value) -> Result<Vec<Value>, Stop> {
        match paths::within(body, &self.source.items) {
            Some(Value::Array(items)) => Ok(items.clone()),
            Some(Value::Null) => Ok(Vec::new()),
            Some(one @ Value::Object(_)) if self.source.items.is_empty() => Ok(vec![one.clone()]),
            other => Err(Stop::new("source_failed", self.no_list(other, body))),
        }
    }

    fn no_list(&self, found: Option<&Value>, body: &Value) -> String {
        let keys = match body {
            Value::Object(fields) => format!("has {}", fields.keys().cloned().collect::<Vec<String>>().join(", ")),
            _ => "is no object".to_owned(),
        };
        let what = if found.is_some() { "is no list" } else { "is not there" };
        format!("`items` is \"{}\", and in the answer that {what}. The answer {keys}.", self.source.items)
    }
}

impl Pages for Reading<'_> {
    fn page(&mut self, place: &Place, _most: usize) -> Result<Page, Stop> {
        let url = self.url(place)?;
        let request = Request::new(Method::Get, url.as_str());
        let answer = match web::send(request, &self.source.headers, self.timeout_ms) {
            // Many an API has no page after its last one, rather than an empty one.
            Err(stop) if stop.code == "http_404" && matches!(place, Place::Page { .. } | Place::Offset { .. }) => {
                return Ok(Page::default());
            }
            answer => answer?,
        };
        let body = web::json_of(&answer)?;
        let values = self.items(&body)?;
        let next = self.next(place, &url, &answer, &body, values.len())?;
        let label = match place {
            Place::Page { page } => format!("page {page}, record"),
            _ => "record".to_owned(),
        };
        let first = if let Place::Offset { offset } = place { *offset } else { 0 };
        let numbered = values.into_iter().zip(first + 1..);
        let items = numbered.map(|(value, number)| record(format!("{label} {number}"), value)).collect();
        Ok(Page { items, next, left: None })
    }
}
