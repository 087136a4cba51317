//! Keywords: the words and phrases that say what a text is about.
//!
//! A phrase scores by how often it occurs, how telling its words are, whether it is a name, how long it is
//! and how early it comes. The best scores 1.

use agentmem_plugin_sdk::response;

use crate::lexicon::Class;
use crate::phrases::{self, Phrase};
use crate::runs::Runs;
use crate::script::Script;
use crate::sentences::{self, Sentence};
use crate::statistics::WordCount;
use crate::terms::Term;
use crate::vocabulary::Vocabulary;

/// What a phrase of one, two, three or four parts is worth beside a single word.
const LENGTH_WORTH: [f64; 4] = [1.0, 1.55, 1.75, 1.75];
/// What an occurrence inside a longer phrase is worth beside one of its own.
const SHARED_WORTH: f64 = 0.25;
/// How much more the first word of a text is worth than the last.
const EARLY_WORTH: f64 = 0.35;
/// How many logarithms are kept.
const KEPT: f64 = 256.0;

/// A keyword of a text.
#[response]
#[schemars(deny_unknown_fields)]
pub struct Keyword {
    /// One to three words, as the text writes them
    pub keyword: String,
    /// How telling it is beside the best one, which has 1
    #[schemars(range(min = 0, max = 1))]
    pub score: f64,
    /// How often it occurs
    #[schemars(range(min = 1))]
    pub count: u32,
}

/// What `extract_keywords` answers.
#[response]
#[schemars(deny_unknown_fields)]
pub struct KeywordsResponse {
    /// Best first
    #[schemars(length(max = 100))]
    pub keywords: Vec<Keyword>,
}

/// The `limit` best keywords of a text, best first; level ones in the order of the text.
pub fn extract(text: &str, limit: usize) -> Vec<Keyword> {
    Reading::of(&sentences::split(text)).keywords(limit)
}

/// A text that was read word by word.
pub struct Reading<'a> {
    vocabulary: Vocabulary<'a>,
    runs: Runs,
}

impl<'a> Reading<'a> {
    /// Read these sentences.
    pub fn of(sentences: &[Sentence<'a>]) -> Self {
        let mut vocabulary = Vocabulary::for_text(sentences);
        let (mut runs, mut tokens) = (Runs::default(), Vec::new());
        for sentence in sentences {
            tokens.clear();
            vocabulary.add(sentence.text, &mut tokens);
            runs.add(&tokens, &vocabulary);
        }
        Self { vocabulary, runs }
    }

    /// How many words it has.
    pub fn words(&self) -> WordCount {
        self.vocabulary.words()
    }

    /// Its `limit` best keywords.
    pub fn keywords(&self, limit: usize) -> Vec<Keyword> {
        let ranked = self.ranked(limit);
        let best = ranked.first().map_or(1.0, |(score, _)| *score);
        let keyword = |(score, phrase): &(f64, Phrase)| Keyword {
            keyword: phrase.display(&self.runs, &self.vocabulary),
            score: (score / best * 1000.0).round() / 1000.0,
            count: phrase.count,
        };
        ranked.iter().map(keyword).collect()
    }

    /// The `limit` best phrases with their scores, best first.
    fn ranked(&self, limit: usize) -> Vec<(f64, Phrase)> {
        let phrases = phrases::find(&self.runs, &self.vocabulary);
        let total = phrases.last().map_or(1, |phrase| phrase.first + 1);
        let mut scoring = Scoring { vocabulary: &self.vocabulary, total, logarithms: Vec::new() };
        let scored = phrases.into_iter().map(|phrase| (scoring.score(&phrase), phrase));
        let mut ranked: Vec<(f64, Phrase)> = scored.filter(|(score, _)| *score > 0.0).collect();
        let better = |a: &(f64, Phrase), b: &(f64, Phrase)| b.0.total_cmp(&a.0).then(a.1.first.cmp(&b.1.first));
        if ranked.len() > limit {
            ranked.select_nth_unstable_by(limit, better);
            ranked.truncate(limit);
        }
        ranked.sort_by(better);
        ranked
    }
}

/// How much the phrases of a text say.
struct Scoring<'a> {
    vocabulary: &'a Vocabulary<'a>,
    /// Telling words before the last phrase, and one.
    total: u32,
    /// Logarithms of quarters: 1, 1¼, 1½ … as far as they were needed; computing one takes as long as finding a word.
    logarithms: Vec<f64>,
}

impl Scoring<'_> {
    /// How much a phrase says; 0 where it is no keyword at all.
    fn score(&mut self, phrase: &Phrase) -> f64 {
        let terms = phrase.terms();
        let single = terms.len() == 1;
        if single && !stands_alone(self.vocabulary.term(terms[0])) {
            return 0.0;
        }
        let weight: f64 = terms.iter().map(|index| self.weight(*index)).sum();
        let alone = f64::from(phrase.alone);
        let occurrences = alone + SHARED_WORTH * (f64::from(phrase.count) - alone);
        let early = 1.0 + EARLY_WORTH * (1.0 - f64::from(phrase.first) / f64::from(self.total));
        self.logarithm(1.0 + occurrences) * weight / terms.len() as f64 * LENGTH_WORTH[terms.len() - 1] * early
    }

    /// How telling a word is.
    fn weight(&mut self, index: u32) -> f64 {
        let term = self.vocabulary.term(index);
        let shape = match term.class {
            Class::Modifier | Class::Generic if !term.is_name() => 0.6,
            Class::Number => 0.4,
            _ if term.is_name() => 1.35,
            _ if term.script == Script::Spaced && term.length <= 2 => 0.4,
            _ if term.is_participle => 0.5,
            _ => 1.0,
        };
        shape * (1.0 + self.logarithm(f64::from(term.count)))
    }

    /// The logarithm of a number of quarters.
    fn logarithm(&mut self, number: f64) -> f64 {
        let place = (number - 1.0) * 4.0;
        if !(0.0..KEPT).contains(&place) {
            return number.ln();
        }
        while self.logarithms.len() as f64 <= place {
            self.logarithms.push((1.0 + self.logarithms.len() as f64 / 4.0).ln());
        }
        self.logarithms[place as usize]
    }
}

/// Whether a single word can be a keyword.
fn stands_alone(term: &Term) -> bool {
    match (term.script, term.class) {
        (Script::Han | Script::Hiragana, _) => false,
        (_, Class::Content) => term.length > 1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, limit: usize) -> Vec<String> {
        extract(text, limit).into_iter().map(|keyword| keyword.keyword).collect()
    }

    #[test]
    fn finds_what_a_note_is_about() {
        let text = "Alice Johnson prefers dark mode in her editor. She works on turbine control software at Siemens.";
        assert_eq!(names(text, 4), ["Alice Johnson", "turbine control software", "dark mode", "Siemens"]);
    }

    #[test]
    fn finds_what_chinese_text_is_about() {
        let text = "人工智能正在改变世界。人工智能的核心是机器学习，机器学习需要大量数据。";
        assert_eq!(names(text, 2), ["人工智能", "机器学习"]);
    }

    #[test]
    fn scores_fall_from_one() {
        let found = extract("Tea, coffee and green tea. Tea again.", 10);
        assert_eq!(found[0].score, 1.0);
        assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
        assert!(found.iter().any(|keyword| keyword.keyword == "tea" && keyword.count == 3));
    }

    #[test]
    fn texts_without_words_have_no_keywords() {
        for text in ["", "   ", "the and of it", "1234 5.6", "🙂🙂", "!!!"] {
            assert!(extract(text, 10).is_empty(), "{text}");
        }
    }

    #[test]
    fn the_limit_holds() {
        assert_eq!(extract("apple, pear, plum, cherry", 2).len(), 2);
    }
}
