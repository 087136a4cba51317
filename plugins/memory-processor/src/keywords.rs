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
use crate::vocabulary::{Term, Vocabulary};

/// What a phrase of one, two, three or four parts is worth beside a single word.
const LENGTH_WORTH: [f64; 4] = [1.0, 1.55, 1.75, 1.75];
/// What an occurrence inside a longer phrase is worth beside one of its own.
const SHARED_WORTH: f64 = 0.25;
/// How much more the first word of a text is worth than the last.
const EARLY_WORTH: f64 = 0.35;

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
    extract_from(&sentences::split(text), limit)
}

/// The `limit` best keywords of these sentences.
pub fn extract_from(sentences: &[Sentence], limit: usize) -> Vec<Keyword> {
    let mut vocabulary = Vocabulary::for_text(sentences);
    let mut runs = Runs::default();
    for sentence in sentences {
        let tokens = vocabulary.add(sentence.text);
        runs.add(&tokens, &vocabulary);
    }
    let phrases = phrases::find(&runs, &vocabulary);
    let total = phrases.last().map_or(1, |phrase| phrase.first + 1);
    let mut ranked: Vec<(f64, &Phrase)> = phrases
        .iter()
        .map(|phrase| (score(phrase, total, &vocabulary), phrase))
        .filter(|(score, _)| *score > 0.0)
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.first.cmp(&b.1.first)));
    let best = ranked.first().map_or(1.0, |(score, _)| *score);
    let keyword = |(score, phrase): &(f64, &Phrase)| Keyword {
        keyword: phrase.display(&runs, &vocabulary),
        score: (score / best * 1000.0).round() / 1000.0,
        count: phrase.count,
    };
    ranked.iter().take(limit).map(keyword).collect()
}

/// How much a phrase says; 0 where it is no keyword at all.
fn score(phrase: &Phrase, total: u32, vocabulary: &Vocabulary) -> f64 {
    let terms = phrase.terms();
    let single = terms.len() == 1;
    if single && !stands_alone(vocabulary.term(terms[0])) {
        return 0.0;
    }
    let weight: f64 = terms.iter().map(|index| weight(vocabulary.term(*index))).sum();
    let alone = f64::from(phrase.alone);
    let occurrences = alone + SHARED_WORTH * (f64::from(phrase.count) - alone);
    let early = 1.0 + EARLY_WORTH * (1.0 - f64::from(phrase.first) / f64::from(total));
    (1.0 + occurrences).ln() * weight / terms.len() as f64 * LENGTH_WORTH[terms.len() - 1] * early
}

/// Whether a single word can be a keyword.
fn stands_alone(term: &Term) -> bool {
    match (term.script, term.class) {
        (Script::Han | Script::Hiragana, _) => false,
        (_, Class::Content) => term.length > 1,
        _ => false,
    }
}

/// How telling a word is.
fn weight(term: &Term) -> f64 {
    let shape = match term.class {
        Class::Modifier | Class::Generic if !term.is_name() => 0.6,
        Class::Number => 0.4,
        _ if term.is_name() => 1.35,
        _ if term.script == Script::Spaced && term.length <= 2 => 0.4,
        _ if term.is_participle => 0.5,
        _ => 1.0,
    };
    shape * (1.0 + f64::from(term.count).ln())
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
