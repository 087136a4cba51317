use super::*;

fn valued(json: &str) -> Response {
    value(&serde_json::from_str(json).expect("a request")).expect("an answer")
}

fn periods(amounts: &[&str], rest: &str) -> Response {
    let flows: Vec<String> = amounts.iter().map(|amount| format!("{{\"amount\": \"{amount}\"}}")).collect();
    valued(&format!("{{\"flows\": [{}]{rest}}}", flows.join(", ")))
}

/// The example of spreadsheets' manuals for XIRR and XNPV.
const DATED: &str = r#"[{"amount": -10000, "date": "2008-01-01"}, {"amount": 2750, "date": "2008-03-01"},
    {"amount": 4250, "date": "2008-10-30"}, {"amount": 3250, "date": "2009-02-15"},
    {"amount": 2750, "date": "2009-04-01"}]"#;

#[test]
fn the_manuals_examples_come_out() {
    let irr = periods(&["-70000", "12000", "15000", "18000", "21000", "26000"], "").irr;
    assert_eq!((irr.found, irr.rates_percent), (Found::One, vec!["8.6630948037".to_owned()]));
    let npv = periods(&["-10000", "3000", "4200", "6800"], r#", "rate_percent": 10, "currency": "USD""#);
    assert_eq!(npv.npv.as_deref(), Some("1307.29"));
    let dated = valued(&format!(r#"{{"flows": {DATED}, "rate_percent": "9", "currency": "USD"}}"#));
    assert_eq!(dated.npv.as_deref(), Some("2086.65"));
    assert!(dated.irr.rates_percent[0].starts_with("37.33625335"), "{:?}", dated.irr);
    assert_eq!(dated.payback.date.as_deref(), Some("2009-02-15"));
    assert_eq!((dated.rates_per.as_str(), dated.valued_at.as_deref()), ("year", Some("2008-01-01")));
}

#[test]
fn several_rates_are_all_found() {
    let irr = periods(&["-1600", "10000", "-10000"], "").irr;
    assert_eq!((irr.found, irr.rates_percent), (Found::Several, vec!["25.0000000000".into(), "400.0000000000".into()]));
    // (1 - 1.1x)(1 - 1.2x)(1 - 1.3x), to which Newton's method alone finds what its start leads to
    let irr = periods(&["1", "-3.6", "4.31", "-1.716"], "").irr;
    let expected = ["10.0000000000", "20.0000000000", "30.0000000000"].map(String::from).to_vec();
    assert_eq!((irr.found, irr.rates_percent), (Found::Several, expected));
}

#[test]
fn rates_that_lie_close_together_are_told_apart() {
    let mut amounts = vec![RBig::ONE];
    for percent in [10u32, 11, 12, 13, 14, 15] {
        let growth = RBig::from(100 + percent) / RBig::from(100u8);
        let mut longer = amounts.clone();
        longer.push(RBig::ZERO);
        for (index, amount) in amounts.iter().enumerate() {
            longer[index + 1] -= amount * &growth;
        }
        amounts = longer;
    }
    let texts: Vec<String> = amounts.iter().map(|amount| Rounding::Down.text(amount, 12)).collect();
    let irr = periods(&texts.iter().map(String::as_str).collect::<Vec<_>>(), "").irr;
    let expected: Vec<String> = (10..=15).map(|percent| format!("{percent}.0000000000")).collect();
    assert_eq!((irr.found, irr.rates_percent), (Found::Several, expected));
}

#[test]
fn no_rate_is_said_to_be_none() {
    let irr = periods(&["1000", "-3000", "2500"], "").irr;
    assert_eq!((irr.found, irr.sign_changes), (Found::None, 2));
    let irr = periods(&["1", "2", "3"], "").irr;
    assert!(irr.found == Found::None && irr.explanation.starts_with("All flows go the same way"));
    assert_eq!(periods(&["0", "0"], "").irr.found, Found::None);
}

#[test]
fn a_value_that_only_touches_zero_has_a_rate() {
    let irr = periods(&["-100", "220", "-121"], "").irr;
    assert_eq!((irr.found, irr.rates_percent), (Found::One, vec!["10.0000000000".to_owned()]));
    assert!(irr.explanation.contains("touches"));
}

#[test]
fn odd_rates_are_found_too() {
    assert_eq!(periods(&["-100", "100"], "").irr.rates_percent, ["0.0000000000"]);
    assert_eq!(periods(&["-100", "1"], "").irr.rates_percent, ["-99.0000000000"]);
    assert_eq!(periods(&["-1", "0", "0", "1000000000000"], "").irr.rates_percent, ["999900.0000000000"]);
    assert_eq!(periods(&["-1e-20", "1e20"], "").irr.rates_percent, ["1e42"]);
}

#[test]
fn a_series_of_many_changes_is_not_searched() {
    let amounts: Vec<&str> = (0..60).map(|n| if n % 2 == 0 { "-1" } else { "1.5" }).collect();
    assert_eq!(periods(&amounts, "").irr.found, Found::NotSearched);
    let amounts: Vec<&str> = (0..11).map(|n| if n % 2 == 0 { "-1" } else { "1.5" }).collect();
    assert_ne!(periods(&amounts, "").irr.found, Found::NotSearched);
}

#[test]
fn payback_is_to_the_part_of_a_period() {
    let answer = periods(&["-1000", "400", "400", "400"], r#", "rate_percent": 10"#);
    assert_eq!(answer.payback.periods.as_deref(), Some("2.5000"));
    let discounted = answer.discounted_payback.expect("with a rate");
    assert!(!discounted.reached && discounted.explanation.contains("never"));
    assert!(!periods(&["5", "-4"], "").payback.reached);
    assert!(periods(&["-5", "6", "-4"], "").payback.explanation.contains("negative again"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (json, part) in [
        (r#"{"flows": [{"amount": 1}]}"#, "it takes 2 to 500"),
        (r#"{"flows": [{"amount": 1, "date": "2026-01-01"}, {"amount": 1}]}"#, "Flow 2 has no `date`"),
        (r#"{"flows": [{"amount": 1, "date": "1.1.2026"}, {"amount": 1}]}"#, "no date like"),
        (r#"{"flows": [{"amount": 1}, {"amount": 1}], "rate_percent": -100}"#, "more than -100"),
        (r#"{"flows": [{"amount": 1}, {"amount": 1}], "currency": "ABC"}"#, "no currency"),
    ] {
        let refusal = value(&serde_json::from_str(json).expect("a request")).unwrap_err().to_string();
        assert!(refusal.contains(part), "{refusal}");
    }
}
