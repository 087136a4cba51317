//! What a file depends on: its imports by package, each told apart as standard, third-party or local.

use std::collections::{BTreeMap, BTreeSet};

use agentmem_plugin_sdk::kinds::code_analyzer::CodeRequest;
use agentmem_plugin_sdk::response;

use crate::analysis::facts_of;
use crate::facts::Facts;
use crate::languages::{file_name, Language};
use crate::project_files;
use crate::report::{fit, SyntaxError};
use crate::requests::{check_length, Refusal};
use crate::source::Source;
use crate::standard::{is_rust_type, is_standard};

/// How many bytes of JSON the list of dependencies may have.
const BUDGET: usize = 800_000;

/// A package that a file or project depends on.
#[response]
#[derive(Default)]
pub struct Dependency {
    /// The package, crate or module.
    pub name: String,
    /// `standard`, `third_party`, `local`, or `unknown` where one file does not tell.
    pub kind: &'static str,
    /// Which versions a project file asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What a project file wants it for: `runtime`, `dev`, `build`, or the name of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The modules that code imports from it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// The line of its first mention, where the file's format tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// What `find_dependencies` answers.
#[response]
pub struct Dependencies {
    /// The language, or the kind of project file: `cargo`, `pyproject`, `requirements`, `package_json` or `go_mod`.
    pub language: &'static str,
    /// The path as given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_path: Option<String>,
    /// The dependencies, by name.
    pub dependencies: Vec<Dependency>,
    /// What could not be read; the rest was.
    pub syntax_errors: Vec<SyntaxError>,
    /// The lists that were too long for one answer, each with how many entries there are in truth.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub truncated: BTreeMap<&'static str, usize>,
}

/// Find the dependencies of a source file or project file.
///
/// # Errors
/// The code is too long or its language is not read.
pub fn find(request: &CodeRequest) -> Result<Dependencies, Refusal> {
    check_length(&request.code)?;
    let path = request.file_path.as_deref();
    let project = path.and_then(|path| project_files::read(file_name(path), &request.code));
    let (language, dependencies, errors) = match project.filter(|_| request.language.is_none()) {
        Some(read) => (read.format, read.dependencies, read.errors),
        None => of_code(request)?,
    };
    let mut truncated = BTreeMap::new();
    Ok(Dependencies {
        language,
        file_path: request.file_path.clone(),
        dependencies: fit(dependencies, BUDGET, "dependencies", &mut truncated),
        syntax_errors: fit(errors, BUDGET / 40, "syntax_errors", &mut truncated),
        truncated,
    })
}

type Found = (&'static str, Vec<Dependency>, Vec<SyntaxError>);

fn of_code(request: &CodeRequest) -> Result<Found, Refusal> {
    let language = Language::choose(request.language.as_deref(), request.file_path.as_deref())?;
    let source = Source::new(&request.code);
    let facts = facts_of(&source, language)?;
    let mut found: BTreeMap<String, Dependency> = BTreeMap::new();
    let imports = facts.imports.iter().map(|import| (import.module.as_str(), import.line));
    for (module, line) in imports {
        let name = package_of(language, module);
        let kind = kind_of(language, &name, request, &facts);
        add(&mut found, name, kind, Some(module), line);
    }
    if language == Language::Rust {
        add_paths(&mut found, request, &facts);
    }
    Ok((language.name(), found.into_values().collect(), facts.errors))
}

fn add(found: &mut BTreeMap<String, Dependency>, name: String, kind: &'static str, module: Option<&str>, line: usize) {
    let entry = found.entry(name.clone());
    let dependency = entry.or_insert_with(|| Dependency { name, kind, line: Some(line), ..Dependency::default() });
    dependency.line = dependency.line.min(Some(line));
    if let Some(module) = module.filter(|module| !dependency.modules.iter().any(|known| known == module)) {
        dependency.modules.push(module.to_owned());
    }
}

/// The package that a module belongs to, as its registry names it.
fn package_of(language: Language, module: &str) -> String {
    let parts = |separator: &str, count: usize| -> String {
        module.split(separator).take(count).collect::<Vec<_>>().join(separator)
    };
    match language {
        Language::Python if module.starts_with('.') => module.to_owned(),
        Language::Python => parts(".", 1),
        Language::Rust => parts("::", if module.starts_with("::") { 2 } else { 1 }).replace("::", ""),
        Language::JavaScript if module.starts_with(['.', '/']) => module.to_owned(),
        Language::JavaScript => parts("/", if module.starts_with('@') { 2 } else { 1 }),
        Language::Go => match module.split('/').next() {
            Some("github.com" | "gitlab.com" | "bitbucket.org" | "golang.org") => parts("/", 3),
            Some("gopkg.in") => parts("/", 2),
            _ => module.to_owned(),
        },
    }
}

fn kind_of(language: Language, name: &str, request: &CodeRequest, facts: &Facts) -> &'static str {
    if is_local(language, name, request, facts) {
        "local"
    } else if is_standard(language, name) {
        "standard"
    } else {
        "third_party"
    }
}

/// Whether the language itself says that the module belongs to the project.
fn is_local(language: Language, name: &str, request: &CodeRequest, facts: &Facts) -> bool {
    match language {
        Language::Python => name.starts_with('.') || is_folder_of(request.file_path.as_deref(), name),
        Language::Rust => {
            let is_type = name.starts_with(|first: char| first.is_uppercase());
            matches!(name, "crate" | "self" | "super") || is_type || facts.modules.contains(name)
        }
        Language::JavaScript => name.starts_with(['.', '/', '#']),
        Language::Go => name.starts_with('.'),
    }
}

/// Whether the file lies in a folder of that name.
fn is_folder_of(path: Option<&str>, name: &str) -> bool {
    let mut folders: Vec<&str> = path.unwrap_or("").split(['/', '\\']).collect();
    folders.pop();
    folders.contains(&name)
}

/// Add the crates that Rust code names in paths without a `use`.
fn add_paths(found: &mut BTreeMap<String, Dependency>, request: &CodeRequest, facts: &Facts) {
    let mut here: BTreeSet<&str> = BTreeSet::new();
    let mut has_globs = false;
    for import in &facts.imports {
        // What the outer module of this file has is known, and a prelude brings no modules.
        let is_told = matches!(import.module.rsplit("::").next(), Some("super" | "prelude"));
        has_globs |= !is_told && import.names.iter().any(|name| name.name == "*");
        here.extend(import.names.iter().map(|name| name.alias.as_deref().unwrap_or(&name.name)));
        here.extend(
            import.alias.as_deref().or_else(|| import.module.rsplit("::").next()).filter(|_| import.names.is_empty()),
        );
    }
    for (name, line) in &facts.paths {
        let is_type = name.starts_with(|first: char| first.is_uppercase()) || is_rust_type(name);
        if is_type || here.contains(name.as_str()) || found.contains_key(name) {
            continue;
        }
        let kind = match kind_of(Language::Rust, name, request, facts) {
            "third_party" if has_globs => "unknown",
            kind => kind,
        };
        add(found, name.clone(), kind, None, *line);
    }
}
