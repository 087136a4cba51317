//! Values under keys, kept for the caller and this plugin. Needs `StorageAccess`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::wire::host_function;
use crate::HostError;

host_function!(STORE_DATA = store_data);
host_function!(LOAD_DATA = load_data);
host_function!(DELETE_DATA = delete_data);
host_function!(LIST_DATA = list_data);

/// How to store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct StoreOptions {
    /// After how many seconds to forget it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
    /// Only when this is the version that is stored; 0 where nothing may be there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_version: Option<u64>,
}

/// What became of a value that was stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Stored {
    /// Under which key.
    pub key: String,
    /// Rises with each store, also over a delete.
    pub version: u64,
    /// When it is forgotten.
    pub expires_at: Option<String>,
}

/// A value that was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Loaded<T> {
    /// The value.
    pub value: T,
    /// Its version.
    pub version: u64,
    /// When it is forgotten.
    pub expires_at: Option<String>,
}

/// One key of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Length of the value as JSON.
    pub bytes: u64,
    /// Its version.
    pub version: u64,
    /// When it is forgotten.
    pub expires_at: Option<String>,
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Listing {
    /// The keys, in their order.
    pub entries: Vec<Entry>,
    /// What to go on from; nothing at the end.
    pub cursor: Option<String>,
}

/// Which keys to list; the default lists them all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ListOptions {
    /// What the keys begin with.
    pub prefix: String,
    /// Where a listing of the same prefix stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many at most, 1 to 1 000; the host's 100 where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Serialize)]
struct Storing<'a, T: ?Sized> {
    key: &'a str,
    value: &'a T,
    #[serde(flatten)]
    options: StoreOptions,
}

#[derive(Serialize)]
struct Named<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_version: Option<u64>,
}

#[derive(Deserialize)]
struct Deleted {
    deleted: bool,
}

/// Store a value under a key of at most 512 bytes.
///
/// # Errors
/// Among the codes: `limit_kv_value`, `limit_kv_bytes`, `store_busy`.
pub fn store<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<Stored, HostError> {
    store_with(key, value, StoreOptions::default())
}

/// Store a value with an end, or only over a known version.
///
/// # Errors
/// As [`store`], and `version_conflict`.
pub fn store_with<T: Serialize + ?Sized>(key: &str, value: &T, options: StoreOptions) -> Result<Stored, HostError> {
    super::ask_for(&STORE_DATA, &Storing { key, value, options })
}

/// Load a value, or nothing where there is none.
///
/// # Errors
/// The host refuses, or the value is of another type than `T`.
pub fn load<T: DeserializeOwned>(key: &str) -> Result<Option<Loaded<T>>, HostError> {
    super::ask(&LOAD_DATA, &Named { key, if_version: None })
}

/// Delete a value; false where there was none.
///
/// # Errors
/// `version_conflict`, where `if_version` is another than that stored, or the host refuses.
pub fn delete(key: &str, if_version: Option<u64>) -> Result<bool, HostError> {
    super::ask_for::<Deleted>(&DELETE_DATA, &Named { key, if_version }).map(|answer| answer.deleted)
}

/// List keys.
///
/// # Errors
/// `cursor_invalid`, or the host refuses.
pub fn list(options: &ListOptions) -> Result<Listing, HostError> {
    super::ask_for(&LIST_DATA, options)
}
