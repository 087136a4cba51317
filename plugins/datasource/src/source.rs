//! What a source is: the description that a call or the configuration gives. Opens nothing.

use std::collections::BTreeMap;

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::schemars::JsonSchema;
use agentmem_plugin_sdk::serde::de::value::MapAccessDeserializer;
use agentmem_plugin_sdk::serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

/// Words in the names of headers whose values are secrets.
const SECRET_HEADERS: [&str; 6] = ["authorization", "cookie", "token", "secret", "apikey", "api-key"];

/// Where records are.
#[data]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    /// A file, or all files of a folder: CSV, JSON Lines or Markdown.
    File(FileSource),
    /// An API that answers JSON.
    Http(HttpSource),
    /// A table behind PostgREST.
    Postgrest(PostgrestSource),
    /// A query of a libSQL database, such as Turso or sqld, by Hrana over HTTP.
    Libsql(LibsqlSource),
}

/// A file, or all files of a folder.
#[data]
#[serde(deny_unknown_fields)]
pub struct FileSource {
    /// Path of the file or folder, `<root>/<folder>/<file>`
    pub path: String,
    /// Format; left out, the ending of the name says it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// What separates the columns of CSV, one character; left out, a comma, or a tab for .tsv
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Names of the columns of CSV; left out, its first record has them
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
}

/// How records stand in a file.
#[data]
#[derive(Copy, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Columns; each record has as many fields
    Csv,
    /// A JSON value on each line
    Jsonl,
    /// Front matter in YAML and a record for each heading
    Markdown,
}

/// An API that answers JSON.
#[data]
#[serde(deny_unknown_fields)]
pub struct HttpSource {
    /// The URL of the first page
    pub url: String,
    /// Headers; a secret only as `{{secret:NAME}}`
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Path of the list of records in the answer, such as `data.items`; left out, the answer is the list
    #[serde(default)]
    pub items: String,
    /// How the next page is found
    #[serde(default)]
    pub paging: Paging,
}

/// How the next page of an API is found.
#[data]
#[derive(Default)]
#[serde(tag = "style", rename_all = "snake_case", deny_unknown_fields)]
pub enum Paging {
    /// There is one page.
    #[default]
    None,
    /// Pages have numbers.
    Page {
        /// The parameter of the query
        parameter: String,
        /// Number of the first page
        #[serde(default = "one")]
        start: u64,
    },
    /// The query says how many records to pass over.
    Offset {
        /// The parameter of the query
        parameter: String,
    },
    /// Each page holds a cursor of the next one.
    Cursor {
        /// The parameter of the query
        parameter: String,
        /// Path of the cursor in the answer
        next: String,
    },
    /// Each page holds the URL of the next one.
    NextUrl {
        /// Path of the URL in the answer
        next: String,
    },
    /// The header `Link` has the URL of the next page.
    Link,
}

/// A table behind PostgREST.
#[data]
#[serde(deny_unknown_fields)]
pub struct PostgrestSource {
    /// The URL of PostgREST, such as `https://db.example/rest/v1`
    pub url: String,
    /// The table or view
    pub table: String,
    /// Columns, as PostgREST writes them; left out, all
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
    /// Conditions by column, such as `{"status": "eq.open"}`
    #[serde(default)]
    pub filters: BTreeMap<String, String>,
    /// Order, such as `id.asc`, by which pages do not overlap
    pub order: String,
    /// Headers; a secret only as `{{secret:NAME}}`
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// A query of a libSQL database.
#[data]
#[serde(deny_unknown_fields)]
pub struct LibsqlSource {
    /// The URL of the database, such as `https://name-org.turso.io`
    pub url: String,
    /// A query that reads only; with ORDER BY, so that pages do not overlap
    pub sql: String,
    /// Values of its parameters `?`: texts, numbers, booleans, null
    #[serde(default)]
    pub args: Vec<Value>,
    /// Headers; a secret only as `{{secret:NAME}}`
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// A source as a call gives it.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(crate = "agentmem_plugin_sdk::schemars", untagged)]
pub enum SourceRef {
    /// The name of a source that the operator has set.
    Named(String),
    /// A description.
    Described(Box<Source>),
}

fn one() -> u64 {
    1
}

impl<'de> Deserialize<'de> for SourceRef {
    /// By hand, since a derived one for either form tells of an error nothing but that neither fits.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = SourceRef;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("the name of a source, or an object that describes one")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<SourceRef, E> {
                Ok(SourceRef::Named(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SourceRef, A::Error> {
                let source = Source::deserialize(MapAccessDeserializer::new(map))?;
                Ok(SourceRef::Described(Box::new(source)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Source {
    /// What it is called in answers and memories: never its query, headers or secrets.
    pub fn label(&self) -> String {
        match self {
            Source::File(file) => file.path.clone(),
            Source::Http(http) => bare(&http.url).to_owned(),
            Source::Postgrest(table) => format!("{}/{}", bare(&table.url).trim_end_matches('/'), table.table),
            Source::Libsql(database) => bare(&database.url).to_owned(),
        }
    }

    /// Look for what no source may have.
    ///
    /// # Errors
    /// A secret stands in a header as it is, or a delimiter is no single byte.
    pub fn check(&self) -> Result<(), Error> {
        let headers = match self {
            Source::File(file) => return file.check(),
            Source::Http(HttpSource { headers, .. })
            | Source::Postgrest(PostgrestSource { headers, .. })
            | Source::Libsql(LibsqlSource { headers, .. }) => headers,
        };
        for (name, value) in headers {
            let lower = name.to_lowercase();
            if SECRET_HEADERS.iter().any(|word| lower.contains(word)) && !value.contains("{{secret:") {
                return Err(format!(
                    "The header \"{name}\" holds a secret as it is. Write {{{{secret:NAME}}}} in its value; the operator \
                     grants the secret of that name."
                )
                .into());
            }
        }
        Ok(())
    }
}

impl FileSource {
    fn check(&self) -> Result<(), Error> {
        match self.delimiter {
            Some(other) if !other.is_ascii() || matches!(other, '"' | '\n' | '\r') => {
                Err(format!("The delimiter {other:?} cannot be used: one ASCII character other than \" is needed.")
                    .into())
            }
            _ => Ok(()),
        }
    }
}

fn bare(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}
