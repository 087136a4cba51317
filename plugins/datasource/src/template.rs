//! Texts with gaps: `{{path}}` stands for a field of the record, everything else for itself.

use std::borrow::Cow;

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde_json::Map;

use crate::paths;

/// Fill the gaps; what the record does not have leaves nothing.
pub fn text(template: &str, fields: &Map<String, Value>) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, path, after)) = gap(rest) {
        filled.push_str(before);
        if let Some(value) = paths::find(fields, path) {
            filled.push_str(&shown(value));
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The field itself where the template is one gap and nothing else, so that a number stays one; else the text.
pub fn value(template: &str, fields: &Map<String, Value>) -> Option<Value> {
    match gap(template) {
        Some(("", path, "")) => paths::find(fields, path).filter(|value| !value.is_null()).cloned(),
        _ => Some(text(template, fields).into()),
    }
}

/// A value as people read it: texts without quotes, null as nothing, lists and objects as JSON.
pub fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Null => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    }
}

fn gap(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (path, after) = rest.split_once("}}")?;
    Some((before, path.trim(), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Map<String, Value> {
        json!({"name": "Ada", "age": 36, "tags": ["a", "b"], "gone": null}).as_object().expect("fields").clone()
    }

    #[test]
    fn gaps_are_filled_and_the_rest_stays() {
        let filled = text("{{name}} is {{ age }}; {{tags}}{{gone}}{{missing}} {x} }} {{open", &fields());
        assert_eq!(filled, "Ada is 36; [\"a\",\"b\"] {x} }} {{open");
    }

    #[test]
    fn a_field_that_holds_a_gap_is_not_filled_again() {
        let fields = json!({"a": "{{b}}", "b": "secret"}).as_object().expect("fields").clone();
        assert_eq!(text("{{a}}", &fields), "{{b}}");
    }

    #[test]
    fn one_gap_alone_keeps_the_type() {
        assert_eq!(value("{{age}}", &fields()), Some(json!(36)));
        assert_eq!(value("{{tags.0}}", &fields()), Some(json!("a")));
        assert_eq!(value("age {{age}}", &fields()), Some(json!("age 36")));
        assert_eq!([value("{{gone}}", &fields()), value("{{missing}}", &fields())], [None, None]);
        assert_eq!(value("fixed", &fields()), Some(json!("fixed")));
    }
}
