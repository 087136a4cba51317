//! Rust: `use` declarations, one import for each name that they bring in.

use tree_sitter::Node;

use crate::facts::{Facts, SHOWN};
use crate::report::ImportedName;
use crate::walk::children;

/// How many characters of a path are kept.
const PATH: usize = 200;

/// Read a `use` declaration: its tree is walked with a list, not by recursion.
pub fn read(node: Node, facts: &mut Facts) {
    let Some(argument) = node.child_by_field_name("argument") else { return };
    let mut waiting = vec![(argument, String::new())];
    while let Some((tree, prefix)) = waiting.pop() {
        match tree.kind() {
            "use_list" => waiting.extend(children(tree).into_iter().rev().map(|inner| (inner, prefix.clone()))),
            "scoped_use_list" => {
                let prefix = joined(&prefix, &path_of(tree, facts));
                waiting.extend(tree.child_by_field_name("list").map(|list| (list, prefix)));
            }
            "use_wildcard" => wildcard(tree, &prefix, node, facts),
            "use_as_clause" => {
                let alias = tree.child_by_field_name("alias").map(|alias| facts.source.clip(alias, SHOWN));
                leaf(&joined(&prefix, &path_of(tree, facts)), alias, node, facts);
            }
            "line_comment" | "block_comment" => {}
            _ => leaf(&joined(&prefix, &facts.source.clip(tree, PATH)), None, node, facts),
        }
    }
}

fn path_of(node: Node, facts: &Facts) -> String {
    node.child_by_field_name("path").map(|path| facts.source.clip(path, PATH)).unwrap_or_default()
}

fn joined(prefix: &str, path: &str) -> String {
    match (prefix, path) {
        ("", path) => path.to_owned(),
        (prefix, "") => prefix.to_owned(),
        (prefix, path) if prefix.len() + path.len() > PATH => format!("{}::…", crate::source::clip(prefix, PATH)),
        (prefix, path) => format!("{prefix}::{path}"),
    }
}

fn wildcard(tree: Node, prefix: &str, node: Node, facts: &mut Facts) {
    let path = children(tree).first().map(|path| facts.source.clip(*path, PATH)).unwrap_or_default();
    let module = joined(prefix, &path);
    facts.import(&module, None, Some(ImportedName { name: "*".into(), alias: None }), node);
    let last = module.rsplit("::").next().unwrap_or("");
    if last != "super" && last != "prelude" {
        facts.found("star_import", node);
    }
}

/// Put one name on record; `self` at the end means the module itself.
fn leaf(path: &str, alias: Option<String>, node: Node, facts: &mut Facts) {
    match path.rsplit_once("::") {
        Some((module, "self")) => facts.import(module, alias, None, node),
        Some((module, name)) => {
            facts.import(module, None, Some(ImportedName { name: name.to_owned(), alias }), node);
        }
        None => facts.import(path, alias, None, node),
    }
}
