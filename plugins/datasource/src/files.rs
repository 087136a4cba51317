//! Files as a source: which of them is read, where in it, and which comes after it.

use crate::cursor::Place;
use crate::folder::{files, format_of, Files};
use crate::lines::Lines;
use crate::markdown;
use crate::page::{Item, Page, Pages, Problem, Stop};
use crate::parts::Parts;
use crate::source::{FileSource, Format};
use crate::table::Table;

/// The longest Markdown file, in bytes: a document is read as a whole.
const LONGEST_DOCUMENT: u64 = 2 * 1024 * 1024;

/// The files of a source while they are read.
pub struct Reading<'a> {
    source: &'a FileSource,
    files: Option<Files>,
}

/// Where in a file.
struct At {
    path: String,
    byte: u64,
    record: u64,
}

type Records = Vec<Result<Item, Problem>>;

impl<'a> Reading<'a> {
    /// Begin; nothing is opened yet.
    pub fn new(source: &'a FileSource) -> Self {
        Reading { source, files: None }
    }

    /// The files, looked up once.
    ///
    /// # Errors
    /// The host refuses, or there are none.
    pub fn files(&mut self) -> Result<&Files, Stop> {
        let found = match self.files.take() {
            Some(found) => found,
            None => files(self.source)?,
        };
        Ok(self.files.insert(found))
    }

    fn begin(&mut self, place: &Place) -> Result<(At, Option<String>), Stop> {
        let paths = &self.files()?.paths;
        let (path, byte, record, modified) = match place {
            Place::File { path, byte, record, modified } => (path.clone(), *byte, *record, modified.clone()),
            _ => (paths.first().cloned().unwrap_or_default(), 0, 0, None),
        };
        if !paths.contains(&path) {
            return Err(Stop::new("source_changed", format!("{path} is no longer among the files; start again.")));
        }
        Ok((At { path, byte, record }, modified))
    }

    fn next_file(&mut self, path: &str) -> Option<Place> {
        let paths = &self.files.as_ref()?.paths;
        let next = paths.get(paths.iter().position(|one| one == path)? + 1)?;
        Some(Place::File { path: next.clone(), byte: 0, record: 0, modified: None })
    }
}

impl Pages for Reading<'_> {
    fn page(&mut self, place: &Place, most: usize) -> Result<Page, Stop> {
        let (at, known) = self.begin(place)?;
        let Some(format) = format_of(&at.path, self.source) else {
            let reason = format!("The format of {} is not known; say `format`: csv, jsonl or markdown.", at.path);
            return Err(Stop::new("source_failed", reason));
        };
        let (items, next, modified) = match format {
            Format::Csv => table(&at, self.source, most)?,
            Format::Jsonl => lines(&at, most)?,
            Format::Markdown => document(&at, most)?,
        };
        if known.is_some() && known != modified {
            return Err(Stop::new(
                "source_changed",
                format!("{} changed since the cursor was given; start again.", at.path),
            ));
        }
        let next = match next {
            Some((byte, record)) => Some(Place::File { path: at.path, byte, record, modified }),
            None => self.next_file(&at.path),
        };
        Ok(Page { items, next, left: None })
    }
}

/// Records, where to go on in the file (nothing at its end), and when it was changed.
type Read = (Records, Option<(u64, u64)>, Option<String>);

fn table(at: &At, source: &FileSource, most: usize) -> Result<Read, Stop> {
    let mut table = Table::open(&at.path, source, at.byte, at.record)?;
    let modified = table.modified();
    let mut place = (at.byte, at.record);
    let mut items = Records::new();
    while items.len() < most {
        match table.next() {
            Ok(Some(item)) => items.push(item),
            Ok(None) => return Ok((items, None, modified)),
            Err(stop) if items.is_empty() => return Err(stop),
            Err(_) => break,
        }
        place = (table.byte(), table.record);
    }
    Ok((items, Some(place), modified))
}

fn lines(at: &At, most: usize) -> Result<Read, Stop> {
    let mut lines = Lines::open(&at.path, at.byte, at.record)?;
    let modified = lines.modified();
    let mut place = (at.byte, at.record);
    let mut items = Records::new();
    while items.len() < most {
        match lines.next() {
            Ok(Some(item)) => items.push(item),
            Ok(None) => return Ok((items, None, modified)),
            Err(stop) if items.is_empty() => return Err(stop),
            Err(_) => break,
        }
        place = (lines.byte, lines.line);
    }
    Ok((items, Some(place), modified))
}

fn document(at: &At, most: usize) -> Result<Read, Stop> {
    let parts = Parts::open(&at.path, 0)?;
    let modified = parts.modified.clone();
    let Ok(text) = String::from_utf8(parts.rest(LONGEST_DOCUMENT)?) else {
        let problem = Problem { position: at.path.clone(), reason: "It is not UTF-8.".to_owned() };
        return Ok((vec![Err(problem)], None, modified));
    };
    let all = markdown::records(&at.path, &text);
    let begin = usize::try_from(at.record).unwrap_or(usize::MAX).min(all.len());
    let end = begin.saturating_add(most).min(all.len());
    let next = (end < all.len()).then_some((0, end as u64));
    Ok((all.into_iter().skip(begin).take(end - begin).collect(), next, modified))
}
