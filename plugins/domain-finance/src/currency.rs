//! Currencies: how many decimals an amount has (ISO 4217).

use agentmem_plugin_sdk::Error;
use dashu_int::IBig;
use dashu_ratio::RBig;
use iso_currency::Currency;

use crate::number::Number;
use crate::rounding::{decimal_text, power_of_ten, Rounding};

/// A currency and the minor units of its amounts: cents, öre; yen have none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Money {
    /// The three letters.
    pub currency: Currency,
    /// How many decimals an amount has.
    pub decimals: u16,
}

impl Money {
    /// The currency with this code, in any case.
    ///
    /// # Errors
    /// When there is none, or it has no minor units, as gold.
    pub fn of(code: &str) -> Result<Self, Error> {
        let currency = Currency::from_code(&code.trim().to_ascii_uppercase()).ok_or_else(|| {
            format!("\"{code}\" is no currency of ISO 4217. Give its three letters, such as \"EUR\".")
        })?;
        let decimals = currency.exponent().ok_or_else(|| {
            format!("ISO 4217 gives {} no minor units, so that it cannot be rounded.", currency.code())
        })?;
        Ok(Money { currency, decimals })
    }

    /// An amount in whole minor units.
    ///
    /// # Errors
    /// When it has more decimals than the currency.
    pub fn units(self, what: &str, amount: &Number) -> Result<IBig, Error> {
        let units = &amount.0 * RBig::from(power_of_ten(self.decimals));
        if !units.is_int() {
            let (code, decimals) = (self.currency.code(), self.decimals);
            return Err(format!("{what} has more decimals than {code} has ({decimals}). Round it first.").into());
        }
        Ok(Rounding::Down.round(&units))
    }

    /// Minor units as an amount.
    pub fn text(self, units: &IBig) -> String {
        decimal_text(units, self.decimals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_have_their_own_decimals() {
        for (code, decimals) in [("EUR", 2), ("jpy", 0), ("BHD", 3), ("CLF", 4), (" usd ", 2), ("ISK", 0)] {
            assert_eq!(Money::of(code).expect(code).decimals, decimals, "{code}");
        }
        assert!(Money::of("XAU").unwrap_err().to_string().contains("no minor units"));
        assert!(Money::of("EURO").unwrap_err().to_string().contains("no currency of ISO 4217"));
    }

    #[test]
    fn an_amount_is_whole_minor_units() {
        let euro = Money::of("EUR").expect("a currency");
        let amount = |text| euro.units("`principal`", &Number::parse(text).expect("a number"));
        assert_eq!(amount("12.30"), Ok(IBig::from(1230)));
        assert!(amount("12.345")
            .unwrap_err()
            .to_string()
            .starts_with("`principal` has more decimals than EUR has (2)"));
    }
}
