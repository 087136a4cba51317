//! CSV: rows of cells, from and to a list of maps.

use agentmem_plugin_sdk::Error;

use crate::node::Node;

/// How a CSV is written.
pub struct Dialect {
    delimiter: u8,
    infer_types: bool,
}

impl Dialect {
    /// With what parts the cells, and whether numbers are told from texts.
    ///
    /// # Errors
    /// When the delimiter is not one ASCII character, or one with a meaning of its own.
    pub fn new(delimiter: &str, infer_types: bool) -> Result<Self, Error> {
        match delimiter.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => {
                Ok(Dialect { delimiter: *byte, infer_types })
            }
            _ => Err("`delimiter` must be one ASCII character, such as \",\" or \";\" or a tab.".into()),
        }
    }
}

/// The rows of a CSV, the head among them.
///
/// # Errors
/// What is wrong with the text, as a sentence without its full stop.
pub fn rows(text: &str, delimiter: u8) -> Result<Vec<Vec<String>>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(text.as_bytes());
    let cells = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader.records().map(|record| record.map(cells).map_err(told)).collect()
}

fn told(reason: csv::Error) -> String {
    match reason.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!("line {line} has {len} cells, and the first has {expected_len}")
        }
        _ => reason.to_string(),
    }
}

/// A CSV as a list of maps, whose keys are in its first line.
///
/// # Errors
/// What is wrong with the text, as a sentence without its full stop.
pub fn read(text: &str, dialect: &Dialect) -> Result<Node, String> {
    let mut rows = rows(text, dialect.delimiter)?.into_iter();
    let head = rows.next().unwrap_or_default();
    if let Some(twice) = head.iter().enumerate().find(|(at, name)| head.iter().take(*at).any(|other| other == *name)) {
        return Err(format!("the head has \"{}\" twice", twice.1));
    }
    let cell = |text: String| if dialect.infer_types { inferred(text) } else { Node::Text(text) };
    let map = |row: Vec<String>| Node::Map(head.iter().cloned().zip(row.into_iter().map(cell)).collect());
    Ok(Node::List(rows.map(map).collect()))
}

/// A number that is written as it would be written again, or a truth value; else the text.
fn inferred(text: String) -> Node {
    match text.as_str() {
        "true" => Node::Bool(true),
        "false" => Node::Bool(false),
        _ => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) if number.to_string() == text => Node::Int(number.into()),
            (_, Ok(number)) if number.is_finite() && number.to_string() == text => Node::Float(number),
            _ => Node::Text(text),
        },
    }
}

/// A list of maps, or of lists, as a CSV.
///
/// # Errors
/// When the data is neither.
pub fn write(data: &Node, dialect: &Dialect) -> Result<String, Error> {
    let Node::List(rows) = data else { return Err(wanted()) };
    let mut writer = csv::WriterBuilder::new().delimiter(dialect.delimiter).flexible(true).from_writer(Vec::new());
    let head = head_of(rows)?;
    if !head.is_empty() {
        writer.write_record(&head).map_err(Error::new)?;
    }
    for row in rows {
        let cells: Vec<String> = match row {
            Node::List(cells) => cells.iter().map(cell).collect::<Result<_, _>>()?,
            Node::Map(entries) => head
                .iter()
                .map(|name| {
                    entries.iter().find(|(key, _)| key == name).map_or(Ok(String::new()), |(_, value)| cell(value))
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(wanted()),
        };
        writer.write_record(&cells).map_err(Error::new)?;
    }
    let bytes = writer.into_inner().map_err(Error::new)?;
    String::from_utf8(bytes).map_err(Error::new)
}

/// The keys of all maps, in the order in which they first come; none for lists.
fn head_of(rows: &[Node]) -> Result<Vec<String>, Error> {
    let maps = rows.iter().filter(|row| matches!(row, Node::Map(_))).count();
    if maps != 0 && maps != rows.len() {
        return Err(wanted());
    }
    let mut head: Vec<String> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for row in rows {
        if let Node::Map(entries) = row {
            head.extend(entries.iter().filter(|(key, _)| known.insert(key.clone())).map(|(key, _)| key.clone()));
        }
    }
    if head.len().saturating_mul(rows.len()) > 1_000_000 {
        return Err("The table would have more than a million cells. Convert it in parts.".into());
    }
    Ok(head)
}

/// The text of a cell; lists and maps become JSON, null becomes nothing.
fn cell(value: &Node) -> Result<String, Error> {
    Ok(match value {
        Node::Null => String::new(),
        Node::Text(text) => text.clone(),
        other => serde_json::to_string(other)?,
    })
}

fn wanted() -> Error {
    "CSV is made from a list of maps, [{\"name\": \"Ada\"}], or from a list of lists, and the data is neither.".into()
}
