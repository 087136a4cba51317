//! Conversion of units: ratios all the way, rounded once at the end.

use std::str::FromStr;

use agentmem_plugin_sdk::prelude::*;
use dashu_int::ops::Abs;
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use crate::unit_table::{Unit, HALF_TURN, UNITS};

/// Digits of an answer that has no end.
const DIGITS: usize = 15;
/// With more decimals than this an answer is rounded even if it has an end.
const MAX_DECIMALS: usize = 30;

/// What `convert_units` is called with.
#[request]
pub struct Request {
    /// How much: 26.2, or "26.2" as text, which keeps every digit
    #[schemars(extend("type" = ["number", "string"]))]
    pub value: Value,
    /// The unit that it is in, as sign or name: "mi", "miles", "°F", "fahrenheit", "kWh", "GiB", "us gallon"
    #[schemars(length(min = 1, max = 60))]
    pub from: String,
    /// The unit to have: "km"
    #[schemars(length(min = 1, max = 60))]
    pub to: String,
}

/// What `convert_units` answers.
#[response]
pub struct Response {
    /// How much it is, as a decimal text
    pub value: String,
    /// The sign of the unit
    pub unit: String,
    /// Whether this is all of it; false where it was rounded to fifteen digits
    pub exact: bool,
    /// What is measured: length, mass, temperature and so on
    pub quantity: String,
}

/// Convert.
///
/// # Errors
/// When a unit is not known, the two measure different things, or the value is no number.
pub fn convert(request: &Request) -> Result<Response, Error> {
    let value = number_of(&request.value)?;
    let (from, to) = (unit_of(&request.from)?, unit_of(&request.to)?);
    if from.kind != to.kind {
        let told = format!("\"{}\" is a unit of {}, and \"{}\" of {}.", request.from, from.kind, request.to, to.kind);
        return Err(told.into());
    }
    let base = value * ratio(from.factor)? + ratio(from.offset)?;
    let value = (base - ratio(to.offset)?) / ratio(to.factor)?;
    if from.kind == "temperature" && value < -ratio(to.offset)? / ratio(to.factor)? {
        return Err("That is colder than absolute zero.".into());
    }
    let (text, whole) = decimal(&value);
    let approximate = (from.factor == HALF_TURN) != (to.factor == HALF_TURN);
    Ok(Response {
        value: text,
        unit: to.names.first().copied().unwrap_or_default().to_owned(),
        exact: whole && !approximate,
        quantity: to.kind.to_owned(),
    })
}

/// A unit by its sign, or by a name in any case and number. A radian's factor is of half a turn's degrees.
fn unit_of(name: &str) -> Result<&'static Unit, Error> {
    let name = name.trim();
    let small = name.to_lowercase();
    let singular = small.strip_suffix('s').filter(|rest| rest.len() > 1).unwrap_or(&small);
    let by = |wanted: &dyn Fn(&str) -> bool| UNITS.iter().find(|unit| unit.names.iter().any(|known| wanted(known)));
    by(&|known| known == name)
        .or_else(|| by(&|known| known.to_lowercase() == small))
        .or_else(|| by(&|known| known.to_lowercase() == singular))
        .ok_or_else(|| format!("\"{name}\" is no unit that is known. {}", hint(&small)).into())
}

fn hint(name: &str) -> String {
    let first: String = name.chars().take(3).collect();
    let near: Vec<&str> = UNITS
        .iter()
        .flat_map(|unit| unit.names)
        .filter(|known| first.chars().count() == 3 && known.to_lowercase().starts_with(&first))
        .take(5)
        .copied()
        .collect();
    if near.is_empty() {
        "Known are units of length, mass, time, temperature, area, volume, speed, pressure, energy, power, force, angle, \
         data and frequency, by sign (\"km\", \"°C\", \"kWh\") or English name."
            .to_owned()
    } else {
        format!("Did you mean {}?", near.join(", "))
    }
}

/// A factor of the table: a decimal, or one over another. Radians are told in degrees: 180 over π.
fn ratio(text: &str) -> Result<RBig, Error> {
    if text == HALF_TURN {
        return Ok(RBig::from(180u8) / read(HALF_TURN).unwrap_or(RBig::ONE));
    }
    let (over, under) = text.split_once('/').unwrap_or((text, "1"));
    let ratio = read(over).zip(read(under)).filter(|(_, under)| *under != RBig::ZERO).map(|(over, under)| over / under);
    ratio.ok_or_else(|| format!("The table of units has \"{text}\" where a number should be.").into())
}

fn number_of(value: &Value) -> Result<RBig, Error> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    read(&text)
        .ok_or_else(|| "`value` must be a number, such as 26.2 or \"26.2\", without separators of thousands.".into())
}

/// A decimal of at most forty digits, moved by at most forty places.
fn read(text: &str) -> Option<RBig> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.abs() <= 40)?;
    let (sign, unsigned) = mantissa.strip_prefix('-').map_or((1, mantissa), |rest| (-1, rest));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || digits.len() > 42 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let units = RBig::from(IBig::from_str(&digits).ok()? * IBig::from(sign));
    let point = exponent - fraction.len() as i32;
    let power = RBig::from(ten_to(point.unsigned_abs() as usize));
    Some(if point < 0 { units / power } else { units * power })
}

fn ten_to(exponent: usize) -> UBig {
    UBig::from(10u8).pow(exponent)
}

/// A ratio as a decimal, and whether that is all of it.
fn decimal(value: &RBig) -> (String, bool) {
    for decimals in 0..=MAX_DECIMALS {
        let scaled = value * RBig::from(ten_to(decimals));
        if scaled.is_int() {
            return (placed(&scaled.trunc(), decimals), true);
        }
    }
    let mut decimals = DIGITS;
    let size = |value: &IBig| value.clone().abs().to_string().len();
    let whole = size(&value.trunc());
    if whole > 1 || value.trunc() != IBig::ZERO {
        decimals = DIGITS.saturating_sub(whole);
    } else {
        while decimals < 80 && size(&(value * RBig::from(ten_to(decimals))).trunc()) < DIGITS {
            decimals += 1;
        }
    }
    let text = placed(&(value * RBig::from(ten_to(decimals))).round(), decimals);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    (text, false)
}

/// Whole units with a decimal point put in.
fn placed(units: &IBig, decimals: usize) -> String {
    let sign = if *units < IBig::ZERO { "-" } else { "" };
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

    fn converted(value: Value, from: &str, to: &str) -> Result<(String, bool), String> {
        let answer = convert(&Request { value, from: from.into(), to: to.into() });
        answer.map(|answer| (answer.value, answer.exact)).map_err(|error| error.to_string())
    }

    #[test]
    fn values_that_are_defined_are_exact() {
        for (value, from, to, expected) in [
            (json!(26.2), "miles", "km", "42.1648128"),
            (json!(100), "°C", "°F", "212"),
            (json!(-40), "F", "celsius", "-40"),
            (json!("98.6"), "fahrenheit", "C", "37"),
            (json!(0), "K", "°C", "-273.15"),
            (json!(1), "GiB", "MB", "1073.741824"),
            (json!(1), "Mb", "MB", "0.125"),
            (json!(1), "kWh", "kcal", "860.420650095602"),
            (json!(5), "feet", "in", "60"),
            (json!(1), "acre", "ft2", "43560"),
            (json!(90), "km/h", "m/s", "25"),
            (json!(1), "gal", "fl oz", "128"),
            (json!("1e-9"), "m", "nm", "1"),
        ] {
            let (text, exact) = converted(value, from, to).expect(from);
            assert_eq!(text, expected, "{from} {to}");
            assert_eq!(exact, from != "kWh", "{from} {to}");
        }
    }

    #[test]
    fn what_has_no_end_is_rounded_and_said_so() {
        assert_eq!(converted(json!(1), "m", "ft"), Ok(("3.28083989501312".into(), false)));
        assert_eq!(converted(json!(180), "deg", "rad"), Ok(("3.14159265358979".into(), false)));
        assert_eq!(converted(json!(1), "psi", "Pa"), Ok(("6894.75729316836".into(), false)));
        assert_eq!(converted(json!(1), "nm", "ly").expect("small").0.trim_start_matches(['0', '.']).len(), 15);
    }

    #[test]
    fn every_unit_converts_to_its_base_and_back() {
        for unit in UNITS {
            for name in unit.names {
                assert_eq!(unit_of(name).expect(name).kind, unit.kind, "{name}");
            }
            let base = UNITS.iter().find(|other| other.kind == unit.kind).expect("a base").names[0];
            assert!(converted(json!("123.5"), unit.names[0], base).is_ok(), "{}", unit.names[0]);
        }
        let mut names: Vec<&str> = UNITS.iter().flat_map(|unit| unit.names).copied().collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a name stands for two units");
    }

    #[test]
    fn what_cannot_be_converted_is_refused() {
        assert!(converted(json!(1), "kg", "m").unwrap_err().contains("a unit of mass"));
        assert!(converted(json!(1), "kilogrammes", "g").unwrap_err().contains("Did you mean"));
        assert!(converted(json!(1), "zzz", "g").unwrap_err().contains("Known are units"));
        assert!(converted(json!(-300), "C", "F").unwrap_err().contains("absolute zero"));
        assert!(converted(json!("1,000"), "m", "km").unwrap_err().contains("must be a number"));
        assert!(converted(json!(true), "m", "km").is_err());
    }
}
