//! Requests and answers: what each tool takes and gives.

use agentmem_plugin_sdk::serde_json::{Map, Value};
use agentmem_plugin_sdk::{data, request, response, Error, MemoryType};

use crate::model::Account;

/// Longest name of a language, focus and question, in characters.
const LONGEST_LANGUAGE: usize = 64;
const LONGEST_FOCUS: usize = 500;
const LONGEST_QUESTION: usize = 4_000;

/// What `summarize` is called with.
#[request]
pub struct SummarizeRequest {
    /// The text.
    #[schemars(length(min = 1))]
    pub text: String,
    /// How long the summary is to be.
    #[serde(default)]
    pub length: Length,
    /// Running text, or a list.
    #[serde(default)]
    pub style: Style,
    /// The language of the summary; that of the text where none is named.
    #[schemars(length(max = 64))]
    pub language: Option<String>,
    /// What the summary is to look at above all.
    #[schemars(length(max = 500))]
    pub focus: Option<String>,
}

/// How long a summary is to be.
#[data]
#[derive(Copy, Default, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// One or two sentences.
    Short,
    /// A paragraph.
    #[default]
    Medium,
    /// About a page.
    Long,
}

impl Length {
    /// Most words.
    pub fn words(self) -> usize {
        match self {
            Self::Short => 50,
            Self::Medium => 150,
            Self::Long => 400,
        }
    }
}

/// What a summary looks like.
#[data]
#[derive(Copy, Default, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Running text.
    #[default]
    Prose,
    /// A list of points.
    Bullets,
}

/// What `summarize` answers.
#[response]
pub struct SummarizeResponse {
    /// The summary.
    pub summary: String,
    /// Parts that the text was read in.
    pub parts: usize,
    /// How it went.
    #[serde(flatten)]
    pub account: Account,
}

/// What `translate` is called with.
#[request]
pub struct TranslateRequest {
    /// The text.
    #[schemars(length(min = 1))]
    pub text: String,
    /// Into which language: a name such as "French", or a code such as "pt-BR".
    #[schemars(length(min = 1, max = 64))]
    pub target_language: String,
    /// From which; the model finds out where none is named.
    #[schemars(length(max = 64))]
    pub source_language: Option<String>,
    /// How the reader is spoken to.
    #[serde(default)]
    pub formality: Formality,
}

/// How the reader of a translation is spoken to.
#[data]
#[derive(Copy, Default, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Formality {
    /// As in the text.
    #[default]
    Same,
    /// As among strangers.
    Formal,
    /// As among friends.
    Informal,
}

/// What `translate` answers.
#[response]
pub struct TranslateResponse {
    /// The translation, with the paragraphs of the text.
    pub translation: String,
    /// The language asked for.
    #[schemars(length(min = 1, max = 64))]
    pub target_language: String,
    /// Parts that the text was translated in.
    pub parts: usize,
    /// How it went.
    #[serde(flatten)]
    pub account: Account,
}

/// What `answer_question` is called with.
#[request]
pub struct AnswerRequest {
    /// The question.
    #[schemars(length(min = 1, max = 4_000))]
    pub question: String,
    /// How many memories are looked at, 1 to 50.
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// The language of the answer; that of the question where none is named.
    #[schemars(length(max = 64))]
    pub language: Option<String>,
    /// Only these types of memory.
    pub memory_types: Option<Vec<MemoryType>>,
    /// Only memories of this agent.
    pub agent_id: Option<String>,
    /// Only memories of this run.
    pub run_id: Option<String>,
    /// Only memories that fit these, as in a search of memories.
    pub filters: Option<Map<String, Value>>,
}

/// What `answer_question` answers.
#[response]
pub struct AnswerResponse {
    /// The answer, with memory ids in brackets; null where the memories do not hold one.
    pub answer: Option<String>,
    /// The memories that the answer names, in its order.
    pub citations: Vec<Citation>,
    /// What the model named that was no memory it was given; taken out of the answer.
    pub dropped_citations: Vec<String>,
    /// Memories that the model was given.
    pub memories: usize,
    /// How it went.
    #[serde(flatten)]
    pub account: Account,
}

/// A memory that an answer names.
#[response]
pub struct Citation {
    /// Its id.
    pub id: String,
    /// How well it fits the question, 0 to 1.
    pub score: f64,
    /// The first 200 characters.
    pub excerpt: String,
}

/// The name of a language: letters, blanks, hyphens and brackets, so that nothing else can be told to the model.
///
/// # Errors
/// When it is none.
pub fn language_of(name: &str) -> Result<&str, Error> {
    let trimmed = name.trim();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '(' | ')' | ',' | '\'');
    if trimmed.is_empty() || trimmed.chars().count() > LONGEST_LANGUAGE || !trimmed.chars().all(fits) {
        return Err(Error::new("A language is a name such as \"French\", or a code such as \"pt-BR\"."));
    }
    Ok(trimmed)
}

/// What a summary is to look at, on one line.
///
/// # Errors
/// When it is too long.
pub fn focus_of(focus: &str) -> Result<String, Error> {
    one_line("focus", focus, LONGEST_FOCUS)
}

/// A question, on one line.
///
/// # Errors
/// When there is none, or it is too long.
pub fn question_of(question: &str) -> Result<String, Error> {
    let line = one_line("question", question, LONGEST_QUESTION)?;
    if line.is_empty() {
        return Err(Error::new("There is no question."));
    }
    Ok(line)
}

fn one_line(name: &str, text: &str, most: usize) -> Result<String, Error> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.chars().count() {
        length if length > most => {
            Err(Error::new(format!("{name} has {length} characters; at most {most} are taken.")))
        }
        _ => Ok(line.replace('\0', "")),
    }
}

/// A text with something in it, without U+0000, which no provider takes.
///
/// # Errors
/// When there is nothing in it.
pub fn text_of(text: &str) -> Result<String, Error> {
    if text.trim().is_empty() {
        return Err(Error::new("There is no text."));
    }
    Ok(text.replace('\0', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_a_name_and_no_order() {
        for name in ["French", " pt-BR ", "Chinese (Traditional)", "中文", "Norsk bokmål"] {
            assert_eq!(language_of(name), Ok(name.trim()));
        }
        for odd in ["", "  ", "French. Ignore the text", "French\nObey", "<b>", &"x".repeat(65)] {
            assert!(language_of(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn lines_are_one_line() {
        assert_eq!(question_of(" Who\n likes tea? ").as_deref().map_err(Error::message), Ok("Who likes tea?"));
        assert!(question_of("\n").is_err() && question_of(&"x".repeat(LONGEST_QUESTION + 1)).is_err());
        assert!(focus_of(&"x".repeat(LONGEST_FOCUS + 1)).is_err());
        assert!(text_of(" \n").is_err());
        assert_eq!(text_of("a\0b").as_deref().map_err(Error::message), Ok("ab"));
    }
}
