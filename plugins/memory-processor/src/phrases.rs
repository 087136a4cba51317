//! Phrases: which words of a text belong together.
//!
//! Within a run of words, the text itself decides where one phrase ends: a group of words that occurs again is a phrase, and in a short text, where
//! little occurs again, so is a whole run of up to three words, or of four that are a name.

use crate::hashing::hash_of_two;
use crate::index::Index;
use crate::runs::Runs;
use crate::script::Script;
use crate::vocabulary::{Token, Vocabulary};

/// Words in the longest phrase that is no name.
const WORDS: usize = 3;
/// Chinese characters in the longest phrase, and words in the longest name.
const CHARACTERS: usize = 4;
/// Texts with fewer telling words than this are short.
const SHORT: usize = 120;
/// Fills a group that has fewer members.
const NONE: u32 = u32::MAX;

/// The terms of a phrase, in order, filled up with `u32::MAX`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Group([u32; CHARACTERS]);

impl Group {
    fn hash(self) -> u32 {
        let [a, b, c, d] = self.0.map(u64::from);
        hash_of_two(a << 32 | b, c << 32 | d)
    }
}

/// How often each group was counted.
#[derive(Default)]
struct Counts {
    list: Vec<(Group, u32)>,
    index: Index,
}

impl Counts {
    fn of(&self, group: Group) -> u32 {
        let found = self.index.find(group.hash(), |place| self.list[place as usize].0 == group);
        found.map_or(0, |place| self.list[place as usize].1)
    }

    fn add(&mut self, group: Group) {
        let hash = group.hash();
        if let Some(place) = self.index.find(hash, |place| self.list[place as usize].0 == group) {
            self.list[place as usize].1 += 1;
        } else {
            self.index.insert(hash, self.list.len() as u32);
            self.list.push((group, 1));
        }
    }
}

/// A phrase of a text.
#[derive(Clone, Copy, Debug)]
pub struct Phrase {
    group: Group,
    /// How often the words stand together.
    pub count: u32,
    /// How often of these they are not part of a longer phrase.
    pub alone: u32,
    /// Where it first occurs: the number of telling words before it.
    pub first: u32,
}

/// The phrases of all runs, in the order in which they first occur; single words are phrases of one.
pub fn find(runs: &Runs, vocabulary: &Vocabulary) -> Vec<Phrase> {
    let groups = count_groups(runs, vocabulary);
    let mut found = Found::default();
    for run in runs.bounds() {
        let mut at = run.start;
        while at < run.end {
            let rest = &runs.terms()[at..run.end];
            let length = groups.best_length(rest, longest(rest, &runs.tokens()[at..run.end], vocabulary));
            let length = if is_han(rest, vocabulary) { even(&groups, rest, length) } else { length };
            found.add(&groups, &rest[..length], at as u32);
            at += length;
        }
    }
    found.phrases
}

/// How many of the words at the start of a run can be one phrase.
fn longest(run: &[u32], tokens: &[Token], vocabulary: &Vocabulary) -> usize {
    let is_name = || tokens.iter().take(CHARACTERS).all(|token| token.is_name);
    run.len().min(if is_han(run, vocabulary) || is_name() { CHARACTERS } else { WORDS })
}

/// Count the groups of each length in turn. In a long text a group is worth counting only if both
/// groups of one less occur again, which keeps the table small.
fn count_groups(runs: &Runs, vocabulary: &Vocabulary) -> Groups {
    let least = if runs.terms().len() < SHORT { 1 } else { 2 };
    let mut groups = Groups { singles: vec![0; vocabulary.len()], several: Default::default(), least };
    for term in runs.terms() {
        groups.singles[*term as usize] += 1;
    }
    for length in 2..=CHARACTERS {
        let mut counts = Counts::default();
        for run in runs.bounds() {
            let tokens = &runs.tokens()[run.clone()];
            let run = &runs.terms()[run];
            let any = run.len() >= length && (length <= WORDS || is_han(run, vocabulary));
            for (at, window) in run.windows(length).enumerate() {
                if !any && longest(window, &tokens[at..at + length], vocabulary) < length {
                    continue;
                }
                if groups.count(&window[1..]) >= least && groups.count(&window[..length - 1]) >= least {
                    counts.add(group_of(window));
                }
            }
        }
        groups.several[length - 2] = counts;
    }
    groups
}

/// How often each word and each group of words occurs.
struct Groups {
    singles: Vec<u32>,
    /// Of two members, of three and of four.
    several: [Counts; CHARACTERS - 1],
    least: u32,
}

impl Groups {
    fn count(&self, terms: &[u32]) -> u32 {
        match terms {
            [single] => self.singles[*single as usize],
            several => match self.several[several.len() - 2].of(group_of(several)) {
                count if count >= self.least => count,
                _ => 0,
            },
        }
    }

    /// How many of the words at the start of `rest` are one phrase.
    fn best_length(&self, rest: &[u32], longest: usize) -> usize {
        (2..=longest).rev().find(|length| self.holds(rest, *length)).unwrap_or(1)
    }

    /// Whether the first `length` words belong together more than with what is in or after them.
    fn holds(&self, rest: &[u32], length: usize) -> bool {
        let count = self.count(&rest[..length]);
        if count < self.least {
            return false;
        }
        let strongest_inside =
            if length > 2 { rest[..length].windows(length - 1).map(|w| self.count(w)).max().unwrap_or(0) } else { 0 };
        let across = rest.get(length - 1..=length).map_or(0, |pair| self.count(pair));
        let rival = strongest_inside.max(across);
        if count == 1 {
            rival <= 1
        } else {
            count * 2 >= rival
        }
    }
}

/// The phrases found so far.
#[derive(Default)]
struct Found {
    phrases: Vec<Phrase>,
    index: Index,
}

impl Found {
    fn add(&mut self, groups: &Groups, terms: &[u32], first: u32) {
        let group = group_of(terms);
        let hash = group.hash();
        if let Some(place) = self.index.find(hash, |place| self.phrases[place as usize].group == group) {
            self.phrases[place as usize].alone += 1;
        } else {
            self.index.insert(hash, self.phrases.len() as u32);
            self.phrases.push(Phrase { group, count: groups.count(terms), alone: 1, first });
        }
    }
}

impl Phrase {
    /// The terms of the phrase.
    pub fn terms(&self) -> &[u32] {
        let length = self.group.0.iter().position(|term| *term == NONE).unwrap_or(CHARACTERS);
        &self.group.0[..length]
    }

    /// The phrase as one writes it: a single word in its usual form, several as they first stand together.
    pub fn display(&self, runs: &Runs, vocabulary: &Vocabulary) -> String {
        if let [single] = self.terms() {
            return vocabulary.display(*single);
        }
        let mut text = String::new();
        for token in runs.tokens().iter().skip(self.first as usize).take(self.terms().len()) {
            let term = vocabulary.term(token.term);
            if !text.is_empty() && term.script == Script::Spaced {
                text.push(' ');
            }
            text.push_str(&vocabulary.display_as(token));
        }
        text
    }
}

fn is_han(run: &[u32], vocabulary: &Vocabulary) -> bool {
    run.first().is_some_and(|term| vocabulary.term(*term).script == Script::Han)
}

/// Most Chinese words have two characters: a long run in which nothing occurs again is cut in twos from its end.
fn even(groups: &Groups, rest: &[u32], length: usize) -> usize {
    if rest.len() <= CHARACTERS || groups.count(&rest[..length]) > 1 {
        length
    } else if rest.len() % 2 == 1 {
        1
    } else {
        2
    }
}

fn group_of(terms: &[u32]) -> Group {
    let mut group = [NONE; CHARACTERS];
    group[..terms.len()].copy_from_slice(terms);
    Group(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(sentences: &[&str]) -> Vec<(String, u32)> {
        let mut vocabulary = Vocabulary::default();
        let mut runs = Runs::default();
        for sentence in sentences {
            let mut tokens = Vec::new();
            vocabulary.add(sentence, &mut tokens);
            runs.add(&tokens, &vocabulary);
        }
        let found = find(&runs, &vocabulary);
        found.iter().map(|phrase| (phrase.display(&runs, &vocabulary), phrase.count)).collect()
    }

    fn names(sentences: &[&str]) -> Vec<String> {
        phrases(sentences).into_iter().map(|phrase| phrase.0).collect()
    }

    #[test]
    fn grammar_verbs_and_punctuation_part_phrases() {
        let text = "The user prefers dark mode, black tea and Python 3 for turbine control software in New York.";
        let expected = ["user", "dark mode", "black tea", "Python 3", "turbine control software", "New York"];
        assert_eq!(names(&[text]), expected);
    }

    #[test]
    fn words_that_occur_together_again_are_one_phrase() {
        let found = phrases(&["vector index size", "the vector index", "a vector index file"]);
        assert_eq!(found[0], ("vector index".to_owned(), 3));
    }

    #[test]
    fn chinese_runs_become_words() {
        assert_eq!(names(&["机器学习模型", "我喜欢机器学习"]), ["机器学习", "模型", "喜欢"]);
    }

    #[test]
    fn sentences_do_not_run_together() {
        assert_eq!(names(&["red tea", "blue cup"]), ["red tea", "blue cup"]);
        assert!(names(&["", "the of 42"]).is_empty());
    }
}
