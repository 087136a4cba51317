//! What an analysis answers: plain values that become JSON. Nothing here reads code.

use std::collections::BTreeMap;

use agentmem_plugin_sdk::response;
use agentmem_plugin_sdk::serde::Serialize;

/// A parameter of a function, in the words of the source.
#[response]
#[derive(Default)]
pub struct Parameter {
    /// Its name, or the pattern that takes it apart; `self` for a receiver.
    pub name: String,
    /// How it is passed, where that is not the common way: `positional_only`, `keyword_only`, `variadic` or
    /// `keyword_variadic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Its type, where the source says one.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub annotation: Option<String>,
    /// Its default, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// A function or method.
#[response]
#[derive(Default)]
pub struct Function {
    /// Its own name; `<anonymous>` where it has none.
    pub name: String,
    /// Its name behind those of the classes, modules and functions around it.
    pub qualified_name: String,
    /// `function` or `method`.
    pub kind: &'static str,
    /// Its parameters in order.
    pub parameters: Vec<Parameter>,
    /// What it returns, where the source says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returns: Option<String>,
    /// The line of its `def` or `fn`, from 1; decorators and attributes stand before it.
    pub line: usize,
    /// Its last line.
    pub end_line: usize,
    /// Its cyclomatic complexity, at least 1.
    pub complexity: usize,
    /// Whether it is declared `async`.
    #[serde(rename = "async", skip_serializing_if = "is_false")]
    pub is_async: bool,
}

/// A class, struct, enum, union, trait or interface.
#[response]
pub struct Class {
    /// Its name.
    pub name: String,
    /// `class`, `struct`, `enum`, `union`, `trait` or `interface`.
    pub kind: &'static str,
    /// What it extends, in the words of the source.
    pub bases: Vec<String>,
    /// Its first line, from 1.
    pub line: usize,
    /// Its last line.
    pub end_line: usize,
}

/// A name that an import brings in.
#[response]
pub struct ImportedName {
    /// Its name where it comes from; `*` for all of them.
    pub name: String,
    /// Its name here, where that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

/// A module or package that the code imports.
#[response]
pub struct Import {
    /// The module, as the source names it.
    pub module: String,
    /// Its name here, where the module itself is renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The names taken from it; none where the module itself is imported.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<ImportedName>,
    /// The line it stands in, from 1.
    pub line: usize,
}

/// What one function calls under one name.
#[response]
pub struct Call {
    /// What is called: a dotted name, or the last part of a longer expression.
    pub name: String,
    /// The qualified name of the function the call stands in; none at the top level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// The line of the first such call, from 1.
    pub line: usize,
    /// How many such calls there are.
    pub count: usize,
}

/// A place worth a look.
#[response]
pub struct Pattern {
    /// Which pattern, such as `bare_except`.
    pub id: &'static str,
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// What is wrong with it.
    pub message: &'static str,
    /// The line it begins in, from 1.
    pub line: usize,
    /// The column it begins at in characters, from 1.
    pub column: usize,
    /// The code, cut to one short line.
    pub text: String,
    /// The qualified name of the function it stands in; none at the top level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
}

/// Where the code is not the language it should be.
#[response]
pub struct SyntaxError {
    /// The line it begins in, from 1.
    pub line: usize,
    /// The column it begins at in characters, from 1.
    pub column: usize,
    /// What was found, or what is missing.
    pub message: String,
}

/// The complexity of a whole file.
#[response]
#[derive(Default)]
pub struct Complexity {
    /// The sum over the functions.
    pub total: usize,
    /// The highest of a function; 0 where there is none.
    pub max: usize,
    /// The mean over the functions, rounded to two digits; 0 where there is none.
    pub average: f64,
}

impl Complexity {
    /// Sum up the complexities of `functions`.
    pub fn of(functions: &[Function]) -> Self {
        let total: usize = functions.iter().map(|function| function.complexity).sum();
        let max = functions.iter().map(|function| function.complexity).max().unwrap_or(0);
        let average = (total as f64 / functions.len().max(1) as f64 * 100.0).round() / 100.0;
        Self { total, max, average }
    }
}

/// What is in a file.
#[response]
pub struct Analysis {
    /// The language it was read as.
    pub language: &'static str,
    /// The path as given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_path: Option<String>,
    /// How many lines it has.
    pub lines: usize,
    /// Functions and methods in the order of the source.
    pub functions: Vec<Function>,
    /// Classes and other types in the order of the source.
    pub classes: Vec<Class>,
    /// Imports in the order of the source.
    pub imports: Vec<Import>,
    /// Calls by function and name.
    pub calls: Vec<Call>,
    /// Places worth a look in the order of the source.
    pub patterns: Vec<Pattern>,
    /// The complexity of the file.
    pub complexity: Complexity,
    /// What could not be read; the rest was.
    pub syntax_errors: Vec<SyntaxError>,
    /// The lists that were too long for one answer, each with how many entries there are in truth.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub truncated: BTreeMap<&'static str, usize>,
}

/// The places of a file that are worth a look.
#[response]
pub struct Patterns {
    /// The language it was read as.
    pub language: &'static str,
    /// The path as given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_path: Option<String>,
    /// The places in the order of the source.
    pub patterns: Vec<Pattern>,
    /// How many there are of each.
    pub counts: BTreeMap<&'static str, usize>,
    /// What could not be read; the rest was.
    pub syntax_errors: Vec<SyntaxError>,
    /// The lists that were too long for one answer, each with how many entries there are in truth.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub truncated: BTreeMap<&'static str, usize>,
}

/// Keep as many of the first `items` as make `budget` bytes of JSON, and note under `name` how many there were.
pub fn fit<T: Serialize>(
    mut items: Vec<T>,
    budget: usize,
    name: &'static str,
    truncated: &mut BTreeMap<&'static str, usize>,
) -> Vec<T> {
    let mut used = 0;
    let fits = |item: &&T| {
        used += serde_json::to_string(item).map_or(0, |json| json.len() + 1);
        used <= budget
    };
    let kept = items.iter().take_while(fits).count();
    if kept < items.len() {
        truncated.insert(name, items.len());
        items.truncate(kept);
    }
    items
}

fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_and_counted() {
        let mut truncated = BTreeMap::new();
        assert_eq!(fit(vec![1, 2, 3], 6, "short", &mut truncated), [1, 2, 3]);
        assert_eq!(fit(vec![1, 2, 3], 5, "long", &mut truncated), [1, 2]);
        assert_eq!(truncated, BTreeMap::from([("long", 3)]));
    }

    #[test]
    fn the_complexity_of_a_file_sums_up_its_functions() {
        let functions = [1, 2, 2].map(|complexity| Function { complexity, ..Function::default() });
        assert_eq!(Complexity::of(&functions), Complexity { total: 5, max: 2, average: 1.67 });
        assert_eq!(Complexity::of(&[]), Complexity::default());
    }
}
