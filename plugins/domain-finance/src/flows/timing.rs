//! Timing: when each flow is, in whole periods or days from the first, and what it is worth then.

use agentmem_plugin_sdk::Error;
use dashu_ratio::RBig;
use jiff::civil::Date;

use super::polynomial::{exact, real, Real};
use super::Flow;

/// Flows in the order of time.
pub struct Timeline {
    /// What each is.
    pub amounts: Vec<RBig>,
    /// When each is, in periods or days from the first.
    pub times: Vec<u32>,
    /// The days, where they were given.
    pub dates: Option<Vec<Date>>,
}

impl Timeline {
    /// Order flows by their dates, or take them one period apart.
    ///
    /// # Errors
    /// When a date is none, or only some flows have one.
    pub fn of(flows: &[Flow]) -> Result<Self, Error> {
        if flows.iter().all(|flow| flow.date.is_none()) {
            let amounts = flows.iter().map(|flow| flow.amount.0.clone()).collect();
            return Ok(Timeline { amounts, times: (0..flows.len() as u32).collect(), dates: None });
        }
        let mut dated = Vec::with_capacity(flows.len());
        for (index, flow) in flows.iter().enumerate() {
            dated.push((date_of(index, flow)?, flow.amount.0.clone()));
        }
        dated.sort_by_key(|(date, _)| *date);
        let (dates, amounts): (Vec<Date>, Vec<RBig>) = dated.into_iter().unzip();
        let first = dates.first().copied().unwrap_or_default();
        let days = |date: &Date| u32::try_from(date.duration_since(first).as_hours() / 24).unwrap_or(0);
        Ok(Timeline { amounts, times: dates.iter().map(days).collect(), dates: Some(dates) })
    }

    /// How many steps of time there are in what a rate is for: the days of a year, or one period.
    pub fn steps(&self) -> u32 {
        if self.dates.is_some() {
            365
        } else {
            1
        }
    }

    /// Each flow's value at the first, with a rate in percent.
    ///
    /// # Errors
    /// When the rate is -100 % or less, or so far from 0 that values lose all meaning.
    pub fn discounted(&self, rate_percent: &RBig) -> Result<Vec<RBig>, Error> {
        let growth = RBig::ONE + rate_percent / RBig::from(100u8);
        if growth <= RBig::ZERO || growth > RBig::from(1_000_000u32) {
            return Err("`rate_percent` must be more than -100 and at most 99999900.".into());
        }
        let growth = real(&growth);
        let steps = Real::from(self.steps());
        let step = if self.steps() == 1 { growth } else { (growth.ln() / steps).exp() };
        let mut factor = real(&RBig::ONE);
        let mut last = 0;
        let mut values = Vec::with_capacity(self.amounts.len());
        for (amount, time) in self.amounts.iter().zip(&self.times) {
            factor /= step.powi((time - last).into());
            last = *time;
            let value = exact(&(real(amount) * &factor));
            values.push(value.ok_or("With this rate a flow's value has more digits than are counted with.")?);
        }
        Ok(values)
    }
}

fn date_of(index: usize, flow: &Flow) -> Result<Date, Error> {
    let number = index + 1;
    let text = flow
        .date
        .as_deref()
        .ok_or_else(|| format!("Flow {number} has no `date`, and others have one. Give every flow a date, or none."))?;
    let date = text.trim().parse();
    date.map_err(|_| format!("The date of flow {number} is \"{text}\", which is no date like \"2026-01-31\".").into())
}
