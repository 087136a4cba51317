//! The exports, and the one function of the host that they ask: vectors.

use agentmem_plugin_sdk::{export_plugin, host, Error, Plugin, SearchAlgorithm};

use crate::config::Config;
use crate::hooks::{reorder, widen, Asked, Reordered, Searched, Widened};
use crate::meaning::Model;
use crate::requests::{
    bounded, limit_of, Found, RerankRequest, RerankResponse, Reranked, SearchRequest, SearchResponse,
    SimilarityRequest, SimilarityResponse, MOST_CANDIDATES,
};
use crate::reranking::{by_words, rerank, Scale};
use crate::{ranking, similarity};

/// The plugin.
pub struct Search {
    config: Config,
}

/// The host's embedding model; without `SearchAccess` or a model it refuses.
struct HostModel;

impl Model for HostModel {
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
        Ok(host::search::embed(texts)?.vectors)
    }
}

impl Plugin for Search {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        Ok(Self { config })
    }
}

impl SearchAlgorithm for Search {
    type Query = SearchRequest;
    type Results = SearchResponse;
    type Pair = SimilarityRequest;
    type Similarity = SimilarityResponse;
    type Found = RerankRequest;
    type Reranked = RerankResponse;

    fn search(&self, query: SearchRequest) -> Result<SearchResponse, Error> {
        ranking::search(&query, &self.config, &HostModel)
    }

    fn compute_similarity(&self, pair: SimilarityRequest) -> Result<SimilarityResponse, Error> {
        similarity::compare(&pair, &HostModel)
    }

    fn rerank(&self, found: RerankRequest) -> Result<RerankResponse, Error> {
        bounded(&found.query, found.results.len())?;
        let limit = limit_of(found.limit, MOST_CANDIDATES)?;
        let (scores, scale) = scores_of(&found.query, &found.results)?;
        let texts: Vec<(&str, f64)> = found.results.iter().map(|one| one.text.as_str()).zip(scores).collect();
        let show = |one: crate::reranking::Judged| Reranked {
            index: one.index,
            id: found.results.get(one.index).and_then(|given| given.id.clone()),
            score: one.score,
            spelling: one.spelling,
            phrases: one.phrases,
        };
        let judged = rerank(&found.query, &texts, scale);
        Ok(RerankResponse { results: judged.into_iter().take(limit).map(show).collect() })
    }
}

/// The scores given, or those by words where none is.
fn scores_of(query: &str, results: &[Found]) -> Result<(Vec<f64>, Scale), Error> {
    let given: Vec<f64> = results.iter().filter_map(|one| one.score).collect();
    if given.len() == results.len() {
        return Ok((given, Scale::Unknown));
    }
    if !given.is_empty() {
        return Err("Some results have a score and others have none; give one to each, or to none.".into());
    }
    let texts: Vec<&str> = results.iter().map(|one| one.text.as_str()).collect();
    Ok((by_words(query, &texts), Scale::Words))
}

/// The hook `before_search`.
fn widen_search(asked: Asked) -> Result<Widened, Error> {
    Ok(widen(&asked))
}

/// The hook `after_search`.
fn rerank_memories(searched: Searched) -> Result<Reordered, Error> {
    Ok(reorder(searched))
}

export_plugin!(
    Search: SearchAlgorithm,
    name = "Search",
    config = Config,
    requires = [ConfigAccess],
    hooks = [widen_search, rerank_memories],
);

#[cfg(test)]
mod tests {
    use super::*;
    use agentmem_plugin_sdk::testing::TestHost;
    use agentmem_plugin_sdk::{json, kinds::search_algorithm, serde_json, serde_json::Value, HostError};

    fn call(host: &TestHost, input: &Value) -> Result<Value, Error> {
        let answer = host.call(search_algorithm::search::<Search>, &input.to_string())?;
        serde_json::from_str(&answer).map_err(Error::from)
    }

    #[test]
    fn vectors_come_from_the_host() {
        let vectors = |request: &Value| {
            let texts = request["texts"].as_array().expect("texts");
            Ok(json!({"model": "m", "vectors": texts.iter().map(|text| {
                if text == "a bike" { [0.0, 1.0] } else { [1.0, 0.0] }
            }).collect::<Vec<_>>()}))
        };
        let host = TestHost::new().config(json!({})).on("embed", vectors);
        let found = call(&host, &json!({"query": "beverage", "candidates": ["a bike", "tea"], "mode": "semantic"}));
        assert_eq!(found.expect("an answer")["results"][0]["index"], 1);
    }

    #[test]
    fn the_hosts_refusal_is_told() {
        let refusal = HostError::new("embeddings_not_configured", "no embedding model is configured");
        let host = TestHost::new().config(json!({})).refuse("embed", refusal);
        let asked = |mode: &str| call(&host, &json!({"query": "tea", "candidates": ["tea"], "mode": mode}));
        assert_eq!(asked("semantic").unwrap_err().message(), "no embedding model is configured");
        assert_eq!(asked("auto").expect("an answer")["note"], "no embedding model is configured");
    }

    #[test]
    fn scores_are_given_to_all_or_to_none() {
        let host = TestHost::new().config(json!({}));
        let asked = |scores: [Option<f64>; 2]| {
            let results = json!([{"text": "bike", "score": scores[0]}, {"text": "green tea", "score": scores[1]}]);
            let input = json!({"query": "green tea", "results": results}).to_string();
            host.call(search_algorithm::rerank::<Search>, &input)
        };
        for scores in [[None, None], [Some(0.5), Some(0.5)]] {
            assert!(asked(scores).expect("an answer").starts_with(r#"{"results":[{"index":1"#));
        }
        assert!(asked([None, Some(1.0)]).is_err());
    }
}
