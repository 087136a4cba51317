//! Python's project files: `pyproject.toml` (standard tables and Poetry's) and `requirements.txt`.

use toml::{Table, Value};

use crate::dependencies::Dependency;
use crate::project_files::table;

/// What a `pyproject.toml` needs.
pub fn pyproject(root: &Table) -> Vec<Dependency> {
    let mut found = listed(table(root, &["project"]), "dependencies", "runtime");
    found.extend(listed(table(root, &["build-system"]), "requires", "build"));
    for keys in [&["project", "optional-dependencies"][..], &["dependency-groups"]] {
        let groups = table(root, keys);
        let names = groups.into_iter().flat_map(Table::keys);
        found.extend(names.flat_map(|name| listed(groups, name, name)));
    }
    let Some(poetry) = table(root, &["tool", "poetry"]) else { return found };
    found.extend(poetry_table(table(poetry, &["dependencies"]), "runtime"));
    found.extend(poetry_table(table(poetry, &["dev-dependencies"]), "dev"));
    for (name, group) in table(poetry, &["group"]).into_iter().flatten() {
        found.extend(poetry_table(group.as_table().and_then(|group| table(group, &["dependencies"])), name));
    }
    found
}

/// The requirements in a list of them under `key`.
fn listed(holder: Option<&Table>, key: &str, group: &str) -> Vec<Dependency> {
    let list = holder.and_then(|holder| holder.get(key)).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.filter_map(|text| requirement(text, group)).collect()
}

fn poetry_table(entries: Option<&Table>, group: &str) -> Vec<Dependency> {
    let entries = entries.into_iter().flatten().filter(|(name, _)| *name != "python");
    let dependency = |(name, wanted): (&String, &Value)| {
        let version = wanted.as_str().or_else(|| wanted.get("version").and_then(Value::as_str));
        let kind = if wanted.get("path").is_some() { "local" } else { "third_party" };
        let version = version.map(str::to_owned);
        Dependency { name: name.clone(), kind, version, group: Some(group.to_owned()), ..Dependency::default() }
    };
    entries.map(dependency).collect()
}

/// What a `requirements.txt` lists; options and other files it names are passed over.
pub fn requirements(text: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or(line) };
        let editable = code.trim().strip_prefix("-e ").or_else(|| code.trim().strip_prefix("--editable "));
        let code = editable.unwrap_or(code).trim().trim_end_matches('\\');
        let wanted = code.split(" --").next().unwrap_or(code).trim();
        if wanted.is_empty() || wanted.starts_with('-') {
            continue;
        }
        if let Some(mut dependency) = requirement(wanted, "runtime") {
            dependency.line = Some(index + 1);
            found.push(dependency);
        }
    }
    found
}

/// One requirement as PEP 508 writes it: `name[extra]>=1; marker` or `name @ url`; or a path.
fn requirement(text: &str, group: &str) -> Option<Dependency> {
    let text = text.trim();
    let group = Some(group.to_owned());
    if text.starts_with(['.', '/']) || text.starts_with("file:") {
        return Some(Dependency { name: text.to_owned(), kind: "local", group, ..Dependency::default() });
    }
    let in_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
    let end = text.find(|character: char| !in_name(character)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
    if rest.starts_with("://") || rest.starts_with("+") {
        return Some(Dependency { name: text.to_owned(), kind: "third_party", group, ..Dependency::default() });
    }
    let rest = rest.trim_start();
    let rest = if rest.starts_with('[') { rest.split_once(']').map_or("", |(_, rest)| rest) } else { rest };
    let version = rest.split(';').next().unwrap_or(rest).trim().trim_matches(['(', ')']).trim();
    let version = (!version.is_empty()).then(|| version.to_owned());
    Some(Dependency { name: name.to_owned(), kind: "third_party", version, group, ..Dependency::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, &'static str, Option<String>)> {
        requirement(text, "runtime").map(|found| (found.name, found.kind, found.version))
    }

    #[test]
    fn requirements_are_taken_apart() {
        for (text, name, kind, version) in [
            ("requests", "requests", "third_party", None),
            ("a.b-c_d [x,y] >= 1.0, <2 ; python_version < '3.12'", "a.b-c_d", "third_party", Some(">= 1.0, <2")),
            ("pip @ https://example.com/pip.whl", "pip", "third_party", Some("@ https://example.com/pip.whl")),
            ("zope.interface (>3)", "zope.interface", "third_party", Some(">3")),
            ("./lib", "./lib", "local", None),
            ("git+https://example.com/a.git", "git+https://example.com/a.git", "third_party", None),
        ] {
            assert_eq!(read(text), Some((name.into(), kind, version.map(str::to_owned))), "{text}");
        }
        assert_eq!(read(""), None);
        assert_eq!(read("=1"), None);
    }
}
