//! `text-toolbox`: the small tools for text that every model needs and none should do in its head.
//!
//! | export | does |
//! |---|---|
//! | `diff` | compares two texts by line or by word |
//! | `regex_find`, `regex_replace` | searches and replaces in linear time |
//! | `convert_data` | JSON, YAML, TOML and CSV each way |
//! | `json_query` | JSONPath (RFC 9535) |
//! | `hash` | MD5, SHA-1, SHA-2, SHA-3, BLAKE3, CRC-32 |
//! | `encode`, `decode` | base64, base32, hexadecimal, URL, HTML |
//! | `date_time` | reads, adds, counts, formats and moves between time zones |
//! | `convert_units` | lengths to data sizes, exact |
//! | `markdown_table` | from rows or CSV |
//! | `text_stats` | characters, words, sentences |
//!
//! Everything is plain Rust without a host, a clock or a capability: the same input gives the same output.

use agentmem_plugin_sdk::prelude::*;

pub mod answer;
pub mod convert;
pub mod csv_table;
pub mod date;
pub mod diff;
pub mod encoding;
pub mod exact;
pub mod hashing;
pub mod node;
pub mod pattern;
pub mod query;
pub mod statistics;
pub mod table;
pub mod unit_table;
pub mod units;

/// The exports: each tool's name, what it is called with, what it answers, and the function that does it.
macro_rules! tools {
    ($($name:ident: $request:ty => $response:ty = $function:path;)*) => {
        $(fn $name(request: $request) -> Result<$response, Error> {
            answer::checked($function(&request)?)
        })*
    };
}

tools! {
    diff: diff::Request => diff::Response = diff::compare;
    regex_find: pattern::FindRequest => pattern::Found = pattern::find;
    regex_replace: pattern::ReplaceRequest => pattern::Replaced = pattern::replace;
    convert_data: convert::Request => convert::Response = convert::convert;
    json_query: query::Request => query::Response = query::query;
    hash: hashing::Request => hashing::Response = hashing::hash;
    encode: encoding::EncodeRequest => encoding::Encoded = encoding::encode;
    decode: encoding::DecodeRequest => encoding::Decoded = encoding::decode;
    date_time: date::Request => date::Response = date::date_time;
    convert_units: units::Request => units::Response = units::convert;
    markdown_table: table::Request => table::Response = table::make;
    text_stats: statistics::Request => statistics::Response = statistics::count;
}

export_plugin!(
    name = "Text toolbox",
    tools = [
        diff,
        regex_find,
        regex_replace,
        convert_data,
        json_query,
        hash,
        encode,
        decode,
        date_time,
        convert_units,
        markdown_table,
        text_stats
    ]
);
