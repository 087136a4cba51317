//! The patterns there are: each with an id, how grave it is, and what is wrong with it.

/// What is known of a pattern.
#[derive(Debug)]
pub struct Finding {
    /// The id that answers carry.
    pub id: &'static str,
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// What is wrong, and what to do instead.
    pub message: &'static str,
}

const fn finding(id: &'static str, severity: &'static str, message: &'static str) -> Finding {
    Finding { id, severity, message }
}

/// Every pattern, by id.
pub const FINDINGS: &[Finding] = &[
    finding("allow_attribute", "info", "A lint is switched off here."),
    finding(
        "bare_except",
        "warning",
        "A bare except catches KeyboardInterrupt and SystemExit too; name the exceptions.",
    ),
    finding("blank_import", "info", "A package is imported for its side effects only."),
    finding("broad_except", "warning", "Exception catches nearly everything; name the exceptions that are expected."),
    finding("console_output", "info", "Output for debugging is left in the code."),
    finding("debugger", "warning", "A breakpoint is left in the code."),
    finding(
        "dynamic_code",
        "error",
        "Code is made from text at run time; whoever controls the text controls the program.",
    ),
    finding("empty_catch", "warning", "An error is caught and dropped."),
    finding("expect", "info", "expect panics where there is no value; return the error where it can happen."),
    finding("fixme_comment", "warning", "A comment names something that is known to be broken."),
    finding("global_statement", "info", "A function changes a variable of its module."),
    finding("goto", "info", "goto hides the way the code runs."),
    finding("ignored_error", "info", "A result is thrown away; it may be an error."),
    finding("inner_html", "warning", "Text becomes HTML; with text of others that is cross-site scripting."),
    finding("loose_equality", "info", "== converts types before it compares; use ===."),
    finding("mutable_default", "warning", "A mutable default is made once and shared by all calls; use None."),
    finding("mutable_static", "warning", "A mutable static is a data race waiting; use an atomic or a lock."),
    finding("panic", "warning", "A panic ends the thread; return an error where the caller can go on."),
    finding(
        "shell_command",
        "warning",
        "A command goes through the shell; with text of others that is command injection.",
    ),
    finding("star_import", "warning", "A star import hides where names come from."),
    finding("todo_comment", "info", "A comment names something left to do."),
    finding("transmute", "error", "transmute reinterprets bytes without a check; use a conversion."),
    finding("unfinished", "warning", "The code is not written yet: this panics when it is reached."),
    finding("unsafe", "warning", "The compiler does not check this; the reason belongs beside it."),
    finding("unsafe_deserialization", "error", "Reading this format can run code of whoever wrote the data."),
    finding("unwrap", "warning", "unwrap panics where there is no value; handle the other case."),
    finding("var_declaration", "info", "var is visible in the whole function; use let or const."),
];

/// The pattern of an id.
pub fn of(id: &str) -> Option<&'static Finding> {
    FINDINGS.iter().find(|finding| finding.id == id)
}

/// The pattern that a comment's text is, if any.
pub fn of_comment(text: &str) -> Option<&'static str> {
    let mut words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
    words.find_map(|word| match word {
        "TODO" => Some("todo_comment"),
        "FIXME" | "XXX" | "HACK" | "BUG" => Some("fixme_comment"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_sorted_and_known_by_their_ids() {
        assert!(FINDINGS.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert_eq!(of("unwrap").map(|finding| finding.severity), Some("warning"));
        assert!(of("nothing").is_none());
    }

    #[test]
    fn comments_are_known_by_whole_words_in_capitals() {
        assert_eq!(of_comment("# TODO(ada): more"), Some("todo_comment"));
        assert_eq!(of_comment("// FIXME later"), Some("fixme_comment"));
        for other in ["# todo list", "/* TODOS */", "# the mastodon", ""] {
            assert_eq!(of_comment(other), None);
        }
    }
}
