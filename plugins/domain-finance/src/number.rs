//! Numbers as they are given: exact, from a JSON number or a text, within bounds that keep the work small.

use std::borrow::Cow;

use agentmem_plugin_sdk::schemars::{json_schema, JsonSchema, Schema, SchemaGenerator};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// How many digits a number may have.
const MAX_DIGITS: usize = 30;
/// How far its decimal point may be moved.
const MAX_EXPONENT: i32 = 20;

/// A number without loss: `100.10` is 1001/10.
#[derive(Debug, Clone, PartialEq)]
pub struct Number(pub RBig);

impl Number {
    /// Read a decimal number.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        read(text).map(Number).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            format!(
                "\"{shown}\" is no decimal number of at most {MAX_DIGITS} digits; write it like \"1234.56\", without \
                 separators of thousands and without a currency"
            )
        })
    }
}

fn read(text: &str) -> Option<RBig> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.abs() <= MAX_EXPONENT)?;
    let negative = mantissa.starts_with('-');
    let (whole, fraction) = mantissa
        .strip_prefix(['-', '+'])
        .unwrap_or(mantissa)
        .split_once('.')
        .unwrap_or_else(|| (mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa), ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || digits.len() > MAX_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let units: IBig = digits.parse().ok()?;
    let value = RBig::from(if negative { -units } else { units });
    let point = exponent - fraction.len() as i32;
    let power = RBig::from(UBig::from(10u8).pow(point.unsigned_abs() as usize));
    Some(if point < 0 { value / power } else { value * power })
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The text of the JSON number itself: a float in between would change the digits.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = match serde_json::from_str::<String>(raw.get()) {
            Ok(text) => text,
            Err(_) => raw.get().to_owned(),
        };
        Number::parse(&text).map_err(D::Error::custom)
    }
}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number"]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(numerator: i64, denominator: u64) -> RBig {
        RBig::from_parts(numerator.into(), denominator.into())
    }

    #[test]
    fn numbers_are_exact_in_either_form() {
        for (json, numerator, denominator) in [
            ("0.1", 1, 10),
            ("\"0.1\"", 1, 10),
            ("-1234.50", -12345, 10),
            ("1e3", 1000, 1),
            ("\" +2.5E-1 \"", 1, 4),
            ("\".5\"", 1, 2),
            ("12345678901234567.01", 1234567890123456701, 100),
        ] {
            let number: Number = serde_json::from_str(json).expect(json);
            assert_eq!(number.0, exact(numerator, denominator), "{json}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for json in ["\"1,000\"", "\"\"", "\"-\"", "\".\"", "\"1e99\"", "\"€5\"", "null", "[1]", "\"--1\"", "\"1.2.3\""]
        {
            let refused = serde_json::from_str::<Number>(json).unwrap_err().to_string();
            assert!(refused.contains("no decimal number of at most 30 digits"), "{refused}");
        }
        assert!(serde_json::from_str::<Number>(&"1".repeat(31)).is_err());
    }
}
