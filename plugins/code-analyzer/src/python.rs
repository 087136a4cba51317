//! Python: what the nodes of its syntax tree say.
//!
//! Complexity is counted as mccabe and ruff's C901 count it: 1, and 1 more for each `if`, `elif`, `for`, `while`,
//! `except`, `else` of a `try`, `case` that can miss, and nested function with all of its own.

use tree_sitter::Node;

use crate::facts::{Facts, Habits, SHOWN};
use crate::python_findings;
use crate::report::{ImportedName, Parameter};
use crate::walk::{child, children, fields};

/// Dots between names; nested functions count.
pub const HABITS: Habits = Habits { separator: ".", nested_counts: true };

/// What a node means.
#[derive(Clone, Copy)]
pub enum Role {
    /// A function or method.
    Function,
    /// A class.
    Class,
    /// One more way through a function.
    Branch,
    /// One more way, and something that catches.
    Except,
    /// A `try`, whose `else` is one more way.
    Try,
    /// A `match`, each `case` of which is one more way.
    Match,
    /// `import a`
    Import,
    /// `from a import b`
    ImportFrom,
    /// A call.
    Call,
    /// A comment.
    Comment,
    /// `global a`
    Global,
    /// A statement of Python 2.
    Old,
}

/// The kinds of nodes that mean something.
pub const ROLES: &[(&str, Role)] = &[
    ("function_definition", Role::Function),
    ("class_definition", Role::Class),
    ("if_statement", Role::Branch),
    ("elif_clause", Role::Branch),
    ("for_statement", Role::Branch),
    ("while_statement", Role::Branch),
    ("except_clause", Role::Except),
    ("except_group_clause", Role::Except),
    ("try_statement", Role::Try),
    ("match_statement", Role::Match),
    ("import_statement", Role::Import),
    ("import_from_statement", Role::ImportFrom),
    ("future_import_statement", Role::ImportFrom),
    ("call", Role::Call),
    ("comment", Role::Comment),
    ("global_statement", Role::Global),
    ("print_statement", Role::Old),
    ("exec_statement", Role::Old),
];

/// Read a node.
pub fn read(role: Role, node: Node, facts: &mut Facts) {
    match role {
        Role::Function => function(node, facts),
        Role::Class => class(node, facts),
        Role::Branch => facts.branch(1),
        Role::Except => {
            facts.branch(1);
            python_findings::handler(node, facts);
        }
        Role::Try => facts.branch(usize::from(child(node, "else_clause").is_some())),
        Role::Match => facts.branch(cases(node, facts)),
        Role::Import => import(node, facts),
        Role::ImportFrom => import_from(node, facts),
        Role::Call => call(node, facts),
        Role::Comment => facts.comment(node),
        Role::Global => facts.found("global_statement", node),
        Role::Old => facts.error("this statement is Python 2; in Python 3 it is a function".into(), node),
    }
}

fn function(node: Node, facts: &mut Facts) {
    let parameters_node = node.child_by_field_name("parameters");
    let parameters = parameters_node.map(|list| parameters(list, facts)).unwrap_or_default();
    let name = node.child_by_field_name("name").map_or("", |name| facts.source.of(name));
    let returns = node.child_by_field_name("return_type").map(|node| facts.source.clip(node, SHOWN));
    let end_line = last_line(node);
    let function = facts.open_function(name, node, parameters);
    function.end_line = end_line;
    function.is_async = child(node, "async").is_some();
    function.returns = returns;
    if let Some(list) = parameters_node {
        python_findings::defaults(list, facts);
    }
}

fn class(node: Node, facts: &mut Facts) {
    let bases = node.child_by_field_name("superclasses").map(children).unwrap_or_default();
    let bases = bases.into_iter().filter(|base| !matches!(base.kind(), "comment" | "keyword_argument"));
    let bases = bases.map(|base| facts.source.clip(base, SHOWN)).collect();
    let name = node.child_by_field_name("name").map_or("", |name| facts.source.of(name));
    facts.open_class(name, "class", bases, node).end_line = last_line(node);
}

/// The line in which the code of a block ends; the grammar counts comments behind it as part of it.
fn last_line(mut node: Node) -> usize {
    loop {
        let mut cursor = node.walk();
        let code =
            node.children(&mut cursor).filter(|child| !child.is_extra() && child.end_byte() > child.start_byte());
        match code.last() {
            Some(last) => node = last,
            None => return node.end_position().row + 1,
        }
    }
}

/// The parameters in a list of them.
fn parameters(list: Node, facts: &Facts) -> Vec<Parameter> {
    let mut found: Vec<Parameter> = Vec::new();
    let mut after = None;
    for node in children(list) {
        match node.kind() {
            "positional_separator" => {
                found.iter_mut().for_each(|parameter| parameter.kind = Some("positional_only"));
            }
            "keyword_separator" => after = Some("keyword_only"),
            "comment" | "line_continuation" => {}
            _ => {
                let parameter = parameter(node, after, facts);
                if parameter.kind == Some("variadic") {
                    after = Some("keyword_only");
                }
                found.push(parameter);
            }
        }
    }
    found
}

fn parameter(node: Node, kind: Option<&'static str>, facts: &Facts) -> Parameter {
    let name = node.child_by_field_name("name").or_else(|| {
        let typed = node.kind() == "typed_parameter";
        if typed {
            node.named_child(0)
        } else {
            Some(node)
        }
    });
    let name = name.unwrap_or(node);
    let kind = match name.kind() {
        "list_splat_pattern" => Some("variadic"),
        "dictionary_splat_pattern" => Some("keyword_variadic"),
        _ => kind,
    };
    Parameter {
        name: facts.source.clip(name, SHOWN).trim_start_matches(['*', ' ']).to_owned(),
        kind,
        annotation: node.child_by_field_name("type").map(|node| facts.source.clip(node, SHOWN)),
        default: node.child_by_field_name("value").map(|node| facts.source.clip(node, SHOWN)),
    }
}

/// How many cases of a `match` are ways of their own: all but a last one that takes everything.
fn cases(node: Node, facts: &Facts) -> usize {
    let body = node.child_by_field_name("body").map(children).unwrap_or_default();
    let cases: Vec<Node> = body.into_iter().filter(|node| node.kind() == "case_clause").collect();
    cases.len() - usize::from(cases.last().is_some_and(|case| takes_everything(*case, facts)))
}

fn takes_everything(case: Node, facts: &Facts) -> bool {
    let inner = children(case);
    let mut patterns = inner.into_iter().filter(|node| node.kind() == "case_pattern");
    let (Some(pattern), None) = (patterns.next(), patterns.next()) else { return false };
    case.child_by_field_name("guard").is_none() && {
        let text = facts.source.of(pattern).trim_matches(['(', ')', ' ']);
        let last = text.rsplit('|').next().unwrap_or(text).trim();
        let is_name = !last.is_empty() && last.chars().all(|character| character.is_alphanumeric() || character == '_');
        is_name && !last.starts_with(|first: char| first.is_numeric()) && !["None", "True", "False"].contains(&last)
    }
}

fn import(node: Node, facts: &mut Facts) {
    for name in fields(node, "name") {
        let (module, alias) = renamed(name, facts);
        facts.import(&module, alias, None, node);
    }
}

fn import_from(node: Node, facts: &mut Facts) {
    let module =
        node.child_by_field_name("module_name").map_or("__future__".into(), |name| without_blanks(name, facts));
    for name in fields(node, "name") {
        let (name, alias) = renamed(name, facts);
        facts.import(&module, None, Some(ImportedName { name, alias }), node);
    }
    if child(node, "wildcard_import").is_some() {
        facts.import(&module, None, Some(ImportedName { name: "*".into(), alias: None }), node);
        facts.found("star_import", node);
    }
}

/// A name and what it is called here.
fn renamed(node: Node, facts: &Facts) -> (String, Option<String>) {
    let name = node.child_by_field_name("name").unwrap_or(node);
    (without_blanks(name, facts), node.child_by_field_name("alias").map(|alias| facts.source.clip(alias, SHOWN)))
}

fn without_blanks(node: Node, facts: &Facts) -> String {
    facts.source.clip(node, SHOWN).replace(' ', "")
}

fn call(node: Node, facts: &mut Facts) {
    let Some(callee) = node.child_by_field_name("function") else { return };
    let name = called(callee, facts);
    facts.call(name, node);
    python_findings::call(name, node, facts);
}

/// What a call is known by: a dotted name, or else the last part of the expression.
fn called<'s>(callee: Node, facts: &Facts<'s>) -> &'s str {
    let text = if callee.end_byte() - callee.start_byte() <= SHOWN { facts.source.of(callee) } else { "" };
    let dotted = |character: char| character.is_alphanumeric() || character == '_' || character == '.';
    if !text.is_empty() && text.chars().all(dotted) {
        return text;
    }
    let last = callee.child_by_field_name("attribute");
    last.map_or("<expression>", |last| facts.source.of(last))
}
