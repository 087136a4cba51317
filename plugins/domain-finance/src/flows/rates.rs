//! Internal rates of return: the rates at which flows are worth nothing. There may be one, several or none.

use agentmem_plugin_sdk::prelude::*;
use dashu_int::ops::BitTest;
use dashu_int::UBig;
use dashu_ratio::RBig;

use super::change::zeros_of;
use super::polynomial::{exact, Polynomial, Real};
use super::timing::Timeline;
use crate::rounding::Rounding;

/// Decimals of a rate in percent.
const DECIMALS: u16 = 10;
/// With more changes of sign the search would take too long.
const MAX_CHANGES: usize = 10;
/// A rate in percent from here on is written with an exponent.
const LARGE: u64 = 1_000_000_000_000_000;

/// How many rates there are.
#[data]
#[derive(Copy, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// There is none
    None,
    /// There is one
    One,
    /// There are several; none of them alone says how good the flows are
    Several,
    /// The signs change too often to look for all
    NotSearched,
}

/// The internal rates of return.
#[response]
pub struct Rates {
    /// How many there are
    pub found: Found,
    /// Each in percent, rounded to ten decimals, the smallest first
    pub rates_percent: Vec<String>,
    /// How often the flows change from in to out or back, which is the most rates there can be
    pub sign_changes: usize,
    /// What this means
    pub explanation: String,
}

/// The rates of flows.
pub fn of(timeline: &Timeline) -> Rates {
    let polynomial = polynomial_of(timeline);
    let sign_changes = polynomial.sign_changes();
    if sign_changes > MAX_CHANGES {
        let explanation = format!(
            "The flows change sign {sign_changes} times, and beyond {MAX_CHANGES} the rates are not searched. Use the \
             net present value."
        );
        return Rates { found: Found::NotSearched, rates_percent: Vec::new(), sign_changes, explanation };
    }
    let mut zeros = zeros_of(&polynomial);
    zeros.reverse(); // a larger factor is a smaller rate, and zeros come by rising factor
    let rates_percent: Vec<String> = zeros.iter().map(|zero| rate_text(&zero.x, timeline.steps())).collect();
    let found = match rates_percent.len() {
        0 => Found::None,
        1 => Found::One,
        _ => Found::Several,
    };
    let touches = zeros.iter().any(|zero| zero.touches);
    Rates { found, rates_percent, sign_changes, explanation: explanation(found, sign_changes, touches) }
}

fn explanation(found: Found, sign_changes: usize, touches: bool) -> String {
    let sentence = match found {
        Found::None if sign_changes == 0 => "All flows go the same way, so that no rate makes them worth nothing.",
        Found::None => "At every rate above -100 % the flows are worth more than nothing, or at every one less: there is no internal rate of return.",
        Found::One if sign_changes == 1 => "The flows change sign once, so that this is the only internal rate of return.",
        Found::One => "The flows change sign more than once, and every rate above -100 % was searched: this is the only one.",
        Found::Several | Found::NotSearched => "At each of these rates the flows are worth nothing; none alone says how good they are. Compare net present values at your own rate.",
    };
    let touching = " The value only touches zero at a rate where it does not change its sign.";
    format!("{sentence}{}", if touches { touching } else { "" })
}

/// The flows in whole units of their smallest part, by the discount factor of a step.
fn polynomial_of(timeline: &Timeline) -> Polynomial {
    // Every amount is a decimal, so that the largest denominator's power of ten makes all of them whole.
    let places = timeline.amounts.iter().map(|amount| amount.denominator().bit_len()).max().unwrap_or(0);
    let scale = RBig::from(UBig::from(10u8).pow(places));
    let units = |amount: &RBig| Rounding::Down.round(&(amount * &scale));
    Polynomial::new(timeline.amounts.iter().map(units).zip(timeline.times.iter().copied()))
}

/// The rate in percent for a factor: x^-steps - 1.
fn rate_text(x: &Real, steps: u32) -> String {
    let growth = Real::ONE / x.powi(steps.into());
    let percent = (growth - Real::ONE) * Real::from(100u8);
    match exact(&percent) {
        Some(percent) if percent < RBig::from(LARGE) => Rounding::HalfUp.text(&percent, DECIMALS),
        _ => {
            let digits = percent.with_precision(12).value();
            let (significand, exponent) = digits.into_repr().into_parts();
            format!("{significand}e{exponent}")
        }
    }
}
