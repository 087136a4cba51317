//! JavaScript: what a file takes from other modules.

use tree_sitter::Node;

use crate::facts::{Facts, SHOWN};
use crate::report::ImportedName;
use crate::walk::{child, children};

/// Read `import …`.
pub fn import(node: Node, facts: &mut Facts) {
    let Some(module) = source_of(node, facts) else { return };
    let clause = child(node, "import_clause").map(children).unwrap_or_default();
    let mut names = Vec::new();
    for part in clause {
        match part.kind() {
            "identifier" => names.push(named("default", Some(facts.source.clip(part, SHOWN)))),
            "namespace_import" => {
                names.push(named("*", part.named_child(0).map(|alias| facts.source.clip(alias, SHOWN))));
            }
            _ => names.extend(specifiers(part, facts)),
        }
    }
    record(&module, names, node, facts);
}

/// Read `export …`, which may take from another module.
pub fn export(node: Node, facts: &mut Facts) {
    let Some(module) = source_of(node, facts) else { return };
    let names = child(node, "export_clause").map(|clause| specifiers(clause, facts));
    record(&module, names.unwrap_or_else(|| vec![named("*", None)]), node, facts);
}

/// Read `require("…")` and `import("…")`.
pub fn call(name: &str, node: Node, facts: &mut Facts) {
    if name != "require" && name != "import" {
        return;
    }
    let argument = node.child_by_field_name("arguments").and_then(|arguments| arguments.named_child(0));
    if let Some(module) = argument.filter(|argument| argument.kind() == "string") {
        let module = unquoted(module, facts);
        facts.import(&module, None, None, node);
    }
}

fn source_of(node: Node, facts: &Facts) -> Option<String> {
    node.child_by_field_name("source").map(|source| unquoted(source, facts))
}

fn unquoted(node: Node, facts: &Facts) -> String {
    facts.source.clip(node, SHOWN).trim_matches(['"', '\'']).to_owned()
}

fn specifiers(list: Node, facts: &Facts) -> Vec<ImportedName> {
    let text = |node: Node| facts.source.clip(node, SHOWN);
    let specifier = |node: Node| {
        let name = node.child_by_field_name("name").map(text)?;
        Some(ImportedName { name, alias: node.child_by_field_name("alias").map(text) })
    };
    children(list).into_iter().filter_map(specifier).collect()
}

fn named(name: &str, alias: Option<String>) -> ImportedName {
    ImportedName { name: name.to_owned(), alias }
}

fn record(module: &str, names: Vec<ImportedName>, node: Node, facts: &mut Facts) {
    if names.is_empty() {
        facts.import(module, None, None, node);
    }
    for name in names {
        facts.import(module, None, Some(name), node);
    }
}
