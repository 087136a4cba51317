//! Go: what the nodes of its syntax tree say.
//!
//! Complexity is counted as gocyclo counts it: 1, and 1 more for each `if`, `for`, `case` but `default`, `&&` and
//! `||`; function literals count for the function around them.

use tree_sitter::Node;

use crate::facts::{Facts, Habits, SHOWN};
use crate::report::Parameter;
use crate::walk::{child, children, fields};

/// Dots between names; functions do not nest.
pub const HABITS: Habits = Habits { separator: ".", nested_counts: false };

/// What a node means.
#[derive(Clone, Copy)]
pub enum Role {
    /// A function or method.
    Function,
    /// A type with a name.
    Type,
    /// One more way through a function.
    Branch,
    /// Two operands, perhaps of `&&` or `||`.
    Binary,
    /// One import.
    Import,
    /// A call.
    Call,
    /// A result that gets a name, or is thrown away.
    Assignment,
    /// `goto`
    Goto,
    /// A comment.
    Comment,
}

/// The kinds of nodes that mean something.
pub const ROLES: &[(&str, Role)] = &[
    ("function_declaration", Role::Function),
    ("method_declaration", Role::Function),
    ("type_spec", Role::Type),
    ("if_statement", Role::Branch),
    ("for_statement", Role::Branch),
    ("expression_case", Role::Branch),
    ("type_case", Role::Branch),
    ("communication_case", Role::Branch),
    ("binary_expression", Role::Binary),
    ("import_spec", Role::Import),
    ("call_expression", Role::Call),
    ("assignment_statement", Role::Assignment),
    ("short_var_declaration", Role::Assignment),
    ("goto_statement", Role::Goto),
    ("comment", Role::Comment),
];

/// Read a node.
pub fn read(role: Role, node: Node, facts: &mut Facts) {
    match role {
        Role::Function => function(node, facts),
        Role::Type => type_spec(node, facts),
        Role::Branch => facts.branch(1),
        Role::Binary => {
            let operator = node.child_by_field_name("operator");
            facts.branch(usize::from(operator.is_some_and(|operator| matches!(operator.kind(), "&&" | "||"))));
        }
        Role::Import => import(node, facts),
        Role::Call => call(node, facts),
        Role::Assignment => assignment(node, facts),
        Role::Goto => facts.found("goto", node),
        Role::Comment => facts.comment(node),
    }
}

fn function(node: Node, facts: &mut Facts) {
    let list = node.child_by_field_name("parameters").map(children).unwrap_or_default();
    let parameters = list.into_iter().flat_map(|node| parameters(node, facts)).collect();
    let returns = node.child_by_field_name("result").map(|node| facts.source.clip(node, SHOWN));
    let name = node.child_by_field_name("name").map_or("", |name| facts.source.of(name));
    let receiver = node.child_by_field_name("receiver").and_then(|receiver| receiver_type(receiver, facts));
    let function = facts.open_function(name, node, parameters);
    function.returns = returns;
    if let Some(receiver) = receiver {
        function.kind = "method";
        function.qualified_name = format!("{receiver}.{}", function.name);
    }
}

/// The name of the type that a method belongs to.
fn receiver_type(receiver: Node, facts: &Facts) -> Option<String> {
    let declared = children(receiver).into_iter().find_map(|node| node.child_by_field_name("type"))?;
    let declared = if declared.kind() == "pointer_type" { declared.named_child(0)? } else { declared };
    let named = declared.child_by_field_name("type").unwrap_or(declared);
    Some(facts.source.clip(named, SHOWN))
}

/// The parameters of one declaration: `a, b int` are two.
fn parameters(node: Node, facts: &Facts) -> Vec<Parameter> {
    let kind = match node.kind() {
        "variadic_parameter_declaration" => Some("variadic"),
        "parameter_declaration" => None,
        _ => return Vec::new(),
    };
    let annotation = node.child_by_field_name("type").map(|node| facts.source.clip(node, SHOWN));
    let names = fields(node, "name").into_iter().map(|name| facts.source.clip(name, SHOWN));
    let mut names: Vec<String> = names.collect();
    if names.is_empty() {
        names.push("_".into());
    }
    let parameter = |name| Parameter { name, kind, annotation: annotation.clone(), default: None };
    names.into_iter().map(parameter).collect()
}

fn type_spec(node: Node, facts: &mut Facts) {
    let kind = match node.child_by_field_name("type").map(|node| node.kind()) {
        Some("struct_type") => "struct",
        Some("interface_type") => "interface",
        _ => return,
    };
    let name = node.child_by_field_name("name").map_or("", |name| facts.source.of(name));
    facts.open_class(name, kind, Vec::new(), node);
}

fn import(node: Node, facts: &mut Facts) {
    let Some(path) = node.child_by_field_name("path") else { return };
    let module = facts.source.clip(path, SHOWN).trim_matches(['"', '`']).to_owned();
    let alias = node.child_by_field_name("name").map(|alias| facts.source.clip(alias, SHOWN));
    match alias.as_deref() {
        Some(".") => facts.found("star_import", node),
        Some("_") => facts.found("blank_import", node),
        _ => {}
    }
    if module == "unsafe" {
        facts.found("unsafe", node);
    }
    facts.import(&module, alias, None, node);
}

fn call(node: Node, facts: &mut Facts) {
    let Some(callee) = node.child_by_field_name("function") else { return };
    let text = if callee.end_byte() - callee.start_byte() <= SHOWN { facts.source.of(callee) } else { "" };
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.');
    let last = callee.child_by_field_name("field").map_or("<expression>", |last| facts.source.of(last));
    let name = if !text.is_empty() && text.chars().all(plain) { text } else { last };
    facts.call(name, node);
    if name == "panic" {
        facts.found("panic", node);
    }
}

/// Look for a result of a call that gets the name `_`.
fn assignment(node: Node, facts: &mut Facts) {
    let side = |field| node.child_by_field_name(field).map(children).unwrap_or_default();
    let last = side("left").last().map(|last| facts.source.of(*last));
    if last == Some("_") && side("right").iter().any(|value| child_is_call(*value)) {
        facts.found("ignored_error", node);
    }
}

fn child_is_call(value: Node) -> bool {
    value.kind() == "call_expression" || child(value, "call_expression").is_some()
}
