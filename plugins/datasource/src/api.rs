//! APIs that answer JSON, page by page.

use agentmem_plugin_sdk::host::http::{Method, Request, Response};

use crate::cursor::Place;
use crate::page::{Page, Pages, Stop};
use crate::raw;
use crate::source::{HttpSource, Paging};
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

    fn next(&self, place: &Place, url: &str, answer: &Response, count: usize) -> Result<Option<Place>, Stop> {
        let body = answer.text().unwrap_or_default();
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
            Paging::Cursor { next, .. } => raw::text_at(body, next).map(|token| Place::Token { token }),
            Paging::NextUrl { next } => follow(raw::text_at(body, next))?.map(|url| Place::Url { url }),
            Paging::Link => {
                let link = answer.headers.get("link").and_then(|header| urls::next_link(header));
                follow(link)?.map(|url| Place::Url { url })
            }
        })
    }
}

impl Pages for Reading<'_> {
    fn page(&mut self, place: &Place, most: usize) -> Result<Page, Stop> {
        let url = self.url(place)?;
        let request = Request::new(Method::Get, url.as_str());
        let answer = match web::send(request, &self.source.headers, self.timeout_ms) {
            // Many an API has no page after its last one, rather than an empty one.
            Err(stop) if stop.code == "http_404" && matches!(place, Place::Page { .. } | Place::Offset { .. }) => {
                return Ok(Page::default());
            }
            answer => answer?,
        };
        let values = raw::list_at(answer.text().unwrap_or_default(), &self.source.items)?;
        let count = values.len();
        let next = self.next(place, &url, &answer, count)?;
        let label = match place {
            Place::Page { page } => format!("page {page}, record"),
            _ => "record".to_owned(),
        };
        let first = if let Place::Offset { offset } = place { *offset } else { 0 };
        // Only what is asked for is read, and one more that shows that there is more: a tree takes 20 times its text.
        let numbered = values.into_iter().take(most.saturating_add(1)).zip(first.saturating_add(1)..);
        let items: Vec<_> = numbered.map(|(value, number)| raw::item(value, format!("{label} {number}"))).collect();
        let more = count.saturating_sub(items.len());
        Ok(Page { items, next, left: None, more })
    }
}
