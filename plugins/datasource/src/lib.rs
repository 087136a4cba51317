//! `datasource`: records of files, HTTP APIs and databases, and memories made of them.
//!
//! A [`source`] is described in a call, or named in the operator's [`config`]. Whatever its kind, it is read in pages:
//! [`files`] (by [`table`], [`lines`] and [`markdown`]), [`api`] (JSON over HTTP), [`postgrest`] and [`libsql`] each
//! turn a place in the source into a [`page`](page::Page). [`walk`] goes from page to page until there is enough, or a
//! limit of the host is reached, and says with a [`cursor`] where to go on. [`mapping`] makes a memory of a record, by
//! [`template`]s over [`paths`]. [`tools`] are what clients call.
//!
//! A call begins with nothing but its input: the cursor is all that is kept between two calls, and the caller keeps it.

pub mod api;
pub mod config;
pub mod cursor;
pub mod files;
pub mod folder;
pub mod libsql;
pub mod lines;
pub mod mapping;
pub mod markdown;
pub mod page;
pub mod parts;
pub mod paths;
pub mod postgrest;
pub mod probe;
pub mod raw;
pub mod source;
pub mod storing;
pub mod table;
pub mod template;
pub mod tools;
pub mod urls;
pub mod walk;
pub mod web;
pub mod yaml;

use agentmem_plugin_sdk::prelude::*;

use storing::fetch_and_transform;
use tools::Sources;

export_plugin!(
    Sources: DataSource,
    name = "Data source",
    requires = [MemoryAccess, ConfigAccess, LoggingAccess],
    tools = [fetch_and_transform]
);
