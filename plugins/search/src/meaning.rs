//! Meaning: how near texts are by the vectors that the host's embedding model gives them.

use agentmem_plugin_sdk::Error;

use crate::fusion::Scores;

/// Most texts that the host embeds in one request.
const MOST_TEXTS: usize = 256;
/// Most bytes of text in one request; JSON may make them longer, and a request has at most a MiB.
const MOST_BYTES: usize = 128 * 1024;

/// Who gives vectors: the host, or a test.
pub trait Model {
    /// A vector of length 1 for each of `texts`, all with as many numbers.
    ///
    /// # Errors
    /// When there is no model, or it does not answer.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error>;
}

/// The cosine of each of `texts` with `query`, -1 to 1.
///
/// # Errors
/// As the model says, or when its vectors do not fit the texts.
pub fn cosines(query: &str, texts: &[&str], model: &dyn Model) -> Result<Scores, Error> {
    let every: Vec<&str> = std::iter::once(query).chain(texts.iter().copied()).collect();
    let mut vectors = Vec::with_capacity(every.len());
    for batch in batches(&every) {
        let part = model.embed(batch)?;
        if part.len() != batch.len() {
            return Err(Error::new(format!("The host gave {} vectors for {} texts.", part.len(), batch.len())));
        }
        vectors.extend(part);
    }
    let Some((asked, others)) = vectors.split_first() else { return Ok(Vec::new()) };
    Ok(others.iter().map(|other| Some(product(asked, other))).collect())
}

fn product(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
}

/// Consecutive pieces that a request has room for, each of at least one text.
fn batches<'a, 'b>(texts: &'b [&'a str]) -> Vec<&'b [&'a str]> {
    let mut found = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (at, text) in texts.iter().enumerate() {
        if at > from && (at - from == MOST_TEXTS || bytes + text.len() > MOST_BYTES) {
            found.extend(texts.get(from..at));
            (from, bytes) = (at, 0);
        }
        bytes += text.len();
    }
    found.extend(texts.get(from..).filter(|rest| !rest.is_empty()));
    found
}

/// Models for tests.
#[cfg(test)]
pub mod tests {
    use super::*;

    /// A model that knows a few words: tea and coffee are drinks, a bike is none.
    pub struct Topics;

    impl Model for Topics {
        fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
            let drinks = ["tea", "coffee", "beverage"];
            let vector = |text: &&str| {
                let drink = text.split_whitespace().any(|word| drinks.contains(&word));
                if drink {
                    vec![1.0, 0.0]
                } else {
                    vec![0.5, 0.5]
                }
            };
            Ok(texts.iter().map(vector).collect())
        }
    }

    /// There is no model.
    pub struct Nobody;

    impl Model for Nobody {
        fn embed(&self, _: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
            Err(Error::new("no embeddings"))
        }
    }

    #[test]
    fn texts_are_compared_with_the_question() {
        assert_eq!(cosines("beverage", &["tea time", "a bike"], &Topics), Ok(vec![Some(1.0), Some(0.5)]));
        assert_eq!(cosines("beverage", &[], &Topics), Ok(vec![]));
        assert_eq!(cosines("x", &["y"], &Nobody), Err(Error::new("no embeddings")));
    }

    #[test]
    fn many_texts_go_in_batches() {
        let many = vec!["x"; 600];
        assert_eq!(batches(&many).iter().map(|batch| batch.len()).collect::<Vec<_>>(), [256, 256, 88]);
        let long = "x".repeat(MOST_BYTES);
        assert_eq!(batches(&[&long, &long, "y"]).len(), 3);
        assert!(batches(&[]).is_empty());
    }

    #[test]
    fn a_model_that_loses_texts_is_refused() {
        struct Short;
        impl Model for Short {
            fn embed(&self, _: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
                Ok(vec![vec![1.0]])
            }
        }
        assert_eq!(cosines("x", &["y"], &Short), Err(Error::new("The host gave 1 vectors for 2 texts.")));
    }
}
