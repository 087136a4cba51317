//! Plugins that fetch data and make memories of it.

use super::{made, Plugin};
use crate::{Error, Input, Memory, Output};

/// Fetches data. What a source and a query are, and what data looks like, is the plugin's own.
pub trait DataSource: Plugin {
    /// Which source, and how to reach it.
    type Source: Input;
    /// What is known of a source that could be reached.
    type Connection: Output;
    /// What to fetch.
    type Query: Input;
    /// What was fetched.
    type Fetched: Output;
    /// One piece of it.
    type Data: Input;

    /// Try whether a source can be reached.
    ///
    /// # Errors
    /// It cannot.
    fn connect(&self, source: Self::Source) -> Result<Self::Connection, Error>;

    /// Fetch data.
    ///
    /// # Errors
    /// The source refuses, or the query cannot be answered.
    fn fetch_data(&self, query: Self::Query) -> Result<Self::Fetched, Error>;

    /// Make a memory of one piece of data.
    ///
    /// # Errors
    /// There is nothing in it to remember.
    fn transform_data(&self, data: Self::Data) -> Result<Memory, Error>;
}

/// The export `connect`.
///
/// # Errors
/// As the plugin's own.
pub fn connect<P: DataSource>(source: P::Source) -> Result<P::Connection, Error> {
    made::<P>()?.connect(source)
}

/// The export `fetch_data`.
///
/// # Errors
/// As the plugin's own.
pub fn fetch_data<P: DataSource>(query: P::Query) -> Result<P::Fetched, Error> {
    made::<P>()?.fetch_data(query)
}

/// The export `transform_data`.
///
/// # Errors
/// As the plugin's own.
pub fn transform_data<P: DataSource>(data: P::Data) -> Result<Memory, Error> {
    made::<P>()?.transform_data(data)
}
