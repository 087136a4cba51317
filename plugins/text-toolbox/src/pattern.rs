//! Regular expressions: finding and replacing, in time linear in the text.

use std::collections::BTreeMap;

use agentmem_plugin_sdk::prelude::*;
use regex::{Captures, Regex, RegexBuilder};

use crate::answer::{too_long, LONGEST};

/// How much memory a compiled expression may take, in bytes.
const SIZE_LIMIT: usize = 2 << 20;

/// What `regex_find` is called with.
#[request]
pub struct FindRequest {
    /// The regular expression, without slashes: "(?<year>\\d{4})-\\d\\d". No look-around, no back-references
    #[schemars(length(max = 10_000))]
    pub pattern: String,
    /// The text to search
    pub text: String,
    /// Whether capitals do not matter
    #[serde(default)]
    pub ignore_case: bool,
    /// Whether ^ and $ also match at line ends
    #[serde(default)]
    pub multi_line: bool,
    /// Whether . also matches a line end
    #[serde(default)]
    pub dot_all: bool,
    /// How many matches at most
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: usize,
}

/// One match.
#[response]
pub struct Match {
    /// The text that matched
    pub text: String,
    /// Where it begins, in characters from 0
    pub start: usize,
    /// Where it ends
    pub end: usize,
    /// Its line, from 1
    pub line: usize,
    /// The groups in order, without the whole; null for one that took no part
    pub groups: Vec<Option<String>>,
    /// The groups that have names
    pub named: BTreeMap<String, String>,
}

/// What `regex_find` answers.
#[response]
pub struct Found {
    /// The matches, in the order of the text
    pub matches: Vec<Match>,
    /// How many there are in the list
    pub count: usize,
    /// Whether there are more than `limit`
    pub more: bool,
}

/// What `regex_replace` is called with.
#[request]
pub struct ReplaceRequest {
    /// The regular expression, without slashes. No look-around, no back-references
    #[schemars(length(max = 10_000))]
    pub pattern: String,
    /// The text
    pub text: String,
    /// What takes the place of each match: $1 or ${name} is a group, $0 the match, $$ a dollar
    pub replacement: String,
    /// Whether capitals do not matter
    #[serde(default)]
    pub ignore_case: bool,
    /// Whether ^ and $ also match at line ends
    #[serde(default)]
    pub multi_line: bool,
    /// Whether . also matches a line end
    #[serde(default)]
    pub dot_all: bool,
    /// True takes `replacement` as it is, dollars and all
    #[serde(default)]
    pub literal: bool,
    /// How many replacements at most; left out, all
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub limit: Option<usize>,
}

/// What `regex_replace` answers.
#[response]
pub struct Replaced {
    /// The text with the replacements
    pub text: String,
    /// How many there were
    pub replacements: usize,
}

/// Find matches.
///
/// # Errors
/// When the expression is none, or the limit is out of bounds.
pub fn find(request: &FindRequest) -> Result<Found, Error> {
    if !(1..=1000).contains(&request.limit) {
        return Err("`limit` must be from 1 to 1000.".into());
    }
    let regex = compiled(&request.pattern, [request.ignore_case, request.multi_line, request.dot_all])?;
    let mut place = Place::default();
    let mut matches = Vec::new();
    let mut all = regex.captures_iter(&request.text);
    let mut bytes = 0;
    for captures in all.by_ref().take(request.limit) {
        bytes += captures.iter().flatten().map(|group| group.len()).sum::<usize>();
        if bytes > LONGEST {
            return Err(too_long());
        }
        matches.push(found(&regex, &captures, &request.text, &mut place));
    }
    Ok(Found { count: matches.len(), matches, more: all.next().is_some() })
}

/// Replace matches.
///
/// # Errors
/// When the expression is none, or the text becomes too long.
pub fn replace(request: &ReplaceRequest) -> Result<Replaced, Error> {
    let regex = compiled(&request.pattern, [request.ignore_case, request.multi_line, request.dot_all])?;
    let (mut text, mut at, mut replacements) = (String::with_capacity(request.text.len()), 0, 0);
    for captures in regex.captures_iter(&request.text).take(request.limit.unwrap_or(usize::MAX)) {
        let Some(whole) = captures.get(0) else { continue };
        text.push_str(request.text.get(at..whole.start()).unwrap_or_default());
        if request.literal {
            text.push_str(&request.replacement);
        } else {
            captures.expand(&request.replacement, &mut text);
        }
        if text.len() > LONGEST {
            return Err(too_long());
        }
        at = whole.end();
        replacements += 1;
    }
    text.push_str(request.text.get(at..).unwrap_or_default());
    Ok(Replaced { text, replacements })
}

fn compiled(pattern: &str, [ignore_case, multi_line, dot_all]: [bool; 3]) -> Result<Regex, Error> {
    let mut builder = RegexBuilder::new(pattern);
    builder.case_insensitive(ignore_case).multi_line(multi_line).dot_matches_new_line(dot_all);
    builder.size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT).nest_limit(100);
    builder.build().map_err(|reason| match reason {
        regex::Error::CompiledTooBig(_) => {
            "`pattern` becomes too large. Repeat less in it, such as {1,50} in place of {1,5000}.".into()
        }
        reason => {
            let told = reason.to_string();
            let around = if told.contains("look-around") || told.contains("backreferences") {
                " Search without it and look at the groups: every search here is linear in time."
            } else {
                ""
            };
            format!("`pattern` is no regular expression: {told}.{around}").into()
        }
    })
}

fn found(regex: &Regex, captures: &Captures, text: &str, place: &mut Place) -> Match {
    let (from, to) = captures.get(0).map_or((0, 0), |whole| (whole.start(), whole.end()));
    place.go(text, from);
    let (start, line) = (place.chars, place.line);
    let group = |index: usize| captures.get(index).map(|group| group.as_str().to_owned());
    let named = regex
        .capture_names()
        .flatten()
        .filter_map(|name| Some((name.to_owned(), captures.name(name)?.as_str().to_owned())));
    let matched = text.get(from..to).unwrap_or_default();
    Match {
        end: start + matched.chars().count(),
        text: matched.to_owned(),
        start,
        line,
        groups: (1..captures.len()).map(group).collect(),
        named: named.collect(),
    }
}

/// A place in a text, which is counted up to once.
struct Place {
    byte: usize,
    chars: usize,
    line: usize,
}

impl Default for Place {
    fn default() -> Self {
        Place { byte: 0, chars: 0, line: 1 }
    }
}

impl Place {
    fn go(&mut self, text: &str, byte: usize) {
        let between = text.get(self.byte..byte).unwrap_or_default();
        self.chars += between.chars().count();
        self.line += between.bytes().filter(|byte| *byte == b'\n').count();
        self.byte = byte;
    }
}

fn hundred() -> usize {
    100
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(request: Value) -> Result<Found, String> {
        find(&serde_json::from_value(request).expect("a request")).map_err(|error| error.to_string())
    }

    fn replacing(request: Value) -> Result<Replaced, String> {
        replace(&serde_json::from_value(request).expect("a request")).map_err(|error| error.to_string())
    }

    #[test]
    fn matches_have_places_and_groups() {
        let found =
            finding(json!({"pattern": r"(?<y>\d{4})-(\d\d)(x)?", "text": "ü\n2026-11, 1999-01"})).expect("found");
        assert_eq!(found.count, 2);
        let first = &found.matches[0];
        assert_eq!((first.text.as_str(), first.start, first.end, first.line), ("2026-11", 2, 9, 2));
        assert_eq!(first.groups, [Some("2026".into()), Some("11".into()), None]);
        assert_eq!(found.matches[1].named["y"], "1999");
    }

    #[test]
    fn the_limit_says_that_there_are_more() {
        let found = finding(json!({"pattern": "", "text": "世界", "limit": 2})).expect("found");
        assert!(found.more && found.matches[1].start == 1);
        assert!(!finding(json!({"pattern": "", "text": "世界", "limit": 3})).expect("found").more);
    }

    #[test]
    fn matches_that_are_too_long_together_are_refused() {
        let request = json!({"pattern": "(?s)((((a.*))))|", "text": "a".repeat(300_000)});
        assert!(finding(request).unwrap_err().contains("more than 1000000 bytes"));
    }

    #[test]
    fn an_expression_that_is_none_is_refused_with_its_place() {
        assert!(finding(json!({"pattern": "(a", "text": ""})).unwrap_err().contains("unclosed group"));
        assert!(finding(json!({"pattern": "(?=a)", "text": ""})).unwrap_err().contains("linear in time"));
        assert!(finding(json!({"pattern": "(a{1000}){1000}", "text": ""})).unwrap_err().contains("too large"));
    }

    #[test]
    fn a_pattern_that_others_hang_on_is_quick() {
        let text = "a".repeat(5_000) + "!";
        assert_eq!(finding(json!({"pattern": "^(a+)+$", "text": text})).expect("found").count, 0);
    }

    #[test]
    fn groups_go_into_the_replacement() {
        let request = json!({"pattern": r"(\w+)@(\w+)", "text": "ada@home", "replacement": "$2: ${1}$$"});
        assert_eq!(replacing(request).expect("replaced").text, "home: ada$");
        let request = json!({"pattern": "A", "text": "aaa", "replacement": "$1", "literal": true, "ignore_case": true, "limit": 2});
        let replaced = replacing(request).expect("replaced");
        assert_eq!((replaced.text.as_str(), replaced.replacements), ("$1$1a", 2));
    }

    #[test]
    fn a_text_that_explodes_is_refused() {
        let request = json!({"pattern": "a", "text": "a".repeat(2000), "replacement": "b".repeat(1000)});
        assert!(replacing(request).unwrap_err().contains("more than 1000000 bytes"));
    }
}
