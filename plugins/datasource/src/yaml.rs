//! YAML as JSON, as far as front matter goes. The grammar is `saphyr-parser`'s business; here its events become values,
//! by the core schema of YAML 1.2. Aliases are refused: a few lines of them stand for gigabytes.

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde_json::{Map, Number};
use saphyr_parser::{Event, Parser, ScalarStyle};

/// The deepest nesting.
const DEEPEST: usize = 16;

/// Something that is not closed yet.
enum Open {
    List(Vec<Value>),
    Table(Map<String, Value>, Option<String>),
}

/// The first document of a text.
///
/// # Errors
/// It is no YAML, nested too deep, or holds an alias or a key that is no text.
pub fn parse(text: &str) -> Result<Value, String> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|reason| reason.to_string())?;
        let done = match event {
            Event::SequenceStart(..) => begin(&mut open, Open::List(Vec::new()))?,
            Event::MappingStart(..) => begin(&mut open, Open::Table(Map::new(), None))?,
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(|closed| match closed {
                Open::List(items) => Value::Array(items),
                Open::Table(fields, _) => Value::Object(fields),
            }),
            Event::Scalar(text, style, _, tag) => {
                if let Some(Open::Table(_, key @ None)) = open.last_mut() {
                    *key = Some(text.into_owned());
                    continue;
                }
                let plain = style == ScalarStyle::Plain && tag.is_none();
                Some(if plain { resolved(&text) } else { text.into_owned().into() })
            }
            Event::Alias(_) => return Err("it holds an alias (*), which is not read".to_owned()),
            Event::DocumentEnd => break,
            _ => None,
        };
        if let Some(value) = done {
            if let Some(whole) = put(&mut open, value) {
                return Ok(whole);
            }
        }
    }
    Ok(Value::Null)
}

fn begin(open: &mut Vec<Open>, new: Open) -> Result<Option<Value>, String> {
    if open.len() >= DEEPEST {
        return Err(format!("it is nested more than {DEEPEST} levels deep"));
    }
    if matches!(open.last(), Some(Open::Table(_, None))) {
        return Err("a key is a list or a mapping".to_owned());
    }
    open.push(new);
    Ok(None)
}

/// Put a value where it belongs; it comes back where nothing is around it.
fn put(open: &mut [Open], value: Value) -> Option<Value> {
    match open.last_mut() {
        None => return Some(value),
        Some(Open::List(items)) => items.push(value),
        Some(Open::Table(fields, key)) => {
            fields.insert(key.take().unwrap_or_default(), value);
        }
    }
    None
}

fn resolved(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    number(text).map_or_else(|| text.into(), Value::Number)
}

fn number(text: &str) -> Option<Number> {
    for (prefix, base) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix).filter(|digits| !digits.starts_with(['+', '-'])) {
            return i64::from_str_radix(digits, base).ok().map(Number::from);
        }
    }
    let looks_so = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if !looks_so || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<i64>().map(Number::from).ok().or_else(|| Number::from_f64(text.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_types_of_the_core_schema() {
        let text =
            "a: 1\nb: -2.5e1\nc: 0x1F\nd: yes\ne: true\nf: ~\ng: '1'\nh: 2026-11-23\ni: 1.2.3\nj: !!str 5\nk: .inf\n\
                    l: [x, {m: n}]\no: |\n  two\n  lines\n5: five\n";
        let expected = json!({
            "a": 1, "b": -25.0, "c": 31, "d": "yes", "e": true, "f": null, "g": "1", "h": "2026-11-23", "i": "1.2.3",
            "j": "5", "k": ".inf", "l": ["x", {"m": "n"}], "o": "two\nlines\n", "5": "five"
        });
        assert_eq!(parse(text), Ok(expected));
        assert_eq!([parse(""), parse("- 1\n- e\n- +\n")], [Ok(Value::Null), Ok(json!([1, "e", "+"]))]);
    }

    #[test]
    fn what_would_grow_without_end_is_refused() {
        assert_eq!(parse("a: &x [1]\nb: [*x, *x]"), Err("it holds an alias (*), which is not read".to_owned()));
        assert_eq!(parse(&"[".repeat(17)), Err("it is nested more than 16 levels deep".to_owned()));
        assert_eq!(parse("? [a]\n: b"), Err("a key is a list or a mapping".to_owned()));
        assert!(parse("a: [").is_err());
    }
}
