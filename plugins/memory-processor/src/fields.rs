//! Fields: a JSON object that keeps its order and hands on values as they were written.
//!
//! A memory passes through many hands; a number, a key or an order that this plugin does not know must
//! come out as it came in, so values stay raw JSON until someone asks for one.

use std::collections::BTreeSet;
use std::fmt;

use agentmem_plugin_sdk::serde::de::{Error, MapAccess, Visitor};
use agentmem_plugin_sdk::serde::ser::SerializeMap;
use agentmem_plugin_sdk::serde::{Deserialize, Deserializer, Serialize, Serializer};
use agentmem_plugin_sdk::serde_json::{
    self,
    value::{to_raw_value, RawValue},
};

/// An object's keys and values, in the order written.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// The JSON of a field, or nothing where it is absent or `null`.
    pub fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(name, _)| name == key)?;
        Some(value.get()).filter(|json| *json != "null")
    }

    /// Set a field, in its old place where it has one.
    ///
    /// # Errors
    /// When the value has no JSON.
    pub fn set(&mut self, key: &str, value: &impl Serialize) -> serde_json::Result<()> {
        let value = to_raw_value(value)?;
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
        Ok(())
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields: Vec<(String, Box<RawValue>)> = Vec::new();
        let mut seen = BTreeSet::new();
        while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
            }
            fields.push((key, value));
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_values_pass_through_as_written() {
        let json = r#"{"z":1.10,"a":123456789012345678901234567890,"m":{"b":[1, 2],"a":null},"e":"\ud800"}"#;
        let fields: Fields = serde_json::from_str(json).expect("an object");
        assert_eq!(serde_json::to_string(&fields).expect("JSON"), json);
    }

    #[test]
    fn a_field_is_set_in_its_place() {
        let mut fields: Fields = serde_json::from_str(r#"{"a":1,"b":null}"#).expect("an object");
        assert_eq!((fields.get("a"), fields.get("b"), fields.get("c")), (Some("1"), None, None));
        fields.set("a", &"x").expect("JSON");
        fields.set("c", &2).expect("JSON");
        assert_eq!(serde_json::to_string(&fields).expect("JSON"), r#"{"a":"x","b":null,"c":2}"#);
    }

    #[test]
    fn a_key_given_twice_is_refused() {
        let error = serde_json::from_str::<Fields>(r#"{"a":1,"a":2}"#).unwrap_err();
        assert!(error.to_string().starts_with("duplicate field `a`"), "{error}");
    }
}
