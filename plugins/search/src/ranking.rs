//! Ranking: candidates in the order in which they fit a query, by words, spelling, meaning or several of them.

use agentmem_plugin_sdk::Error;

use crate::bm25::{absolute, scores, Parameters};
use crate::config::Config;
use crate::fusion::{fuse, Scores};
use crate::likeness::{nearest, Nearest};
use crate::meaning::{cosines, Model};
use crate::requests::{bounded, limit_of, number_of, Mode, Parts, Ranked, SearchRequest, SearchResponse};
use crate::tokens::{Token, Tokens};

/// Words of a query that are compared by spelling.
const MOST_FUZZY_QUERY_WORDS: usize = 16;
/// Words of all candidates that are compared by spelling.
const MOST_FUZZY_WORDS: usize = 5_000;
/// The share of spelling beside words.
const SPELLING_WEIGHT: f64 = 0.3;
const EXCERPT: usize = 160;

/// Rank the candidates of `request`. What it does not say comes from `config`, then from the defaults.
///
/// # Errors
/// When a number is out of bounds, or the mode needs a model and there is none.
pub fn search(request: &SearchRequest, config: &Config, model: &dyn Model) -> Result<SearchResponse, Error> {
    bounded(&request.query, request.candidates.len())?;
    let limit = limit_of(request.limit, 10)?;
    let weight = number_of("meaning_weight", request.meaning_weight, config.meaning_weight, 0.0..=1.0)?;
    let side = Side::read(request, config)?;
    let (mode, meaning, note) = side.meaning(request.mode, model)?;
    let words = if matches!(mode, Mode::Keyword | Mode::Lexical | Mode::Hybrid) { side.words() } else { side.none() };
    let near = if matches!(mode, Mode::Fuzzy | Mode::Lexical) { side.near()? } else { Vec::new() };
    let spelling = side.spelling(&near);
    let scored = match mode {
        Mode::Keyword => words.iter().map(|score| score.map(absolute)).collect(),
        Mode::Fuzzy => spelling.clone(),
        Mode::Semantic => meaning.iter().map(|cosine| cosine.map(|cosine| cosine.clamp(0.0, 1.0))).collect(),
        Mode::Hybrid => fuse(side.texts.len(), &[(1.0 - weight, &words), (weight, &meaning)]),
        Mode::Lexical | Mode::Auto => {
            fuse(side.texts.len(), &[(1.0 - SPELLING_WEIGHT, &words), (SPELLING_WEIGHT, &spelling)])
        }
    };
    let mut order: Vec<(usize, f64)> =
        scored.iter().enumerate().filter_map(|(index, score)| score.map(|score| (index, score))).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let show = |(index, score)| side.shown(index, score, [&words, &spelling, &meaning], &near);
    Ok(SearchResponse { mode, results: order.into_iter().take(limit).map(show).collect(), note })
}

/// The request with its words.
struct Side<'a> {
    request: &'a SearchRequest,
    asked: Vec<Token>,
    texts: Vec<Vec<Token>>,
    parameters: Parameters,
    least: f64,
}

impl<'a> Side<'a> {
    fn read(request: &'a SearchRequest, config: &Config) -> Result<Self, Error> {
        let parameters = Parameters {
            k1: number_of("k1", request.k1, config.k1, 0.0..=10.0)?,
            b: number_of("b", request.b, config.b, 0.0..=1.0)?,
        };
        let least = number_of("min_similarity", request.min_similarity, config.min_similarity, 0.3..=1.0)?;
        let tokens = Tokens::default();
        let asked = tokens.of(&request.query);
        let texts = request.candidates.iter().map(|candidate| tokens.of(candidate.text())).collect();
        Ok(Self { request, asked, texts, parameters, least })
    }

    /// The mode in force, the cosines it needs, and why there are none.
    fn meaning(&self, mode: Mode, model: &dyn Model) -> Result<(Mode, Scores, Option<String>), Error> {
        if !matches!(mode, Mode::Auto | Mode::Semantic | Mode::Hybrid) {
            return Ok((mode, self.none(), None));
        }
        let texts: Vec<&str> = self.request.candidates.iter().map(|candidate| candidate.text()).collect();
        match (mode, cosines(&self.request.query, &texts, model)) {
            (Mode::Semantic, found) => Ok((Mode::Semantic, found?, None)),
            (Mode::Hybrid, found) => Ok((Mode::Hybrid, found?, None)),
            (_, Ok(found)) => Ok((Mode::Hybrid, found, None)),
            (_, Err(reason)) => Ok((Mode::Lexical, self.none(), Some(reason.to_string()))),
        }
    }

    fn none(&self) -> Scores {
        vec![None; self.texts.len()]
    }

    fn words(&self) -> Scores {
        let query: Vec<String> = self.asked.iter().map(|token| token.term.clone()).collect();
        let texts: Vec<Vec<String>> =
            self.texts.iter().map(|text| text.iter().map(|token| token.term.clone()).collect()).collect();
        scores(&query, &texts, self.parameters)
            .into_iter()
            .map(|score| Some(score).filter(|score| *score > 0.0))
            .collect()
    }

    fn near(&self) -> Result<Vec<Vec<Nearest>>, Error> {
        let query = distinct(&self.asked);
        let texts: Vec<Vec<String>> = self.texts.iter().map(|text| distinct(text)).collect();
        let words: usize = texts.iter().map(Vec::len).sum();
        if query.len() > MOST_FUZZY_QUERY_WORDS || words > MOST_FUZZY_WORDS {
            return Err(Error::new(format!(
                "By spelling at most {MOST_FUZZY_QUERY_WORDS} words of a query are compared with {MOST_FUZZY_WORDS} of \
                 the candidates; here are {} and {words}. Use the mode keyword, or fewer candidates.",
                query.len()
            )));
        }
        Ok(nearest(&query, &texts, self.request.slips, self.least))
    }

    fn spelling(&self, near: &[Vec<Nearest>]) -> Scores {
        let asked = distinct(&self.asked).len().max(1) as f64;
        let mean = |found: &Vec<Nearest>| found.iter().map(|one| one.similarity).sum::<f64>() / asked;
        let mut found: Scores = near.iter().map(|found| Some(mean(found)).filter(|score| *score > 0.0)).collect();
        found.resize(self.texts.len(), None);
        found
    }

    fn shown(&self, index: usize, score: f64, lists: [&Scores; 3], near: &[Vec<Nearest>]) -> Ranked {
        let [bm25, fuzzy, cosine] = lists.map(|list| list.get(index).copied().flatten());
        let words = near.get(index).cloned().unwrap_or_default();
        let candidate = self.request.candidates.get(index);
        Ranked {
            index,
            id: candidate.and_then(|candidate| candidate.id().cloned()),
            score,
            parts: Parts { bm25, fuzzy, cosine, words },
            excerpt: candidate.map_or_else(String::new, |candidate| candidate.text().chars().take(EXCERPT).collect()),
        }
    }
}

/// The different words of `tokens`, in their order.
fn distinct(tokens: &[Token]) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    tokens.iter().filter(|token| seen.insert(&token.word)).map(|token| token.word.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meaning::tests::{Nobody, Topics};
    use agentmem_plugin_sdk::json;
    use agentmem_plugin_sdk::serde_json;
    use agentmem_plugin_sdk::serde_json::Value;

    const TEXTS: [&str; 4] = ["green tea in the morning", "a green bike", "coffee at noon", "绿茶"];

    fn ask(query: &str, more: Value, model: &dyn Model) -> Result<SearchResponse, Error> {
        let mut request = json!({"query": query, "candidates": TEXTS});
        request.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        search(&serde_json::from_value(request).expect("a request"), &Config::default(), model)
    }

    fn order(query: &str, mode: &str, model: &dyn Model) -> Vec<usize> {
        let found = ask(query, json!({"mode": mode}), model).expect("an answer");
        found.results.iter().map(|one| one.index).collect()
    }

    #[test]
    fn words_rank_by_bm25() {
        assert_eq!(order("Green TEAS", "keyword", &Nobody), [0, 1]);
        assert_eq!(order("绿茶", "keyword", &Nobody), [3]);
        assert!(order("nothing", "keyword", &Nobody).is_empty());
    }

    #[test]
    fn slips_are_forgiven_by_spelling() {
        assert!(order("grene cofee", "keyword", &Nobody).is_empty());
        let found = ask("cofee", json!({"mode": "fuzzy"}), &Nobody).expect("an answer");
        assert_eq!(found.results.iter().map(|one| one.index).collect::<Vec<_>>(), [2]);
        let words = &found.results[0].parts.words;
        assert_eq!((words[0].asked.as_str(), words[0].found.as_str()), ("cofee", "coffee"));
        assert_eq!(order("tae", "fuzzy", &Nobody), [0]);
    }

    #[test]
    fn meaning_finds_what_words_do_not() {
        assert_eq!(order("beverage", "semantic", &Topics)[..2], [0, 2]);
        let found = ask("beverage bike", json!({}), &Topics).expect("an answer");
        let both = &found.results[0].parts;
        assert_eq!((found.mode, found.results[0].index, found.note), (Mode::Hybrid, 1, None));
        assert!(both.bm25.is_some() && both.cosine.is_some());
        let heavy = ask("beverage bike", json!({"meaning_weight": 0.9}), &Topics).expect("an answer");
        assert_eq!(heavy.results[0].index, 0);
    }

    #[test]
    fn without_a_model_meaning_is_refused_and_auto_says_so() {
        for mode in ["semantic", "hybrid"] {
            assert_eq!(ask("tea", json!({"mode": mode}), &Nobody), Err(Error::new("no embeddings")));
        }
        let found = ask("grene tea", json!({}), &Nobody).expect("an answer");
        assert_eq!((found.mode, found.note.as_deref()), (Mode::Lexical, Some("no embeddings")));
        assert_eq!(found.results[0].index, 0);
    }

    #[test]
    fn numbers_out_of_bounds_are_refused() {
        for more in [json!({"k1": -1}), json!({"b": 2}), json!({"limit": 0}), json!({"meaning_weight": 1.5})] {
            assert!(ask("tea", more, &Nobody).is_err());
        }
        let many = vec!["word"; 17].iter().enumerate().map(|(at, word)| format!("{word}{at}")).collect::<Vec<_>>();
        assert!(ask(&many.join(" "), json!({"mode": "fuzzy"}), &Nobody).is_err());
    }

    #[test]
    fn the_config_sets_what_a_request_leaves_out() {
        let request: SearchRequest =
            serde_json::from_value(json!({"query": "tea", "candidates": ["tea"], "mode": "keyword"})).expect("one");
        let config = Config { k1: 99.0, ..Config::default() };
        let refusal = search(&request, &config, &Nobody).unwrap_err();
        assert_eq!(refusal.message(), "k1 is 99; it must be between 0 and 10.");
    }
}
