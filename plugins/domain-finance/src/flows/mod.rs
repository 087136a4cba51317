//! Cash flows: what a series of payments is worth, and at which rates it is worth nothing.
//!
//! Flows without dates are one period apart, the first at time 0. Flows with dates are discounted by days over 365, as
//! spreadsheets do. Values are computed to sixty digits.

mod change;
mod payback;
mod polynomial;
mod rates;
mod timing;

use agentmem_plugin_sdk::prelude::*;
use dashu_ratio::RBig;

use crate::currency::Money;
use crate::number::Number;
use crate::rounding::Rounding;
use timing::Timeline;

pub use payback::Payback;
pub use rates::{Found, Rates};

/// How many flows there may be.
const MAX_FLOWS: usize = 500;
/// Decimals of a value where no currency says how many.
const DECIMALS: u16 = 6;

/// One payment.
#[request]
pub struct Flow {
    /// What comes in; negative for what goes out
    pub amount: Number,
    /// Its day, "2026-01-31". Every flow has one, or none has
    #[serde(default)]
    pub date: Option<String>,
}

/// What `cash_flow` is called with.
#[request]
pub struct Request {
    /// The payments. Without dates they are one period apart and the first, mostly the investment, is now (time 0)
    #[schemars(length(min = 2, max = 500))]
    pub flows: Vec<Flow>,
    /// The rate to discount with, in percent of a period, or of a year where flows have dates. Without it there is no
    /// present value
    #[serde(default)]
    pub rate_percent: Option<Number>,
    /// The currency (ISO 4217) by whose minor units values are rounded; without it they have six decimals
    #[serde(default)]
    pub currency: Option<String>,
}

/// What `cash_flow` answers. Amounts are decimal texts, rounded half up.
#[response]
pub struct Response {
    /// "period", or "year" where flows have dates: what the rates are for
    pub rates_per: String,
    /// The day to which values are discounted, the earliest; null without dates
    pub valued_at: Option<String>,
    /// All that comes in
    pub total_in: String,
    /// All that goes out, as a positive number
    pub total_out: String,
    /// The sum of all
    pub net: String,
    /// The net present value at `rate_percent`; null without a rate
    pub npv: Option<String>,
    /// The internal rates of return: all of them, with what they are worth
    pub irr: Rates,
    /// When what went out has come back
    pub payback: Payback,
    /// The same with every flow discounted at `rate_percent`; null without a rate
    pub discounted_payback: Option<Payback>,
}

/// Value cash flows.
///
/// # Errors
/// When there are too few or too many flows, some have dates and some not, or a number or date is none.
pub fn value(request: &Request) -> Result<Response, Error> {
    if !(2..=MAX_FLOWS).contains(&request.flows.len()) {
        return Err(format!("`flows` has {} payments; it takes 2 to {MAX_FLOWS}.", request.flows.len()).into());
    }
    let decimals = match &request.currency {
        Some(code) => Money::of(code)?.decimals,
        None => DECIMALS,
    };
    let timeline = Timeline::of(&request.flows)?;
    let text = |value: &RBig| Rounding::HalfUp.text(value, decimals);
    let sum = |positive: bool| -> RBig {
        let wanted = timeline.amounts.iter().filter(|amount| (**amount > RBig::ZERO) == positive);
        wanted.fold(RBig::ZERO, |sum, amount| sum + amount)
    };
    let (total_in, total_out) = (sum(true), sum(false));
    let discounted = match &request.rate_percent {
        Some(rate) => Some(timeline.discounted(&rate.0)?),
        None => None,
    };
    Ok(Response {
        rates_per: if timeline.dates.is_some() { "year" } else { "period" }.to_owned(),
        valued_at: timeline.dates.as_ref().and_then(|dates| dates.first()).map(ToString::to_string),
        total_in: text(&total_in),
        total_out: text(&-total_out.clone()),
        net: text(&(total_in + total_out)),
        npv: discounted.as_ref().map(|flows| text(&flows.iter().fold(RBig::ZERO, |sum, flow| sum + flow))),
        irr: rates::of(&timeline),
        payback: payback::of(&timeline, &timeline.amounts),
        discounted_payback: discounted.map(|flows| payback::of(&timeline, &flows)),
    })
}

#[cfg(test)]
mod tests;
