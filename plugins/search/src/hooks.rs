//! Hooks: what the memory engine asks around a search, and what it is answered.

use agentmem_plugin_sdk::{data, response};

use crate::reranking::{rerank, Scale};

/// Results that a search is widened to: more than this bring little and cost time.
pub const POOL: u64 = 50;
/// Most results that the memory engine gives.
const MOST: u64 = 100;

/// What `before_search` is given, as far as it matters here.
#[data]
pub struct Asked {
    /// What is searched for.
    pub query: String,
    /// How many results the caller wants.
    pub limit: u64,
}

/// The limit that leaves `after_search` something to choose from.
#[response]
pub struct Widened {
    /// How many results the engine is to find.
    pub limit: u64,
}

/// What `after_search` is given, as far as it matters here.
#[data]
pub struct Searched {
    /// What was searched for.
    pub query: String,
    /// How: `lexical`, `semantic`, `hybrid` or `recent`.
    pub mode: String,
    /// The best first.
    pub results: Vec<Hit>,
}

/// A memory that was found.
#[data]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// 0 to 1.
    pub score: f64,
    /// The memory.
    pub memory: Content,
}

/// What counts of a memory here.
#[data]
pub struct Content {
    /// Its text.
    pub content: String,
}

/// What `after_search` answers.
#[response]
pub struct Reordered {
    /// Every memory that was given, the best first.
    pub results: Vec<Placed>,
}

/// A memory in its new place.
#[response]
pub struct Placed {
    /// Its id.
    pub id: String,
    /// 0 to 1.
    pub score: f64,
    /// Why it stands there.
    pub annotations: Reasons,
}

/// What the caller of the search is told about a place.
#[response]
pub struct Reasons {
    /// The score before.
    pub search_score: f64,
    /// What the pieces of its words add, from 0.
    pub spelling: f64,
    /// The neighbours of the question that it has, as the search writes words; at most 16.
    pub phrases: Vec<String>,
}

/// Phrases in the annotations of a memory, which have room for 4096 bytes.
const MOST_PHRASES: usize = 16;

/// Answer `before_search`.
pub fn widen(asked: &Asked) -> Widened {
    let wanted = if asked.query.trim().is_empty() { asked.limit } else { asked.limit.max(POOL) };
    Widened { limit: wanted.min(MOST) }
}

/// Answer `after_search`.
pub fn reorder(searched: Searched) -> Reordered {
    let scale = if searched.mode == "lexical" { Scale::Words } else { Scale::Unknown };
    let found: Vec<(&str, f64)> = searched.results.iter().map(|hit| (hit.memory.content.as_str(), hit.score)).collect();
    let judged =
        if searched.mode == "recent" { rerank("", &found, scale) } else { rerank(&searched.query, &found, scale) };
    let place = |hit: &Hit, score: f64, spelling: f64, phrases: Vec<String>| Placed {
        id: hit.id.clone(),
        score: score.clamp(0.0, 1.0),
        annotations: Reasons {
            search_score: hit.score,
            spelling: (spelling * 1000.0).round() / 1000.0,
            phrases: phrases.into_iter().filter(|phrase| phrase.len() <= 200).take(MOST_PHRASES).collect(),
        },
    };
    let placed = judged
        .into_iter()
        .filter_map(|one| searched.results.get(one.index).map(|hit| place(hit, one.score, one.spelling, one.phrases)));
    Reordered { results: placed.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agentmem_plugin_sdk::json;
    use agentmem_plugin_sdk::serde_json;

    #[test]
    fn a_search_is_widened_and_never_narrowed() {
        for (limit, widened) in [(1, 50), (50, 50), (80, 80), (100, 100), (1000, 100)] {
            assert_eq!(widen(&Asked { query: "tea".into(), limit }), Widened { limit: widened });
        }
        assert_eq!(widen(&Asked { query: " ".into(), limit: 5 }), Widened { limit: 5 });
    }

    #[test]
    fn every_memory_comes_back_once() {
        let given = |mode: &str| {
            json!({"hook": "after_search", "space": "@principal", "user_id": "local", "query": "green tea", "limit": 10,
                   "mode": mode, "results": [
                {"id": "a", "score": 0.5, "memory": {"id": "a", "content": "green bike, tea", "metadata": {}}},
                {"id": "b", "score": 0.5, "memory": {"id": "b", "content": "green tea"}}]})
        };
        for (mode, expected) in [("lexical", ["b", "a"]), ("hybrid", ["b", "a"]), ("recent", ["a", "b"])] {
            let answer = reorder(serde_json::from_value(given(mode)).expect("a request"));
            assert_eq!(answer.results.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), expected, "{mode}");
            let best = &answer.results[0].annotations;
            assert_eq!((best.search_score, best.phrases.is_empty()), (0.5, mode == "recent"));
        }
    }
}
