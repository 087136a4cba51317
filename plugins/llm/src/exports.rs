//! The exports, and the host's side of them: the model behind an alias, and the memories.

use agentmem_plugin_sdk::host::llm::Answer;
use agentmem_plugin_sdk::{export_plugin, host, Error, PluginConfig};

use crate::answering::{answer, found_of, search_of};
use crate::config::{Config, Room};
use crate::model::{Model, Prompt};
use crate::requests::{
    AnswerRequest, AnswerResponse, SummarizeRequest, SummarizeResponse, TranslateRequest, TranslateResponse,
};
use crate::{summarizing, translating};

/// The operator's first alias for this plugin.
struct HostModel;

impl Model for HostModel {
    fn ask(&mut self, prompt: &Prompt) -> Result<Answer, Error> {
        let request = host::llm::Request {
            max_tokens: prompt.max_tokens,
            ..host::llm::Request::prompt(prompt.prompt.as_str()).system(prompt.system.as_str())
        };
        Ok(host::llm::call(&request)?)
    }
}

fn room() -> Result<Room, Error> {
    Room::new(Config::read()?)
}

fn summarize(request: SummarizeRequest) -> Result<SummarizeResponse, Error> {
    summarizing::summarize(&request, room()?, &mut HostModel)
}

fn translate(request: TranslateRequest) -> Result<TranslateResponse, Error> {
    translating::translate(&request, room()?, &mut HostModel)
}

fn answer_question(request: AnswerRequest) -> Result<AnswerResponse, Error> {
    let room = room()?;
    let found = found_of(host::memory::search(&search_of(&request)?)?.results);
    answer(&request, &found, room, &mut HostModel)
}

export_plugin!(
    name = "Language model",
    config = Config,
    requires = [LLMAccess, MemoryAccess, ConfigAccess],
    tools = [summarize, translate, answer_question],
);

#[cfg(test)]
mod tests {
    use super::*;
    use agentmem_plugin_sdk::testing::TestHost;
    use agentmem_plugin_sdk::{json, HostError};

    fn host() -> TestHost {
        TestHost::new().config(json!({"context_tokens": 500, "answer_tokens": 100}))
    }

    #[test]
    fn the_host_is_asked_with_system_and_prompt() {
        let answer = json!({"text": "Short.", "model": "fast", "provider_kind": "model", "finish_reason": "stop",
                            "usage": {"input": 9, "output": 2}});
        let host = host().on("call_llm", move |_| Ok(answer.clone()));
        let told = host.call(summarize, r#"{"text": "A long text."}"#).expect("a summary");
        assert!(told.contains(r#""summary":"Short.""#) && told.contains(r#""usage":{"input":9,"output":2}"#), "{told}");
        let asked = &host.calls("call_llm")[0];
        assert_eq!((&asked["max_tokens"], asked["system"].is_string()), (&json!(100), true));
    }

    #[test]
    fn the_hosts_refusal_is_told() {
        let refusal = HostError::new("llm_not_configured", "no language model is configured");
        let host = host().refuse("call_llm", refusal);
        for told in [
            host.call(summarize, r#"{"text": "A text."}"#),
            host.call(translate, r#"{"text": "A text.", "target_language": "French"}"#),
        ] {
            assert_eq!(told.unwrap_err().message(), "no language model is configured");
        }
    }

    #[test]
    fn a_question_goes_to_the_memories_first() {
        let found = json!({"results": [], "mode": "lexical"});
        let host = host().on("search_memories", move |_| Ok(found.clone()));
        let told = host.call(answer_question, r#"{"question": "Who?", "limit": 3}"#).expect("an answer");
        assert!(told.contains(r#""answer":null"#) && host.calls("call_llm").is_empty(), "{told}");
        assert_eq!(host.calls("search_memories")[0]["limit"], 3);
    }
}
