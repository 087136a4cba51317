//! Citations: which memories an answer names, checked against those that the model was given.

use std::collections::BTreeSet;

/// Longest text in brackets that is looked at.
const LONGEST: usize = 400;

/// An answer whose citations were checked.
#[derive(Debug, PartialEq)]
pub struct Checked {
    /// The answer; labels are memory ids, and what is none is taken out.
    pub text: String,
    /// Places of the memories named, from 0, in the order of the answer.
    pub named: Vec<usize>,
    /// What was named and not given.
    pub dropped: Vec<String>,
}

/// The label of the memory at `place`.
pub fn label(place: usize) -> String {
    format!("M{}", place + 1)
}

/// Check the brackets in `answer` against `ids`, the memories in the order they were given.
pub fn check(answer: &str, ids: &[&str]) -> Checked {
    let mut checked = Checked { text: String::with_capacity(answer.len()), named: Vec::new(), dropped: Vec::new() };
    let (mut seen, mut lost) = (BTreeSet::new(), BTreeSet::new());
    let mut rest = answer;
    while let Some((before, inside, after)) = next_bracket(rest) {
        checked.text.push_str(before);
        match cited(inside, ids) {
            None => checked.text.extend(["[", inside, "]"]),
            Some(names) => {
                let known: Vec<usize> = names.iter().filter_map(|(_, place)| *place).collect();
                let unknown = names.iter().filter(|(_, place)| place.is_none()).map(|(name, _)| (*name).to_owned());
                checked.dropped.extend(unknown.filter(|name| lost.insert(name.clone())));
                checked.named.extend(known.iter().copied().filter(|place| seen.insert(*place)));
                let shown: Vec<&str> = known.iter().filter_map(|place| ids.get(*place).copied()).collect();
                if shown.is_empty() {
                    checked.text.truncate(checked.text.trim_end_matches(' ').len());
                } else {
                    checked.text.extend(["[", shown.join(", ").as_str(), "]"]);
                }
            }
        }
        rest = after;
    }
    checked.text.push_str(rest);
    checked
}

/// Text with every bracket that could be taken for a citation made round.
pub fn without_labels(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside, after)) = next_bracket(rest) {
        let (open, close) = if cited(inside, &[]).is_some() { ("(", ")") } else { ("[", "]") };
        plain.extend([before, open, inside, close]);
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// What stands before the next innermost brackets, in them, and after them.
fn next_bracket(text: &str) -> Option<(&str, &str, &str)> {
    let mut open = None;
    for (at, c) in text.char_indices() {
        match (c, open) {
            ('[', _) => open = Some(at),
            (']', Some(open)) => return Some((text.get(..open)?, text.get(open + 1..at)?, text.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

/// The memories that a bracket names, each with its place where it was given; nothing where it is no citation.
fn cited<'a>(inside: &'a str, ids: &[&str]) -> Option<Vec<(&'a str, Option<usize>)>> {
    if inside.len() > LONGEST {
        return None;
    }
    let names = inside.split([',', ';', ' ']).filter(|name| !name.is_empty());
    let found: Option<Vec<_>> = names.map(|name| place_of(name, ids).map(|place| (name, place))).collect();
    found.filter(|names| !names.is_empty())
}

/// The place of the memory that `name` means, `Some(None)` where it looks like one, nothing where it does not.
fn place_of(name: &str, ids: &[&str]) -> Option<Option<usize>> {
    if let Some(place) = ids.iter().position(|id| id.eq_ignore_ascii_case(name)) {
        return Some(Some(place));
    }
    let number = name.strip_prefix(['M', 'm']).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    if let Some(digits) = number.filter(|digits| !digits.is_empty()) {
        let place = digits.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        return Some(place.filter(|place| *place < ids.len()));
    }
    let looks_like_id = name.len() >= 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    looks_like_id.then_some(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 2] = ["0b6f4c7e-1111-4222-8333-444455556666", "1c6f4c7e-1111-4222-8333-444455556666"];

    fn shown(answer: &str) -> (String, Vec<usize>, Vec<String>) {
        let checked = check(answer, &IDS);
        (checked.text.replace(IDS[0], "A").replace(IDS[1], "B"), checked.named, checked.dropped)
    }

    #[test]
    fn labels_and_ids_become_ids() {
        assert_eq!(shown("Tea [M2], cups [m1; M2]."), ("Tea [B], cups [A, B].".into(), vec![1, 0], vec![]));
        assert_eq!(shown(&format!("Tea [{}].", IDS[0])), ("Tea [A].".into(), vec![0], vec![]));
    }

    #[test]
    fn what_was_not_given_is_dropped_and_said() {
        assert_eq!(shown("Tea [M3] and [M0].").0, "Tea and.");
        assert_eq!(shown("Tea [M3, M1] [M3].").2, ["M3"]);
        assert_eq!(shown("Tea [M3, M1].").0, "Tea [A].");
        let invented = "ffffffff-1111-4222-8333-444455556666";
        assert_eq!(shown(&format!("Tea [{invented}].")), ("Tea.".into(), vec![], vec![invented.to_owned()]));
        assert_eq!(shown("Tea [M99999999999999999999999].").2, ["M99999999999999999999999"]);
    }

    #[test]
    fn other_brackets_stay() {
        for text in ["a [note] b", "[]", "] [", "[[x]]", "a[0] ] [M] [1]", "no brackets", "", "[ ]", "x ] y ] z"] {
            assert_eq!(shown(text), (text.to_owned(), vec![], vec![]), "{text}");
        }
        assert_eq!(shown("a ] b [M1]"), ("a ] b [A]".into(), vec![0], vec![]));
        assert_eq!(shown("[[M1]]").0, "[[A]]");
    }

    #[test]
    fn memories_cannot_bring_labels_of_their_own() {
        assert_eq!(without_labels("see [M1], [note] and [M2, M7]"), "see (M1), [note] and (M2, M7)");
        assert_eq!(without_labels("] x [M1"), "] x [M1");
    }

    #[test]
    fn stray_brackets_are_text() {
        assert_eq!(check(&"]".repeat(100_000), &IDS).text.len(), 100_000);
        assert_eq!(check(&"[".repeat(100_000), &IDS).text.len(), 100_000);
    }
}
