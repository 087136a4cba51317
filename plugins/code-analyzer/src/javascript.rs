//! JavaScript: what the nodes of its syntax tree say.
//!
//! Complexity is 1, and 1 more for each `if`, loop, `case`, `?:`, `&&`, `||`, `??` and their assignments, for each
//! function by itself.

use tree_sitter::Node;

use crate::facts::{Facts, Habits, SHOWN};
use crate::javascript_findings as look;
use crate::javascript_modules as modules;
use crate::report::Parameter;
use crate::walk::{child, children};

/// Dots between names; nested functions count for themselves.
pub const HABITS: Habits = Habits { separator: ".", nested_counts: false };

/// What a node means.
#[derive(Clone, Copy)]
pub enum Role {
    /// A function, arrow or method.
    Function,
    /// A class.
    Class,
    /// Something that gives a function on its right the name on its left.
    Naming(&'static str, &'static str),
    /// One more way through a function.
    Branch,
    /// Two operands.
    Binary,
    /// An assignment with an operator.
    Update,
    /// `import …`
    Import,
    /// `export …`, perhaps from another module.
    Export,
    /// A call.
    Call,
    /// `new …`
    New,
    /// `catch`
    Catch,
    /// `var …`
    Var,
    /// `debugger`
    Debugger,
    /// A comment.
    Comment,
}

/// The kinds of nodes that mean something.
pub const ROLES: &[(&str, Role)] = &[
    ("function_declaration", Role::Function),
    ("generator_function_declaration", Role::Function),
    ("function_expression", Role::Function),
    ("generator_function", Role::Function),
    ("arrow_function", Role::Function),
    ("method_definition", Role::Function),
    ("class_declaration", Role::Class),
    ("class", Role::Class),
    ("variable_declarator", Role::Naming("name", "value")),
    ("assignment_expression", Role::Naming("left", "right")),
    ("pair", Role::Naming("key", "value")),
    ("field_definition", Role::Naming("property", "value")),
    ("if_statement", Role::Branch),
    ("for_statement", Role::Branch),
    ("for_in_statement", Role::Branch),
    ("while_statement", Role::Branch),
    ("do_statement", Role::Branch),
    ("switch_case", Role::Branch),
    ("ternary_expression", Role::Branch),
    ("binary_expression", Role::Binary),
    ("augmented_assignment_expression", Role::Update),
    ("import_statement", Role::Import),
    ("export_statement", Role::Export),
    ("call_expression", Role::Call),
    ("new_expression", Role::New),
    ("catch_clause", Role::Catch),
    ("variable_declaration", Role::Var),
    ("debugger_statement", Role::Debugger),
    ("comment", Role::Comment),
];

/// Read a node.
pub fn read(role: Role, node: Node, facts: &mut Facts) {
    match role {
        Role::Function => function(node, facts),
        Role::Class => class(node, facts),
        Role::Naming(left, right) => naming(node, left, right, facts),
        Role::Branch => facts.branch(1),
        Role::Binary => {
            facts.branch(usize::from(has_operator(node, &["&&", "||", "??"])));
            look::comparison(node, facts);
        }
        Role::Update => facts.branch(usize::from(has_operator(node, &["&&=", "||=", "??="]))),
        Role::Import => modules::import(node, facts),
        Role::Export => modules::export(node, facts),
        Role::Call => call(node, "function", facts),
        Role::New => call(node, "constructor", facts),
        Role::Catch => look::catch(node, facts),
        Role::Var => facts.found("var_declaration", node),
        Role::Debugger => facts.found("debugger", node),
        Role::Comment => facts.comment(node),
    }
}

/// Whether the operator of a node is one of `operators`.
pub fn has_operator(node: Node, operators: &[&str]) -> bool {
    node.child_by_field_name("operator").is_some_and(|operator| operators.contains(&operator.kind()))
}

fn function(node: Node, facts: &mut Facts) {
    let single = node.child_by_field_name("parameter").map(|single| vec![single]);
    let list = node.child_by_field_name("parameters").map(children);
    let list = single.or(list).unwrap_or_default();
    let parameters = list.into_iter().filter(|node| node.kind() != "comment").map(|node| parameter(node, facts));
    let parameters = parameters.collect();
    let own = node.child_by_field_name("name").map(|name| facts.source.clip(name, SHOWN));
    let given = facts.given_names.remove(&node.id());
    let name = own.or(given).unwrap_or_else(|| "<anonymous>".into());
    let is_method = node.kind() == "method_definition";
    let function = facts.open_function(&name, node, parameters);
    function.is_async = child(node, "async").is_some();
    if is_method {
        function.kind = "method";
    }
}

fn parameter(node: Node, facts: &Facts) -> Parameter {
    let text = |node: Node| facts.source.clip(node, SHOWN);
    match node.kind() {
        "assignment_pattern" => Parameter {
            name: node.child_by_field_name("left").map(text).unwrap_or_default(),
            default: node.child_by_field_name("right").map(text),
            ..Parameter::default()
        },
        "rest_pattern" => {
            let name = node.named_child(0).map(text).unwrap_or_default();
            Parameter { name, kind: Some("variadic"), ..Parameter::default() }
        }
        _ => Parameter { name: text(node), ..Parameter::default() },
    }
}

fn class(node: Node, facts: &mut Facts) {
    let heritage = child(node, "class_heritage").map(children).unwrap_or_default();
    let bases = heritage.into_iter().map(|base| facts.source.clip(base, SHOWN)).collect();
    let own = node.child_by_field_name("name").map(|name| facts.source.clip(name, SHOWN));
    let given = facts.given_names.remove(&node.id());
    facts.open_class(&own.or(given).unwrap_or_else(|| "<anonymous>".into()), "class", bases, node);
}

fn naming(node: Node, left: &str, right: &str, facts: &mut Facts) {
    let (Some(name), Some(value)) = (node.child_by_field_name(left), node.child_by_field_name(right)) else { return };
    if matches!(value.kind(), "function_expression" | "generator_function" | "arrow_function" | "class") {
        facts.given_names.insert(value.id(), facts.source.clip(name, SHOWN));
    }
    if node.kind() == "assignment_expression" {
        look::assignment(name, node, facts);
    }
}

fn call(node: Node, field: &str, facts: &mut Facts) {
    let Some(callee) = node.child_by_field_name(field) else { return };
    let text = if callee.end_byte() - callee.start_byte() <= SHOWN { facts.source.of(callee) } else { "" };
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '$' | '#' | '?');
    let last = callee.child_by_field_name("property").map_or("<expression>", |last| facts.source.of(last));
    let name = if !text.is_empty() && text.chars().all(plain) { text } else { last };
    facts.call(name, node);
    look::call(name, field == "constructor", node, facts);
    modules::call(name, node, facts);
}
