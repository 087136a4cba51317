//! Card numbers: the network by the first digits, its lengths, and the check digit.

use super::check_digits::luhn;
use super::problem::{Class, Problem};
use super::{grouped, part, Finding};

/// A network, the first digits of its cards from and to, and how long its numbers may be.
struct Range {
    network: &'static str,
    from: u32,
    to: u32,
    shortest: usize,
    longest: usize,
}

const fn range(network: &'static str, from: u32, to: u32, shortest: usize, longest: usize) -> Range {
    Range { network, from, to, shortest, longest }
}

/// Longer prefixes stand before the shorter ones that hold them.
const RANGES: [Range; 32] = [
    range("RuPay", 508_500, 508_999, 16, 16),
    range("RuPay", 606_985, 607_984, 16, 16),
    range("RuPay", 608_001, 608_500, 16, 16),
    range("RuPay", 652_150, 653_149, 16, 16),
    range("Verve", 506_099, 506_198, 16, 19),
    range("Verve", 650_002, 650_027, 16, 19),
    range("Mastercard", 2221, 2720, 16, 16),
    range("Mir", 2200, 2204, 16, 19),
    range("Diners Club", 3095, 3095, 14, 19),
    range("JCB", 3528, 3589, 16, 19),
    range("Discover", 6011, 6011, 16, 19),
    range("Maestro", 5018, 5018, 12, 19),
    range("Maestro", 5020, 5020, 12, 19),
    range("Maestro", 5038, 5038, 12, 19),
    range("Maestro", 5893, 5893, 12, 19),
    range("Maestro", 6304, 6304, 12, 19),
    range("Maestro", 6759, 6759, 12, 19),
    range("Maestro", 6761, 6763, 12, 19),
    range("Troy", 9792, 9792, 16, 16),
    range("Discover", 644, 649, 16, 19),
    range("Diners Club", 300, 305, 14, 19),
    range("American Express", 34, 34, 15, 15),
    range("American Express", 37, 37, 15, 15),
    range("Diners Club", 36, 36, 14, 19),
    range("Diners Club", 38, 39, 14, 19),
    range("Mastercard", 51, 55, 16, 16),
    range("Discover", 65, 65, 16, 19),
    range("UnionPay", 62, 62, 16, 19),
    range("UnionPay", 81, 81, 16, 19),
    range("Maestro", 67, 67, 12, 19),
    range("UATP", 1, 1, 15, 15),
    range("Visa", 4, 4, 13, 19),
];
/// What ISO/IEC 7812 allows, for a network that is not known.
const ANY: Range = range("unknown", 0, 0, 8, 19);

/// Whether a text is as many digits as most cards have.
pub fn resembles(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit()) && (12..=19).contains(&text.len())
}

/// Check a card number.
pub fn check(text: &str) -> Finding {
    let mut finding = Finding::default();
    let network = network_of(text).unwrap_or(&ANY);
    let length = text.chars().count();
    if !allowed(network, length) {
        let whose = match network.network {
            "unknown" => "A card".to_owned(),
            name => format!("A card of {name}"),
        };
        finding.problems.push(Problem::length(&whose, &lengths(network), length));
    }
    finding.problems.extend(Class::misfits(std::iter::repeat(Class::Digit), text));
    let (number, found) = (part(text, 0, length.saturating_sub(1)), part(text, length.saturating_sub(1), length));
    if finding.problems.is_empty() {
        let expected = luhn(&number).to_string();
        if found != expected {
            finding.problems.push(Problem::check_digits(length - 1, expected, found.clone()));
        }
    }
    finding.part("network", network.network);
    finding.part("issuer", part(text, 0, 6));
    finding.part("check_digits", found);
    finding
}

/// In the groups that are printed on cards.
pub fn format(text: &str) -> String {
    grouped(text, if matches!(text.chars().count(), 14 | 15) { &[4, 6, 5] } else { &[4] })
}

/// Visa's numbers have 13, 16 or 19 digits; the others' any number between two bounds.
fn allowed(network: &Range, length: usize) -> bool {
    let between = (network.shortest..=network.longest).contains(&length);
    between && (network.network != "Visa" || length % 3 == 1)
}

fn lengths(network: &Range) -> String {
    match (network.shortest, network.longest) {
        _ if network.network == "Visa" => "13, 16 or 19".to_owned(),
        (shortest, longest) if shortest == longest => shortest.to_string(),
        (shortest, longest) => format!("{shortest} to {longest}"),
    }
}

fn network_of(text: &str) -> Option<&'static Range> {
    RANGES.iter().find(|range| {
        let digits = range.from.to_string().len();
        text.get(..digits)
            .and_then(|prefix| prefix.parse().ok())
            .is_some_and(|prefix: u32| (range.from..=range.to).contains(&prefix))
    })
}
