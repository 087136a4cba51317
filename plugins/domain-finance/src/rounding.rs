//! Rounding: exact ratios to whole units, and units to decimal text.

use std::cmp::Ordering;

use agentmem_plugin_sdk::prelude::*;
use dashu_int::ops::{Abs, DivRemEuclid};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

/// What happens to what is less than one unit.
#[data]
#[derive(Copy, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest, halves away from zero: 0.125 becomes 0.13
    #[default]
    HalfUp,
    /// To the nearest, halves to the even digit: 0.125 becomes 0.12
    HalfEven,
    /// Away from zero
    Up,
    /// Towards zero
    Down,
}

impl Rounding {
    /// The whole number for a ratio.
    pub fn round(self, value: &RBig) -> IBig {
        let denominator = IBig::from(value.denominator().clone());
        let (down, rest) = value.numerator().clone().abs().div_rem_euclid(denominator.clone());
        let up = match self {
            Rounding::Down => false,
            Rounding::Up => !rest.is_zero(),
            _ => match (IBig::from(rest) * IBig::from(2)).cmp(&denominator) {
                Ordering::Less => false,
                Ordering::Greater => true,
                Ordering::Equal => self == Rounding::HalfUp || &down % 2u8 != 0,
            },
        };
        let size = if up { down + IBig::ONE } else { down };
        if value.numerator() < &IBig::ZERO {
            -size
        } else {
            size
        }
    }

    /// A ratio as a decimal text with so many decimals.
    pub fn text(self, value: &RBig, decimals: u16) -> String {
        decimal_text(&self.round(&(value * RBig::from(power_of_ten(decimals)))), decimals)
    }
}

/// Ten to a power.
pub fn power_of_ten(exponent: u16) -> UBig {
    UBig::from(10u8).pow(exponent.into())
}

/// Whole units as a decimal text: 12345 with two decimals is `123.45`.
pub fn decimal_text(units: &IBig, decimals: u16) -> String {
    let sign = if *units < IBig::ZERO { "-" } else { "" };
    let decimals = usize::from(decimals);
    let digits = format!("{:0>width$}", units.clone().abs().to_string(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    if decimals == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(numerator: i64, denominator: u64) -> Vec<String> {
        let value = RBig::from_parts(numerator.into(), denominator.into());
        let kinds = [Rounding::HalfUp, Rounding::HalfEven, Rounding::Up, Rounding::Down];
        kinds.iter().map(|kind| kind.text(&value, 2)).collect()
    }

    #[test]
    fn each_rounding_does_what_it_says() {
        assert_eq!(rounded(1, 8), ["0.13", "0.12", "0.13", "0.12"]);
        assert_eq!(rounded(-1, 8), ["-0.13", "-0.12", "-0.13", "-0.12"]);
        assert_eq!(rounded(27, 200), ["0.14", "0.14", "0.14", "0.13"]);
        assert_eq!(rounded(1, 3), ["0.33", "0.33", "0.34", "0.33"]);
        assert_eq!(rounded(-2, 3), ["-0.67", "-0.67", "-0.67", "-0.66"]);
        assert_eq!(rounded(1, 1000), ["0.00", "0.00", "0.01", "0.00"]);
        assert_eq!(rounded(5, 1), ["5.00"; 4]);
    }

    #[test]
    fn no_decimals_leave_no_point() {
        assert_eq!(decimal_text(&IBig::from(-12), 0), "-12");
        assert_eq!(decimal_text(&IBig::from(-1), 3), "-0.001");
    }
}
