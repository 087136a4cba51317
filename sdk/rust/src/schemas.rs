//! JSON Schemas of types, 2020-12, as clients like them: no references where it can be helped, no names of Rust types.

use schemars::generate::SchemaSettings;
use schemars::JsonSchema;
use serde_json::{Map, Value};

/// What a type is read from.
pub(crate) fn of_input<T: JsonSchema>() -> Value {
    of::<T>(settings().for_deserialize())
}

/// What a type is written as.
pub(crate) fn of_output<T: JsonSchema>() -> Value {
    of::<T>(settings().for_serialize())
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true)
}

fn of<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let mut schema = Value::from(settings.into_generator().into_root_schema_for::<T>());
    tidy(&mut schema);
    schema
}

/// Take out what only Rust knows: names of types and of its numbers.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(tidy),
        Value::Object(keywords) => tidy_keywords(keywords),
        _ => {}
    }
}

fn tidy_keywords(keywords: &mut Map<String, Value>) {
    keywords.remove("title");
    let number = ["int", "uint", "float", "double"];
    if keywords.get("format").and_then(Value::as_str).is_some_and(|name| number.iter().any(|n| name.starts_with(n))) {
        keywords.remove("format");
    }
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("properties" | "$defs" | "patternProperties" | "dependentSchemas", Value::Object(named)) => {
                named.values_mut().for_each(tidy);
            }
            ("default" | "const" | "enum" | "examples" | "required", _) => {}
            (_, value) => tidy(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(serde::Serialize, serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Book {
        /// What it is called.
        title: String,
        parts: Vec<Part>,
        #[serde(default)]
        pages: Option<u16>,
    }

    #[derive(serde::Serialize, serde::Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Part {
        title: String,
    }

    #[test]
    fn a_schema_is_whole_in_itself_and_keeps_fields_called_title() {
        let part = json!({"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}});
        let expected = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "required": ["title", "parts"],
            "additionalProperties": false,
            "properties": {
                "title": {"type": "string", "description": "What it is called."},
                "parts": {"type": "array", "items": part},
                "pages": {"type": ["integer", "null"], "minimum": 0, "maximum": 65_535, "default": null},
            },
        });
        assert_eq!(of_input::<Book>(), expected);
    }

    #[test]
    fn what_is_always_written_is_required_of_an_answer() {
        assert_eq!(of_output::<Book>()["required"], json!(["title", "parts", "pages"]));
    }
}
