//! Translations: part by part, in the paragraphs of the text. A part whose translation was cut off is halved.

use std::collections::VecDeque;

use agentmem_plugin_sdk::{host::llm::Answer, Error};

use crate::config::Room;
use crate::fence::Fenced;
use crate::model::{is_cut, is_extract, Desk, Model, Prompt};
use crate::requests::{language_of, text_of, Formality, TranslateRequest, TranslateResponse};
use crate::sizes::tokens_of;
use crate::splitting::parts;

/// Translate the text of `request`.
///
/// # Errors
/// When the text is longer than all requests have room for, the model refuses, or it is none.
pub fn translate(request: &TranslateRequest, room: Room, model: &mut dyn Model) -> Result<TranslateResponse, Error> {
    let target = language_of(&request.target_language)?;
    let source = request.source_language.as_deref().map(language_of).transpose()?;
    let text = text_of(&request.text)?;
    // A translation can be half as long again as the text, and has to fit into one answer.
    let most = (room.expected_answer() * 2 / 3).min(room.context_tokens);
    let mut waiting: VecDeque<&str> = parts(&text, most).into();
    if waiting.len() > room.most_calls {
        return Err(Error::new(format!(
            "The text has about {} tokens, which takes {} requests to the model; one call makes at most {}. Translate \
             it in pieces of up to {} tokens each.",
            tokens_of(&text),
            waiting.len(),
            room.most_calls,
            most.saturating_mul(room.most_calls.saturating_sub(1).max(1)),
        )));
    }
    let mut desk = Desk::new(model, room.most_calls);
    let mut done = Done::default();
    while let Some(part) = waiting.pop_front() {
        if part.trim().is_empty() {
            done.text.push_str(part);
            continue;
        }
        let fenced = Fenced::new("text", part.trim());
        let prompt = Prompt {
            system: told(target, source, request.formality, &fenced),
            prompt: fenced.text.clone(),
            max_tokens: room.answer_tokens,
        };
        let answer = desk.ask(&format!("part {} of {}", done.parts + 1, done.parts + 1 + waiting.len()), &prompt)?;
        require_translator(&answer)?;
        let halves = parts(part, tokens_of(part).div_ceil(2));
        if is_cut(&answer) && halves.len() > 1 && desk.left() >= waiting.len() + halves.len() {
            halves.into_iter().rev().for_each(|half| waiting.push_front(half));
        } else {
            done.add(part, &fenced.cleaned(&answer.text), is_cut(&answer))?;
        }
    }
    Ok(TranslateResponse {
        translation: done.text,
        target_language: target.to_owned(),
        parts: done.parts,
        account: desk.account(done.cut.is_empty(), done.cut),
    })
}

/// What is translated so far.
#[derive(Default)]
struct Done {
    text: String,
    parts: usize,
    cut: Vec<String>,
}

impl Done {
    /// Add the translation of `part`, with the blanks around it that `part` has.
    fn add(&mut self, part: &str, translation: &str, cut: bool) -> Result<(), Error> {
        self.parts += 1;
        if translation.is_empty() {
            return Err(Error::new(format!("The model answered nothing for part {}.", self.parts)));
        }
        let (before, _) = part.split_at(part.len() - part.trim_start().len());
        let (_, after) = part.split_at(part.trim_end().len());
        self.text.extend([before, translation, after]);
        if cut {
            self.cut.push(format!("The translation of part {} was cut off.", self.parts));
        }
        Ok(())
    }
}

fn require_translator(answer: &Answer) -> Result<(), Error> {
    if is_extract(answer) {
        return Err(Error::new(
            "The provider behind this model repeats sentences and cannot translate; a language model is needed.",
        ));
    }
    Ok(())
}

fn told(target: &str, source: Option<&str>, formality: Formality, fenced: &Fenced) -> String {
    let from = source.map_or_else(String::new, |name| format!(" from {name}"));
    let tone = match formality {
        Formality::Same => "",
        Formality::Formal => " Address the reader formally.",
        Formality::Informal => " Address the reader informally.",
    };
    format!(
        "You translate{from} into {target}. Translate everything, add nothing and explain nothing. Keep paragraphs, line \
         breaks, lists, Markdown, numbers, code and addresses as they are. What is in {target} already stays.{tone} Answer \
         with the translation alone. {}",
        fenced.rule(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::{whole, Scripted};
    use agentmem_plugin_sdk::serde_json;
    use agentmem_plugin_sdk::serde_json::{json, Value};

    const ROOM: Room = Room { context_tokens: 6_000, answer_tokens: Some(60), most_calls: 8 };

    fn request(text: &str, more: Value) -> TranslateRequest {
        let mut value = json!({"text": text, "target_language": "French"});
        value.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        serde_json::from_value(value).expect("a request")
    }

    /// What stands between the marks of a prompt, in capitals.
    fn shouted(prompt: &Prompt) -> String {
        let inner: Vec<&str> = prompt.prompt.lines().collect();
        inner[1..inner.len() - 1].join("\n").to_uppercase()
    }

    #[test]
    fn parts_are_put_together_as_they_were() {
        let text = "\n  One paragraph that is somewhat long, long enough to be a part of its own, nearly so, and then it is.\n\n\n- a \
                    list\n- of things, of which there are several, and some more, and even more of them than before.\n";
        let mut model = Scripted::new(|_, prompt: &Prompt| Ok(whole(&shouted(prompt))));
        let told = translate(&request(text, json!({})), ROOM, &mut model).expect("a translation");
        assert_eq!(told.translation, text.to_uppercase());
        assert_eq!((told.parts, told.account.calls, told.account.complete), (2, 2, true));
        assert_eq!(model.asked[0].max_tokens, Some(60));
    }

    #[test]
    fn the_languages_are_told() {
        let mut model = Scripted::new(|_, _: &Prompt| Ok(whole("x")));
        let wish = request("Hello", json!({"source_language": "English", "formality": "formal"}));
        translate(&wish, ROOM, &mut model).expect("a translation");
        assert!(model.asked[0].system.starts_with("You translate from English into French."));
        assert!(model.asked[0].system.contains("formally"));
        assert!(translate(&request("Hello", json!({"target_language": "x\ny"})), ROOM, &mut model).is_err());
    }

    #[test]
    fn a_part_that_was_cut_off_is_halved_as_long_as_there_are_requests() {
        let cut = |prompt: &Prompt| {
            let mut answer = whole(&shouted(prompt));
            if answer.text.contains("ONE") && answer.text.contains("TWO") {
                answer.finish_reason = "length".to_owned();
            }
            answer
        };
        let text = "One is a sentence here. Two is a sentence here.";
        let mut model = Scripted::new(|_, prompt: &Prompt| Ok(cut(prompt)));
        let told = translate(&request(text, json!({})), ROOM, &mut model).expect("a translation");
        assert_eq!((told.translation, told.account.complete), (text.to_uppercase(), true));
        assert_eq!((told.parts, told.account.calls), (2, 3));
        let mut model = Scripted::new(|_, prompt: &Prompt| Ok(cut(prompt)));
        let told = translate(&request(text, json!({})), Room { most_calls: 2, ..ROOM }, &mut model).expect("one");
        assert_eq!((told.account.complete, told.account.notes.len()), (false, 1));
    }

    #[test]
    fn what_cannot_be_translated_is_refused() {
        let mut extract = whole("x");
        extract.provider_kind = "extractive".to_owned();
        let mut model = Scripted::new(|_, _: &Prompt| Ok(extract.clone()));
        assert!(translate(&request("Hello", json!({})), ROOM, &mut model)
            .unwrap_err()
            .message()
            .contains("cannot translate"));
        let mut model = Scripted::new(|_, _: &Prompt| Ok(whole("x")));
        assert!(translate(&request(&"A sentence. ".repeat(500), json!({})), ROOM, &mut model).is_err());
        assert!(translate(&request(" ", json!({})), ROOM, &mut model).is_err());
        assert!(model.asked.is_empty());
    }
}
