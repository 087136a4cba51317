//! Paths into a record, such as `user.name` or `tags.0`.

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde_json::Map;

/// The value at a path, if there is one. A field that is called as the whole path comes first: columns may have dots.
pub fn find<'a>(fields: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = fields.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    within(fields.get(first)?, rest)
}

/// The value at a path below any value; the value itself for an empty path.
pub fn within<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(value);
    }
    path.split('.').try_fold(value, |value, key| match value {
        Value::Object(fields) => fields.get(key),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_into_objects_and_lists() {
        let value = json!({"user": {"name": "Ada"}, "tags": ["a", "b"], "first.name": "exact"});
        let fields = value.as_object().expect("an object");
        assert_eq!(find(fields, "user.name"), Some(&json!("Ada")));
        assert_eq!(find(fields, "tags.1"), Some(&json!("b")));
        assert_eq!(find(fields, "first.name"), Some(&json!("exact")));
        assert_eq!(
            [find(fields, "tags.2"), find(fields, "tags.x"), find(fields, ""), find(fields, "no.way")],
            [None; 4]
        );
        assert_eq!(within(&value, "user"), Some(&json!({"name": "Ada"})));
        assert_eq!(within(&json!([1]), ""), Some(&json!([1])));
    }
}
