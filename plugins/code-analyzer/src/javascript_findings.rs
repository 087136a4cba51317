//! JavaScript: places worth a look.

use tree_sitter::Node;

use crate::facts::Facts;
use crate::javascript::has_operator;

/// Look at a call of `name`, with `new` or without.
pub fn call(name: &str, with_new: bool, node: Node, facts: &mut Facts) {
    match name {
        "Function" => facts.found("dynamic_code", node),
        "eval" if !with_new => facts.found("dynamic_code", node),
        "document.write" | "document.writeln" => facts.found("inner_html", node),
        "execSync" | "child_process.exec" | "child_process.execSync" => facts.found("shell_command", node),
        _ if name.starts_with("console.") => facts.found("console_output", node),
        _ => {}
    }
}

/// Look at a comparison: `==` with anything but `null` converts.
pub fn comparison(node: Node, facts: &mut Facts) {
    let is_null = |field| node.child_by_field_name(field).is_some_and(|side| side.kind() == "null");
    if has_operator(node, &["==", "!="]) && !is_null("left") && !is_null("right") {
        facts.found("loose_equality", node);
    }
}

/// Look at a `catch`.
pub fn catch(node: Node, facts: &mut Facts) {
    if node.child_by_field_name("body").is_some_and(|body| body.named_child_count() == 0) {
        facts.found("empty_catch", node);
    }
}

/// Look at an assignment to `target`.
pub fn assignment(target: Node, node: Node, facts: &mut Facts) {
    let property = target.child_by_field_name("property").map_or("", |property| facts.source.of(property));
    if matches!(property, "innerHTML" | "outerHTML") {
        facts.found("inner_html", node);
    }
}
