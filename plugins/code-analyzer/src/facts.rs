//! What has been found in a file so far, and inside which classes and functions the reader stands.
//!
//! Readers of the languages call it in the order of the source; it knows no language itself.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use crate::findings;
use crate::report::{Call, Class, Function, Import, ImportedName, Parameter, Pattern, SyntaxError};
use crate::source::{clip, Position, Source};

/// How many characters of a name, a type or a line of code an answer shows.
pub const SHOWN: usize = 120;
/// How many characters a qualified name may have before its outer part is left out.
const QUALIFIED: usize = 240;

/// A class, module or function around the reader.
struct Scope {
    depth: usize,
    path: String,
    /// The function it is, as an index; none for a class or module.
    function: Option<usize>,
    /// Whether what is declared right inside it is a method.
    holds_methods: bool,
}

/// How a language joins names, and what it counts.
#[derive(Clone, Copy)]
pub struct Habits {
    /// What stands between the parts of a qualified name.
    pub separator: &'static str,
    /// Whether the complexity of a nested function counts for the one around it too.
    pub nested_counts: bool,
}

/// What has been found.
pub struct Facts<'s> {
    /// The text.
    pub source: &'s Source<'s>,
    /// Functions and methods.
    pub functions: Vec<Function>,
    /// Classes and other types.
    pub classes: Vec<Class>,
    /// Imports.
    pub imports: Vec<Import>,
    /// Calls by function and name.
    pub calls: Vec<Call>,
    /// Places worth a look.
    pub patterns: Vec<Pattern>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
    /// The first parts of paths that are used without an import, each with its first line.
    pub paths: BTreeMap<String, usize>,
    /// Modules that the file itself declares.
    pub modules: BTreeSet<String>,
    /// Names of functions that have none themselves, by the id of their node.
    pub given_names: BTreeMap<usize, String>,
    /// Up to which byte the tokens of macros are no code.
    pub quiet_until: usize,
    calls_by_name: BTreeMap<(Option<usize>, String), usize>,
    scopes: Vec<Scope>,
    depth: usize,
    habits: Habits,
}

impl<'s> Facts<'s> {
    /// Begin with nothing found.
    pub fn new(source: &'s Source<'s>, habits: Habits) -> Self {
        Self {
            source,
            functions: Vec::new(),
            classes: Vec::new(),
            imports: Vec::new(),
            calls: Vec::new(),
            patterns: Vec::new(),
            errors: Vec::new(),
            paths: BTreeMap::new(),
            modules: BTreeSet::new(),
            given_names: BTreeMap::new(),
            quiet_until: 0,
            calls_by_name: BTreeMap::new(),
            scopes: Vec::new(),
            depth: 0,
            habits,
        }
    }

    /// Say how deep the next node lies: scopes that do not hold it end.
    pub fn at(&mut self, depth: usize) {
        self.depth = depth;
        while self.scopes.last().is_some_and(|scope| scope.depth >= depth) {
            self.close();
        }
    }

    /// End all scopes.
    pub fn finish(&mut self) {
        while !self.scopes.is_empty() {
            self.close();
        }
    }

    fn close(&mut self) {
        let Some(inner) = self.scopes.pop().and_then(|scope| scope.function) else { return };
        let added = self.functions.get(inner).map_or(0, |function| function.complexity);
        if self.habits.nested_counts {
            self.branch(added);
        }
    }

    /// Count `ways` more ways through the function around the reader.
    pub fn branch(&mut self, ways: usize) {
        let around = self.function_around();
        if let Some(function) = around.and_then(|index| self.functions.get_mut(index)) {
            function.complexity = function.complexity.saturating_add(ways);
        }
    }

    fn function_around(&self) -> Option<usize> {
        self.scopes.iter().rev().find_map(|scope| scope.function)
    }

    fn path_of(&self, name: &str) -> String {
        match self.scopes.last().filter(|scope| !scope.path.is_empty()) {
            None => name.to_owned(),
            Some(scope) if scope.path.len() + name.len() > QUALIFIED => format!("…{}{name}", self.habits.separator),
            Some(scope) => format!("{}{}{name}", scope.path, self.habits.separator),
        }
    }

    /// Enter a class or module named `name`.
    pub fn open(&mut self, name: &str, holds_methods: bool) {
        let path = self.path_of(name);
        self.scopes.push(Scope { depth: self.depth, path, function: None, holds_methods });
    }

    /// Enter a class and put it on record; `whole` is all of its source.
    pub fn open_class(&mut self, name: &str, kind: &'static str, bases: Vec<String>, whole: Node) -> &mut Class {
        let name = clip(name, SHOWN);
        let (line, end_line) = lines_of(whole);
        self.open(&name, true);
        self.classes.push(Class { name, kind, bases, line, end_line });
        let last = self.classes.len() - 1;
        &mut self.classes[last]
    }

    /// Enter a function and put it on record; `whole` is all of its source.
    pub fn open_function(&mut self, name: &str, whole: Node, parameters: Vec<Parameter>) -> &mut Function {
        let name = clip(name, SHOWN);
        let is_method = self.scopes.last().is_some_and(|scope| scope.holds_methods);
        let (line, end_line) = lines_of(whole);
        let path = self.path_of(&name);
        let index = self.functions.len();
        let scope = Scope { depth: self.depth, path: path.clone(), function: Some(index), holds_methods: false };
        self.scopes.push(scope);
        self.functions.push(Function {
            name,
            qualified_name: path,
            kind: if is_method { "method" } else { "function" },
            parameters,
            line,
            end_line,
            complexity: 1,
            ..Function::default()
        });
        let last = self.functions.len() - 1;
        &mut self.functions[last]
    }

    /// Put a call on record.
    pub fn call(&mut self, name: &str, node: Node) {
        let name = clip(name, SHOWN);
        let caller = self.function_around();
        let key = (caller, name.clone());
        if let Some(call) = self.calls_by_name.get(&key).and_then(|index| self.calls.get_mut(*index)) {
            call.count += 1;
            return;
        }
        self.calls_by_name.insert(key, self.calls.len());
        let caller = caller.and_then(|index| self.functions.get(index)).map(|function| function.qualified_name.clone());
        self.calls.push(Call { name, caller, line: lines_of(node).0, count: 1 });
    }

    /// Put an import on record; names of one module in one line come together.
    pub fn import(&mut self, module: &str, alias: Option<String>, name: Option<ImportedName>, node: Node) {
        let line = lines_of(node).0;
        let module = clip(module, SHOWN);
        let last = self.imports.last_mut();
        if let (Some(name), Some(last)) = (&name, last) {
            if last.line == line && last.module == module && !last.names.is_empty() {
                last.names.push(name.clone());
                return;
            }
        }
        self.imports.push(Import { module, alias, names: name.into_iter().collect(), line });
    }

    /// Put a place worth a look on record.
    pub fn found(&mut self, id: &str, node: Node) {
        let Some(finding) = findings::of(id) else { return };
        let function = self.function_around().and_then(|index| self.functions.get(index));
        let Position { line, column } = self.source.position(node);
        self.patterns.push(Pattern {
            id: finding.id,
            severity: finding.severity,
            message: finding.message,
            line,
            column,
            text: self.source.clip(node, SHOWN),
            function: function.map(|function| function.qualified_name.clone()),
        });
    }

    /// Look for a word such as TODO in a comment.
    pub fn comment(&mut self, node: Node) {
        if let Some(id) = findings::of_comment(self.source.of(node)) {
            self.found(id, node);
        }
    }

    /// Put an error of syntax on record.
    pub fn error(&mut self, message: String, node: Node) {
        let Position { line, column } = self.source.position(node);
        self.errors.push(SyntaxError { line, column, message });
    }
}

/// The first and the last line of a node, from 1.
fn lines_of(node: Node) -> (usize, usize) {
    (node.start_position().row + 1, node.end_position().row + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualified_names_do_not_grow_without_end() {
        let source = Source::new("");
        let mut facts = Facts::new(&source, Habits { separator: ".", nested_counts: false });
        for depth in 0..1000 {
            facts.at(depth);
            facts.open("abcdefghij", true);
        }
        let longest = facts.scopes.iter().map(|scope| scope.path.len()).max();
        assert!(longest.is_some_and(|length| length <= QUALIFIED + 2), "{longest:?}");
        facts.finish();
        assert!(facts.scopes.is_empty());
    }
}
