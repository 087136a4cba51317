//! Loans: what is paid when, to the minor unit of the currency.
//!
//! Interest of a period is the rounded product of the balance and the annual rate divided by the payments of a year; the
//! last payment takes what rounding has left. The ratios are exact until they are rounded.

mod dates;
mod schedule;

use agentmem_plugin_sdk::prelude::*;
use dashu_int::IBig;
use dashu_ratio::RBig;

use crate::currency::Money;
use crate::number::Number;
use crate::rounding::Rounding;

/// How a loan is paid back.
#[data]
#[derive(Copy, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The same sum each time, interest and principal together
    #[default]
    Annuity,
    /// The same part of the principal each time, with the interest on what is left
    EqualPrincipal,
    /// Interest alone, and the whole principal with the last payment
    InterestOnly,
}

/// What `amortize` is called with.
#[request]
pub struct Request {
    /// The sum that is lent, in the currency's major unit, as text or number: "200000.00"
    pub principal: Number,
    /// The nominal interest of a year in percent: "6" is 6 %
    pub annual_rate_percent: Number,
    /// How many payments there are in all: 360 for thirty years of months
    #[schemars(range(min = 1, max = 1200))]
    pub payments: u16,
    /// How the loan is paid back
    #[serde(default)]
    pub method: Method,
    /// Payments of a year: 12 monthly, 4 quarterly, 2 half-yearly, 1 yearly, 26 every two weeks, 52 weekly
    #[serde(default = "monthly")]
    #[schemars(extend("enum" = [1, 2, 3, 4, 6, 12, 26, 52]))]
    pub payments_per_year: u16,
    /// The currency (ISO 4217), which fixes the decimals: "EUR" and "USD" have 2, "JPY" 0, "KWD" 3
    #[serde(default = "dollar")]
    pub currency: String,
    /// What happens to parts of the smallest unit, in each interest and in the regular payment
    #[serde(default)]
    pub rounding: Rounding,
    /// The day of the first payment, "2026-01-31", to have dates in the schedule. Interest is the same for every period
    #[serde(default)]
    pub first_payment_date: Option<String>,
    /// False leaves the single payments out and gives the totals alone
    #[serde(default = "yes")]
    pub with_schedule: bool,
}

/// One payment.
#[response]
pub struct Row {
    /// Which payment, from 1
    pub number: u16,
    /// When, where the first date was given
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// What is paid
    pub payment: String,
    /// The interest in it
    pub interest: String,
    /// The principal in it
    pub principal: String,
    /// What is owed afterwards
    pub balance: String,
}

/// What `amortize` answers. Amounts are decimal texts in the currency's major unit.
#[response]
pub struct Response {
    /// The currency
    pub currency: String,
    /// How many decimals its amounts have
    pub decimals: u16,
    /// How amounts were rounded
    pub rounding: Rounding,
    /// The interest of one period in percent, rounded to ten decimals (the calculation is exact)
    pub period_rate_percent: String,
    /// What a year costs with interest on interest, in percent, rounded to six decimals
    pub effective_annual_rate_percent: String,
    /// The first payment; for an annuity each but the last
    pub first_payment: String,
    /// The last payment, which settles the balance
    pub last_payment: String,
    /// By how much the last payment of an annuity differs from the others; null for other methods
    pub last_payment_adjustment: Option<String>,
    /// All interest
    pub total_interest: String,
    /// All payments
    pub total_paid: String,
    /// After how many payments nothing is owed; fewer than asked for only where tiny sums were rounded up
    pub payments_made: u16,
    /// Each payment, unless it was left out
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Vec<Row>>,
}

/// The terms of a loan in whole minor units.
struct Terms {
    principal: IBig,
    period_rate: RBig,
    payments: u16,
    method: Method,
    rounding: Rounding,
}

/// Plan a loan.
///
/// # Errors
/// When the terms are outside what is taken, and says which.
pub fn amortize(request: &Request) -> Result<Response, Error> {
    let money = Money::of(&request.currency)?;
    let terms = terms_of(request, money)?;
    let payments = schedule::of(&terms);
    let dates = match &request.first_payment_date {
        Some(first) => Some(dates::of(first, request.payments_per_year, payments.len())?),
        None => None,
    };
    let annual = (RBig::ONE + &terms.period_rate).pow(request.payments_per_year as isize) - RBig::ONE;
    let hundred = RBig::from(100u8);
    let (Some(first), Some(last)) = (payments.first(), payments.last()) else {
        return Err("There is no payment to make.".into());
    };
    let adjustment = (terms.method == Method::Annuity).then(|| last.paid() - first.paid());
    let interest: IBig = payments.iter().map(|payment| &payment.interest).sum();
    Ok(Response {
        currency: money.currency.code().to_owned(),
        decimals: money.decimals,
        rounding: terms.rounding,
        period_rate_percent: Rounding::HalfUp.text(&(&terms.period_rate * &hundred), 10),
        effective_annual_rate_percent: Rounding::HalfUp.text(&(annual * hundred), 6),
        first_payment: money.text(&first.paid()),
        last_payment: money.text(&last.paid()),
        last_payment_adjustment: adjustment.map(|units| money.text(&units)),
        total_paid: money.text(&(&interest + &terms.principal)),
        total_interest: money.text(&interest),
        payments_made: payments.len() as u16,
        schedule: request.with_schedule.then(|| rows(money, &payments, dates)),
    })
}

fn rows(money: Money, payments: &[schedule::Payment], dates: Option<Vec<String>>) -> Vec<Row> {
    let mut dates = dates.into_iter().flatten();
    let row = |(index, payment): (usize, &schedule::Payment)| Row {
        number: index as u16 + 1,
        date: dates.next(),
        payment: money.text(&payment.paid()),
        interest: money.text(&payment.interest),
        principal: money.text(&payment.principal),
        balance: money.text(&payment.balance),
    };
    payments.iter().enumerate().map(row).collect()
}

fn terms_of(request: &Request, money: Money) -> Result<Terms, Error> {
    let principal = money.units("`principal`", &request.principal)?;
    if principal <= IBig::ZERO {
        return Err("`principal` must be more than 0.".into());
    }
    let percent = &request.annual_rate_percent.0;
    if *percent < RBig::ZERO || *percent > RBig::from(1000u16) {
        return Err("`annual_rate_percent` must be from 0 to 1000.".into());
    }
    if !(1..=1200).contains(&request.payments) {
        return Err("`payments` must be from 1 to 1200.".into());
    }
    if !dates::PER_YEAR.contains(&request.payments_per_year) {
        return Err(format!("`payments_per_year` must be one of {:?}.", dates::PER_YEAR).into());
    }
    Ok(Terms {
        principal,
        period_rate: percent / RBig::from(100 * u32::from(request.payments_per_year)),
        payments: request.payments,
        method: request.method,
        rounding: request.rounding,
    })
}

fn monthly() -> u16 {
    12
}

fn dollar() -> String {
    "USD".to_owned()
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests;
