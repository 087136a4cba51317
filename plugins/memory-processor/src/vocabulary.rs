//! The vocabulary: the different words of a text, how often each occurs and how it is written.

use crate::hashing::Table;
use crate::languages::Language;
use crate::lexicon::{fold, is_participle, Class, Lexicon, Role};
use crate::script::Script;
use crate::sentences::Sentence;
use crate::words::{words, Word};

/// Longest word, in bytes, that can tell anything.
const LONGEST: usize = 120;

/// A word of the vocabulary, plural and singular as one.
#[derive(Debug)]
pub struct Term {
    /// How much it tells.
    pub class: Class,
    /// How it is written: only Chinese characters join without a space.
    pub script: Script,
    /// How often it occurs.
    pub count: u32,
    /// How often it is written like a name, and how often in lower case; the rest opens a sentence.
    names: u32,
    lower: u32,
    /// Whether it looks like a participle.
    pub is_participle: bool,
    /// How many characters it has.
    pub length: usize,
    role: Role,
    forms: Vec<(String, u32)>,
}

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
    /// How it is written here: index into the forms of the term.
    form: u32,
}

/// The different words of a text.
#[derive(Default)]
pub struct Vocabulary {
    lexicon: Lexicon,
    language: Option<Language>,
    terms: Vec<Term>,
    index: Table<String, u32>,
    lowered: String,
}

impl Vocabulary {
    /// An empty vocabulary for a text that begins with these sentences.
    pub fn for_text(sentences: &[Sentence]) -> Self {
        let mut vocabulary = Self { language: Language::of(sentences), ..Self::default() };
        if let Some(language) = vocabulary.language {
            vocabulary.lexicon.add_grammar(language.grammar);
        }
        vocabulary
    }

    /// Add the words of a sentence and return them in order.
    pub fn add(&mut self, sentence: &str) -> Vec<Token> {
        let mut found = words(sentence).peekable();
        let mut tokens: Vec<Token> = Vec::new();
        let mut half = false;
        while let Some(word) = found.next() {
            let is_name = is_name(&word, found.peek());
            let term = self.intern(&word);
            let form = self.count(term, word.text, is_name);
            let opens = !half && found.peek().is_some_and(|next| self.is_han_grammar(&word, next));
            let is_capital = is_capital(word.text);
            let is_verb = !is_capital && self.language.is_some_and(|language| !language.is_attribute(word.text));
            let is_grammar = opens || half || is_verb;
            let token = Token { term, detached: word.detached, is_name, is_capital, is_grammar, form };
            self.mark_verbs(tokens.last_mut(), &token);
            let after_marker = tokens.last().is_some_and(|last| self.role(last) == Role::BeforeVerb);
            let is_verb = after_marker && !token.is_name && !token.detached;
            let is_unit = self.is_unit(tokens.last(), &word);
            tokens.push(Token { is_grammar: token.is_grammar || is_verb || is_unit, ..token });
            half = opens;
        }
        tokens
    }

    /// The term with this index.
    pub fn term(&self, index: u32) -> &Term {
        &self.terms[index as usize]
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

    fn is_number(&self, token: &Token) -> bool {
        self.term(token.term).class == Class::Number
    }

    fn is_unit(&mut self, before: Option<&Token>, word: &Word) -> bool {
        if word.detached || word.text.len() > 3 || !before.is_some_and(|before| self.is_number(before)) {
            return false;
        }
        self.lower(word.text);
        self.lexicon.is_unit(&self.lowered)
    }

    fn role(&self, token: &Token) -> Role {
        self.term(token.term).role
    }

    /// Mark the word before an article as a verb, unless it is written like a name.
    fn mark_verbs(&self, before: Option<&mut Token>, token: &Token) {
        if let Some(before) = before {
            before.is_grammar |= self.role(token) == Role::AfterVerb && !token.detached && !before.is_name;
        }
    }

    fn is_han_grammar(&self, word: &Word, next: &Word) -> bool {
        let both = word.script == Script::Han && next.script == Script::Han && !next.detached;
        let characters = word.text.chars().next().zip(next.text.chars().next());
        both && characters.is_some_and(|(a, b)| self.lexicon.is_han_grammar(a, b))
    }

    fn lower(&mut self, text: &str) {
        self.lowered.clear();
        if text.is_ascii() {
            self.lowered.push_str(text);
            self.lowered.make_ascii_lowercase();
        } else {
            self.lowered.extend(text.chars().flat_map(char::to_lowercase).map(|c| if c == '’' { '\'' } else { c }));
        }
    }

    fn intern(&mut self, word: &Word) -> u32 {
        self.lower(word.text);
        if let Some(index) = self.index.get(self.lowered.as_str()) {
            return *index;
        }
        let class = match word.script {
            _ if word.text.len() > LONGEST => Class::Function,
            Script::Spaced => self.lexicon.class_of(&self.lowered),
            Script::Han => word.text.chars().next().map_or(Class::Function, |c| self.lexicon.class_of_han(c)),
            Script::Katakana => Class::Content,
            Script::Hiragana => Class::Function,
        };
        let folded = if class == Class::Content { fold(&self.lowered) } else { self.lowered.clone() };
        let index = match self.index.get(&folded) {
            Some(index) => *index,
            None => self.push(&folded, class, word.script),
        };
        self.index.insert(self.lowered.clone(), index);
        self.index.insert(folded, index);
        index
    }

    fn push(&mut self, folded: &str, class: Class, script: Script) -> u32 {
        let length = folded.chars().count();
        let is_participle = is_participle(folded);
        let role = self.lexicon.role_of(folded);
        let forms = Vec::new();
        self.terms.push(Term { class, script, count: 0, is_participle, length, names: 0, lower: 0, role, forms });
        self.terms.len() as u32 - 1
    }

    /// Count an occurrence and return the index of its form.
    fn count(&mut self, index: u32, text: &str, is_name: bool) -> u32 {
        let term = &mut self.terms[index as usize];
        term.count += 1;
        term.names += u32::from(is_name);
        term.lower += u32::from(!is_capital(text));
        let at = term.forms.iter().position(|(form, _)| form == text).unwrap_or_else(|| {
            term.forms.push((text.to_owned(), 0));
            term.forms.len() - 1
        });
        term.forms[at].1 += 1;
        at as u32
    }
}

impl Term {
    /// Whether the text mostly writes it like a name.
    pub fn is_name(&self) -> bool {
        self.names > self.lower
    }

    /// How to write it by itself: its most frequent form, the first one where two are level.
    pub fn display(&self) -> String {
        let best = self.forms.iter().rev().max_by_key(|(_, count)| *count);
        best.map_or_else(String::new, |(form, _)| self.cased(form))
    }

    /// How to write it where it occurs as `token`.
    pub fn display_as(&self, token: &Token) -> String {
        match self.forms.get(token.form as usize) {
            Some((form, _)) if token.is_name => form.clone(),
            Some((form, _)) => self.cased(form),
            None => String::new(),
        }
    }

    /// A form as it is where it is a name, or only ever opens sentences and is no plural; else in lower case.
    fn cased(&self, form: &str) -> String {
        let opener = self.lower == 0 && self.class == Class::Content && !form.ends_with('s');
        if self.is_name() || opener {
            form.to_owned()
        } else {
            form.to_lowercase()
        }
    }
}

fn is_capital(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(byte) if byte.is_ascii() => byte.is_ascii_uppercase(),
        _ => text.starts_with(char::is_uppercase),
    }
}

/// Whether a word is written like a name, given the word after it.
fn is_name(word: &Word, next: Option<&Word>) -> bool {
    let is_upper = char::is_uppercase;
    let mut chars = word.text.chars();
    let capital = chars.next().is_some_and(is_upper);
    if chars.any(is_upper) {
        return true;
    }
    let next_is_name = || next.is_some_and(|next| !next.detached && next.text.starts_with(is_upper));
    capital && (!word.first || next_is_name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(String, u32)> {
        let mut vocabulary = Vocabulary::default();
        vocabulary.add(text);
        let terms = vocabulary.terms.iter().filter(|term| term.class == Class::Content);
        terms.map(|term| (term.display(), term.count)).collect()
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
