//! A memory of a record: by the templates of a mapping, or, without them, by what records of each kind hold.

use std::collections::BTreeMap;

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde_json::Map;

use crate::page::Item;
use crate::template::{shown, text, value};

/// The most bytes of a memory's content that the host takes.
const LONGEST: usize = 65_536;
/// Fields up to this length, as JSON, go into the metadata where no mapping says which.
const SHORT: usize = 256;
/// At most so many of them.
const MOST_FIELDS: usize = 32;
/// Fields that hold what a record says, the first that is there.
const TEXTS: [&str; 2] = ["text", "content"];

/// How a memory is made of a record. In a text, `{{path}}` stands for a field, such as `{{user.name}}`.
#[data]
#[derive(Default)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The content, such as `{{title}}: {{body}}`; left out, the record's text, or all of its fields
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Kind of memory
    #[serde(default)]
    pub memory_type: MemoryType,
    /// Metadata by name; a value that is one `{{path}}` keeps its type. Left out, the record's short fields
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
}

/// Make a memory of a record.
///
/// # Errors
/// There is nothing to remember in it, or more than a memory holds.
pub fn memory(item: &Item, mapping: &Mapping, source: Option<&str>) -> Result<Memory, Error> {
    let content = match &mapping.content {
        Some(template) => text(template, &item.data),
        None => default_content(&item.data),
    };
    let content = content.trim();
    if content.is_empty() {
        return Err("There is nothing to remember: its content would be blank.".into());
    }
    if content.len() > LONGEST {
        return Err(format!("Its content would have {} bytes; a memory holds {LONGEST}.", content.len()).into());
    }
    if content.contains('\0') {
        return Err("Its content holds the character U+0000, which no memory can.".into());
    }
    let metadata = metadata(item, mapping, source);
    Ok(Memory { content: content.to_owned(), memory_type: mapping.memory_type, metadata, ..Memory::default() })
}

fn default_content(data: &Map<String, Value>) -> String {
    let Some(said) = TEXTS.iter().find_map(|name| data.get(*name)?.as_str()) else {
        let lines = data.iter().filter(|(_, value)| !value.is_null() && *value != "");
        return lines.map(|(name, value)| format!("{name}: {}", shown(value))).collect::<Vec<String>>().join("\n");
    };
    let headings: Vec<&str> = match data.get("headings") {
        Some(Value::Array(headings)) => headings.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if headings.is_empty() || said.trim().is_empty() {
        return said.to_owned();
    }
    format!("{}\n\n{said}", headings.join(" › "))
}

fn metadata(item: &Item, mapping: &Mapping, source: Option<&str>) -> Map<String, Value> {
    let mut metadata: Map<String, Value> = match &mapping.metadata {
        Some(templates) => {
            templates.iter().filter_map(|(name, template)| Some((name.clone(), value(template, &item.data)?))).collect()
        }
        None => item
            .data
            .iter()
            .filter(|(name, value)| {
                !TEXTS.contains(&name.as_str()) && !value.is_null() && value.to_string().len() <= SHORT
            })
            .take(MOST_FIELDS)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    };
    for (name, told) in [("source", source), ("position", Some(item.position.as_str()))] {
        if let Some(told) = told.filter(|told| !told.is_empty()) {
            metadata.entry(name).or_insert_with(|| told.into());
        }
    }
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(data: Value) -> Item {
        Item { position: "people.csv: record 1".to_owned(), data: data.as_object().expect("fields").clone() }
    }

    #[test]
    fn a_mapping_says_what_goes_where() {
        let mapping = Mapping {
            content: Some("{{name}} likes {{drink.name}}".to_owned()),
            memory_type: MemoryType::Episodic,
            metadata: Some(BTreeMap::from([
                ("age".to_owned(), "{{age}}".to_owned()),
                ("none".to_owned(), "{{none}}".to_owned()),
                ("from".to_owned(), "crm".to_owned()),
            ])),
        };
        let item = item(json!({"name": "Ada", "age": 36, "drink": {"name": "tea"}}));
        let memory = memory(&item, &mapping, Some("people.csv")).expect("a memory");
        assert_eq!((memory.content.as_str(), memory.memory_type), ("Ada likes tea", MemoryType::Episodic));
        let expected = json!({"age": 36, "from": "crm", "source": "people.csv", "position": "people.csv: record 1"});
        assert_eq!(Value::Object(memory.metadata), expected);
    }

    #[test]
    fn without_a_mapping_all_fields_are_told() {
        let item = item(json!({"name": "Ada", "city": "", "none": null, "age": 36, "bio": "x".repeat(300)}));
        let memory = memory(&item, &Mapping::default(), None).expect("a memory");
        assert_eq!(memory.content, format!("age: 36\nbio: {}\nname: Ada", "x".repeat(300)));
        assert_eq!(memory.metadata.get("age"), Some(&json!(36)));
        assert_eq!(memory.metadata.get("bio"), None);
    }

    #[test]
    fn a_text_is_told_below_its_headings() {
        let section = item(json!({"headings": ["Guide", "Install"], "text": "Run it.", "level": 2}));
        let memory = memory(&section, &Mapping::default(), None).expect("a memory");
        assert_eq!(memory.content, "Guide › Install\n\nRun it.");
        assert_eq!(memory.metadata.get("text"), None);
    }

    #[test]
    fn what_no_memory_can_hold_is_refused() {
        let refused = |data: Value| memory(&item(data), &Mapping::default(), None).unwrap_err().to_string();
        assert_eq!(refused(json!({"a": null})), "There is nothing to remember: its content would be blank.");
        assert!(refused(json!({"text": "a\0b"})).contains("U+0000"));
        assert_eq!(
            refused(json!({"text": "x".repeat(65_537)})),
            "Its content would have 65537 bytes; a memory holds 65536."
        );
    }
}
