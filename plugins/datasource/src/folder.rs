//! Which files a source has: the file itself, or those of its folder and the folders below, in the order of their paths.

use agentmem_plugin_sdk::prelude::*;
use host::files::{list, read_part, ReadOptions};

use crate::page::Stop;
use crate::source::{FileSource, Format};

/// At most so many files of a folder.
const MOST_FILES: usize = 5_000;
/// At most so many folders below one another.
const DEEPEST: usize = 16;

/// The files of a source.
#[derive(Debug, PartialEq)]
pub struct Files {
    /// Their paths, in order.
    pub paths: Vec<String>,
    /// Whether the source is a folder.
    pub folder: bool,
}

/// Find the files of a source.
///
/// # Errors
/// The host refuses, there are none, or there are too many.
pub fn files(source: &FileSource) -> Result<Files, Stop> {
    let path = source.path.trim_end_matches('/');
    let probe = ReadOptions { offset: Some(0), limit: Some(1), ..ReadOptions::default() };
    match read_part(path, probe) {
        Ok(_) => return Ok(Files { paths: vec![path.to_owned()], folder: false }),
        Err(error) if error.code == "not_a_file" => {}
        Err(error) => return Err(error.into()),
    }
    let mut paths = Vec::new();
    gather(path, source, DEEPEST, &mut paths)?;
    paths.sort_unstable();
    if paths.is_empty() {
        let reason =
            format!("The folder {path} has no file that ends in .csv, .tsv, .jsonl, .ndjson, .md or .markdown.");
        return Err(Stop::new("source_failed", reason));
    }
    Ok(Files { paths, folder: true })
}

/// The format of a file: what its source says, else what its ending says.
pub fn format_of(path: &str, source: &FileSource) -> Option<Format> {
    source.format.or_else(|| by_ending(path))
}

fn by_ending(path: &str) -> Option<Format> {
    match path.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "csv" | "tsv" => Some(Format::Csv),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "md" | "markdown" => Some(Format::Markdown),
        _ => None,
    }
}

fn gather(folder: &str, source: &FileSource, levels: usize, paths: &mut Vec<String>) -> Result<(), Stop> {
    let mut after = None;
    loop {
        let listing = list(Some(folder), after.as_deref())?;
        for entry in listing.entries {
            let path = [folder, "/", &entry.name].concat();
            let wanted = by_ending(&path).is_some_and(|format| source.format.is_none_or(|asked| asked == format));
            match entry.kind.as_str() {
                "directory" if levels > 0 => gather(&path, source, levels - 1, paths)?,
                "file" if wanted => paths.push(path),
                _ => {}
            }
            if paths.len() > MOST_FILES {
                let reason = format!("{} has more than {MOST_FILES} files; name a folder below it.", source.path);
                return Err(Stop::new("source_failed", reason));
            }
        }
        after = listing.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
