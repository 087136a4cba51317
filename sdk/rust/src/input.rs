//! What an export is called with: JSON as a type, or a text as it is.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::place::place_of;
use crate::{Error, Text};

/// What a function of a plugin may take. All types that are read from JSON and have a schema do.
pub trait Input: Sized {
    /// Read it.
    ///
    /// # Errors
    /// A sentence with the function's name, the field and what was expected.
    fn read(function: &str, input: Vec<u8>) -> Result<Self, Error>;

    /// Its JSON Schema; nothing for a text.
    #[cfg(not(target_arch = "wasm32"))]
    fn schema() -> Option<serde_json::Value>;
}

impl<T: DeserializeOwned + JsonSchema> Input for T {
    fn read(function: &str, input: Vec<u8>) -> Result<Self, Error> {
        serde_json::from_slice(&input).map_err(|reason| not_right("The input of ", function, &input, &reason))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn schema() -> Option<serde_json::Value> {
        Some(crate::schemas::of_input::<T>())
    }
}

impl Input for Text {
    fn read(function: &str, input: Vec<u8>) -> Result<Self, Error> {
        let text = String::from_utf8(input);
        text.map(Text).map_err(|_| ["The input of ", function, " is not UTF-8."].concat().into())
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn schema() -> Option<serde_json::Value> {
        None
    }
}

/// The sentence for JSON that is not of the expected type.
pub(crate) fn not_right(what: &str, function: &str, json: &[u8], reason: &serde_json::Error) -> Error {
    let reason_text = reason.to_string();
    let told = reason_text.split(" at line ").next().unwrap_or(&reason_text);
    let place = if reason.is_data() { place_of(json, reason.line(), reason.column()) } else { String::new() };
    let at = if place.is_empty() { "" } else { "at `" };
    let end = if place.is_empty() { "" } else { "`: " };
    [what, function, " is not right: ", at, &place, end, told, "."].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Request {
        #[allow(dead_code)]
        message: String,
        #[serde(default)]
        #[allow(dead_code)]
        rows: Vec<Row>,
    }

    #[derive(Debug, serde::Deserialize, JsonSchema)]
    struct Row {
        #[allow(dead_code)]
        height: u8,
    }

    fn refused(input: &str) -> String {
        Request::read("measure", input.into()).expect_err("refused").to_string()
    }

    #[test]
    fn says_which_function_which_field_and_what_was_expected() {
        let start = "The input of measure is not right: ";
        assert_eq!(refused("{}"), format!("{start}missing field `message`."));
        assert_eq!(
            refused(r#"{"message": 5}"#),
            format!("{start}at `message`: invalid type: integer `5`, expected a string.")
        );
        assert_eq!(
            refused(r#"{"message": "", "rows": [{"height": 1}, {"height": 300}]}"#),
            format!("{start}at `rows[1].height`: invalid value: integer `300`, expected u8.")
        );
        assert_eq!(
            refused(r#"{"message": "", "rows": [{"height": 1}, {}]}"#),
            format!("{start}at `rows[1]`: missing field `height`.")
        );
        assert_eq!(refused("[1]x"), format!("{start}at `[0]`: invalid type: integer `1`, expected a string."));
        assert_eq!(refused("{"), format!("{start}EOF while parsing an object."));
        assert!(refused(r#"{"mesage": ""}"#).ends_with("unknown field `mesage`, expected `message` or `rows`."));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert!(Request::read("measure", vec![0xff, 0xfe]).is_err());
        assert_eq!(Text::read("shout", vec![0xff]).unwrap_err().to_string(), "The input of shout is not UTF-8.");
        assert_eq!(Text::read("shout", b"hi".to_vec()), Ok(Text("hi".to_owned())));
    }
}
