//! Python: places worth a look.

use tree_sitter::Node;

use crate::facts::Facts;
use crate::walk::{child, children};

/// Calls that are a finding by their name alone.
const CALLS: &[(&str, &str)] = &[
    ("breakpoint", "debugger"),
    ("dill.load", "unsafe_deserialization"),
    ("dill.loads", "unsafe_deserialization"),
    ("eval", "dynamic_code"),
    ("exec", "dynamic_code"),
    ("marshal.load", "unsafe_deserialization"),
    ("marshal.loads", "unsafe_deserialization"),
    ("os.popen", "shell_command"),
    ("os.system", "shell_command"),
    ("pdb.set_trace", "debugger"),
    ("pickle.load", "unsafe_deserialization"),
    ("pickle.loads", "unsafe_deserialization"),
    ("yaml.unsafe_load", "unsafe_deserialization"),
];
/// Values that can be changed in place.
const MUTABLE: [&str; 6] =
    ["list", "dictionary", "set", "list_comprehension", "dictionary_comprehension", "set_comprehension"];
/// Functions that make such values.
const MUTABLE_MAKERS: [&str; 8] =
    ["list", "dict", "set", "bytearray", "defaultdict", "deque", "collections.defaultdict", "collections.deque"];

/// Look at an `except`.
pub fn handler(node: Node, facts: &mut Facts) {
    let inner: Vec<Node> = children(node).into_iter().filter(|node| node.kind() != "comment").collect();
    let body = inner.iter().find(|node| node.kind() == "block").map(|block| statements(*block)).unwrap_or_default();
    let caught = inner.iter().find(|node| node.kind() != "block");
    let raises = body.iter().any(|statement| statement.kind() == "raise_statement");
    match caught {
        None if !raises => facts.found("bare_except", node),
        Some(caught) if !raises && is_broad(*caught, facts) => facts.found("broad_except", node),
        _ => {}
    }
    let silent = |statement: &Node| matches!(facts.source.of(*statement).trim(), "pass" | "...");
    if !body.is_empty() && body.iter().all(silent) {
        facts.found("empty_catch", node);
    }
}

fn statements(block: Node) -> Vec<Node> {
    children(block).into_iter().filter(|node| node.kind() != "comment").collect()
}

/// Whether `Exception` or `BaseException` is among what is caught.
fn is_broad(caught: Node, facts: &Facts) -> bool {
    let caught = if caught.kind() == "as_pattern" { caught.named_child(0).unwrap_or(caught) } else { caught };
    let is_wide = |node: &Node| matches!(facts.source.of(*node), "Exception" | "BaseException");
    is_wide(&caught) || (caught.kind() == "tuple" && children(caught).iter().any(is_wide))
}

/// Look at the defaults of parameters.
pub fn defaults(list: Node, facts: &mut Facts) {
    for parameter in children(list) {
        let Some(value) = parameter.child_by_field_name("value") else { continue };
        let maker = value.child_by_field_name("function").map_or("", |maker| facts.source.of(maker));
        let makes = value.kind() == "call" && MUTABLE_MAKERS.contains(&maker);
        if makes || MUTABLE.contains(&value.kind()) {
            facts.found("mutable_default", parameter);
        }
    }
}

/// Look at a call of `name`.
pub fn call(name: &str, node: Node, facts: &mut Facts) {
    if let Some((_, id)) = CALLS.iter().find(|(known, _)| *known == name) {
        facts.found(id, node);
    }
    let (module, function) = name.split_once('.').unwrap_or(("", name));
    let arguments = || child(node, "argument_list").map(children).unwrap_or_default();
    let text = |node: &Node| facts.source.clip(*node, 40).replace(' ', "");
    if module == "subprocess" && arguments().iter().any(|argument| text(argument) == "shell=True") {
        facts.found("shell_command", node);
    }
    if (module, function) == ("yaml", "load") && !arguments().iter().any(|argument| text(argument).contains("Safe")) {
        facts.found("unsafe_deserialization", node);
    }
}
