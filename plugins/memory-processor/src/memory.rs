//! A memory: its content cleaned, and in its metadata what can be measured of it.

use agentmem_plugin_sdk::{serde_json, Error};

use crate::cleaning::clean;
use crate::fields::Fields;
use crate::hashing::fingerprint;
use crate::keywords::Reading;
use crate::sentences;
use crate::statistics::measure;

/// How many keywords a memory gets.
const KEYWORDS: usize = 8;

/// Clean a memory's content and put its measures and keywords into its metadata, where they replace those
/// of an earlier run. Every other field, known or not, stays as it is.
///
/// # Errors
/// When the content is missing, no text, empty or longer than `max_length` characters, or the metadata is no object.
pub fn process(mut memory: Fields, max_length: usize) -> Result<Fields, Error> {
    let content = content_of(&memory, max_length)?;
    let cleaned = clean(&content);
    if cleaned.is_empty() {
        return Err("The memory's content is empty once blanks and invisible characters are gone.".into());
    }
    let mut metadata = metadata_of(&memory)?;
    describe(&cleaned, &mut metadata)
        .and_then(|()| memory.set("content", &cleaned))
        .and_then(|()| memory.set("metadata", &metadata))
        .map_err(|reason| Error::new(format!("The memory could not be written as JSON: {reason}.")))?;
    Ok(memory)
}

fn content_of(memory: &Fields, max_length: usize) -> Result<String, Error> {
    let Some(json) = memory.get("content") else {
        return Err("The memory has no content: give the field `content` a text.".into());
    };
    let content: String = serde_json::from_str(json)
        .map_err(|reason| Error::new(format!("The memory's content is not a text: {}.", cause(&reason))))?;
    let length = content.chars().count();
    if length > max_length {
        return Err(Error::new(format!(
            "The memory's content is {length} characters long; max_content_length allows {max_length}."
        )));
    }
    Ok(content)
}

fn metadata_of(memory: &Fields) -> Result<Fields, Error> {
    match memory.get("metadata") {
        None => Ok(Fields::default()),
        Some(json) => serde_json::from_str(json)
            .map_err(|reason| Error::new(format!("The memory's metadata is not right: {}.", cause(&reason)))),
    }
}

/// What a JSON error says, without a position that counts from the start of the field.
pub fn cause(reason: &serde_json::Error) -> String {
    let text = reason.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

fn describe(content: &str, metadata: &mut Fields) -> serde_json::Result<()> {
    let sentences = sentences::split(content);
    let reading = Reading::of(&sentences);
    let statistics = measure(content, sentences.len(), reading.words());
    let keywords = reading.keywords(KEYWORDS).into_iter().map(|keyword| keyword.keyword);
    metadata.set("word_count", &statistics.words)?;
    metadata.set("character_count", &statistics.characters)?;
    metadata.set("sentence_count", &statistics.sentences)?;
    metadata.set("reading_time_seconds", &statistics.reading_seconds)?;
    metadata.set("keywords", &keywords.collect::<Vec<_>>())?;
    metadata.set("content_hash", &fingerprint(content))?;
    metadata.set("processed_by", &concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agentmem_plugin_sdk::json;
    use agentmem_plugin_sdk::serde_json::Value;

    fn run(memory: &str, max_length: usize) -> Result<Value, String> {
        let fields = serde_json::from_str(memory).expect("an object");
        let processed = process(fields, max_length).map_err(|refusal| refusal.to_string())?;
        Ok(serde_json::to_value(&processed).expect("JSON"))
    }

    #[test]
    fn content_is_cleaned_and_described_and_the_rest_stays() {
        let memory = r#"{"id":"m1","content":"  Ada   likes black tea!!!!  ","user_id":"u","x":1,
                         "metadata":{"source":"chat","word_count":99}}"#;
        let expected = json!({
            "id": "m1", "content": "Ada likes black tea!", "user_id": "u", "x": 1,
            "metadata": {
                "source": "chat", "word_count": 4, "character_count": 20, "sentence_count": 1,
                "reading_time_seconds": 2, "keywords": ["black tea", "Ada"],
                "content_hash": fingerprint("Ada likes black tea!"), "processed_by": "memory-processor/0.1.0",
            },
        });
        assert_eq!(run(memory, 100), Ok(expected));
    }

    #[test]
    fn processing_twice_is_processing_once() {
        let once = run(r#"{"content":"Tea ,,,, and   milk","metadata":null}"#, 100).expect("processed");
        assert_eq!(run(&once.to_string(), 100), Ok(once));
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        for (memory, part) in [
            ("{}", "has no content"),
            (r#"{"content":null}"#, "has no content"),
            (r#"{"content":5}"#, "not a text"),
            (r#"{"content":"\ud800"}"#, "not a text"),
            (r#"{"content":" \u200b "}"#, "empty"),
            (r#"{"content":"123456"}"#, "6 characters long; max_content_length allows 5"),
            (r#"{"content":"a","metadata":[]}"#, "metadata is not right"),
        ] {
            let refusal = run(memory, 5).unwrap_err();
            assert!(refusal.contains(part), "{refusal}");
        }
        assert!(run(r#"{"content":"12345"}"#, 5).is_ok());
    }
}
