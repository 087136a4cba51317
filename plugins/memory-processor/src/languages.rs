//! Languages: whether a text is German or French, and their words that other languages need for something else.
//!
//! A text tells its language by its commonest words. Those of [`FOREIGN`](crate::word_lists::FOREIGN) are grammar in
//! every text; `war` is so only in a German one.

use crate::dictionary::{lists_of, Lists};
use crate::sentences::Sentence;
use crate::words::words;

/// How much of a text is looked at.
const WORDS: usize = 400;
/// The longest common word of a language, in bytes; all of them are ASCII.
const LONGEST_MARKER: usize = 5;
/// How many common words of a language a text must have to be in it.
const LEAST: usize = 4;

/// The commonest words of English.
pub const ENGLISH: &str = "the and of to is in that was";

/// What is known of a language.
#[derive(Clone, Copy, Debug)]
pub struct Language {
    /// Its commonest words, ASCII and between blanks.
    pub markers: &'static str,
    /// The mark of these words in the dictionary.
    tells: Lists,
    /// Words that are grammar in it, lower-case and between blanks.
    pub grammar: &'static str,
    /// The mark of these words in the dictionary.
    pub lists: Lists,
    /// Endings of the words in lower case that begin a phrase with a noun; none where any may.
    pub attribute_endings: &'static [&'static str],
}

/// German.
pub const GERMAN: Language = Language {
    lists: Lists::GERMAN,
    attribute_endings: &["e", "em", "en", "er", "es"],
    markers: "der die und das den von ist nicht ein eine mit wurde",
    tells: Lists::TELLS_GERMAN,
    grammar: "war waren wäre man was in an am im so will also dort hier da dann doch schon ohne um dafür dabei damit \
              daran davon dazu etwa kaum vorher nachher bevor nachdem während weil dass ob denn sondern jedoch wieder \
              immer nie viel viele vielen wenig alle allem allen aller alles beim ins vom unter gegen zwischen seit \
              muss müssen musste kann können konnte konnten soll sollen sollte sollten wollen wollte darf dürfen würde \
              würden worden gewesen geworden habe haben hatten ihn ihm ihnen ihrer ihrem ihren seiner seinem seinen \
              jeder jede jedes jeden jemand niemand etwas nichts selbst solche welche welcher dessen deren denen \
              ganz gar sehr so wo wohin woher warum deshalb daher machen macht machte gibt gab ging geht kommt kam",
};
/// French.
pub const FRENCH: Language = Language {
    lists: Lists::FRENCH,
    attribute_endings: &[],
    markers: "le la les et des est une du il dans que pour",
    tells: Lists::TELLS_FRENCH,
    grammar: "était étaient fut furent fit faire font a ont avait avaient ayant étant sera seront serait on y en \
              ne se si elles lui eux me te moi toi même mêmes cela ceci ça celui celle ceux celles chacun chacune \
              chaque tout toute tous toutes autre autres quel quelle dont lorsque quand puis alors donc car ni or \
              sans sous vers chez entre depuis pendant après avant jusque peu beaucoup trop moins bien aussi encore \
              déjà toujours jamais rien personne ici là tard tôt deux trois quatre cinq six sept huit neuf dix peut \
              peuvent doit doivent devint devient suffit permit dit met fait vient va jour jours fois contre ans an",
};

impl Language {
    /// The language of these sentences, where it is one that needs words or rules of its own.
    pub fn of(sentences: &[Sentence]) -> Option<Self> {
        let [mut english, mut german, mut french] = [0_usize; 3];
        let looked_at = sentences.iter().flat_map(|sentence| words(sentence.text)).take(WORDS);
        for word in looked_at {
            let mut lowered = [0; LONGEST_MARKER];
            let Some(lowered) = lowered.get_mut(..word.text.len()) else { continue };
            lowered.copy_from_slice(word.text.as_bytes());
            lowered.make_ascii_lowercase();
            let lists = lists_of(lowered);
            english += usize::from(lists.has(Lists::TELLS_ENGLISH));
            german += usize::from(lists.has(GERMAN.tells));
            french += usize::from(lists.has(FRENCH.tells));
        }
        let (count, language) = if german >= french { (german, GERMAN) } else { (french, FRENCH) };
        (count >= LEAST && count > english).then_some(language)
    }

    /// Whether a word in lower case can begin a phrase that ends in a noun.
    pub fn is_attribute(&self, word: &str) -> bool {
        self.attribute_endings.is_empty() || self.attribute_endings.iter().any(|ending| word.ends_with(ending))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sentences::split;

    fn is_grammar(text: &str, word: &str) -> bool {
        Language::of(&split(text))
            .is_some_and(|language| language.grammar.split_whitespace().any(|known| known == word))
    }

    #[test]
    fn a_text_tells_its_language() {
        assert!(is_grammar("Der Hund und die Katze waren im Garten, und das war nicht gut.", "war"));
        assert!(is_grammar("Le chat est dans la maison et il dort pour la nuit.", "fut"));
        for text in ["", "The war of the worlds and the end of it", "Die war die", "东西"] {
            assert!(!is_grammar(text, "war") && !is_grammar(text, "fut"), "{text}");
        }
    }
}
