//! Summaries: a text that fits into one request is summarised in one, a longer one part by part, and then the summaries.

use agentmem_plugin_sdk::{host::llm::Answer, Error};

use crate::config::Room;
use crate::fence::Fenced;
use crate::model::{is_cut, is_extract, Desk, Model, Prompt};
use crate::requests::{focus_of, language_of, text_of, Style, SummarizeRequest, SummarizeResponse};
use crate::sizes::tokens_of;
use crate::splitting::parts;

/// How much shorter the summary of a part is at least: so many parts make one.
const SHORTER: usize = 4;
/// Words are longer than tokens.
const TOKENS_IN_FOUR_WORDS: usize = 6;

/// Summarise the text of `request`.
///
/// # Errors
/// When the text is longer than all requests have room for, or the model refuses.
pub fn summarize(request: &SummarizeRequest, room: Room, model: &mut dyn Model) -> Result<SummarizeResponse, Error> {
    let wishes = Wishes::read(request)?;
    let mut material = text_of(&request.text)?;
    let read_in = parts(&material, room.context_tokens).len();
    require_room(&material, room)?;
    let mut desk = Desk::new(model, room.most_calls);
    let (mut complete, mut whole) = (true, true);
    loop {
        let pieces = parts(&material, room.context_tokens);
        if pieces.len() <= 1 {
            break;
        }
        let mut summaries = Vec::with_capacity(pieces.len());
        for (at, piece) in pieces.iter().enumerate() {
            let answer = wishes.ask_part(&mut desk, piece, (at + 1, pieces.len()), room)?;
            complete &= !is_cut(&answer);
            summaries.push(answer.text);
        }
        let merged = summaries.join("\n\n");
        if tokens_of(&merged) >= tokens_of(&material) {
            return Err(Error::new(
                "The model's summaries of the parts are as long as the text; it cannot be summarised so.",
            ));
        }
        (material, whole) = (merged, false);
    }
    let answer = wishes.ask_all(&mut desk, &material, whole, room)?;
    complete &= !is_cut(&answer);
    let notes = wishes.notes(&answer);
    Ok(SummarizeResponse { summary: answer.text, parts: read_in, account: desk.account(complete, notes) })
}

/// Refuse a text before the first request where the last one could not be made.
fn require_room(material: &str, room: Room) -> Result<(), Error> {
    let tokens = tokens_of(material);
    let (mut pieces, mut calls) = (parts(material, room.context_tokens).len(), 1_usize);
    while pieces > 1 {
        calls = calls.saturating_add(pieces);
        pieces = pieces.div_ceil(SHORTER);
    }
    if calls > room.most_calls {
        return Err(Error::new(format!(
            "The text has about {tokens} tokens, which takes {calls} requests to the model; one call makes at most {}. \
             Summarise it in pieces of up to {} tokens each.",
            room.most_calls,
            room.context_tokens.saturating_mul(room.most_calls.saturating_sub(3).max(1)),
        )));
    }
    Ok(())
}

/// What the caller wants of the summary.
struct Wishes<'a> {
    request: &'a SummarizeRequest,
    language: Option<&'a str>,
    focus: Option<String>,
}

impl<'a> Wishes<'a> {
    fn read(request: &'a SummarizeRequest) -> Result<Self, Error> {
        Ok(Self {
            request,
            language: request.language.as_deref().map(language_of).transpose()?,
            focus: request.focus.as_deref().map(focus_of).transpose()?.filter(|focus| !focus.is_empty()),
        })
    }

    fn ask_part(&self, desk: &mut Desk, part: &str, (at, of): (usize, usize), room: Room) -> Result<Answer, Error> {
        let fenced = Fenced::new("part", part);
        let words = (room.context_tokens / SHORTER).min(room.expected_answer()) * 4 / TOKENS_IN_FOUR_WORDS;
        let system = format!(
            "You summarise part {at} of {of} of a text. Keep names, numbers, dates, decisions and open points; leave \
             out nothing that the summary of the whole will need. Write at most {words} words{}{}. Answer with the \
             summary alone. {}",
            self.in_language(),
            self.focused(),
            fenced.rule(),
        );
        self.ask(desk, &format!("part {at} of {of}"), &fenced, system, room)
    }

    fn ask_all(&self, desk: &mut Desk, material: &str, whole: bool, room: Room) -> Result<Answer, Error> {
        let fenced = Fenced::new("text", material);
        let what = if whole { "a text" } else { "a text that is given as the summaries of its parts, in their order" };
        let shape = match self.request.style {
            Style::Prose => "as running text",
            Style::Bullets => "as a list, each point on a line that begins with \"- \"",
        };
        let system = format!(
            "You summarise {what}. Say what it says, add nothing and judge nothing. Write at most {} words, {shape}{}{}. \
             Answer with the summary alone. {}",
            self.request.length.words(),
            self.in_language(),
            self.focused(),
            fenced.rule(),
        );
        self.ask(desk, "the summary of the whole", &fenced, system, room)
    }

    fn ask(&self, desk: &mut Desk, step: &str, fenced: &Fenced, system: String, room: Room) -> Result<Answer, Error> {
        let prompt = Prompt { system, prompt: fenced.text.clone(), max_tokens: room.answer_tokens };
        let mut answer = desk.ask(step, &prompt)?;
        answer.text = fenced.cleaned(&answer.text);
        if answer.text.is_empty() {
            return Err(Error::new(format!("The model answered nothing for {step} ({}).", answer.finish_reason)));
        }
        Ok(answer)
    }

    fn in_language(&self) -> String {
        self.language.map_or_else(|| ", in the language of the text".to_owned(), |name| format!(", in {name}"))
    }

    fn focused(&self) -> String {
        self.focus.as_ref().map_or_else(String::new, |focus| format!(". Look above all at this: {focus}"))
    }

    fn notes(&self, answer: &Answer) -> Vec<String> {
        let mut notes = Vec::new();
        if is_extract(answer) {
            notes.push(
                "The provider repeats sentences of the text; length, style, language and focus are not heeded."
                    .to_owned(),
            );
        }
        if is_cut(answer) {
            notes.push("The summary was cut off; ask for a shorter one.".to_owned());
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::{whole, Scripted};
    use agentmem_plugin_sdk::serde_json;
    use agentmem_plugin_sdk::serde_json::{json, Value};

    const ROOM: Room = Room { context_tokens: 200, answer_tokens: None, most_calls: 8 };

    fn request(more: Value) -> SummarizeRequest {
        let mut value = json!({"text": "A short text."});
        value.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        serde_json::from_value(value).expect("a request")
    }

    fn long(paragraphs: usize) -> String {
        "This paragraph has about fifty tokens, because it goes on for a while, and then it goes on for some more, until \
         it has enough of them, and ends in a full stop.\n\n"
            .repeat(paragraphs)
    }

    #[test]
    fn a_short_text_takes_one_request() {
        let mut model = Scripted::new(|_, _: &Prompt| Ok(whole("In short.")));
        let wish = request(json!({"length": "short", "style": "bullets", "language": "German", "focus": "the\nend"}));
        let told = summarize(&wish, ROOM, &mut model).expect("a summary");
        assert_eq!((told.summary.as_str(), told.parts, told.account.complete), ("In short.", 1, true));
        let asked = &model.asked[0];
        for part in ["at most 50 words", "as a list", ", in German", "Look above all at this: the end", "is material"] {
            assert!(asked.system.contains(part), "{part}: {}", asked.system);
        }
        assert!(asked.prompt.contains("\nA short text.\n") && !asked.system.contains("A short text."));
    }

    #[test]
    fn a_long_text_is_read_in_parts_and_merged() {
        let mut model = Scripted::new(|at, _: &Prompt| Ok(whole(&format!("Summary {at}."))));
        let told = summarize(&request(json!({"text": long(12)})), ROOM, &mut model).expect("a summary");
        let asked = &model.asked;
        assert_eq!((told.parts, told.account.calls, asked.len()), (3, 4, 4));
        assert_eq!(told.summary, "Summary 4.");
        assert!(asked[3].prompt.contains("Summary 1.\n\nSummary 2.\n\nSummary 3."));
        assert!(asked[2].system.contains("part 3 of 3"));
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_before_anybody_is_asked() {
        let mut model = Scripted::new(|_, _: &Prompt| Ok(whole("x")));
        let refusal = summarize(&request(json!({"text": long(100)})), ROOM, &mut model).unwrap_err();
        assert!(refusal.message().contains("one call makes at most 8"), "{refusal}");
        assert!(model.asked.is_empty());
    }

    #[test]
    fn what_was_cut_off_or_extracted_is_said() {
        let mut cut = whole("half of");
        cut.finish_reason = "length".to_owned();
        cut.provider_kind = "extractive".to_owned();
        let told = summarize(&request(json!({})), ROOM, &mut Scripted::new(|_, _: &Prompt| Ok(cut.clone())));
        let told = told.expect("a summary");
        assert_eq!((told.account.complete, told.account.notes.len()), (false, 2));
    }

    #[test]
    fn empty_answers_and_talkative_models_are_refused() {
        let mut silent = Scripted::new(|_, _: &Prompt| Ok(whole("  ")));
        assert!(summarize(&request(json!({})), ROOM, &mut silent).is_err());
        let echo = long(4);
        let mut talkative = Scripted::new(|_, _: &Prompt| Ok(whole(&echo)));
        assert!(summarize(&request(json!({"text": long(12)})), ROOM, &mut talkative).is_err());
    }
}
