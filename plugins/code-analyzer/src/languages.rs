//! The languages that are read, the names they go by, and the endings of their files.

use tree_sitter::Language as Grammar;

use crate::requests::Refusal;

/// A language that is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Language {
    /// Python 3.
    Python,
    /// Rust.
    Rust,
    /// JavaScript, with JSX.
    JavaScript,
    /// Go.
    Go,
}

/// All of them.
pub const LANGUAGES: [Language; 4] = [Language::Python, Language::Rust, Language::JavaScript, Language::Go];

impl Language {
    /// The name that answers carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Rust => "rust",
            Self::JavaScript => "javascript",
            Self::Go => "go",
        }
    }

    /// The endings of files and short names that mean this language.
    fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Python => &["py", "pyi", "pyw", "python3"],
            Self::Rust => &["rs"],
            Self::JavaScript => &["js", "mjs", "cjs", "jsx", "node", "ecmascript"],
            Self::Go => &["golang"],
        }
    }

    /// The tables of its parser.
    pub fn grammar(self) -> Grammar {
        match self {
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::Go => tree_sitter_go::LANGUAGE.into(),
        }
    }

    /// The language of a name or a file's ending, in any case.
    fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        LANGUAGES.into_iter().find(|language| language.name() == name || language.aliases().contains(&name.as_str()))
    }

    /// The language that a request names, or else the one of its file's ending.
    ///
    /// # Errors
    /// Neither names a language that is read; the sentence lists those that are.
    pub fn choose(language: Option<&str>, file_path: Option<&str>) -> Result<Self, Refusal> {
        if let Some(name) = language {
            let refused = || format!("The language {:?} is not read.", crate::source::clip(name, 40));
            return Self::named(name).ok_or_else(|| Refusal(format!("{} {}", refused(), expected())));
        }
        let Some(path) = file_path else {
            return Err(Refusal(format!("The request names neither a language nor a file_path. {}", expected())));
        };
        let file = file_name(path);
        file.rsplit_once('.').and_then(|(_, ending)| Self::named(ending)).ok_or_else(|| {
            Refusal(format!(
                "The name of the file {:?} says no language. {}",
                crate::source::clip(file, 80),
                expected()
            ))
        })
    }
}

/// The last part of a path, with slashes of either kind.
pub fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn expected() -> String {
    format!("Expected a \"language\" of {}.", LANGUAGES.map(Language::name).join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_goes_by_its_name_its_short_name_or_its_files() {
        for (language, path, found) in [
            (Some("Python"), None, Language::Python),
            (Some(" rs "), Some("a.py"), Language::Rust),
            (None, Some("src/a.test.MJS"), Language::JavaScript),
            (None, Some(r"C:\code\main.go"), Language::Go),
        ] {
            assert_eq!(Language::choose(language, path), Ok(found));
        }
    }

    #[test]
    fn an_unknown_language_is_refused_with_those_that_are_known() {
        for (language, path) in [(Some("cobol"), Some("a.py")), (None, Some("py")), (None, Some("a.")), (None, None)] {
            let refusal = Language::choose(language, path).unwrap_err().0;
            assert!(refusal.ends_with("Expected a \"language\" of python, rust, javascript, go."), "{refusal}");
        }
    }
}
