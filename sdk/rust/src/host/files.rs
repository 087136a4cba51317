//! Files below the folders that the operator has named. Needs `FileSystemAccess`.
//!
//! A path is `<root>/<folder>/<file>`, relative and with forward slashes.

use serde::{Deserialize, Serialize};

use super::wire::host_function;
use crate::HostError;

host_function!(READ_FILE = read_file);
host_function!(WRITE_FILE = write_file);
host_function!(LIST_FILES = list_files);
host_function!(DELETE_FILE = delete_file);

/// How bytes are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As text where they are UTF-8, else as base64.
    #[default]
    Auto,
    /// As base64 always.
    Base64,
}

/// Which part of a file to read; the default reads it all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ReadOptions {
    /// Where to begin, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// How many bytes at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// How the bytes are told.
    pub encoding: Encoding,
}

/// A file, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Content {
    /// The text, where the bytes are UTF-8.
    #[serde(default)]
    pub content: Option<String>,
    /// The bytes in base64, where they are not, or where that was asked for.
    #[serde(default)]
    pub content_base64: Option<String>,
    /// Where it begins.
    pub offset: u64,
    /// Length of the whole file.
    pub size: u64,
    /// Whether the file ends with it.
    pub eof: bool,
    /// When the file was changed.
    pub modified: Option<String>,
}

/// What to do where the file is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IfExists {
    /// Put the new one in its place, in one step.
    #[default]
    Replace,
    /// Refuse with `file_exists`.
    Fail,
}

/// A file to write: `content` or `content_base64`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NewFile {
    /// Where.
    pub path: String,
    /// A text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Bytes in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_base64: Option<String>,
    /// What to do where it is there already.
    pub if_exists: IfExists,
    /// Whether folders on the way are made.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub create_folders: bool,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Written {
    /// Length of the file.
    pub bytes: u64,
    /// Whether it was not there before.
    pub created: bool,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// `file`, `directory` or `other`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Length of a file.
    #[serde(default)]
    pub size: Option<u64>,
    /// When it was changed.
    #[serde(default)]
    pub modified: Option<String>,
}

/// A part of a folder's listing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Listing {
    /// In the order of their names.
    pub entries: Vec<Entry>,
    /// What to give as `after` to go on; nothing at the end.
    #[serde(default)]
    pub next: Option<String>,
}

#[derive(Serialize)]
struct Reading<'a> {
    path: &'a str,
    #[serde(flatten)]
    options: ReadOptions,
}

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a str>,
}

#[derive(Serialize)]
struct Named<'a> {
    path: &'a str,
}

/// Read a whole file.
///
/// # Errors
/// Among the codes: `path_denied`, `file_not_found`, `limit_file_bytes_read`.
pub fn read(path: &str) -> Result<Content, HostError> {
    read_part(path, ReadOptions::default())
}

/// Read a part of a file.
///
/// # Errors
/// As [`read`].
pub fn read_part(path: &str, options: ReadOptions) -> Result<Content, HostError> {
    super::ask_for(&READ_FILE, &Reading { path, options })
}

/// Write a text, over what was there.
///
/// # Errors
/// Among the codes: `path_denied`, `limit_file_bytes_written`, `storage_full`.
pub fn write(path: &str, content: &str) -> Result<Written, HostError> {
    write_file(&NewFile { path: path.to_owned(), content: Some(content.to_owned()), ..NewFile::default() })
}

/// Write a file.
///
/// # Errors
/// As [`write()`], and `file_exists`.
pub fn write_file(file: &NewFile) -> Result<Written, HostError> {
    super::ask_for(&WRITE_FILE, file)
}

/// List a folder after a name, or the roots without a folder.
///
/// # Errors
/// Among the codes: `path_denied`, `file_not_found`, `limit_file_scan`.
pub fn list(path: Option<&str>, after: Option<&str>) -> Result<Listing, HostError> {
    super::ask_for(&LIST_FILES, &Listed { path, after })
}

/// Delete a file.
///
/// # Errors
/// Among the codes: `path_denied`, `file_not_found`, `not_a_file`.
pub fn delete(path: &str) -> Result<(), HostError> {
    super::ask::<serde::de::IgnoredAny>(&DELETE_FILE, &Named { path }).map(drop)
}
