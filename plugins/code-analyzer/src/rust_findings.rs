//! Rust: places worth a look, in code and in what macros are called with.

use tree_sitter::Node;

use crate::facts::Facts;
use crate::walk::child;

/// Look at a call of `name`.
pub fn call(name: &str, is_method: bool, without_arguments: bool, node: Node, facts: &mut Facts) {
    match name {
        "unwrap" if is_method && without_arguments => facts.found("unwrap", node),
        "expect" if is_method && !without_arguments => facts.found("expect", node),
        _ if !is_method && name.rsplit("::").next() == Some("transmute") => facts.found("transmute", node),
        _ => {}
    }
}

/// Look at a call of the macro `name`, and put it on record as a call.
pub fn macro_call(name: &str, node: Node, facts: &mut Facts) {
    if node.start_byte() < facts.quiet_until {
        return;
    }
    facts.call(&format!("{name}!"), node);
    match name {
        "panic" => facts.found("panic", node),
        "todo" | "unimplemented" => facts.found("unfinished", node),
        "dbg" => facts.found("console_output", node),
        _ => {}
    }
}

/// Look for calls in what a macro is called with: a name and a list in parentheses.
pub fn tokens(node: Node, facts: &mut Facts) {
    if node.start_byte() < facts.quiet_until {
        return;
    }
    let mut cursor = node.walk();
    let (mut dotted, mut name, mut is_macro) = (false, None, false);
    for token in node.children(&mut cursor) {
        match (token.kind(), name) {
            ("identifier", _) => name = Some(token),
            ("!", Some(_)) => is_macro = true,
            ("token_tree", Some(called)) => {
                called_in_tokens(called, token, (dotted, is_macro), facts);
                (dotted, name, is_macro) = (false, None, false);
            }
            (kind, _) => (dotted, name, is_macro) = (kind == ".", None, false),
        }
    }
}

fn called_in_tokens(name: Node, list: Node, (dotted, is_macro): (bool, bool), facts: &mut Facts) {
    let text = facts.source.of(name);
    if is_macro {
        macro_call(text, name, facts);
    } else if child(list, "(").is_some() {
        facts.call(text, name);
        call(text, dotted, child(list, "(").is_some() && list.child_count() == 2, name, facts);
    }
}

/// Look at an attribute.
pub fn attribute(node: Node, facts: &mut Facts) {
    let name = child(node, "attribute").and_then(|attribute| attribute.named_child(0));
    if name.is_some_and(|name| facts.source.of(name) == "allow") {
        facts.found("allow_attribute", node);
    }
}

/// Look at a static.
pub fn static_item(node: Node, facts: &mut Facts) {
    if child(node, "mutable_specifier").is_some() {
        facts.found("mutable_static", node);
    }
}
