//! Differences of two texts, by line as a patch or by word in place.

use std::fmt;

use agentmem_plugin_sdk::prelude::*;
use imara_diff::{Algorithm, Diff, InternedInput, Interner, Token, UnifiedDiffConfig, UnifiedDiffPrinter};
use unicode_segmentation::UnicodeSegmentation;

/// What is compared.
#[data]
#[derive(Copy, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Lines, told as a unified diff that `patch` takes
    #[default]
    Line,
    /// Words, told in the text as [-removed-] and {+added+}
    Word,
}

/// What `diff` is called with.
#[request]
pub struct Request {
    /// The text before
    pub before: String,
    /// The text after
    pub after: String,
    /// What is compared
    #[serde(default)]
    pub by: By,
    /// How many unchanged lines stand around a change, when comparing by line
    #[serde(default = "three")]
    #[schemars(range(min = 0, max = 100))]
    pub context: u32,
    /// What the text is called in the diff's head
    #[serde(default = "text")]
    #[schemars(length(max = 200))]
    pub name: String,
}

/// What `diff` answers.
#[response]
pub struct Response {
    /// Whether the texts are the same to the byte
    pub identical: bool,
    /// How many lines or words were added
    pub added: u32,
    /// How many lines or words were removed
    pub removed: u32,
    /// The difference; empty for the same texts
    pub diff: String,
}

/// Compare two texts.
///
/// # Errors
/// When the name has a line end, or too many lines of context are asked for.
pub fn compare(request: &Request) -> Result<Response, Error> {
    if request.name.contains(['\n', '\r']) || request.context > 100 {
        return Err("`name` must be one line, and `context` at most 100.".into());
    }
    Ok(match request.by {
        By::Line => by_line(request),
        By::Word => by_word(request),
    })
}

fn by_line(request: &Request) -> Response {
    let input = InternedInput::new(request.before.as_str(), request.after.as_str());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let mut config = UnifiedDiffConfig::default();
    config.context_len(request.context);
    let hunks = diff.unified_diff(&Lines(&input.interner), config, &input).to_string();
    let head = format!("--- a/{0}\n+++ b/{0}\n", request.name);
    let told = if hunks.is_empty() { hunks } else { head + &hunks };
    answer(request, diff.count_additions(), diff.count_removals(), told)
}

fn by_word(request: &Request) -> Response {
    let mut input = InternedInput::default();
    input.update_before(request.before.split_word_bounds());
    input.update_after(request.after.split_word_bounds());
    let diff = Diff::compute(Algorithm::Histogram, &input);
    let text = |tokens: &[Token]| tokens.iter().map(|token| input.interner[*token]).collect::<String>();
    let words = |tokens: &[Token]| tokens.iter().filter(|token| is_word(input.interner[**token])).count() as u32;
    let (mut told, mut at, mut added, mut removed) = (String::new(), 0, 0, 0);
    for hunk in diff.hunks() {
        let same = input.before.get(at as usize..hunk.before.start as usize).unwrap_or_default();
        let old = input.before.get(hunk.before.start as usize..hunk.before.end as usize).unwrap_or_default();
        let new = input.after.get(hunk.after.start as usize..hunk.after.end as usize).unwrap_or_default();
        told.push_str(&text(same));
        if !old.is_empty() {
            told += &format!("[-{}-]", text(old));
        }
        if !new.is_empty() {
            told += &format!("{{+{}+}}", text(new));
        }
        at = hunk.before.end;
        added += words(new);
        removed += words(old);
    }
    told.push_str(&text(input.before.get(at as usize..).unwrap_or_default()));
    answer(request, added, removed, told)
}

fn answer(request: &Request, added: u32, removed: u32, diff: String) -> Response {
    let identical = request.before == request.after;
    Response { identical, added, removed, diff: if identical { String::new() } else { diff } }
}

fn is_word(token: &str) -> bool {
    token.chars().any(char::is_alphanumeric)
}

/// Writes hunks as `diff -u` does, with the mark for a last line that has no end.
struct Lines<'a>(&'a Interner<&'a str>);

impl Lines<'_> {
    fn write(&self, mut f: impl fmt::Write, mark: char, tokens: &[Token]) -> fmt::Result {
        for token in tokens {
            let line = self.0[*token];
            write!(f, "{mark}{line}")?;
            if !line.ends_with('\n') {
                f.write_str("\n\\ No newline at end of file\n")?;
            }
        }
        Ok(())
    }
}

impl UnifiedDiffPrinter for Lines<'_> {
    fn display_header(
        &self,
        mut f: impl fmt::Write,
        start_before: u32,
        start_after: u32,
        len_before: u32,
        len_after: u32,
    ) -> fmt::Result {
        // An empty range is named by the line before it.
        let before = start_before + u32::from(len_before > 0);
        let after = start_after + u32::from(len_after > 0);
        writeln!(f, "@@ -{before},{len_before} +{after},{len_after} @@")
    }

    fn display_context_token(&self, f: impl fmt::Write, token: Token) -> fmt::Result {
        self.write(f, ' ', &[token])
    }

    fn display_hunk(&self, mut f: impl fmt::Write, before: &[Token], after: &[Token]) -> fmt::Result {
        self.write(&mut f, '-', before)?;
        self.write(&mut f, '+', after)
    }
}

fn three() -> u32 {
    3
}

fn text() -> String {
    "text".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, after: &str, by: &str) -> Response {
        let request = json!({"before": before, "after": after, "by": by, "name": "x"});
        compare(&serde_json::from_value(request).expect("a request")).expect("an answer")
    }

    #[test]
    fn lines_make_a_patch() {
        let told = told("a\nb\nc\n", "a\nB\nc", "line");
        let expected = "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n-c\n+B\n+c\n\\ No newline at end of file\n";
        assert_eq!((told.diff.as_str(), told.added, told.removed, told.identical), (expected, 2, 2, false));
    }

    #[test]
    fn words_are_marked_in_place() {
        let told = told("The quick fox, here.", "The slow fox is here.", "word");
        assert_eq!(told.diff, "The [-quick-]{+slow+} fox[-,-]{+ is+} here.");
        assert_eq!((told.added, told.removed), (2, 1));
    }

    #[test]
    fn what_is_new_or_gone_altogether_is_named_by_the_line_before() {
        assert!(told("", "a\n", "line").diff.contains("@@ -0,0 +1,1 @@\n+a\n"));
        assert!(told("a\n", "", "line").diff.contains("@@ -1,1 +0,0 @@\n-a\n"));
        let same = told("a", "a", "word");
        assert!(same.identical && same.diff.is_empty());
    }
}
