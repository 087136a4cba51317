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
const LONGEST_DOCUMENT: u64 = 512 * 1024;
/// A count stops here.
pub const COUNTED: u64 = 50_000;

/// Codes that tell of one file, while the next one may be read.
const OF_ONE: [&str; 5] = ["file_too_long", "path_denied", "file_not_found", "not_a_file", "invalid_path"];

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

    /// How many records the first file has, at most [`COUNTED`] and one; nothing where its format is not known.
    ///
    /// # Errors
    /// The host refuses.
    pub fn count(&mut self) -> Result<Option<u64>, Stop> {
        let (at, _) = self.begin(&Place::Start)?;
        Ok(match format_of(&at.path, self.source) {
            None => None,
            Some(Format::Csv) => {
                let mut table = Table::open(&at.path, self.source, 0, 0)?;
                while table.record <= COUNTED && table.next()?.is_some() {}
                Some(table.record)
            }
            Some(Format::Jsonl) => {
                let mut lines = Lines::open(&at.path, 0, 0)?;
                let mut count = 0;
                while count <= COUNTED && lines.next()?.is_some() {
                    count += 1;
                }
                Some(count)
            }
            Some(Format::Markdown) => {
                let bytes = Parts::open(&at.path, 0)?.rest(LONGEST_DOCUMENT)?;
                Some(markdown::document(&String::from_utf8_lossy(&bytes)).count() as u64)
            }
        })
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
        let folder = self.files()?.folder;
        let (items, next, modified) = match read(&at, self.source, most) {
            // One file of a folder that cannot be read does not hide the others.
            Err(stop) if folder && OF_ONE.contains(&stop.code.as_str()) => {
                let problem = Problem { position: at.path.clone(), reason: stop.reason };
                (vec![Err(problem)], None, known.clone())
            }
            read => read?,
        };
        if known.is_some() && known != modified {
            let reason = format!("{} changed since the cursor was given; start again.", at.path);
            return Err(Stop::new("source_changed", reason));
        }
        let next = match next {
            Some((byte, record)) => Some(Place::File { path: at.path, byte, record, modified }),
            None => self.next_file(&at.path),
        };
        Ok(Page { items, next, ..Page::default() })
    }
}

/// Records, where to go on in the file (nothing at its end), and when it was changed.
type Read = (Records, Option<(u64, u64)>, Option<String>);

fn read(at: &At, source: &FileSource, most: usize) -> Result<Read, Stop> {
    match format_of(&at.path, source) {
        Some(Format::Csv) => table(at, source, most),
        Some(Format::Jsonl) => lines(at, most),
        Some(Format::Markdown) => document(at, most),
        None => {
            let reason = format!("The format of {} is not known; say `format`: csv, jsonl or markdown.", at.path);
            Err(Stop::new("source_failed", reason))
        }
    }
}

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
    let document = markdown::document(&text);
    let begin = usize::try_from(at.record).unwrap_or(usize::MAX);
    let end = begin.saturating_add(most);
    let next = (end < document.count()).then_some((0, end as u64));
    Ok((document.records(&at.path, begin, most), next, modified))
}
