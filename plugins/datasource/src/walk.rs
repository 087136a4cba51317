//! From page to page until there is enough: what becomes of each record is the caller's, where to go on is told here.

use crate::api;
use crate::cursor::{Cursor, Place};
use crate::files;
use crate::libsql;
use crate::page::{Item, Page, Pages, Problem, Stop};
use crate::postgrest;
use crate::source::Source;

/// How a walk ended.
#[derive(Debug)]
pub struct Walked {
    /// How many records were taken, problems too.
    pub taken: usize,
    /// Where to go on; nothing at the end of the source.
    pub cursor: Option<Cursor>,
    /// How many records are left, where the source says so.
    pub left: Option<u64>,
    /// Why it ended before there was enough.
    pub stopped: Option<Stop>,
}

/// Something to read a source by.
pub fn pages(source: &Source, timeout_ms: u64) -> Box<dyn Pages + '_> {
    match source {
        Source::File(file) => Box::new(files::Reading::new(file)),
        Source::Http(http) => Box::new(api::Reading::new(http, timeout_ms)),
        Source::Postgrest(table) => Box::new(postgrest::Reading::new(table, timeout_ms)),
        Source::Libsql(query) => Box::new(libsql::Reading::new(query, timeout_ms)),
    }
}

/// Take up to `limit` records from a cursor on. A record that `take` stops at is not taken: the cursor leads to it.
///
/// # Errors
/// Nothing came of it at all: the first page cannot be read, or the first record not be taken.
pub fn walk(
    pages: &mut dyn Pages,
    source: &Source,
    from: Cursor,
    limit: usize,
    mut take: impl FnMut(Result<Item, Problem>) -> Result<(), Stop>,
) -> Result<Walked, Stop> {
    let Cursor { mut place, mut skip, .. } = from;
    let mut walked = Walked { taken: 0, cursor: None, left: None, stopped: None };
    let mut moved = false;
    while walked.taken < limit {
        let most = limit.saturating_sub(walked.taken).saturating_add(skip);
        let ended = match pages.page(&place, most) {
            Ok(page) => take_page(page, &mut skip, limit, &mut walked, &mut take),
            Err(stop) => Err(stop),
        };
        match ended {
            Err(stop) if walked.taken == 0 && !moved => return Err(stop),
            Err(stop) => {
                walked.stopped = Some(stop);
                break;
            }
            Ok(Ended::Within) => break,
            Ok(Ended::After(None)) => return Ok(walked),
            Ok(Ended::After(Some(next))) => {
                skip = 0;
                if next == place {
                    walked.stopped = Some(Stop::new("paging_stuck", "The source names the same page as the next one."));
                    return Ok(walked);
                }
                place = next;
                moved = true;
            }
        }
    }
    walked.cursor = Some(Cursor::new(source, place, skip));
    Ok(walked)
}

/// Where a page was left.
enum Ended {
    Within,
    After(Option<Place>),
}

fn take_page(
    page: Page,
    skip: &mut usize,
    limit: usize,
    walked: &mut Walked,
    take: &mut impl FnMut(Result<Item, Problem>) -> Result<(), Stop>,
) -> Result<Ended, Stop> {
    let count = page.items.len();
    let left = |done: usize| page.left.map(|left| left.saturating_add(count.saturating_sub(done) as u64));
    for item in page.items.into_iter().skip(*skip) {
        walked.left = left(*skip);
        if walked.taken == limit {
            return Ok(Ended::Within);
        }
        take(item)?;
        walked.taken += 1;
        *skip += 1;
    }
    walked.left = page.left;
    Ok(Ended::After(page.next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agentmem_plugin_sdk::serde_json::json;

    struct Numbers {
        pages: u64,
        of: u64,
    }

    impl Pages for Numbers {
        fn page(&mut self, place: &Place, _most: usize) -> Result<Page, Stop> {
            let page = if let Place::Page { page } = place { *page } else { 0 };
            let numbers = (0..self.of).map(|number| page * self.of + number);
            let items = numbers.map(|number| crate::page::record(number.to_string(), json!(number))).collect();
            let next = (page + 1 < self.pages).then_some(Place::Page { page: page + 1 });
            Ok(Page { items, next, left: Some((self.pages - 1 - page) * self.of), more: 0 })
        }
    }

    fn source() -> Source {
        agentmem_plugin_sdk::serde_json::from_value(json!({"kind": "http", "url": "https://x.example/"}))
            .expect("a source")
    }

    fn read(from: Option<&str>, limit: usize, stop_at: &str) -> (Vec<String>, Result<Walked, Stop>) {
        let source = source();
        let mut seen = Vec::new();
        let cursor = Cursor::read(from, &source).expect("a cursor");
        let walked = walk(&mut Numbers { pages: 3, of: 4 }, &source, cursor, limit, |item| {
            let position = item.expect("an item").position;
            if position == stop_at {
                return Err(Stop::new("store_full", "No space is left."));
            }
            seen.push(position);
            Ok(())
        });
        (seen, walked)
    }

    #[test]
    fn each_record_is_taken_once_however_small_the_steps() {
        for limit in 1..=13 {
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let (taken, walked) = read(cursor.as_deref(), limit, "never");
                seen.extend(taken);
                let walked = walked.expect("a walk");
                let Some(next) = walked.cursor else { break };
                assert_eq!(walked.left, Some(12 - seen.len() as u64), "steps of {limit}");
                cursor = Some(next.text());
            }
            assert_eq!(seen, (0..12).map(|number: u8| number.to_string()).collect::<Vec<_>>(), "steps of {limit}");
        }
    }

    #[test]
    fn a_record_that_could_not_be_taken_is_the_next_one() {
        let (seen, walked) = read(None, 100, "6");
        let walked = walked.expect("a walk");
        assert_eq!((seen.len(), walked.taken, walked.left), (6, 6, Some(6)));
        assert_eq!(walked.stopped.expect("a stop").code, "store_full");
        let (seen, _) = read(Some(&walked.cursor.expect("a cursor").text()), 100, "never");
        assert_eq!(seen.first().map(String::as_str), Some("6"));
    }

    #[test]
    fn a_walk_that_takes_nothing_at_all_is_an_error() {
        assert_eq!(read(None, 100, "0").1.unwrap_err().code, "store_full");
    }

    #[test]
    fn a_cursor_is_for_its_source_only() {
        let other: Source =
            agentmem_plugin_sdk::serde_json::from_value(json!({"kind": "file", "path": "a"})).expect("a source");
        let text = Cursor::new(&source(), Place::Page { page: 1 }, 2).text();
        assert_eq!(Cursor::read(Some(&text), &source()).map(|cursor| cursor.skip), Ok(2));
        assert!(Cursor::read(Some(&text), &other).unwrap_err().reason.contains("another source"));
        assert!(Cursor::read(Some("nonsense"), &other).unwrap_err().reason.contains("none that this plugin gave"));
    }
}
