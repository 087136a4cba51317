//! Runs: stretches of telling words with nothing between them.
//!
//! Grammar, verbs and punctuation end a run; so does the start of a name, for "her husband Pierre Curie"
//! names a husband and a Pierre Curie.

use std::ops::Range;

use crate::lexicon::Class;
use crate::vocabulary::{Token, Vocabulary};

/// Runs of telling words, one after the other.
#[derive(Default)]
pub struct Runs {
    terms: Vec<u32>,
    tokens: Vec<Token>,
    ends: Vec<usize>,
}

impl Runs {
    /// Add the runs of a sentence.
    pub fn add(&mut self, tokens: &[Token], vocabulary: &Vocabulary) {
        let start = self.terms.len();
        for (at, token) in tokens.iter().enumerate() {
            let tells = self.tells(token, vocabulary);
            if token.detached || !tells || self.opens_run(&tokens[at..], vocabulary) {
                self.close(start, vocabulary);
            }
            if tells {
                self.terms.push(token.term);
                self.tokens.push(*token);
            }
        }
        self.close(start, vocabulary);
    }

    /// Whether a word belongs to a run; a number does where a run is open.
    fn tells(&self, token: &Token, vocabulary: &Vocabulary) -> bool {
        match vocabulary.term(token.term).class {
            _ if token.is_grammar => false,
            Class::Function => false,
            Class::Generic => token.is_name,
            Class::Number => !token.detached && self.terms.len() > self.closed(),
            Class::Modifier | Class::Content => true,
        }
    }

    /// Whether a participle or the name of several words comes next, either of which begins a run.
    fn opens_run(&self, next: &[Token], vocabulary: &Vocabulary) -> bool {
        let before_is_name = self.tokens.last().is_none_or(|last| last.is_name);
        let before_is_capital = self.tokens.last().is_some_and(|last| last.is_capital);
        match next {
            [first, ..] if before_is_capital && !first.is_capital && vocabulary.capitals_end_phrases() => true,
            [first, ..] if vocabulary.term(first.term).is_participle && !first.is_name => true,
            [first, second, ..] => !before_is_name && first.is_name && second.is_name && !second.detached,
            _ => false,
        }
    }

    /// How many words belong to runs that have ended.
    fn closed(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// End the current run, less the words that end no phrase.
    fn close(&mut self, sentence: usize, vocabulary: &Vocabulary) {
        let start = self.closed().max(sentence);
        while self.terms.len() > start {
            let last = vocabulary.term(self.terms[self.terms.len() - 1]);
            let closes = match last.class {
                Class::Modifier | Class::Generic => last.is_name(),
                _ => !last.is_participle || last.is_name() || self.terms.len() - start == 1,
            };
            if closes {
                break;
            }
            self.terms.pop();
            self.tokens.pop();
        }
        if self.terms.len() > start {
            self.ends.push(self.terms.len());
        }
    }

    /// All words of all runs, in order.
    pub fn terms(&self) -> &[u32] {
        &self.terms
    }

    /// The words as they occur, in the order of [`Runs::terms`].
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Where each run begins and ends in [`Runs::terms`].
    pub fn bounds(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends.iter().copied()).map(|(start, end)| start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(sentence: &str) -> Vec<String> {
        let mut vocabulary = Vocabulary::default();
        let mut runs = Runs::default();
        let mut tokens = Vec::new();
        vocabulary.add(sentence, &mut tokens);
        runs.add(&tokens, &vocabulary);
        let word = |token: &Token| vocabulary.display_as(token);
        runs.bounds().map(|run| runs.tokens()[run].iter().map(word).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn verbs_end_a_run_whether_known_or_not() {
        assert_eq!(runs("Sara reviews the schema changes"), ["Sara", "schema changes"]);
        assert_eq!(runs("they grok turbine code quickly"), ["turbine code"]);
    }

    #[test]
    fn names_begin_a_run() {
        assert_eq!(runs("her husband Pierre Curie"), ["husband", "Pierre Curie"]);
    }

    #[test]
    fn participles_and_numbers_have_their_place() {
        assert_eq!(
            runs("Alice deployed containers on Python 3, 42 and 2024-03-12"),
            ["Alice", "deployed containers", "Python 3"]
        );
    }
}
