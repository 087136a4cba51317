//! The schedule of a loan: from its terms to payments, in whole minor units.

use dashu_int::IBig;
use dashu_ratio::{RBig, Relaxed};

use super::{Method, Terms};

/// One payment and what is owed after it.
pub struct Payment {
    pub interest: IBig,
    pub principal: IBig,
    pub balance: IBig,
}

impl Payment {
    /// Interest and principal together.
    pub fn paid(&self) -> IBig {
        &self.interest + &self.principal
    }
}

/// The payments until nothing is owed.
pub fn of(terms: &Terms) -> Vec<Payment> {
    let regular = regular_of(terms);
    let mut balance = terms.principal.clone();
    let mut payments = Vec::with_capacity(terms.payments.into());
    for number in 1..=terms.payments {
        let interest = terms.rounding.round(&(&terms.period_rate * RBig::from(balance.clone())));
        let wanted = match terms.method {
            _ if number == terms.payments => balance.clone(),
            Method::Annuity => &regular - &interest,
            Method::EqualPrincipal => regular.clone(),
            Method::InterestOnly => IBig::ZERO,
        };
        let principal = wanted.min(balance.clone());
        balance -= &principal;
        let settled = balance == IBig::ZERO;
        payments.push(Payment { interest, principal, balance: balance.clone() });
        if settled {
            break;
        }
    }
    payments
}

/// What is the same each time: the payment of an annuity, else the part of the principal.
fn regular_of(terms: &Terms) -> IBig {
    let principal = RBig::from(terms.principal.clone());
    let count = usize::from(terms.payments);
    if terms.method != Method::Annuity || terms.period_rate == RBig::ZERO {
        return terms.rounding.round(&(principal / RBig::from(terms.payments)));
    }
    // With 1 + rate = a/b, the payment is principal × rate × aⁿ / (aⁿ − bⁿ): exact, and no ratio is reduced on the way.
    let growth = RBig::ONE + &terms.period_rate;
    let grown = growth.numerator().clone().pow(count);
    let unit = IBig::from(growth.denominator().clone()).pow(count);
    let share = Relaxed::from_parts_signed(grown.clone(), grown - unit);
    terms.rounding.round(&(share * (principal * &terms.period_rate).relax()).canonicalize())
}
