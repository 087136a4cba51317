//! Ask a language model that the operator has configured. Needs `LLMAccess`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wire::host_function;
use crate::HostError;

host_function!(CALL_LLM = call_llm);

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Role {
    User,
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// A request; start with [`Request::prompt`] or [`Request::messages`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Request {
    /// A text; or `messages`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// A conversation, the last message the user's; or `prompt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<Message>>,
    /// What the model is told before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// An alias of the operator's; the first that is granted where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The longest answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The answer must be JSON that fits this schema of an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json_schema: Option<Value>,
    /// Shortens the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

impl Request {
    /// Ask with one text.
    pub fn prompt(prompt: impl Into<String>) -> Self {
        Request { prompt: Some(prompt.into()), ..Request::default() }
    }

    /// Go on with a conversation.
    pub fn messages(messages: Vec<Message>) -> Self {
        Request { messages: Some(messages), ..Request::default() }
    }

    /// Tell the model this before.
    pub fn system(self, system: impl Into<String>) -> Self {
        Request { system: Some(system.into()), ..self }
    }
}

/// Tokens that a request took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Usage {
    /// What was sent.
    pub input: u64,
    /// What came back.
    pub output: u64,
}

/// What the model answered.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// The alias that answered.
    pub model: String,
    /// `model`, or `extractive` where sentences of the prompt were given back.
    pub provider_kind: String,
    /// `stop`, `length`, `content_filter` or `other`.
    pub finish_reason: String,
    /// Tokens, where the provider says.
    #[serde(default)]
    pub usage: Option<Usage>,
    /// In the currency of the operator's prices.
    #[serde(default)]
    pub cost: Option<f64>,
}

/// Ask a language model.
///
/// # Errors
/// Among the codes: `llm_not_configured`, `llm_alias_denied`, `limit_llm_calls`, `limit_llm_tokens`, `llm_timeout`,
/// `llm_unavailable`, `llm_schema_mismatch`.
pub fn call(request: &Request) -> Result<Answer, HostError> {
    super::ask_for(&CALL_LLM, request)
}
