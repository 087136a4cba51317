//! Payback: when what went out has come back.

use agentmem_plugin_sdk::prelude::*;
use dashu_ratio::RBig;

use super::timing::Timeline;
use crate::rounding::Rounding;

/// When the running sum of the flows is no longer negative.
#[response]
pub struct Payback {
    /// Whether it comes to that
    pub reached: bool,
    /// After how many periods, with the part of the last period in which the sum gets to zero; null with dates
    pub periods: Option<String>,
    /// On which day; null without dates
    pub date: Option<String>,
    /// What this means
    pub explanation: String,
}

/// The payback of flows, given in the order of the timeline.
pub fn of(timeline: &Timeline, flows: &[RBig]) -> Payback {
    let mut sum = RBig::ZERO;
    let sums: Vec<RBig> = flows
        .iter()
        .map(|flow| {
            sum += flow;
            sum.clone()
        })
        .collect();
    let Some(owed) = sums.iter().position(|sum| *sum < RBig::ZERO) else {
        return told(false, "Nothing goes out before it has come in, so that there is nothing to pay back.");
    };
    let back = sums.iter().enumerate().skip(owed).find(|(_, sum)| **sum >= RBig::ZERO).map(|(index, _)| index);
    let Some(back) = back else {
        return told(false, "What goes out never comes back.");
    };
    let again = sums.iter().skip(back).any(|sum| *sum < RBig::ZERO);
    let explanation = if again {
        "What went out has come back then; later the sum is negative again."
    } else {
        "What went out has come back then."
    };
    let dates = timeline.dates.as_ref();
    Payback {
        periods: if dates.is_none() { periods(&sums, flows, back) } else { None },
        date: dates.and_then(|dates| dates.get(back)).map(ToString::to_string),
        ..told(true, explanation)
    }
}

fn told(reached: bool, explanation: &str) -> Payback {
    Payback { reached, periods: None, date: None, explanation: explanation.to_owned() }
}

/// The periods up to the flow `back`, of which the last counts as far as its flow was needed.
fn periods(sums: &[RBig], flows: &[RBig], back: usize) -> Option<String> {
    let before = sums.get(back.checked_sub(1)?)?;
    let part = -before.clone() / flows.get(back)?;
    Some(Rounding::HalfUp.text(&(RBig::from(back - 1) + part), 4))
}
