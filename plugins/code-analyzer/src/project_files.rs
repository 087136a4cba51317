//! Project files: what `Cargo.toml`, `package.json` and `go.mod` say they need; Python's are in `python_projects`.

use serde_json::Value as Json;
use toml::{Table, Value};

use crate::dependencies::Dependency;
use crate::python_projects;
use crate::report::SyntaxError;

/// What a project file says.
#[derive(Debug, Default)]
pub struct Project {
    /// Which kind of file it is.
    pub format: &'static str,
    /// What it depends on, by name.
    pub dependencies: Vec<Dependency>,
    /// Where it is not what its name says.
    pub errors: Vec<SyntaxError>,
}

/// Read a project file; nothing where `name` is not the name of one.
pub fn read(name: &str, text: &str) -> Option<Project> {
    let lower = name.to_lowercase();
    let mut project = match lower.as_str() {
        "cargo.toml" => from_toml("cargo", text, cargo),
        "pyproject.toml" => from_toml("pyproject", text, python_projects::pyproject),
        "package.json" => package_json(text),
        "go.mod" => Project { format: "go_mod", dependencies: go_mod(text), ..Project::default() },
        _ if lower.ends_with(".txt") && lower.contains("requirements") || lower == "constraints.txt" => {
            let dependencies = python_projects::requirements(text);
            Project { format: "requirements", dependencies, ..Project::default() }
        }
        _ => return None,
    };
    project.dependencies.sort_by(|one, other| (&one.name, &one.group).cmp(&(&other.name, &other.group)));
    Some(project)
}

fn from_toml(format: &'static str, text: &str, read: fn(&Table) -> Vec<Dependency>) -> Project {
    match toml::from_str::<Table>(text) {
        Ok(table) => Project { format, dependencies: read(&table), errors: Vec::new() },
        Err(error) => {
            let (line, column) = place(text, error.span().map_or(0, |span| span.start));
            let errors = vec![SyntaxError { line, column, message: error.message().to_owned() }];
            Project { format, dependencies: Vec::new(), errors }
        }
    }
}

/// The line and the column of a byte, both from 1.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).map_or(0, |line| line.chars().count()) + 1;
    (before.matches('\n').count() + 1, column)
}

/// The table under some keys of a TOML file, if there is one.
pub fn table<'t>(table: &'t Table, keys: &[&str]) -> Option<&'t Table> {
    keys.iter().try_fold(table, |table, key| table.get(*key)?.as_table())
}

fn cargo(root: &Table) -> Vec<Dependency> {
    let mut holders = vec![root];
    holders.extend(table(root, &["workspace"]));
    holders.extend(table(root, &["target"]).into_iter().flat_map(Table::values).filter_map(Value::as_table));
    let mut found = Vec::new();
    for holder in holders {
        for (key, group) in [("dependencies", "runtime"), ("dev-dependencies", "dev"), ("build-dependencies", "build")]
        {
            let entries = table(holder, &[key]).into_iter().flatten();
            found.extend(entries.map(|(name, wanted)| crate_of(name, wanted, group)));
        }
    }
    found
}

fn crate_of(name: &str, wanted: &Value, group: &str) -> Dependency {
    let text = |key| wanted.get(key).and_then(Value::as_str);
    let version = wanted.as_str().or_else(|| text("version")).map(str::to_owned);
    let kind = if text("path").is_some() { "local" } else { "third_party" };
    let name = text("package").unwrap_or(name).to_owned();
    Dependency { name, kind, version, group: Some(group.to_owned()), ..Dependency::default() }
}

fn package_json(text: &str) -> Project {
    let format = "package_json";
    let root: Json = match serde_json::from_str(text) {
        Ok(root) => root,
        Err(error) => {
            let errors = vec![SyntaxError { line: error.line(), column: error.column(), message: error.to_string() }];
            return Project { format, errors, ..Project::default() };
        }
    };
    let groups = [
        ("dependencies", "runtime"),
        ("devDependencies", "dev"),
        ("peerDependencies", "peer"),
        ("optionalDependencies", "optional"),
    ];
    let mut dependencies = Vec::new();
    for (key, group) in groups {
        let entries = root.get(key).and_then(Json::as_object).into_iter().flatten();
        dependencies.extend(entries.map(|(name, version)| package(name, version.as_str(), group)));
    }
    Project { format, dependencies, errors: Vec::new() }
}

fn package(name: &str, version: Option<&str>, group: &str) -> Dependency {
    let is_local = version.is_some_and(|version| {
        ["file:", "link:", "workspace:", "./", "../", "/"].iter().any(|start| version.starts_with(start))
    });
    let kind = if is_local { "local" } else { "third_party" };
    let version = version.map(str::to_owned);
    Dependency { name: name.to_owned(), kind, version, group: Some(group.to_owned()), ..Dependency::default() }
}

fn go_mod(text: &str) -> Vec<Dependency> {
    let mut in_block = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        let words: Vec<&str> = code.split_whitespace().collect();
        let wanted = match words.as_slice() {
            ["require", "("] => {
                in_block = true;
                continue;
            }
            [")"] => {
                in_block = false;
                continue;
            }
            ["require", name, version] => (name, version),
            [name, version] if in_block => (name, version),
            _ => continue,
        };
        let group = if comment.trim() == "indirect" { "indirect" } else { "runtime" };
        found.push(Dependency {
            name: (*wanted.0).to_owned(),
            kind: "third_party",
            version: Some((*wanted.1).to_owned()),
            group: Some(group.to_owned()),
            line: Some(index + 1),
            ..Dependency::default()
        });
    }
    found
}
