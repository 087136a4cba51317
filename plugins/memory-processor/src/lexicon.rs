//! The lexicon: English words that tell little, Chinese characters that join others, and folding of plurals.

use crate::hashing::Table;
use crate::word_lists::{
    DETERMINERS, FOREIGN, FUNCTION, GENERIC, HAN_FUNCTION, HAN_PAIRS, MODIFIER, UNITS, VERBS, VERB_MARKERS,
};

/// Longest number that may belong to a keyword: a version or a year, no date and no amount.
const LONGEST_NUMBER: usize = 4;

/// How much a word tells about what a text is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// Grammar: never part of a keyword.
    Function,
    /// Common verbs, adverbs and adjectives: part of a keyword only as part of a name ("New York").
    Generic,
    /// Words that say more with another: they begin a keyword ("open source"), none consists of one.
    Modifier,
    /// A number: may end a keyword ("Python 3"), none consists of one.
    Number,
    /// Everything else.
    Content,
}

/// What a word says about the words beside it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Nothing.
    None,
    /// A verb follows: pronouns and modal verbs.
    BeforeVerb,
    /// No noun comes directly before: articles and possessives.
    AfterVerb,
}

/// The classes of English words and Chinese characters.
pub struct Lexicon {
    words: Table<&'static str, Class>,
    verbs: Table<&'static str, ()>,
    roles: Table<&'static str, Role>,
    han: Table<char, ()>,
    han_pairs: Table<[char; 2], ()>,
}

impl Default for Lexicon {
    fn default() -> Self {
        let mut words = Table::default();
        for (list, class) in [
            (FOREIGN, Class::Function),
            (MODIFIER, Class::Modifier),
            (GENERIC, Class::Generic),
            (FUNCTION, Class::Function),
        ] {
            words.extend(list.split_whitespace().map(|word| (word, class)));
        }
        let verbs = VERBS.split_whitespace().map(|verb| (verb, ())).collect();
        let mut roles = Table::default();
        roles.extend(VERB_MARKERS.split_whitespace().map(|word| (word, Role::BeforeVerb)));
        roles.extend(DETERMINERS.split_whitespace().map(|word| (word, Role::AfterVerb)));
        let han = HAN_FUNCTION.chars().filter(|c| !c.is_whitespace()).map(|c| (c, ())).collect();
        let pair = |word: &str| {
            let mut characters = word.chars();
            Some(([characters.next()?, characters.next()?], ()))
        };
        let han_pairs = HAN_PAIRS.split_whitespace().filter_map(pair).collect();
        Self { words, verbs, roles, han, han_pairs }
    }
}

impl Lexicon {
    /// Count more words, lower-case and between blanks, as grammar.
    pub fn add_grammar(&mut self, words: &'static str) {
        self.words.extend(words.split_whitespace().map(|word| (word, Class::Function)));
    }

    /// Whether a lower-case word after a number is what it counts in.
    pub fn is_unit(&self, word: &str) -> bool {
        word.len() <= 3 && UNITS.split_whitespace().any(|unit| unit == word)
    }

    /// The class of a lower-case word.
    pub fn class_of(&self, word: &str) -> Class {
        if word.starts_with(|c: char| c.is_ascii_digit()) && !word.chars().any(|c| c.is_alphabetic()) {
            return if word.len() <= LONGEST_NUMBER { Class::Number } else { Class::Function };
        }
        if word.starts_with("www.") {
            return Class::Function;
        }
        if let Some(class) = self.words.get(word) {
            return *class;
        }
        if self.is_verb(word) || is_adverb(word) {
            return Class::Generic;
        }
        Class::Content
    }

    /// The class of a Chinese character.
    pub fn class_of_han(&self, c: char) -> Class {
        if self.han.contains_key(&c) {
            Class::Function
        } else {
            Class::Content
        }
    }

    /// Whether two Chinese characters are a word of grammar.
    pub fn is_han_grammar(&self, a: char, b: char) -> bool {
        self.han_pairs.contains_key(&[a, b])
    }

    /// What a lower-case word says about the words beside it.
    pub fn role_of(&self, word: &str) -> Role {
        self.roles.get(word).copied().unwrap_or(Role::None)
    }

    /// Whether a word is a common verb: as it is, or without `s`, `es`, `ed`, `d` or `ing`.
    fn is_verb(&self, word: &str) -> bool {
        let known = |stem: &str| self.verbs.contains_key(stem);
        known(word)
            || word.strip_suffix('s').is_some_and(known)
            || word.strip_suffix("es").is_some_and(known)
            || word.strip_suffix("ies").is_some_and(|stem| known(&format!("{stem}y")))
            || word.strip_suffix("ied").is_some_and(|stem| known(&format!("{stem}y")))
            || word.strip_suffix('d').is_some_and(known)
            || ["ed", "ing"]
                .iter()
                .filter_map(|ending| word.strip_suffix(ending))
                .any(|stem| known(stem) || known(&format!("{stem}e")) || undoubled(stem).is_some_and(known))
    }
}

/// A stem without its doubled last consonant: `stopp` is `stop`.
fn undoubled(stem: &str) -> Option<&str> {
    let (last, before) = (stem.as_bytes().last()?, stem.as_bytes().get(stem.len().checked_sub(2)?)?);
    (last == before && last.is_ascii_alphabetic()).then(|| &stem[..stem.len() - 1])
}

fn is_adverb(word: &str) -> bool {
    const NOUNS: [&str; 12] = [
        "anomaly",
        "assembly",
        "family",
        "italy",
        "butterfly",
        "melancholy",
        "monopoly",
        "monastery",
        "jelly",
        "belly",
        "lily",
        "webassembly",
    ];
    word.len() > 4 && word.ends_with("ly") && !NOUNS.contains(&word)
}

/// Whether a lower-case word looks like a participle ("deployed"), which ends no keyword.
pub fn is_participle(word: &str) -> bool {
    const NOUNS: [&str; 6] = ["embed", "hundred", "naked", "sacred", "wicked", "kindred"];
    word.len() > 4 && word.ends_with("ed") && !word.ends_with("eed") && !NOUNS.contains(&word)
}

/// Whether a lower-case word, standing after an abbreviation, is likely to open a new sentence.
pub fn opens_sentence(word: &str) -> bool {
    const OPENERS: &str =
        " a after all an and as at because before but by each even every few finally first for he her \
                           here his how however i if in instead it its later many meanwhile most my next no nobody not \
                           nothing now on once one only or our she since so some soon still such that the their then \
                           there these they this those though thus to today two under until we what when where which \
                           while who why with yesterday yet you your ";
    OPENERS.split(' ').any(|opener| !opener.is_empty() && opener == word)
}

/// The form under which a lower-case word is counted: plurals count as their singular.
pub fn fold(word: &str) -> String {
    let stem = |cut: usize| &word[..word.len() - cut];
    if !word.is_ascii() || word.len() < 4 || !word.ends_with('s') {
        return word.to_owned();
    }
    if ["ss", "us", "is", "ous", "ics", "news", "series", "species", "always", "lens", "kubernetes"]
        .iter()
        .any(|ending| word.ends_with(ending))
    {
        return word.to_owned();
    }
    if word.ends_with("ies") && word.len() > 4 {
        return format!("{}y", stem(3));
    }
    if ["sses", "shes", "ches", "xes", "zzes"].iter().any(|ending| word.ends_with(ending)) && word != "caches" {
        return stem(2).to_owned();
    }
    stem(1).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_their_classes() {
        let lexicon = Lexicon::default();
        let classes =
            ["the", "stopped", "using", "tries", "quickly", "new", "open", "2024", "family", "turbine", "bus"]
                .map(|word| lexicon.class_of(word));
        use Class::{Content, Function, Generic, Modifier, Number};
        let expected =
            [Function, Generic, Generic, Generic, Generic, Generic, Modifier, Number, Content, Content, Content];
        assert_eq!(classes, expected);
        assert_eq!(lexicon.class_of("dark"), Class::Modifier);
        assert_eq!(lexicon.class_of_han('的'), Function);
        assert_eq!(lexicon.class_of_han('机'), Content);
        assert!(lexicon.is_han_grammar('可', '以') && !lexicon.is_han_grammar('智', '能'));
    }

    #[test]
    fn plurals_fold_to_their_singular() {
        let folded =
            ["plugins", "memories", "classes", "boxes", "status", "analysis", "physics", "gas", "branches"].map(fold);
        assert_eq!(folded, ["plugin", "memory", "class", "box", "status", "analysis", "physics", "gas", "branch"]);
    }

    #[test]
    fn participles_are_told_from_nouns() {
        assert!(is_participle("deployed") && !is_participle("speed") && !is_participle("bed"));
    }
}
