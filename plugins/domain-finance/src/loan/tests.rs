use super::*;

fn plan(json: &str) -> Response {
    amortize(&serde_json::from_str(json).expect("a request")).expect("a plan")
}

fn refused(json: &str) -> String {
    amortize(&serde_json::from_str(json).expect("a request")).unwrap_err().to_string()
}

#[test]
fn an_annuity_is_the_published_one() {
    let plan = plan(r#"{"principal": 100000, "annual_rate_percent": 6, "payments": 360}"#);
    assert_eq!(plan.first_payment, "599.55");
    assert_eq!(plan.period_rate_percent, "0.5000000000");
    assert_eq!(plan.effective_annual_rate_percent, "6.167781");
    let schedule = plan.schedule.expect("a schedule");
    assert_eq!((schedule[0].interest.as_str(), schedule[0].balance.as_str()), ("500.00", "99900.45"));
    assert_eq!(schedule[359].balance, "0.00");
}

#[test]
fn the_last_payment_takes_what_rounding_left() {
    let plan = plan(r#"{"principal": "1000.00", "annual_rate_percent": "0", "payments": 3, "currency": "EUR"}"#);
    assert_eq!((plan.first_payment.as_str(), plan.last_payment.as_str()), ("333.33", "333.34"));
    assert_eq!(plan.last_payment_adjustment.as_deref(), Some("0.01"));
    assert_eq!((plan.total_paid.as_str(), plan.total_interest.as_str()), ("1000.00", "0.00"));
}

#[test]
fn every_method_pays_back_the_principal_in_every_rounding() {
    for method in ["annuity", "equal_principal", "interest_only"] {
        for rounding in ["half_up", "half_even", "up", "down"] {
            for (currency, principal) in [("JPY", "7"), ("JPY", "1000003"), ("BHD", "99.999"), ("USD", "12345.67")] {
                let plan = plan(&format!(
                    r#"{{"principal": "{principal}", "annual_rate_percent": "7.35", "payments": 13, "method": "{method}",
                    "rounding": "{rounding}", "currency": "{currency}", "payments_per_year": 4}}"#
                ));
                let money = Money::of(currency).expect("a currency");
                let units = |text: &str| money.units("", &Number::parse(text).expect("a number")).expect("units");
                let rows = plan.schedule.expect("a schedule");
                let repaid: IBig = rows.iter().map(|row| units(&row.principal)).sum();
                assert_eq!(money.text(&repaid), money.text(&units(principal)), "{method} {rounding} {currency}");
                assert_eq!(units(&rows[rows.len() - 1].balance), IBig::ZERO);
                assert!(rows.iter().all(|row| units(&row.payment) == units(&row.interest) + units(&row.principal)));
            }
        }
    }
}

#[test]
fn the_other_methods_do_what_they_say() {
    let equal = plan(r#"{"principal": 1200, "annual_rate_percent": 12, "payments": 12, "method": "equal_principal"}"#);
    let rows = equal.schedule.expect("a schedule");
    assert_eq!((rows[0].payment.as_str(), rows[11].payment.as_str()), ("112.00", "101.00"));
    assert_eq!(equal.total_interest, "78.00");
    let bullet = plan(
        r#"{"principal": 1000, "annual_rate_percent": 5, "payments": 3, "payments_per_year": 1,
        "method": "interest_only", "first_payment_date": "2027-06-30"}"#,
    );
    let rows = bullet.schedule.expect("a schedule");
    assert_eq!((rows[0].payment.as_str(), rows[2].payment.as_str()), ("50.00", "1050.00"));
    assert_eq!(rows[2].date.as_deref(), Some("2029-06-30"));
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    let start = r#"{"principal": "#;
    for (rest, part) in [
        ("0, \"annual_rate_percent\": 5, \"payments\": 12}", "more than 0"),
        ("1.005, \"annual_rate_percent\": 5, \"payments\": 12}", "more decimals than USD"),
        ("1, \"annual_rate_percent\": -1, \"payments\": 12}", "from 0 to 1000"),
        ("1, \"annual_rate_percent\": 5, \"payments\": 0}", "from 1 to 1200"),
        ("1, \"annual_rate_percent\": 5, \"payments\": 1, \"payments_per_year\": 5}", "one of [1, 2"),
        ("1, \"annual_rate_percent\": 5, \"payments\": 1, \"first_payment_date\": \"soon\"}", "no date"),
    ] {
        let refusal = refused(&[start, rest].concat());
        assert!(refusal.contains(part), "{refusal}");
    }
}

#[test]
fn the_longest_loan_with_the_oddest_rate_is_planned() {
    let plan = plan(
        r#"{"principal": "99999999999999999999999999.99", "annual_rate_percent": "999.999999999999999999999999999",
        "payments": 1200, "with_schedule": false}"#,
    );
    assert_eq!(plan.payments_made, 1200);
    assert!(plan.schedule.is_none());
}
