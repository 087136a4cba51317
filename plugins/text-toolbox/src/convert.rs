//! Conversion between JSON, YAML, TOML and CSV. What cannot be said in the other format is refused and not lost.

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde::Serialize;

use crate::csv_table::{self, Dialect};
use crate::exact;
use crate::node::Node;

/// A format of data.
#[data]
#[derive(Copy, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON
    Json,
    /// YAML 1.2, one document
    Yaml,
    /// TOML 1.0
    Toml,
    /// CSV with a head line
    Csv,
}

/// What `convert_data` is called with.
#[request]
pub struct Request {
    /// The data as text
    pub text: String,
    /// The format that it is in
    pub from: Format,
    /// The format to have. From JSON to JSON makes it pretty, or compact with `indent` 0
    pub to: Format,
    /// Blanks of each level in JSON; 0 puts all on one line
    #[serde(default = "two")]
    #[schemars(range(min = 0, max = 8))]
    pub indent: u8,
    /// What parts the cells of CSV: "," or ";" or a tab
    #[serde(default = "comma")]
    #[schemars(length(min = 1, max = 1))]
    pub delimiter: String,
    /// Whether cells of CSV that are numbers, true or false become such; "007" and an empty cell stay texts
    #[serde(default)]
    pub infer_types: bool,
}

/// What `convert_data` answers.
#[response]
pub struct Response {
    /// The data in the other format
    pub text: String,
}

/// Convert data.
///
/// # Errors
/// When the text is not in its format, with the place, or the other format cannot say it.
pub fn convert(request: &Request) -> Result<Response, Error> {
    let dialect = Dialect::new(&request.delimiter, request.infer_types)?;
    let data = read(&request.text, request.from, &dialect)?;
    let text = write(&data, request.to, request.indent, &dialect)?;
    Ok(Response { text })
}

fn read(text: &str, format: Format, dialect: &Dialect) -> Result<Node, Error> {
    let no = |name: &str, reason: &dyn std::fmt::Display| Error::from(format!("`text` is no {name}: {reason}."));
    match format {
        Format::Json => {
            if let Some(number) = exact::lost_number(text) {
                let reason = "has more digits than can be kept. Put it in quotes to convert it as text";
                return Err(format!("The number {number} {reason}.").into());
            }
            serde_json::from_str(text).map_err(|reason| no("JSON", &reason))
        }
        Format::Yaml => serde_saphyr::from_str_with_options(text, yaml_1_2()).map_err(|reason| {
            let told = reason.to_string();
            no("YAML", &told.lines().next().unwrap_or_default())
        }),
        Format::Toml => {
            let table: toml::Table = text.parse().map_err(|reason: toml::de::Error| {
                let line = reason
                    .span()
                    .and_then(|span| text.get(..span.start))
                    .map_or(1, |before| before.matches('\n').count() + 1);
                no("TOML", &format!("{} in line {line}", reason.message()))
            })?;
            Ok(from_toml(toml::Value::Table(table)))
        }
        Format::Csv => csv_table::read(text, dialect).map_err(|reason| no("CSV", &reason)),
    }
}

/// `no` is a text, as YAML 1.2 has it, and not false; aliases may not make much of little.
fn yaml_1_2() -> serde_saphyr::Options {
    let replayed = serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 };
    serde_saphyr::options! { strict_booleans: true, alias_limits: replayed }
}

fn write(data: &Node, format: Format, indent: u8, dialect: &Dialect) -> Result<String, Error> {
    match format {
        Format::Json => to_json(data, indent.min(8)),
        Format::Yaml => serde_saphyr::to_string(data).map_err(|reason| format!("YAML cannot say it: {reason}.").into()),
        Format::Toml => match to_toml(data, "")? {
            toml::Value::Table(table) => Ok(table.to_string()),
            _ => Err("TOML has a map at its top, and the data is none. Put it under a key first.".into()),
        },
        Format::Csv => csv_table::write(data, dialect),
    }
}

fn to_json(data: &Node, indent: u8) -> Result<String, Error> {
    if indent == 0 {
        return Ok(serde_json::to_string(data)?);
    }
    let blanks = [b' '; 8];
    let mut text = Vec::new();
    let style = serde_json::ser::PrettyFormatter::with_indent(blanks.get(..indent.into()).unwrap_or(&blanks));
    data.serialize(&mut serde_json::Serializer::with_formatter(&mut text, style))?;
    String::from_utf8(text).map_err(Error::new)
}

/// Dates, which only TOML has, become their text.
fn from_toml(value: toml::Value) -> Node {
    match value {
        toml::Value::String(text) => Node::Text(text),
        toml::Value::Integer(number) => Node::Int(number.into()),
        toml::Value::Float(number) => Node::Float(number),
        toml::Value::Boolean(value) => Node::Bool(value),
        toml::Value::Datetime(date) => Node::Text(date.to_string()),
        toml::Value::Array(values) => Node::List(values.into_iter().map(from_toml).collect()),
        toml::Value::Table(table) => Node::Map(table.into_iter().map(|(key, value)| (key, from_toml(value))).collect()),
    }
}

fn to_toml(data: &Node, path: &str) -> Result<toml::Value, Error> {
    let place = if path.is_empty() { "at the top".to_owned() } else { format!("at {path}") };
    Ok(match data {
        Node::Null => return Err(format!("TOML has no null, and there is one {place}. Leave it out first.").into()),
        Node::Bool(value) => toml::Value::Boolean(*value),
        Node::Int(number) => toml::Value::Integer(
            i64::try_from(*number).map_err(|_| format!("The number {number} {place} is too large for TOML."))?,
        ),
        Node::Float(number) => toml::Value::Float(*number),
        Node::Text(text) => toml::Value::String(text.clone()),
        Node::List(values) => {
            let items = values.iter().enumerate().map(|(index, value)| to_toml(value, &format!("{path}[{index}]")));
            toml::Value::Array(items.collect::<Result<_, _>>()?)
        }
        Node::Map(entries) => {
            let mut table = toml::Table::new();
            for (key, value) in entries {
                table.insert(key.clone(), to_toml(value, &format!("{path}.{key}"))?);
            }
            toml::Value::Table(table)
        }
    })
}

fn two() -> u8 {
    2
}

fn comma() -> String {
    ",".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(text: &str, from: &str, to: &str) -> Result<String, String> {
        let request = json!({"text": text, "from": from, "to": to});
        let answer = convert(&serde_json::from_value(request).expect("a request"));
        answer.map(|answer| answer.text).map_err(|error| error.to_string())
    }

    const JSON: &str =
        "{\n  \"z\": \"no\",\n  \"a\": [\n    1,\n    2.5,\n    true\n  ],\n  \"m\": {\n    \"x y\": \"1\"\n  }\n}";

    #[test]
    fn data_goes_there_and_back_with_its_order_and_types() {
        for format in ["yaml", "toml"] {
            let there = converted(JSON, "json", format).expect(format);
            assert_eq!(converted(&there, format, "json").expect(format), JSON, "{there}");
        }
        let rows = "[\n  {\n    \"b\": \"1\",\n    \"a\": \"x, \\\"y\\\"\"\n  }\n]";
        let table = converted(rows, "json", "csv").expect("csv");
        assert_eq!(table, "b,a\n1,\"x, \"\"y\"\"\"\n");
        assert_eq!(converted(&table, "csv", "json").expect("json"), rows);
    }

    #[test]
    fn yaml_is_read_as_1_2_has_it() {
        let text = "a: no\nb: 0o17\nc: ~\nd: &x [1]\ne: *x\nf: |\n  line\n";
        let json = converted(text, "yaml", "json").expect("json");
        let expected = json!({"a": "no", "b": 15, "c": null, "d": [1], "e": [1], "f": "line\n"});
        assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON"), expected);
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        assert!(converted(r#"{"a": {"b": [1, null]}}"#, "json", "toml")
            .unwrap_err()
            .contains("null, and there is one at .a.b[1]"));
        assert!(converted("[1]", "json", "toml").unwrap_err().contains("a map at its top"));
        assert!(converted("{\"a\": 1}", "json", "csv").unwrap_err().contains("a list of maps"));
        assert!(converted("12345678901234567890123", "json", "yaml").unwrap_err().contains("more digits"));
        assert!(converted(r#"{"a": 1, "a": 2}"#, "json", "yaml").unwrap_err().contains("stands twice"));
        assert!(converted("a = 1\nb = ", "toml", "json").unwrap_err().contains("in line 2"));
        assert!(converted("{", "json", "yaml").unwrap_err().contains("no JSON"));
        assert!(converted("a: [", "yaml", "json").unwrap_err().contains("no YAML"));
    }

    #[test]
    fn aliases_that_explode_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let below = vec![format!("*a{}", level - 1); 9].join(", ");
            text += &format!("a{level}: &a{level} [{below}]\n");
        }
        assert!(converted(&text, "yaml", "json").is_err());
        let deep = "[".repeat(5_000);
        for (text, format) in [(deep.clone(), "json"), (deep.clone(), "yaml"), (format!("a = {deep}"), "toml")] {
            assert!(converted(&text, format, "json").is_err(), "{format}");
        }
    }

    #[test]
    fn dates_of_toml_become_text() {
        assert_eq!(converted("d = 2026-11-23", "toml", "yaml"), Ok("d: \"2026-11-23\"\n".to_owned()));
    }
}
