//! Numbers of a JSON text that a 64-bit value cannot hold.

/// The first number that would come back with other digits; nothing where all are kept.
pub fn lost_number(json: &str) -> Option<&str> {
    let mut rest = json;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        rest = rest.get(at..)?;
        if rest.starts_with('"') {
            rest = after_text(rest);
            continue;
        }
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        if !is_kept(number) {
            return Some(number);
        }
        rest = after;
    }
    None
}

/// What stands after the text that `json` begins with.
fn after_text(json: &str) -> &str {
    let mut escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return json.get(at + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}

fn is_kept(number: &str) -> bool {
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return true;
    }
    // What is no number at all is for the parser to refuse.
    let Ok(value) = number.parse::<f64>() else { return true };
    let digits = significant(number);
    // A value halfway between two texts is written as either.
    let rounded = format!("{value:.0$e}", digits.len().saturating_sub(1).min(17));
    value.is_finite() && [format!("{value:e}"), rounded].iter().any(|text| significant(text) == digits)
}

/// The digits that count: no sign, no point, no zeros before the first and after the last, no exponent.
fn significant(number: &str) -> String {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_change_is_named() {
        for kept in [
            "1",
            "-0.10",
            "18446744073709551615",
            "0.1",
            "1.50e3",
            "70368744177664.12",
            "\"12345678901234567890123\"",
            "[1.0, -2]",
        ] {
            assert_eq!(lost_number(kept), None, "{kept}");
        }
        for lost in ["18446744073709551617", "0.12345678901234567890", "1e400", "3.14159265358979323846"] {
            assert_eq!(lost_number(&format!("{{\"a\\\"\": [{lost}]}}")), Some(lost));
        }
    }
}
