//! What a reader finds in some sources, written down by hand: those in `sources/`, and some of this project.

use agentmem_plugin_sdk::kinds::code_analyzer::CodeRequest;
use code_analyzer::analysis::{analyze, patterns};
use code_analyzer::dependencies::find;
use code_analyzer::report::Analysis;

fn request(file_path: &str, code: &str) -> CodeRequest {
    CodeRequest { code: code.to_owned(), language: None, file_path: Some(file_path.to_owned()) }
}

fn read(file_path: &str, code: &str) -> Analysis {
    analyze(&request(file_path, code)).expect("an analysis")
}

/// Name, first line, last line, complexity.
type Row<'a> = (&'a str, usize, usize, usize);

fn functions(analysis: &Analysis) -> Vec<Row<'_>> {
    let row = |f: &'_ code_analyzer::report::Function| (f.line, f.end_line, f.complexity);
    let rows = analysis.functions.iter().map(|f| (f.qualified_name.as_str(), row(f)));
    rows.map(|(name, (line, end_line, complexity))| (name, line, end_line, complexity)).collect()
}

fn places(analysis: &Analysis) -> Vec<(&str, usize, usize)> {
    analysis.patterns.iter().map(|pattern| (pattern.id, pattern.line, pattern.column)).collect()
}

fn dependencies(file_path: &str, code: &str) -> Vec<(String, &'static str)> {
    let found = find(&request(file_path, code)).expect("dependencies");
    found.dependencies.into_iter().map(|dependency| (dependency.name, dependency.kind)).collect()
}

fn named(expected: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    expected.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect()
}

#[test]
fn rust_is_read_as_its_reader_reads_it() {
    let analysis = read("shapes.rs", include_str!("sources/shapes.rs"));
    assert_eq!(
        functions(&analysis),
        [
            ("Shape::area", 12, 12, 1),
            ("Shape::twice", 12, 12, 1),
            // let-else, ?, if, &&, ||, three arms, if in a closure, for, while, loop, if with two &&
            ("Point::new", 14, 24, 16),
            ("danger", 28, 28, 1),
            ("outer", 29, 29, 1),
            ("outer::inner2", 29, 29, 2),
        ]
    );
    assert_eq!(
        places(&analysis),
        [
            ("allow_attribute", 2, 1),
            ("star_import", 3, 1),
            ("todo_comment", 9, 1),
            ("panic", 16, 39),
            ("unwrap", 16, 57),
            ("unfinished", 17, 42),
            ("unwrap", 19, 24),
            ("expect", 19, 42),
            ("unsafe", 20, 9),
            ("transmute", 20, 18),
            ("mutable_static", 26, 1),
            ("unsafe", 28, 1),
        ]
    );
    assert!(analysis.syntax_errors.is_empty());
}

#[test]
fn rust_dependencies_are_told_apart() {
    assert_eq!(
        dependencies("shapes.rs", include_str!("sources/shapes.rs")),
        named(&[
            ("anyhow", "unknown"), // a glob import may have brought it
            ("crate", "local"),
            ("libc", "third_party"),
            ("serde_json", "third_party"),
            ("std", "standard"),
            ("super", "local"),
        ])
    );
    let code = "mod a; use a::B; fn f() { B::new(); tokio::spawn(1); u8::MAX; Vec::new(); }";
    let expected = named(&[("a", "local"), ("tokio", "third_party")]);
    assert_eq!(dependencies("x.rs", code), expected);
}

#[test]
fn this_projects_own_rust_is_read_as_its_reader_reads_it() {
    let walk = read("walk.rs", include_str!("../src/walk.rs"));
    assert_eq!(
        functions(&walk).iter().map(|row| (row.0, row.3)).collect::<Vec<_>>(),
        [("Roles::new", 2), ("Roles::of", 1), ("walk", 5), ("children", 1), ("child", 1), ("fields", 1)]
    );
    let hello = read("lib.rs", include_str!("../../hello/src/lib.rs"));
    let classes: Vec<_> = hello.classes.iter().map(|class| (class.kind, class.name.as_str())).collect();
    assert_eq!(classes, [("struct", "Request"), ("struct", "Response"), ("struct", "Config")]);
    let names: Vec<_> = hello.functions.iter().map(|function| function.qualified_name.as_str()).collect();
    assert_eq!(&names[..2], ["Config::default", "hello"]);
    assert!(names.contains(&"tests::says_what_is_wrong"));
    assert_eq!(walk.syntax_errors.len() + hello.syntax_errors.len(), 0);
}

#[test]
fn javascript_is_read_as_its_reader_reads_it() {
    let analysis = read("view.jsx", include_str!("sources/view.js"));
    assert_eq!(
        functions(&analysis),
        [
            ("A.constructor", 6, 6, 1),
            ("A.get", 6, 6, 2),
            ("A.#p", 6, 6, 1),
            ("f", 7, 7, 6),
            ("g", 8, 8, 3),
            ("<anonymous>", 9, 9, 2),
            ("<anonymous>.<anonymous>", 9, 9, 1),
            ("m", 10, 10, 1),
            ("n", 10, 10, 1),
            ("<anonymous>", 12, 12, 1),
        ]
    );
    let ids: Vec<_> = analysis.patterns.iter().map(|pattern| (pattern.id, pattern.line)).collect();
    assert_eq!(
        ids,
        [
            ("console_output", 7),
            ("dynamic_code", 8),
            ("empty_catch", 8),
            ("loose_equality", 9),
            ("var_declaration", 10),
            ("dynamic_code", 10),
            ("inner_html", 10),
            ("todo_comment", 11),
        ]
    );
    assert_eq!(
        dependencies("view.js", include_str!("sources/view.js")),
        named(&[
            ("./a.js", "local"),
            ("./x.css", "local"),
            ("node:fs", "standard"),
            ("path", "standard"),
            ("react", "third_party"),
        ])
    );
}

#[test]
fn go_is_read_as_its_reader_reads_it() {
    let analysis = read("server.go", include_str!("sources/server.go"));
    assert_eq!(functions(&analysis), [("S.Do", 11, 18, 7), ("main", 19, 19, 1)]);
    let ids: Vec<_> = analysis.patterns.iter().map(|pattern| (pattern.id, pattern.line)).collect();
    assert_eq!(
        ids,
        [
            ("star_import", 4),
            ("blank_import", 5),
            ("unsafe", 7),
            ("panic", 12),
            ("ignored_error", 14),
            ("ignored_error", 15),
            ("fixme_comment", 17),
        ]
    );
    assert_eq!(
        dependencies("server.go", include_str!("sources/server.go")),
        named(&[
            ("fmt", "standard"),
            ("github.com/lib/pq", "third_party"),
            ("gopkg.in/yaml.v3", "third_party"),
            ("math", "standard"),
            ("unsafe", "standard"),
        ])
    );
}

#[test]
fn an_error_of_syntax_does_not_hide_the_rest() {
    let rust =
        read("a.rs", "fn good() { ok(); }\nfn bad( { let x = ; }\nfn after(x: u8) -> u8 { if x > 1 { x } else { 2 } }");
    assert_eq!(functions(&rust).iter().map(|row| row.0).collect::<Vec<_>>(), ["good", "bad", "after"]);
    let errors: Vec<_> = rust.syntax_errors.iter().map(|error| (error.line, error.message.as_str())).collect();
    assert_eq!(errors, [(2, "missing )"), (2, "unexpected \"=\"")]);
    let python = read("a.py", "def a():\n    return (1 +\ndef b():\n    print 'é', é é\n");
    let names: Vec<_> = python.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(!python.syntax_errors.is_empty());
}

#[test]
fn columns_count_characters() {
    let analysis = read("a.py", "é = 'äöü'; eval(é)\n");
    assert_eq!(places(&analysis), [("dynamic_code", 1, 12)]);
}

#[test]
fn python_patterns_are_found_and_their_near_misses_are_not() {
    let found = |code: &str| -> Vec<&'static str> {
        let answer = patterns(&request("a.py", code)).expect("patterns");
        answer.patterns.iter().map(|pattern| pattern.id).collect()
    };
    for (code, ids) in [
        ("try: f()\nexcept: g()\n", vec!["bare_except"]),
        ("try: f()\nexcept:\n    g()\n    raise\n", vec![]),
        ("try: f()\nexcept Exception as e: g()\n", vec!["broad_except"]),
        ("try: f()\nexcept (OSError, BaseException): g()\n", vec!["broad_except"]),
        ("try: f()\nexcept OSError: pass\n", vec!["empty_catch"]),
        ("try: f()\nexcept OSError: g()\n", vec![]),
        ("def f(a=[], b={}, c=set(), d=(), e=None): pass\n", vec!["mutable_default"; 3]),
        ("x.eval('1'); evaluate('1'); re.compile('1')\n", vec![]),
        ("subprocess.run('ls', shell = True); subprocess.run(['ls'])\n", vec!["shell_command"]),
        ("yaml.load(f); yaml.load(f, Loader=yaml.SafeLoader)\n", vec!["unsafe_deserialization"]),
        ("'TODO in a text'\n# TODO in a comment\n", vec!["todo_comment"]),
        ("from os import *\nfrom os import path\n", vec!["star_import"]),
    ] {
        assert_eq!(found(code), ids, "{code}");
    }
}

#[test]
fn no_depth_of_nesting_overflows_the_stack() {
    for (path, open, middle, close) in [
        ("a.py", "(", "1", ")"),
        ("a.py", "f(lambda: -", "1", ")"),
        ("a.py", "not ", "1", ""),
        ("a.py", "x.y(1)+", "1", ""),
        ("a.rs", "fn f(){{[", "1", "]}}"),
        ("a.rs", "use a::{", "b", "};"),
        ("a.rs", "type A = Vec<", "u8", ">;"),
        ("a.js", "function f(){if(a)", ";", "}"),
        ("a.js", "`${", "1", "}`"),
        ("a.go", "func(){", "", "}"),
    ] {
        let code = open.repeat(4_000) + middle + &close.repeat(4_000);
        let analysis = std::thread::Builder::new().stack_size(128 * 1024).spawn(move || read(path, &code));
        let analysis = analysis.expect("a thread").join();
        assert!(analysis.is_ok(), "{path} {open}");
    }
}

#[test]
fn project_files_list_what_they_ask_for() {
    let cargo = "[dependencies]\nserde = \"1\"\nmine = { path = \"../mine\" }\n[dev-dependencies]\ninsta = { version = \"2\" }\n\
                 [target.'cfg(unix)'.dependencies]\nnix = \"0.29\"\n[workspace.dependencies]\nold = { package = \"new\", version = \"3\" }";
    assert_eq!(
        dependencies("x/Cargo.toml", cargo),
        named(&[
            ("insta", "third_party"),
            ("mine", "local"),
            ("new", "third_party"),
            ("nix", "third_party"),
            ("serde", "third_party"),
        ])
    );
    let pyproject = "[project]\ndependencies = [\"mcp>=2\", \"httpx[http2]~=0.28; python_version>'3'\"]\n\
                     [dependency-groups]\ndev = [\"pytest\", {include-group = \"x\"}]\n[build-system]\nrequires = [\"hatchling\"]";
    assert_eq!(
        dependencies("pyproject.toml", pyproject),
        ["hatchling", "httpx", "mcp", "pytest"].map(|name| (name.to_owned(), "third_party"))
    );
    let requirements = "# c\n-r other.txt\nrequests==2.0 --hash=sha256:1 \\\n    --hash=sha256:2\n-e ./lib\n";
    assert_eq!(
        dependencies("requirements-dev.txt", requirements),
        named(&[("./lib", "local"), ("requests", "third_party")])
    );
    let package = r#"{"dependencies": {"react": "^19", "own": "file:../own"}, "devDependencies": {"vite": "1"}}"#;
    assert_eq!(
        dependencies("package.json", package),
        named(&[("own", "local"), ("react", "third_party"), ("vite", "third_party")])
    );
    let go = "module m\nrequire (\n\ta.b/c v1.0.0\n\td.e/f v1 // indirect\n)\nrequire g.h/i v2\n";
    assert_eq!(dependencies("go.mod", go), ["a.b/c", "d.e/f", "g.h/i"].map(|name| (name.to_owned(), "third_party")));
}

#[test]
fn broken_project_files_are_reported_with_their_place() {
    let broken = find(&request("Cargo.toml", "[dependencies]\nserde = = 1\n")).expect("an answer");
    assert_eq!((broken.syntax_errors[0].line, broken.syntax_errors[0].column), (2, 9));
    let broken = find(&request("package.json", "{\n  \"a\" 1}")).expect("an answer");
    assert_eq!(broken.syntax_errors[0].line, 2);
}
