use super::*;

fn checked(value: &str, kind: Option<Kind>) -> Response {
    validate(&Request { value: value.to_owned(), kind }).expect("an answer")
}

fn told(value: &str) -> (Kind, Vec<String>) {
    let answer = checked(value, None);
    (answer.kind, answer.problems.into_iter().map(|problem| problem.message).collect())
}

/// Examples that the issuers of the standards, the SWIFT register and card networks publish.
const PUBLISHED: [(Kind, &str); 33] = [
    (Kind::Iban, "GB29 NWBK 6016 1331 9268 19"),
    (Kind::Iban, "DE89370400440532013000"),
    (Kind::Iban, "FR14 2004 1010 0505 0001 3M02 606"),
    (Kind::Iban, "IBAN: BE68 5390 0754 7034"),
    (Kind::Iban, "NO9386011117947"),
    (Kind::Iban, "MT84MALT011000012345MTLCAST001S"),
    (Kind::Iban, "LC55HEMM000100010012001200023015"),
    (Kind::Iban, "SC18SSCB11010000000000001497USD"),
    (Kind::Iban, "BR1800360305000010009795493C1"),
    (Kind::Iban, "ch93-0076-2011-6238-5295-7"),
    (Kind::Bic, "DEUTDEFF"),
    (Kind::Bic, "NEDSZAJJXXX"),
    (Kind::Bic, "UNCRITMM"),
    (Kind::Isin, "US0378331005"),
    (Kind::Isin, "AU0000XVGZA3"),
    (Kind::Isin, "GB0002634946"),
    (Kind::Isin, "XS2021448886"),
    (Kind::Lei, "506700GE1G29325QX363"),
    (Kind::Lei, "7H6GLXDRUGQFU57RNE97"),
    (Kind::Lei, "529900T8BM49AURSDO55"),
    (Kind::Card, "4111 1111 1111 1111"),
    (Kind::Card, "5555555555554444"),
    (Kind::Card, "2223003122003222"),
    (Kind::Card, "3782-822463-10005"),
    (Kind::Card, "6011111111111117"),
    (Kind::Card, "30569309025904"),
    (Kind::Card, "3530111333300000"),
    (Kind::Card, "6200000000000005"),
    (Kind::Card, "4222222222222"),
    (Kind::Card, "6759649826438453"),
    (Kind::Card, "2200000000000004"),
    (Kind::Card, "6304000000000000"),
    (Kind::Card, "122000000000003"),
];

#[test]
fn published_examples_are_right_and_their_kind_is_guessed() {
    for (kind, value) in PUBLISHED {
        let answer = checked(value, None);
        assert_eq!((answer.kind, answer.valid, answer.guessed), (kind, true, true), "{value}: {:?}", answer.problems);
    }
}

#[test]
fn one_wrong_digit_is_found_wherever_it_is() {
    for (kind, value) in PUBLISHED.into_iter().filter(|(kind, _)| *kind != Kind::Bic) {
        let normalized = checked(value, Some(kind)).normalized;
        for (at, c) in normalized.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
            let other = char::from(if c == '9' { b'0' } else { c as u8 + 1 });
            let mut wrong = normalized.clone();
            wrong.replace_range(at..=at, &other.to_string());
            assert!(!checked(&wrong, Some(kind)).valid, "{wrong}");
        }
    }
}

#[test]
fn check_digits_are_told_as_they_should_be() {
    let answer = checked("DE88 3704 0044 0532 0130 00", None);
    let problem = answer.problems.first().expect("a problem");
    assert_eq!((problem.reason, problem.position), (Reason::CheckDigits, Some(3)));
    assert_eq!((problem.expected.as_str(), problem.found.as_str()), ("89", "88"));
    assert_eq!(told("4111111111111112").1, ["The check digits are 2, and the other characters ask for 1."]);
    assert_eq!(told("US0378331006").1, ["The check digits are 6, and the other characters ask for 5."]);
    assert_eq!(told("506700GE1G29325QX364").1, ["The check digits are 64, and the other characters ask for 63."]);
}

#[test]
fn every_reason_is_told_with_its_place() {
    let (kind, problems) = told("DE89 3704 0044 O532 0130 0");
    assert_eq!(kind, Kind::Iban);
    assert_eq!(
        problems,
        ["An IBAN of DE has 22 characters, and this has 21.", "Character 13 is 'O', and a digit is expected there.",]
    );
    let lacking = checked("ZZ89370400440532013000", Some(Kind::Iban)).problems;
    assert_eq!(lacking[0].message, "'ZZ' is not a country that has IBANs (SWIFT's register).");
    assert_eq!(told("DEUTQQFF").1, ["'QQ' is not a country of ISO 3166-1."]);
    assert_eq!(told("378282246310").1[0], "A card of American Express has 15 characters, and this has 12.");
}

#[test]
fn parts_are_named() {
    let parts = checked("DEUTDEFF500", None).parts;
    assert_eq!((parts["institution"].as_str(), parts["country"].as_str()), ("DEUT", "DE"));
    assert_eq!((parts["country_name"].as_str(), parts["branch"].as_str()), ("Germany", "500"));
    assert_eq!(checked("6200000000000005", None).parts["network"], "UnionPay");
    assert_eq!(checked("378282246310005", None).formatted, "3782 822463 10005");
    assert_eq!(checked("us0378331005", None).formatted, "US 037833100 5");
}

#[test]
fn what_has_no_form_is_refused() {
    for value in ["hello", "", " - ", "12345", "世界"] {
        assert!(validate(&Request { value: value.into(), kind: None }).is_err(), "{value}");
    }
    for kind in [Kind::Iban, Kind::Bic, Kind::Isin, Kind::Lei, Kind::Card] {
        for value in ["世界世界世界世界世界", "1", "D", "ß€", "٣٤٥٦٧٨٩٠١٢٣٤"] {
            assert!(!checked(value, Some(kind)).valid, "{value} as {kind:?}");
        }
    }
}
