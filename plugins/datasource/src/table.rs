//! CSV: a header, and records of fields. What is a record is the `csv` crate's business.

use agentmem_plugin_sdk::serde_json::Map;
use csv::{ByteRecord, Reader, ReaderBuilder};

use crate::page::{Item, Problem, Stop};
use crate::parts::{stop_of, Parts};
use crate::source::FileSource;

/// A table while it is read.
pub struct Table {
    reader: Reader<Parts>,
    columns: Vec<String>,
    path: String,
    /// Where the reader began in the file.
    base: u64,
    /// How many records are read.
    pub record: u64,
}

impl Table {
    /// Open a table at a byte, before which `record` records are.
    ///
    /// # Errors
    /// The host refuses, or the columns cannot be read.
    pub fn open(path: &str, source: &FileSource, byte: u64, record: u64) -> Result<Self, Stop> {
        let delimiter = delimiter(path, source);
        let mut reader = reader(path, 0, delimiter)?;
        let columns = match &source.columns {
            Some(columns) => columns.clone(),
            None => named(&next(&mut reader)?.unwrap_or_default()),
        };
        let begun = reader.position().byte();
        if byte > begun {
            reader = self::reader(path, byte, delimiter)?;
        }
        let base = if byte > begun { byte } else { 0 };
        Ok(Table { reader, columns, path: path.to_owned(), base, record })
    }

    /// When the file was changed last.
    pub fn modified(&self) -> Option<String> {
        self.reader.get_ref().modified.clone()
    }

    /// How many bytes of the file are read.
    pub fn byte(&self) -> u64 {
        self.base.saturating_add(self.reader.position().byte())
    }

    /// The next record, or nothing at the end.
    ///
    /// # Errors
    /// The host refuses.
    pub fn next(&mut self) -> Result<Option<Result<Item, Problem>>, Stop> {
        let Some(fields) = next(&mut self.reader)? else { return Ok(None) };
        self.record += 1;
        let position = format!("{}: record {}", self.path, self.record);
        Ok(Some(self.item(&fields, position)))
    }

    fn item(&self, fields: &ByteRecord, position: String) -> Result<Item, Problem> {
        if fields.len() != self.columns.len() {
            let reason = format!("It has {} fields, and there are {} columns.", fields.len(), self.columns.len());
            return Err(Problem { position, reason });
        }
        let mut data = Map::new();
        for (column, field) in self.columns.iter().zip(fields) {
            let Ok(text) = std::str::from_utf8(field) else {
                return Err(Problem { position, reason: format!("Its field `{column}` is not UTF-8.") });
            };
            data.insert(column.clone(), text.into());
        }
        Ok(Item { position, data })
    }
}

fn delimiter(path: &str, source: &FileSource) -> u8 {
    let usual = if path.to_ascii_lowercase().ends_with(".tsv") { b'\t' } else { b',' };
    source.delimiter.and_then(|one| u8::try_from(one).ok()).unwrap_or(usual)
}

fn reader(path: &str, byte: u64, delimiter: u8) -> Result<Reader<Parts>, Stop> {
    let parts = Parts::open(path, byte)?;
    Ok(ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(parts))
}

fn next(reader: &mut Reader<Parts>) -> Result<Option<ByteRecord>, Stop> {
    let mut record = ByteRecord::new();
    match reader.read_byte_record(&mut record) {
        Ok(true) => Ok(Some(record)),
        Ok(false) => Ok(None),
        Err(error) => match error.into_kind() {
            csv::ErrorKind::Io(reason) => Err(stop_of(reason)),
            other => Err(Stop::new("source_failed", format!("This is no CSV: {other:?}."))),
        },
    }
}

/// Names of columns: blank ones get their number, and those that are there already one more.
fn named(header: &ByteRecord) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    for (index, field) in header.iter().enumerate() {
        let told = String::from_utf8_lossy(field).trim().to_owned();
        let mut name = if told.is_empty() { format!("column_{}", index + 1) } else { told.clone() };
        while names.contains(&name) {
            name = format!("{}_{}", if told.is_empty() { "column" } else { &told }, names.len() + 1);
            if names.contains(&name) {
                name.push('_');
            }
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_name_of_its_own() {
        let header = ByteRecord::from(vec!["name", "", "name", " name ", "name_3"]);
        assert_eq!(named(&header), ["name", "column_2", "name_3", "name_4", "name_3_5"].map(str::to_owned));
    }
}
