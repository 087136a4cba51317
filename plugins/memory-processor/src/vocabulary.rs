//! The vocabulary: the different words of a text, how often each occurs and how it is written.

use std::borrow::Cow;

use crate::forms::{Forms, Shape};
use crate::languages::Language;
use crate::lexicon::{fold, is_participle, Class, Lexicon, Role};
use crate::scanning::position;
use crate::script::Script;
use crate::sentences::Sentence;
use crate::statistics::WordCount;
use crate::terms::Term;
use crate::words::{words, Word};

/// Longest word, in bytes, that can tell anything.
const LONGEST: usize = 120;

/// One occurrence of a term.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// Index into the vocabulary.
    pub term: u32,
    /// Whether punctuation separates it from the token before.
    pub detached: bool,
    /// Whether it is written like a name: a capital where none is due, or capitals inside.
    pub is_name: bool,
    /// Whether it begins with a capital.
    pub is_capital: bool,
    /// Whether its neighbours make it a verb or half of a Chinese word of grammar.
    pub is_grammar: bool,
    /// How it is written here: which of the forms.
    form: u32,
}

/// The different words of a text.
#[derive(Default)]
pub struct Vocabulary<'a> {
    lexicon: Lexicon,
    language: Option<Language>,
    terms: Vec<Term>,
    forms: Forms<'a>,
    words: WordCount,
}

impl<'a> Vocabulary<'a> {
    /// An empty vocabulary for the text of these sentences.
    pub fn for_text(sentences: &[Sentence<'a>]) -> Self {
        let language = Language::of(sentences);
        Self {
            language,
            lexicon: language.map(|language| Lexicon::with_grammar(language.lists)).unwrap_or_default(),
            forms: Forms::for_text_of(sentences.iter().map(|sentence| sentence.text.len()).sum()),
            ..Self::default()
        }
    }

    /// Add the words of a sentence, in order, to the vocabulary and to `tokens`.
    pub fn add(&mut self, sentence: &'a str, tokens: &mut Vec<Token>) {
        let start = tokens.len();
        let mut found = words(sentence);
        let mut coming = found.next();
        let mut half = false;
        while let Some(word) = coming {
            coming = found.next();
            let next = coming.as_ref().filter(|next| !next.detached);
            self.words.add(&word);
            let form = self.form_of(&word);
            let known = self.forms.count(form);
            let (term, shape) = (known.term, known.shape);
            let is_name = shape.has_capitals
                || shape.is_capital && (!word.first || next.is_some_and(|next| is_capital(next.text)));
            self.terms[term as usize].see(is_name, shape.is_capital);
            let opens = !half && next.is_some_and(|next| self.is_han_grammar(&word, next));
            let mut is_grammar = opens || half || shape.is_verb;
            half = opens;
            if let Some(before) = tokens[start..].last_mut().filter(|_| !word.detached) {
                let (known, role) = (&self.terms[before.term as usize], self.terms[term as usize].role);
                // What comes before an article is a verb, unless it is written like a name.
                before.is_grammar |= role == Role::AfterVerb && !before.is_name;
                is_grammar |= known.role == Role::BeforeVerb && !is_name;
                is_grammar |= known.class == Class::Number && shape.is_unit;
            }
            let (detached, is_capital) = (word.detached, shape.is_capital);
            tokens.push(Token { term, detached, is_name, is_capital, is_grammar, form });
        }
    }

    /// The term with this index.
    #[inline]
    pub fn term(&self, index: u32) -> &Term {
        &self.terms[index as usize]
    }

    /// How many words were added.
    pub fn words(&self) -> WordCount {
        self.words
    }

    /// Whether a word in lower case goes with no capitalised word before it: German nouns and French names come last.
    pub fn capitals_end_phrases(&self) -> bool {
        self.language.is_some()
    }

    /// How many different terms there are.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether no word was added yet.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// How to write a term by itself: its most frequent form, the first one where two are level.
    pub fn display(&self, term: u32) -> String {
        self.forms.usual(term).map_or_else(String::new, |form| self.term(term).cased(&form.text))
    }

    /// How to write a term where it occurs as `token`.
    pub fn display_as(&self, token: &Token) -> String {
        let form = &self.forms.get(token.form).text;
        if token.is_name {
            form.clone().into_owned()
        } else {
            self.term(token.term).cased(form)
        }
    }

    fn is_han_grammar(&self, word: &Word, next: &Word) -> bool {
        let both = word.script == Script::Han && next.script == Script::Han;
        let characters = word.text.chars().next().zip(next.text.chars().next()).filter(|_| both);
        characters.is_some_and(|(a, b)| self.lexicon.is_han_grammar(a, b))
    }

    /// The form of a word; one not seen before becomes a form of the term that its lower case is counted under.
    #[inline]
    fn form_of(&mut self, word: &Word<'a>) -> u32 {
        let text = word.text;
        match self.forms.find(text) {
            Ok(form) => form,
            Err(hash) if word.script != Script::Spaced => self.add_key(hash, Cow::Borrowed(text), word),
            Err(hash) => match lowered(text) {
                Cow::Borrowed(_) => self.add_key(hash, Cow::Borrowed(text), word),
                Cow::Owned(key) => {
                    let shape = self.shape_of(text, &key);
                    let term = self.term_of_key(key, word);
                    self.forms.add(hash, Cow::Borrowed(text), term, shape)
                }
            },
        }
    }

    fn term_of_key(&mut self, key: String, word: &Word<'a>) -> u32 {
        let form = self.forms.find(&key).unwrap_or_else(|hash| self.add_key(hash, Cow::Owned(key), word));
        self.forms.get(form).term
    }

    /// Add a form that is in lower case, and with it the term it is counted under where there is none yet.
    fn add_key(&mut self, hash: u32, key: Cow<'a, str>, word: &Word<'a>) -> u32 {
        let shape = self.shape_of(&key, &key);
        let class = self.class_of(&key, word);
        let folded = if class == Class::Content { fold(&key) } else { Cow::Borrowed(key.as_ref()) };
        let term = if folded == key {
            self.add_term(&key, class, word.script)
        } else {
            match self.forms.find(&folded) {
                Ok(form) => self.forms.get(form).term,
                Err(hash) => {
                    let term = self.add_term(&folded, class, word.script);
                    let shape = self.shape_of(&folded, &folded);
                    self.forms.add(hash, Cow::Owned(folded.into_owned()), term, shape);
                    term
                }
            }
        };
        self.forms.add(hash, key, term, shape)
    }

    fn class_of(&self, key: &str, word: &Word) -> Class {
        match word.script {
            _ if word.text.len() > LONGEST => Class::Function,
            Script::Spaced => self.lexicon.class_of(key),
            Script::Han => word.text.chars().next().map_or(Class::Function, |c| self.lexicon.class_of_han(c)),
            Script::Katakana => Class::Content,
            Script::Hiragana => Class::Function,
        }
    }

    fn add_term(&mut self, key: &str, class: Class, script: Script) -> u32 {
        let length = if key.is_ascii() { key.len() } else { key.chars().count() };
        let (is_participle, role) = (is_participle(key), self.lexicon.role_of(key));
        self.terms.push(Term { class, script, count: 0, names: 0, lower: 0, is_participle, length, role });
        self.terms.len() as u32 - 1
    }

    fn shape_of(&self, text: &str, key: &str) -> Shape {
        let is_capital = is_capital(text);
        Shape {
            is_capital,
            has_capitals: has_capitals(text),
            is_unit: text.len() <= 3 && self.lexicon.is_unit(key),
            is_verb: !is_capital && self.language.is_some_and(|language| !language.is_attribute(text)),
        }
    }
}

/// A word in lower case, with one kind of apostrophe.
fn lowered(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else if text.is_ascii() {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        let plain = |c: char| if c == '’' { '\'' } else { c };
        let lower: String = text.chars().flat_map(char::to_lowercase).map(plain).collect();
        if lower == text {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(lower)
        }
    }
}

/// Whether a word has capitals after its first character.
fn has_capitals(text: &str) -> bool {
    let after = text.as_bytes().get(1..).unwrap_or_default();
    match position(text.as_bytes(), |byte| byte >= 0x80) {
        None => after.iter().any(u8::is_ascii_uppercase),
        Some(_) => text.chars().skip(1).any(char::is_uppercase),
    }
}

#[inline]
fn is_capital(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(byte) if byte.is_ascii() => byte.is_ascii_uppercase(),
        _ => text.starts_with(char::is_uppercase),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(String, u32)> {
        let mut vocabulary = Vocabulary::default();
        vocabulary.add(text, &mut Vec::new());
        let all = (0..vocabulary.len() as u32).map(|index| (index, vocabulary.term(index)));
        let content = all.filter(|(_, term)| term.class == Class::Content);
        content.map(|(index, term)| (vocabulary.display(index), term.count)).collect()
    }

    #[test]
    fn plurals_count_as_their_singular() {
        let expected = [("plugins".to_owned(), 3), ("turbine".to_owned(), 1)];
        assert_eq!(shown("Plugins and plugins, a plugin, the turbine"), expected);
    }

    #[test]
    fn names_keep_their_capitals_and_sentence_starts_lose_them() {
        let names: Vec<_> =
            shown("Engines by Rolls for Marie, NASA and WebAssembly").into_iter().map(|t| t.0).collect();
        assert_eq!(names, ["engines", "Rolls", "Marie", "NASA", "WebAssembly"]);
        let names: Vec<_> = shown("Marie Curie slept").into_iter().map(|t| t.0).collect();
        assert_eq!(names, ["Marie", "Curie"]);
    }
}
