//! Similarity: how alike two texts are, by slips, names, words or meaning.

use std::collections::BTreeSet;

use agentmem_plugin_sdk::Error;
use unicode_normalization::UnicodeNormalization;

use crate::likeness::{jaro_winkler, similarity_of, Slips};
use crate::meaning::{cosines, Model};
use crate::requests::{Method, SimilarityRequest, SimilarityResponse};
use crate::tokens::Tokens;

/// Longest text whose slips are counted with neighbours that changed places: the work grows by the square.
const LONGEST_DAMERAU: usize = 2_000;
/// Longest text whose letters are compared in another way.
const LONGEST: usize = 10_000;

/// Compare the two texts of `request`.
///
/// # Errors
/// When a text is too long for the method, or there is no model.
pub fn compare(request: &SimilarityRequest, model: &dyn Model) -> Result<SimilarityResponse, Error> {
    let (a, b) = (shaped(&request.a, request.ignore_case), shaped(&request.b, request.ignore_case));
    let method = request.method;
    let longest = a.chars().count().max(b.chars().count());
    let most = match method {
        Method::DamerauLevenshtein => LONGEST_DAMERAU,
        Method::Levenshtein | Method::JaroWinkler => LONGEST,
        Method::Words | Method::Semantic => usize::MAX,
    };
    if longest > most {
        return Err(Error::new(format!(
            "A text has {longest} characters; this method takes {most}. Use the method words for long texts."
        )));
    }
    let by_slips = |slips: Slips| {
        let distance = slips.distance(&a, &b);
        (similarity_of(distance, &a, &b), Some(distance))
    };
    let (similarity, distance) = match method {
        Method::Levenshtein => by_slips(Slips::Levenshtein),
        Method::DamerauLevenshtein => by_slips(Slips::DamerauLevenshtein),
        Method::JaroWinkler => (jaro_winkler(&a, &b), None),
        Method::Words => (shared_words(&request.a, &request.b), None),
        Method::Semantic => {
            (cosines(&a, &[&b], model)?.first().copied().flatten().unwrap_or(0.0).clamp(0.0, 1.0), None)
        }
    };
    Ok(SimilarityResponse { method, similarity, distance })
}

fn shaped(text: &str, ignore_case: bool) -> String {
    if !ignore_case {
        return text.to_owned();
    }
    let folded = caseless::default_case_fold_str(&text.nfkc().collect::<String>());
    folded.nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).nfc().collect()
}

/// The different words that both have, as a share of those that one has.
fn shared_words(a: &str, b: &str) -> f64 {
    let tokens = Tokens::default();
    let [a, b] = [a, b].map(|text| tokens.terms(text).into_iter().collect::<BTreeSet<_>>());
    let either = a.union(&b).count();
    if either == 0 {
        return f64::from(u8::from(a == b));
    }
    a.intersection(&b).count() as f64 / either as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meaning::tests::{Nobody, Topics};
    use agentmem_plugin_sdk::json;
    use agentmem_plugin_sdk::serde_json;

    fn ask(a: &str, b: &str, method: &str, ignore_case: bool) -> Result<(f64, Option<usize>), Error> {
        let request = json!({"a": a, "b": b, "method": method, "ignore_case": ignore_case});
        let model: &dyn Model = if a == "alone" { &Nobody } else { &Topics };
        let found = compare(&serde_json::from_value(request).expect("a request"), model)?;
        Ok(((found.similarity * 1000.0).round() / 1000.0, found.distance))
    }

    #[test]
    fn texts_are_compared_in_each_way() {
        assert_eq!(ask("kitten", "sitting", "levenshtein", false), Ok((0.571, Some(3))));
        assert_eq!(ask("ab", "ba", "damerau_levenshtein", false), Ok((0.5, Some(1))));
        assert_eq!(ask("MARTHA", "MARHTA", "jaro_winkler", false), Ok((0.961, None)));
        assert_eq!(ask("green teas", "The tea is green!", "words", false), Ok((1.0, None)));
        assert_eq!(ask("tea", "coffee", "semantic", false), Ok((1.0, None)));
        assert_eq!(ask("alone", "coffee", "semantic", false), Err(Error::new("no embeddings")));
    }

    #[test]
    fn case_and_accents_count_unless_told() {
        assert_eq!(ask("CAFÉ", "cafe", "levenshtein", false), Ok((0.0, Some(4))));
        assert_eq!(ask("CAFÉ", "cafe\u{301}", "levenshtein", true), Ok((1.0, Some(0))));
    }

    #[test]
    fn empty_texts_are_the_same_and_long_ones_are_refused() {
        for method in ["levenshtein", "damerau_levenshtein", "words"] {
            assert_eq!(ask("", "", method, false).expect("an answer").0, 1.0, "{method}");
        }
        assert!(ask(&"x".repeat(LONGEST_DAMERAU + 1), "x", "damerau_levenshtein", false).is_err());
        assert!(ask(&"x".repeat(LONGEST), "x", "levenshtein", false).is_ok());
        assert!(ask(&"x".repeat(LONGEST + 1), "x", "words", false).is_ok());
    }
}
