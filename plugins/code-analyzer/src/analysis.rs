//! From a request to its answer: parse, walk the tree once, cut the lists to what an answer may hold.

use std::collections::BTreeMap;

use agentmem_plugin_sdk::kinds::code_analyzer::CodeRequest;
use tree_sitter::{Language as Grammar, Node, Parser, Tree};

use crate::facts::{Facts, Habits, SHOWN};
use crate::languages::Language;
use crate::report::{fit, Analysis, Complexity, Patterns};
use crate::requests::{check_length, Refusal};
use crate::source::Source;
use crate::walk::{walk, Roles};
use crate::{go, javascript, python, rust};

/// How many bytes of JSON each list of an answer may have; together they stay below 1 MiB.
const FUNCTIONS: usize = 520_000;
const CALLS: usize = 180_000;
const PATTERNS: usize = 120_000;
const CLASSES: usize = 60_000;
const IMPORTS: usize = 60_000;
const ERRORS: usize = 20_000;
/// The same for an answer of patterns alone.
const PATTERNS_ALONE: usize = 900_000;

/// What `analyze_code` answers.
///
/// # Errors
/// The code is too long or its language is not read.
pub fn analyze(request: &CodeRequest) -> Result<Analysis, Refusal> {
    let language = Language::choose(request.language.as_deref(), request.file_path.as_deref())?;
    let source = Source::new(&request.code);
    let facts = facts_of(&source, language)?;
    let mut truncated = BTreeMap::new();
    let cut = &mut truncated;
    Ok(Analysis {
        language: language.name(),
        file_path: request.file_path.clone(),
        lines: source.lines(),
        complexity: Complexity::of(&facts.functions),
        functions: fit(facts.functions, FUNCTIONS, "functions", cut),
        classes: fit(facts.classes, CLASSES, "classes", cut),
        imports: fit(facts.imports, IMPORTS, "imports", cut),
        calls: fit(facts.calls, CALLS, "calls", cut),
        patterns: fit(facts.patterns, PATTERNS, "patterns", cut),
        syntax_errors: fit(facts.errors, ERRORS, "syntax_errors", cut),
        truncated,
    })
}

/// What `extract_patterns` answers.
///
/// # Errors
/// As `analyze`.
pub fn patterns(request: &CodeRequest) -> Result<Patterns, Refusal> {
    let language = Language::choose(request.language.as_deref(), request.file_path.as_deref())?;
    let source = Source::new(&request.code);
    let facts = facts_of(&source, language)?;
    let mut counts = BTreeMap::new();
    for pattern in &facts.patterns {
        *counts.entry(pattern.id).or_insert(0) += 1;
    }
    let mut truncated = BTreeMap::new();
    Ok(Patterns {
        language: language.name(),
        file_path: request.file_path.clone(),
        patterns: fit(facts.patterns, PATTERNS_ALONE, "patterns", &mut truncated),
        counts,
        syntax_errors: fit(facts.errors, ERRORS, "syntax_errors", &mut truncated),
        truncated,
    })
}

/// Parse code and collect what is in it.
///
/// # Errors
/// The code is too long, or the parser gave up.
pub fn facts_of<'s>(source: &'s Source<'s>, language: Language) -> Result<Facts<'s>, Refusal> {
    check_length(source.text)?;
    let grammar = language.grammar();
    let tree = parse(source.text, &grammar)?;
    let facts = match language {
        Language::Python => collect(&tree, &grammar, source, python::HABITS, python::ROLES, python::read),
        Language::Rust => collect(&tree, &grammar, source, rust::HABITS, rust::ROLES, rust::read),
        Language::JavaScript => {
            collect(&tree, &grammar, source, javascript::HABITS, javascript::ROLES, javascript::read)
        }
        Language::Go => collect(&tree, &grammar, source, go::HABITS, go::ROLES, go::read),
    };
    Ok(facts)
}

fn parse(code: &str, grammar: &Grammar) -> Result<Tree, Refusal> {
    let mut parser = Parser::new();
    let tree = parser.set_language(grammar).ok().and_then(|()| parser.parse(code, None));
    tree.ok_or_else(|| Refusal("The parser gave up on this code. Split the file.".into()))
}

fn collect<'s, R: Copy>(
    tree: &Tree,
    grammar: &Grammar,
    source: &'s Source<'s>,
    habits: Habits,
    roles: &[(&str, R)],
    read: fn(R, Node, &mut Facts),
) -> Facts<'s> {
    let roles = Roles::new(grammar, roles);
    let mut facts = Facts::new(source, habits);
    let mut wrong_until = 0;
    walk(tree, |node, depth| {
        facts.at(depth);
        if (node.is_error() || node.is_missing()) && node.start_byte() >= wrong_until {
            facts.error(complaint(node, &facts), node);
            wrong_until = node.end_byte();
        }
        if let Some(role) = roles.of(node) {
            read(role, node, &mut facts);
        }
    });
    facts.finish();
    facts
}

/// What is wrong at a node that the grammar has no place for.
fn complaint(node: Node, facts: &Facts) -> String {
    if node.is_missing() {
        return format!("missing {}", node.kind());
    }
    match facts.source.clip(node, SHOWN / 2) {
        text if text.is_empty() => "unexpected end".into(),
        text => format!("unexpected {text:?}"),
    }
}
