//! Markdown tables, with columns as wide as what is seen in them.

use agentmem_plugin_sdk::prelude::*;
use unicode_width::UnicodeWidthStr;

use crate::csv_table;

/// On which side the cells of a column stand.
#[data]
#[derive(Copy, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// Left
    #[default]
    Left,
    /// Right
    Right,
    /// In the middle
    Center,
}

/// What `markdown_table` is called with.
#[request]
pub struct Request {
    /// The rows, each a list of cells: [["Ada", 36], ["Bob", 7]]. A cell is a text, a number, true, false or null
    #[serde(default)]
    pub rows: Option<Vec<Vec<Value>>>,
    /// The rows as CSV, in place of `rows`
    #[serde(default)]
    pub csv: Option<String>,
    /// The head. Without it the first row is the head
    #[serde(default)]
    pub headers: Option<Vec<String>>,
    /// The sides of the columns in their order; columns of numbers stand right where nothing is said
    #[serde(default)]
    pub align: Vec<Align>,
}

/// What `markdown_table` answers.
#[response]
pub struct Response {
    /// The table
    pub table: String,
    /// How many rows it has without its head
    pub rows: usize,
    /// How many columns
    pub columns: usize,
}

/// Make a table.
///
/// # Errors
/// When there are no rows and no head, both kinds of rows, or cells beyond the head.
pub fn make(request: &Request) -> Result<Response, Error> {
    let mut rows = rows_of(request)?;
    let head = match &request.headers {
        Some(headers) => headers.iter().map(|text| escaped(text)).collect(),
        None if rows.is_empty() => return Err("There is no row. Give `rows` or `csv`, or `headers` alone.".into()),
        None => rows.remove(0),
    };
    if head.is_empty() {
        return Err("The head has no column.".into());
    }
    if let Some((index, row)) = rows.iter().enumerate().find(|(_, row)| row.len() > head.len()) {
        let (number, cells, columns) = (index + 1, row.len(), head.len());
        return Err(format!("Row {number} has {cells} cells, and the head has {columns}.").into());
    }
    if rows.len().saturating_mul(head.len()) > 200_000 {
        return Err("The table has more than 200000 cells. Make it in parts.".into());
    }
    let columns: Vec<Column> = (0..head.len()).map(|index| Column::of(index, &head, &rows, request)).collect();
    let mut table = line(&head, &columns) + &rule(&columns);
    table.extend(rows.iter().map(|row| line(row, &columns)));
    Ok(Response { table, rows: rows.len(), columns: columns.len() })
}

fn rows_of(request: &Request) -> Result<Vec<Vec<String>>, Error> {
    match (&request.rows, &request.csv) {
        (Some(rows), None) => Ok(rows.iter().map(|row| row.iter().map(cell).collect()).collect()),
        (None, Some(text)) => {
            let rows = csv_table::rows(text, b',').map_err(|reason| format!("`csv` is no CSV: {reason}."))?;
            Ok(rows.iter().map(|row| row.iter().map(|text| escaped(text)).collect()).collect())
        }
        (None, None) => Ok(Vec::new()),
        _ => Err("Give either `rows` or `csv`, not both.".into()),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escaped(text),
        other => escaped(&other.to_string()),
    }
}

/// A text that stays in its cell.
fn escaped(text: &str) -> String {
    text.trim().replace('|', "\\|").replace("\r\n", "<br>").replace(['\n', '\r'], "<br>")
}

struct Column {
    width: usize,
    align: Align,
    told: bool,
}

impl Column {
    fn of(index: usize, head: &[String], rows: &[Vec<String>], request: &Request) -> Self {
        let cells = || rows.iter().filter_map(|row| row.get(index)).filter(|cell| !cell.is_empty());
        let widest = cells().chain(head.get(index)).map(|cell| cell.width()).max().unwrap_or(0);
        let numbers = cells().next().is_some() && cells().all(|cell| cell.parse::<f64>().is_ok());
        let told = request.align.get(index).copied();
        let align = told.unwrap_or(if numbers { Align::Right } else { Align::Left });
        Column { width: widest.clamp(3, 200), align, told: told.is_some() || numbers }
    }

    fn padded(&self, cell: &str) -> String {
        let free = self.width.saturating_sub(cell.width());
        let before = match self.align {
            Align::Left => 0,
            Align::Right => free,
            Align::Center => free / 2,
        };
        format!("{}{cell}{}", " ".repeat(before), " ".repeat(free - before))
    }

    fn rule(&self) -> String {
        let (left, right) = match self.align {
            Align::Left => (self.told, false),
            Align::Right => (false, true),
            Align::Center => (true, true),
        };
        let mark = |there: bool| if there { ":" } else { "-" };
        format!("{}{}{}", mark(left), "-".repeat(self.width - 2), mark(right))
    }
}

fn line(cells: &[String], columns: &[Column]) -> String {
    let empty = String::new();
    let padded: Vec<String> =
        columns.iter().enumerate().map(|(index, column)| column.padded(cells.get(index).unwrap_or(&empty))).collect();
    format!("| {} |\n", padded.join(" | "))
}

fn rule(columns: &[Column]) -> String {
    let rules: Vec<String> = columns.iter().map(Column::rule).collect();
    format!("| {} |\n", rules.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(request: Value) -> Result<String, String> {
        let answer = make(&serde_json::from_value(request).expect("a request"));
        answer.map(|answer| answer.table).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_are_as_wide_as_they_look() {
        let table =
            made(json!({"headers": ["Name", "n"], "rows": [["世界", 5], ["a|b", -1.5], ["x\ny"]]})).expect("a table");
        let expected = "\
| Name   |    n |
| ------ | ---: |
| 世界   |    5 |
| a\\|b   | -1.5 |
| x<br>y |      |
";
        assert_eq!(table, expected);
    }

    #[test]
    fn csv_has_its_head_in_the_first_line() {
        let table = made(json!({"csv": "a,b\n\"1,5\",x\n", "align": ["center", "left"]})).expect("a table");
        assert_eq!(table, "|  a  | b   |\n| :-: | :-- |\n| 1,5 | x   |\n");
    }

    #[test]
    fn what_makes_no_table_is_refused() {
        assert!(made(json!({})).unwrap_err().contains("no row"));
        assert!(made(json!({"headers": ["a"], "rows": [[1, 2]]})).unwrap_err().contains("Row 1 has 2 cells"));
        assert!(made(json!({"rows": [], "csv": ""})).unwrap_err().contains("not both"));
        assert!(made(json!({"csv": "a,b\n1"})).unwrap_err().contains("line 2 has 1 cells"));
    }
}
