//! Rust: what the nodes of its syntax tree say.
//!
//! Complexity is 1, and 1 more for each `if`, `while`, `for`, `loop`, match arm, `let … else`, `?`, `&&` and `||`;
//! closures count for the function around them, functions inside functions for themselves. What macros are called with
//! is no code until they expand: it counts for nothing, and only calls are looked for in it.

use tree_sitter::Node;

use crate::facts::{Facts, Habits, SHOWN};
use crate::report::Parameter;
use crate::walk::{child, children};
use crate::{rust_findings, rust_uses};

/// Two colons between names; nested functions count for themselves.
pub const HABITS: Habits = Habits { separator: "::", nested_counts: false };

/// What a node means.
#[derive(Clone, Copy)]
pub enum Role {
    /// A function, with a body or without.
    Function,
    /// A type with a name.
    Type(&'static str),
    /// An `impl` block.
    Impl,
    /// A module, here or in its own file.
    Module,
    /// One more way through a function.
    Branch,
    /// A `let`, perhaps with an `else`.
    Let,
    /// Two operands, perhaps of `&&` or `||`.
    Binary,
    /// Conditions joined by `&&`, some of them with `let`.
    Chain,
    /// `use …;`
    Use,
    /// `extern crate …;`
    Crate,
    /// A path of two parts and more.
    Path,
    /// A call.
    Call,
    /// A call of a macro.
    Macro,
    /// The definition of a macro, whose rules are no code.
    MacroRules,
    /// What a macro is called with.
    Tokens,
    /// An attribute.
    Attribute,
    /// An `unsafe` block.
    Unsafe,
    /// A static.
    Static,
    /// A comment.
    Comment,
}

/// The kinds of nodes that mean something.
pub const ROLES: &[(&str, Role)] = &[
    ("function_item", Role::Function),
    ("function_signature_item", Role::Function),
    ("struct_item", Role::Type("struct")),
    ("enum_item", Role::Type("enum")),
    ("union_item", Role::Type("union")),
    ("trait_item", Role::Type("trait")),
    ("impl_item", Role::Impl),
    ("mod_item", Role::Module),
    ("if_expression", Role::Branch),
    ("while_expression", Role::Branch),
    ("for_expression", Role::Branch),
    ("loop_expression", Role::Branch),
    ("match_arm", Role::Branch),
    ("try_expression", Role::Branch),
    ("let_declaration", Role::Let),
    ("binary_expression", Role::Binary),
    ("let_chain", Role::Chain),
    ("use_declaration", Role::Use),
    ("extern_crate_declaration", Role::Crate),
    ("scoped_identifier", Role::Path),
    ("scoped_type_identifier", Role::Path),
    ("call_expression", Role::Call),
    ("macro_invocation", Role::Macro),
    ("macro_definition", Role::MacroRules),
    ("token_tree", Role::Tokens),
    ("attribute_item", Role::Attribute),
    ("inner_attribute_item", Role::Attribute),
    ("unsafe_block", Role::Unsafe),
    ("static_item", Role::Static),
    ("line_comment", Role::Comment),
    ("block_comment", Role::Comment),
];

/// Read a node.
pub fn read(role: Role, node: Node, facts: &mut Facts) {
    match role {
        Role::Function => function(node, facts),
        Role::Type(kind) => {
            facts.open_class(name_of(node, facts), kind, bases(node, facts), node);
        }
        Role::Impl => implementation(node, facts),
        Role::Module => module(node, facts),
        Role::Branch => facts.branch(1),
        Role::Let => facts.branch(usize::from(node.child_by_field_name("alternative").is_some())),
        Role::Binary => facts.branch(usize::from(is_lazy(node))),
        Role::Chain => facts.branch(children(node).len().saturating_sub(1)),
        Role::Use => rust_uses::read(node, facts),
        Role::Crate => extern_crate(node, facts),
        Role::Path => path(node, facts),
        Role::Call => call(node, facts),
        Role::Macro => macro_call(node, facts),
        Role::MacroRules => facts.quiet_until = node.end_byte(),
        Role::Tokens => rust_findings::tokens(node, facts),
        Role::Attribute => {
            facts.quiet_until = facts.quiet_until.max(node.end_byte());
            rust_findings::attribute(node, facts);
        }
        Role::Unsafe => facts.found("unsafe", node),
        Role::Static => rust_findings::static_item(node, facts),
        Role::Comment => facts.comment(node),
    }
}

fn name_of<'s>(node: Node, facts: &Facts<'s>) -> &'s str {
    node.child_by_field_name("name").map_or("", |name| facts.source.of(name))
}

/// The traits that a trait builds on.
fn bases(node: Node, facts: &Facts) -> Vec<String> {
    let bounds = node.child_by_field_name("bounds").map(children).unwrap_or_default();
    bounds.into_iter().map(|bound| facts.source.clip(bound, SHOWN)).collect()
}

fn function(node: Node, facts: &mut Facts) {
    let list = node.child_by_field_name("parameters").map(children).unwrap_or_default();
    let parameters = list.into_iter().filter_map(|node| parameter(node, facts)).collect();
    let returns = node.child_by_field_name("return_type").map(|node| facts.source.clip(node, SHOWN));
    let modifiers = child(node, "function_modifiers");
    let has = |word| modifiers.is_some_and(|modifiers| child(modifiers, word).is_some());
    let (is_async, is_unsafe) = (has("async"), has("unsafe"));
    let name = name_of(node, facts);
    let function = facts.open_function(name, node, parameters);
    function.returns = returns;
    function.is_async = is_async;
    if is_unsafe {
        facts.found("unsafe", node);
    }
}

fn parameter(node: Node, facts: &Facts) -> Option<Parameter> {
    let text = |node: Node| facts.source.clip(node, SHOWN);
    match node.kind() {
        "attribute_item" | "line_comment" | "block_comment" => None,
        "self_parameter" => {
            Some(Parameter { name: "self".into(), annotation: Some(text(node)), ..Parameter::default() })
        }
        "variadic_parameter" => Some(Parameter { name: text(node), kind: Some("variadic"), ..Parameter::default() }),
        _ => {
            let name = node.child_by_field_name("pattern").unwrap_or(node);
            let annotation = node.child_by_field_name("type").map(text);
            Some(Parameter { name: text(name), annotation, ..Parameter::default() })
        }
    }
}

fn implementation(node: Node, facts: &mut Facts) {
    let whole = node.child_by_field_name("type");
    let named = whole.and_then(|whole| whole.child_by_field_name("type")).or(whole);
    let name = named.map(|named| facts.source.clip(named, SHOWN)).unwrap_or_default();
    facts.open(&name, true);
    if child(node, "unsafe").is_some() {
        facts.found("unsafe", node);
    }
}

fn module(node: Node, facts: &mut Facts) {
    let name = name_of(node, facts);
    facts.modules.insert(name.to_owned());
    facts.open(name, false);
}

/// Whether the right side is evaluated only sometimes.
fn is_lazy(node: Node) -> bool {
    node.child_by_field_name("operator").is_some_and(|operator| matches!(operator.kind(), "&&" | "||"))
}

fn extern_crate(node: Node, facts: &mut Facts) {
    let alias = node.child_by_field_name("alias").map(|alias| facts.source.clip(alias, SHOWN));
    let name = name_of(node, facts);
    facts.import(name, alias, None, node);
}

/// Remember the first part of a path.
fn path(node: Node, facts: &mut Facts) {
    let first = node.child_by_field_name("path").filter(|path| path.kind() == "identifier");
    if let Some(first) = first {
        let line = first.start_position().row + 1;
        facts.paths.entry(facts.source.of(first).to_owned()).or_insert(line);
    }
}

fn call(node: Node, facts: &mut Facts) {
    let Some(callee) = node.child_by_field_name("function") else { return };
    let callee =
        callee.child_by_field_name("function").filter(|_| callee.kind() == "generic_function").unwrap_or(callee);
    let text = if callee.end_byte() - callee.start_byte() <= SHOWN { facts.source.of(callee) } else { "" };
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | ':');
    let last = callee.child_by_field_name("field").or_else(|| callee.child_by_field_name("name"));
    let last = last.map_or("<expression>", |last| facts.source.of(last));
    let name = if !text.is_empty() && text.chars().all(plain) { text } else { last };
    facts.call(name, node);
    let is_method = callee.kind() == "field_expression";
    let arguments = node.child_by_field_name("arguments").map_or(0, |arguments| arguments.named_child_count());
    rust_findings::call(if is_method { last } else { name }, is_method, arguments == 0, node, facts);
}

fn macro_call(node: Node, facts: &mut Facts) {
    let name = node.child_by_field_name("macro").map_or("", |name| facts.source.of(name));
    rust_findings::macro_call(name, node, facts);
}
