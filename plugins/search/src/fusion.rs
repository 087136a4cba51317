//! Fusion: one order out of several lists of scores that cannot be compared with each other.
//!
//! Each list is stretched to 0 … 1 over what it found, and the stretched scores are added by weight. On the question
//! sets that the memory engine was tuned on, that was better than adding reciprocal ranks, and 0.7 for words and 0.3 for
//! meaning was the best split.

/// A list of scores, one for each candidate; nothing where the list did not find it.
pub type Scores = Vec<Option<f64>>;

/// The weighted sum of `lists`, one score for each of `count` candidates; nothing where no list found it.
pub fn fuse(count: usize, lists: &[(f64, &Scores)]) -> Scores {
    let total: f64 = lists.iter().map(|(weight, _)| weight).sum();
    let mut fused: Scores = vec![None; count];
    for (weight, scores) in lists {
        for (sum, score) in fused.iter_mut().zip(stretched(scores)) {
            if let Some(score) = score {
                *sum = Some(sum.unwrap_or(0.0) + weight * score / total.max(f64::MIN_POSITIVE));
            }
        }
    }
    fused
}

/// `scores` stretched to 0 … 1. The only one is the best one, and so are equal ones.
pub fn stretched(scores: &[Option<f64>]) -> Scores {
    let known = || scores.iter().flatten().copied();
    let (least, most) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let stretch = |score: f64| if most > least { (score - least) / (most - least) } else { 1.0 };
    scores.iter().map(|score| score.map(stretch)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_stretched_and_weighed() {
        let words = vec![Some(8.0), Some(2.0), None];
        let meaning = vec![Some(0.1), Some(0.5), Some(0.3)];
        let fused = fuse(3, &[(0.7, &words), (0.3, &meaning)]);
        let rounded: Vec<f64> = fused.into_iter().flatten().map(|score| (score * 100.0).round() / 100.0).collect();
        assert_eq!(rounded, [0.7, 0.3, 0.15]);
    }

    #[test]
    fn a_single_hit_has_the_whole_weight_of_its_list() {
        assert_eq!(fuse(2, &[(0.7, &vec![None, Some(3.0)]), (0.3, &vec![None, None])]), [None, Some(0.7)]);
        assert_eq!(stretched(&[Some(2.0), Some(2.0)]), [Some(1.0), Some(1.0)]);
        assert!(fuse(0, &[]).is_empty());
    }
}
