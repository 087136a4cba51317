//! JSON that is read as far as it is needed: the list at a path, record by record, and a text at a path.

use std::collections::BTreeMap;

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde_json;
use serde_json::value::RawValue;

use crate::page::{record, Item, Problem, Stop};
use crate::template::shown;

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// The list at a path, its records unread. An object that is the whole answer is the one record of it; null has none.
///
/// # Errors
/// The text is no JSON, or something else is there.
pub fn list_at<'a>(text: &'a str, path: &str) -> Result<Vec<&'a RawValue>, Stop> {
    let whole: &RawValue = serde_json::from_str(text)
        .map_err(|reason| Stop::new("source_failed", format!("The source answered what is no JSON: {reason}.")))?;
    let found = at(whole, path);
    match found.map(|found| (found, found.get().as_bytes().first())) {
        Some((list, Some(b'['))) => serde_json::from_str(list.get()).map_err(|_| no_list(path, found, whole)),
        Some((_, Some(b'n'))) => Ok(Vec::new()),
        Some((one, Some(b'{'))) if path.is_empty() => Ok(vec![one]),
        _ => Err(no_list(path, found, whole)),
    }
}

/// What stands at a path as a text; nothing for null, true and false, and for an empty text.
pub fn text_at(text: &str, path: &str) -> Option<String> {
    let value: Value = serde_json::from_str(at(serde_json::from_str(text).ok()?, path)?.get()).ok()?;
    let told = !matches!(value, Value::Null | Value::Bool(_)) && value != "";
    told.then(|| shown(&value).into_owned())
}

/// The record that a piece of JSON is.
///
/// # Errors
/// It is nested too deep to be read.
pub fn item(value: &RawValue, position: String) -> Result<Item, Problem> {
    match serde_json::from_str(value.get()) {
        Ok(value) => record(position, value),
        Err(reason) => Err(Problem { position, reason: format!("It cannot be read: {reason}.") }),
    }
}

fn at<'a>(whole: &'a RawValue, path: &str) -> Option<&'a RawValue> {
    if path.is_empty() {
        return Some(whole);
    }
    path.split('.').try_fold(whole, |value, key| {
        if value.get().starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            return items.get(key.parse::<usize>().ok()?).copied();
        }
        serde_json::from_str::<Fields>(value.get()).ok()?.get(key).copied()
    })
}

fn no_list(path: &str, found: Option<&RawValue>, whole: &RawValue) -> Stop {
    let keys = match serde_json::from_str::<Fields>(whole.get()) {
        Ok(fields) => format!("has {}", fields.into_keys().collect::<Vec<String>>().join(", ")),
        Err(_) => "is no object".to_owned(),
    };
    let what = if found.is_some() { "is no list" } else { "is not there" };
    let reason = format!("`items` is \"{path}\", and in the answer that {what}. The answer {keys}.");
    Stop::new("source_failed", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str, path: &str) -> Result<Vec<String>, String> {
        let list = list_at(text, path).map_err(|stop| stop.reason)?;
        Ok(list.into_iter().map(|value| value.get().to_owned()).collect())
    }

    #[test]
    fn the_list_is_where_the_path_leads() {
        let text = r#" {"data": {"items": [{"a": 1}, 2], "none": null, "n": 5}, "list": [[3]]}"#;
        let all = |texts: &[&str]| Ok(texts.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(listed(text, "data.items"), all(&["{\"a\": 1}", "2"]));
        assert_eq!(listed(text, "list.0"), all(&["3"]));
        assert_eq!([listed("[1, 2]", ""), listed(text, "data.none")], [all(&["1", "2"]), all(&[])]);
        assert_eq!(listed(r#"{"a": 1}"#, ""), all(&[r#"{"a": 1}"#]));
    }

    #[test]
    fn what_is_there_instead_is_said() {
        let told = |text: &str| listed(text, "x.y").unwrap_err();
        let start = "`items` is \"x.y\", and in the answer that";
        assert_eq!(told(r#"{"x": {"y": 5}, "z": 1}"#), format!("{start} is no list. The answer has x, z."));
        assert_eq!(told("[]"), format!("{start} is not there. The answer is no object."));
        assert!(listed("<html>", "").unwrap_err().starts_with("The source answered what is no JSON"));
    }

    #[test]
    fn a_cursor_is_a_text_or_a_number() {
        let text = r#"{"a": "x", "b": 5, "c": null, "d": false, "e": "", "f": {"g": "y"}}"#;
        let found = ["a", "b", "c", "d", "e", "f.g", "h"].map(|path| text_at(text, path));
        assert_eq!(
            found,
            [Some("x"), Some("5"), None, None, None, Some("y"), None].map(|text| text.map(str::to_owned))
        );
    }
}
