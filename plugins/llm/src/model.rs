//! The model: what is asked of it, what it answers, and the account of one call of this plugin.

use agentmem_plugin_sdk::host::llm::Answer;
use agentmem_plugin_sdk::{response, Error};

/// One request to a language model.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// What it is to do.
    pub system: String,
    /// What it works on.
    pub prompt: String,
    /// Longest answer; the alias's own bound where there is none.
    pub max_tokens: Option<u32>,
}

/// Tokens.
#[response]
#[derive(Copy, Default, Eq)]
pub struct Usage {
    /// Sent.
    pub input: u64,
    /// Answered.
    pub output: u64,
}

/// Who answers: the host, or a test.
pub trait Model {
    /// Ask.
    ///
    /// # Errors
    /// When nobody may or can answer, in the host's words.
    fn ask(&mut self, prompt: &Prompt) -> Result<Answer, Error>;
}

/// The model with an account of what was asked, within a number of requests.
pub struct Desk<'a> {
    model: &'a mut dyn Model,
    most_calls: usize,
    account: Account,
}

/// How a call of this plugin went, and what it took.
#[response]
#[derive(Default)]
pub struct Account {
    /// Whether no answer of the model was cut off.
    pub complete: bool,
    /// What the caller should know.
    pub notes: Vec<String>,
    /// The alias that answered last; null where nobody was asked.
    pub model: Option<String>,
    /// `model`, or `extractive` for a provider that repeats sentences of the text; null where nobody was asked.
    pub provider_kind: Option<String>,
    /// Requests to the model.
    pub calls: usize,
    /// Tokens of all requests; null where one of them came without a count.
    pub usage: Option<Usage>,
}

impl<'a> Desk<'a> {
    /// A desk for at most `most_calls` requests.
    pub fn new(model: &'a mut dyn Model, most_calls: usize) -> Self {
        let account = Account { usage: Some(Usage::default()), ..Account::default() };
        Self { model, most_calls, account }
    }

    /// Requests that can still be made.
    pub fn left(&self) -> usize {
        self.most_calls.saturating_sub(self.account.calls)
    }

    /// Ask for `step` (such as `part 2 of 7`).
    ///
    /// # Errors
    /// When the model refuses; a refusal after the first request says how far the call had come.
    pub fn ask(&mut self, step: &str, prompt: &Prompt) -> Result<Answer, Error> {
        if self.left() == 0 {
            return Err(Error::new(format!(
                "All {} requests to the model are used up before {step}.",
                self.most_calls
            )));
        }
        let answer = self.model.ask(prompt).map_err(|reason| match self.account.calls {
            0 => reason,
            done => Error::new(format!("{reason} (At {step}; {done} requests to the model had been answered.)")),
        })?;
        self.account.calls += 1;
        self.account.model = Some(answer.model.clone());
        self.account.provider_kind = Some(answer.provider_kind.clone());
        self.account.usage = self.account.usage.zip(answer.usage).map(|(sum, more)| Usage {
            input: sum.input.saturating_add(more.input),
            output: sum.output.saturating_add(more.output),
        });
        Ok(answer)
    }

    /// What the call took, with how it went.
    pub fn account(self, complete: bool, notes: Vec<String>) -> Account {
        Account { complete, notes, ..self.account }
    }
}

/// Whether an answer was cut off before the model came to its end.
pub fn is_cut(answer: &Answer) -> bool {
    matches!(answer.finish_reason.as_str(), "length" | "content_filter")
}

/// Whether an answer is made of sentences of the prompt.
pub fn is_extract(answer: &Answer) -> bool {
    answer.provider_kind == "extractive"
}

/// A model for tests.
#[cfg(test)]
pub mod tests {
    use super::*;
    use agentmem_plugin_sdk::host::llm;

    /// A model whose answers are computed from the prompts, which it keeps.
    pub struct Scripted<F> {
        /// What was asked.
        pub asked: Vec<Prompt>,
        /// Gives an answer.
        pub answer: F,
    }

    impl<F: FnMut(usize, &Prompt) -> Result<Answer, Error>> Scripted<F> {
        /// A model that answers so.
        pub fn new(answer: F) -> Self {
            Self { asked: Vec::new(), answer }
        }
    }

    impl<F: FnMut(usize, &Prompt) -> Result<Answer, Error>> Model for Scripted<F> {
        fn ask(&mut self, prompt: &Prompt) -> Result<Answer, Error> {
            self.asked.push(prompt.clone());
            (self.answer)(self.asked.len(), prompt)
        }
    }

    /// A whole answer.
    pub fn whole(text: &str) -> Answer {
        Answer {
            text: text.to_owned(),
            model: "fast".to_owned(),
            provider_kind: "model".to_owned(),
            finish_reason: "stop".to_owned(),
            usage: Some(llm::Usage { input: 10, output: 2 }),
            cost: None,
        }
    }

    fn prompt() -> Prompt {
        Prompt { system: "s".into(), prompt: "p".into(), max_tokens: None }
    }

    #[test]
    fn requests_are_counted_and_bounded() {
        let mut model = Scripted::new(|_, _: &Prompt| Ok(whole("x")));
        let mut desk = Desk::new(&mut model, 2);
        assert!(desk.ask("part 1", &prompt()).is_ok() && desk.ask("part 2", &prompt()).is_ok());
        assert_eq!(
            desk.ask("part 3", &prompt()),
            Err(Error::new("All 2 requests to the model are used up before part 3."))
        );
        let account = desk.account(true, Vec::new());
        assert_eq!((account.calls, account.usage), (2, Some(Usage { input: 20, output: 4 })));
    }

    #[test]
    fn a_refusal_on_the_way_says_how_far_it_came() {
        let mut model =
            Scripted::new(|at, _: &Prompt| if at == 1 { Ok(whole("x")) } else { Err(Error::new("no room.")) });
        let mut desk = Desk::new(&mut model, 5);
        assert!(desk.ask("part 1 of 2", &prompt()).is_ok());
        let said = "no room. (At part 2 of 2; 1 requests to the model had been answered.)";
        assert_eq!(desk.ask("part 2 of 2", &prompt()), Err(Error::new(said)));
    }
}
