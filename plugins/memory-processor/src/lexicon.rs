//! The lexicon: English words that tell little, Chinese characters that join others, and folding of plurals.

use std::borrow::Cow;

use crate::dictionary::{lists_of, Lists};

/// Longest number that may belong to a keyword: a version or a year, no date and no amount.
const LONGEST_NUMBER: usize = 4;
/// No verb of the lists has more bytes.
const LONGEST_VERB: usize = 16;

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

/// What words and Chinese characters are, in a text of some language.
#[derive(Default)]
pub struct Lexicon {
    grammar: Lists,
}

impl Lexicon {
    /// The lexicon for texts in which the words of `grammar`, too, are grammar.
    pub fn with_grammar(grammar: Lists) -> Self {
        Self { grammar }
    }

    /// Whether a lower-case word after a number is what it counts in.
    pub fn is_unit(&self, word: &str) -> bool {
        word.len() <= 3 && lists_of(word.as_bytes()).has(Lists::UNIT)
    }

    /// The class of a lower-case word.
    pub fn class_of(&self, word: &str) -> Class {
        if word.starts_with(|c: char| c.is_ascii_digit()) && !word.chars().any(|c| c.is_alphabetic()) {
            return if word.len() <= LONGEST_NUMBER { Class::Number } else { Class::Function };
        }
        let lists = lists_of(word.as_bytes());
        if lists.has(Lists::FUNCTION) || lists.has(self.grammar) || word.starts_with("www.") {
            Class::Function
        } else if lists.has(Lists::GENERIC) {
            Class::Generic
        } else if lists.has(Lists::MODIFIER) {
            Class::Modifier
        } else if lists.has(Lists::FOREIGN) {
            Class::Function
        } else if lists.has(Lists::VERB) || is_verb_form(word) || is_adverb(word) {
            Class::Generic
        } else {
            Class::Content
        }
    }

    /// The class of a Chinese character.
    pub fn class_of_han(&self, c: char) -> Class {
        if lists_of(c.encode_utf8(&mut [0; 4]).as_bytes()).has(Lists::HAN) {
            Class::Function
        } else {
            Class::Content
        }
    }

    /// Whether two Chinese characters are a word of grammar.
    pub fn is_han_grammar(&self, a: char, b: char) -> bool {
        let mut both = [0; 8];
        let first = a.encode_utf8(&mut both).len();
        let length = first + b.encode_utf8(&mut both[first..]).len();
        lists_of(&both[..length]).has(Lists::HAN_PAIR)
    }

    /// What a lower-case word says about the words beside it.
    pub fn role_of(&self, word: &str) -> Role {
        let lists = lists_of(word.as_bytes());
        if lists.has(Lists::DETERMINER) {
            Role::AfterVerb
        } else if lists.has(Lists::BEFORE_VERB) {
            Role::BeforeVerb
        } else {
            Role::None
        }
    }
}

/// Whether a word is a common verb with `s`, `es`, `ed`, `d` or `ing` at its end.
fn is_verb_form(word: &str) -> bool {
    if !word.ends_with(['s', 'd', 'g']) {
        return false;
    }
    let known = |stem: &str| lists_of(stem.as_bytes()).has(Lists::VERB);
    word.strip_suffix('s').is_some_and(known)
        || word.strip_suffix("es").is_some_and(known)
        || word.strip_suffix("ies").or_else(|| word.strip_suffix("ied")).is_some_and(|stem| is_verb_with(stem, b'y'))
        || word.strip_suffix('d').is_some_and(known)
        || ["ed", "ing"]
            .iter()
            .filter_map(|ending| word.strip_suffix(ending))
            .any(|stem| known(stem) || is_verb_with(stem, b'e') || undoubled(stem).is_some_and(known))
}

/// Whether `stem` and one letter more are a common verb.
fn is_verb_with(stem: &str, last: u8) -> bool {
    let mut verb = [0; LONGEST_VERB];
    let Some((place, rest)) = verb.split_at_mut_checked(stem.len()) else { return false };
    let Some(end) = rest.first_mut() else { return false };
    place.copy_from_slice(stem.as_bytes());
    *end = last;
    lists_of(&verb[..=stem.len()]).has(Lists::VERB)
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
pub fn fold(word: &str) -> Cow<'_, str> {
    let stem = |cut: usize| Cow::Borrowed(&word[..word.len() - cut]);
    if word.len() < 4 || !word.ends_with('s') || !word.is_ascii() {
        return Cow::Borrowed(word);
    }
    if ["ss", "us", "is", "ous", "ics", "news", "series", "species", "always", "lens", "kubernetes"]
        .iter()
        .any(|ending| word.ends_with(ending))
    {
        return Cow::Borrowed(word);
    }
    if word.ends_with("ies") && word.len() > 4 {
        return Cow::Owned(stem(3).into_owned() + "y");
    }
    if ["sses", "shes", "ches", "xes", "zzes"].iter().any(|ending| word.ends_with(ending)) && word != "caches" {
        return stem(2);
    }
    stem(1)
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
